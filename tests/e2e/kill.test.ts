import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listProcesses } from '../../harness/core/process-identity.ts';
import { CHECKPOINTS } from '../../harness/run/checkpoints.ts';
import { cli, eventually, ROOT, startCli } from '../support/cli.ts';
import { lookOutside, NOTHING, newSince } from '../support/outside.ts';

/** With a database, whose processes and shared memory must go, too. */
const TINY = join(ROOT, 'fixtures/plans/tiny.yaml');
/** Without: a fault's steps are many, and what they leave is on a link. */
const PAIR = join(ROOT, 'fixtures/plans/pair.yaml');
const planFor = (checkpoint: string): string => (checkpoint.startsWith('fault:') ? PAIR : TINY);
const GENERATOR_ENDS_WITHIN_MS = 2_000;

let state = '';
let elsewhere = '';
beforeAll(() => {
  state = mkdtempSync(join(tmpdir(), 'state-'));
  elsewhere = mkdtempSync(join(tmpdir(), 'elsewhere-'));
});
afterAll(() => {
  rmSync(state, { recursive: true, force: true });
  rmSync(elsewhere, { recursive: true, force: true });
});

const own = () => ({ XDG_STATE_HOME: state });
let runs = 0;

/** Lets the tool run into a checkpoint, where it halts, and kills it there. */
async function killedAt(checkpoint: string, args: string[]): Promise<void> {
  const started = startCli(args, { env: { ...own(), SEAWALL_HALT_AT: checkpoint } });
  await eventually(`halt at ${checkpoint}`, () => {
    if (started.child.exitCode !== null)
      throw new Error(`ended instead of halting: ${started.stdout()}${started.stderr()}`);
    return started.stderr().includes(`seawall halted at ${checkpoint}`);
  });
  started.child.kill('SIGKILL');
  await started.done;
}

async function generatorsGone(): Promise<number> {
  const from = performance.now();
  await eventually(
    'the load process ends with its parent',
    () => !listProcesses().some((row) => /harness\/load\/main\.ts/.test(row.command)),
  );
  return performance.now() - from;
}

const runArgs = (plan: string) => ['run', plan, '--out', join(elsewhere, `run-${++runs}`), '--reporter', 'json'];

describe('a tool that is killed', () => {
  const before = lookOutside();

  for (const checkpoint of CHECKPOINTS.filter((name) => !name.startsWith('heal:'))) {
    it(`at ${checkpoint} leaves nothing that heal does not undo`, async () => {
      await killedAt(checkpoint, runArgs(planFor(checkpoint)));
      expect(await generatorsGone()).toBeLessThan(GENERATOR_ENDS_WITHIN_MS);
      const healed = await cli(['heal'], { cwd: elsewhere, env: own() });
      expect(healed).toMatchObject({ code: 0, stdout: expect.stringContaining('healed') });
      expect(newSince(before)).toEqual(NOTHING);
      expect((await cli(['heal'], { cwd: elsewhere, env: own() })).stdout).toContain('nothing to heal');
    });
  }

  for (const checkpoint of CHECKPOINTS.filter((name) => name.startsWith('heal:'))) {
    it(`at ${checkpoint} is healed by the next heal`, async () => {
      await killedAt('fault:hold:begin', runArgs(TINY));
      await killedAt(checkpoint, ['heal']);
      const healed = await cli(['heal'], { cwd: elsewhere, env: own() });
      expect(healed.code).toBe(0);
      expect(newSince(before)).toEqual(NOTHING);
    });
  }

  it('is healed by the next run before it starts', async () => {
    await killedAt('fault:hold:begin', runArgs(TINY));
    const next = await cli(runArgs(TINY), { env: own() });
    expect(next.stdout).toContain('a dead run was found');
    expect([0, 1, 2]).toContain(next.code);
    expect(newSince(before)).toEqual(NOTHING);
  });
});
