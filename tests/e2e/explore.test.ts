import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Exploration } from '../../harness/plan/explore-loop.ts';
import { type Bounds, drawSchedule } from '../../harness/plan/explore-schedule.ts';
import { type Schedule, spaceOf } from '../../harness/plan/explore-space.ts';
import { validatePlan } from '../../harness/plan/validate.ts';
import { FAULT_DRIVERS } from '../../harness/registry.ts';
import { localRuntime } from '../../harness/runtime/local.ts';
import { cli, ROOT } from '../support/cli.ts';
import { lookOutside, NOTHING, newSince } from '../support/outside.ts';
import { CATALOGUE } from '../support/plan-catalogue.ts';

const PLAN = join(ROOT, 'fixtures/plans/two-ways.yaml');
/** What the command works out from the options below. */
const BOUNDS: Bounds = {
  ...{ firstMs: 1300, lastMs: 3000, holdMinMs: 1000, holdMaxMs: 1700, healMs: 3000, faultsMax: 2 },
};
const OPTIONS = [
  '--set',
  'length=12s',
  '--converge',
  '1s',
  '--hold-min',
  '1s',
  '--hold-max',
  '1700ms',
  '--faults',
  '2',
];

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'explore-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The first seed whose schedule stops both ways at one moment. */
async function seedThatStopsBoth(): Promise<number> {
  const result = validatePlan(PLAN, { length: '12s' }, CATALOGUE);
  if ('issues' in result) throw new Error(JSON.stringify(result.issues));
  const detected = await localRuntime.detect(AbortSignal.timeout(20_000));
  if (!detected.ok) throw new Error(detected.reason);
  const space = spaceOf(result.plan, detected.capabilities, CATALOGUE, FAULT_DRIVERS);
  const stops = (schedule: Schedule, service: string): boolean =>
    schedule.some(
      ({ inject, target }) =>
        ['process.pause', 'process.kill', 'network.refuse'].includes(inject) &&
        JSON.stringify(target).includes(service),
    );
  for (let seed = 0; seed < 20_000; seed++) {
    const schedule = drawSchedule(seed, space, BOUNDS);
    if (stops(schedule, 'sunrise') && stops(schedule, 'sunset')) return seed;
  }
  throw new Error('no schedule of 20,000 stops both ways');
}

it('finds a bug that needs two faults, shrinks it to a plan that anyone can run, and leaves nothing', async () => {
  const before = lookOutside();
  const env = { XDG_STATE_HOME: join(folder, 'state') };
  const out = join(folder, 'out');
  const seed = await seedThatStopsBoth();
  const asked = ['--seed', String(seed), '--schedules', '1', '--budget', '45s', '--repeats', '1', '--fails', '1'];
  const explored = await cli(['explore', PLAN, '--set', 'weakness=gives-up', ...OPTIONS, ...asked, '--out', out], {
    env,
  });
  expect(explored, explored.stdout + explored.stderr).toMatchObject({ code: 1 });
  const { found, trials } = JSON.parse(readFileSync(join(out, 'explore.json'), 'utf8')) as Exploration;
  expect(trials).toEqual({ pass: 0, fail: 1, unknown: 0 });
  expect(found).toMatchObject({ seed, failures: ['convergence visits'] });
  expect(explored.stdout).toContain(`found by seed ${seed}`);
  // Both are left; the budget is too short to try all that is smaller.
  const targets = JSON.stringify(found!.shrunk!.schedule.map(({ target }) => target));
  expect(found!.shrunk!.schedule).toHaveLength(2);
  expect([targets.includes('sunrise'), targets.includes('sunset')]).toEqual([true, true]);
  const smallest = join(out, 'smallest.yaml');
  expect(parse(readFileSync(smallest, 'utf8'))).toMatchObject({ vars: { weakness: 'gives-up', length: '12s' } });
  expect(await cli(['validate', smallest], { cwd: folder, env })).toMatchObject({ code: 0 });
  expect(newSince(before)).toEqual(NOTHING);
});

it('says what is missing instead of drawing what cannot be judged', async () => {
  const short = await cli(['explore', PLAN, '--set', 'length=5s'], { env: { XDG_STATE_HOME: join(folder, 'state') } });
  expect(short).toMatchObject({ code: 3, stderr: expect.stringContaining('the load lasts 5s') });
  expect(short.stderr).toContain('--converge');
});
