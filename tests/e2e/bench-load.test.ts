import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { ClosedRound } from '../../ci/bench/closed.ts';
import { chooseCores } from '../../ci/bench/cores.ts';
import type { Results, TargetVerdict } from '../../ci/bench/targets.ts';
import { runCommand } from '../../ci/run-command.ts';
import { messageOf } from '../../harness/core/errors.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'ci', 'bench', 'main.ts');
const LIMIT_MS = 120_000;

it('bench:load measures every tool that is here alike, names what it left out and keeps every round', async (context) => {
  try {
    chooseCores();
  } catch (thrown) {
    context.skip(messageOf(thrown));
  }
  const out = mkdtempSync(join(tmpdir(), 'seawall-test-'));
  try {
    const tools = 'seawall,raw loop,autocannon';
    const args = ['--quick', '--rounds', '1', '--only', 'closed,memory', '--requests', '20000', '--tools', tools];
    const done = await runCommand(process.execPath, [MAIN, ...args, '--out', out], { timeoutMs: LIMIT_MS });
    expect(done.code, `${done.stdout}${done.stderr}`).toBe(0);
    const [file] = readdirSync(out);
    const kept = JSON.parse(readFileSync(join(out, file!), 'utf8')) as Results & { targets: TargetVerdict[] };
    expect(kept.broken).toEqual([]);
    expect(kept.closed?.failures).toEqual([]);
    const rounds = kept.closed!.rounds;
    expect(rounds.map(({ tool }) => tool)).toEqual(['seawall', 'raw loop', 'autocannon']);
    for (const round of rounds) expectRound(round);
    expect(kept.memory!.requests).toBeGreaterThanOrEqual(20_000);
    expect(kept.memory!.generator.maxBytes).toBeLessThan(200e6);
    const verdictOn = (start: string) => kept.targets.find(({ target }) => target.startsWith(start))!;
    expect(verdictOn('CPU a request ≤ 0.7× autocannon').verdict).not.toBe('not measured');
    expect(verdictOn('open model').measured).toBe('the open part was left out');
    expect(verdictOn('memory').verdict).toBe('not measured');
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
});

function expectRound({ connections, requests, cpuUsPerRequest, whole }: ClosedRound): void {
  expect(connections).toBe(64);
  expect(requests).toBeGreaterThan(100);
  expect(cpuUsPerRequest).toBeGreaterThan(1);
  expect(whole.errors).toBe(0);
  // What was in flight at the end, and what came within the second that autocannon rounds to, is in one count only.
  expect(Math.abs(whole.tool! - whole.server)).toBeLessThanOrEqual(0.05 * whole.server + 64);
}
