import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../support/cli.ts';

/** How the program ends, and what it said. */
function torture(...args: string[]): Promise<{ code: number; said: string }> {
  const program = join(ROOT, 'ci/torture/main.ts');
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [program, ...args], (_failed, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, said: `${stdout}${stderr}` }),
    );
  });
}

it('a tool that is killed at random moments, whatever fault it holds, leaves nothing that heal does not undo', async () => {
  const { code, said } = await torture('--kills', '8', '--seed', '20261111');
  expect(said).toContain('8 of 8 kills on local left nothing');
  expect(code).toBe(0);
});

it('and what is left when nobody heals is seen', async () => {
  const { code, said } = await torture('--kills', '2', '--only', 'network.refuse', '--plant', 'no-heal', '--seed', '5');
  expect(said).toMatch(/proxies: now hello-here>notes-here:sql DOWN|processes: now left/);
  expect(code).toBe(1);
});
