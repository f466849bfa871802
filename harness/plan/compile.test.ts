import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CATALOGUE } from '../../tests/support/plan-catalogue.ts';
import { HarnessError } from '../core/errors.ts';
import type { FaultDriver } from '../spi/fault.ts';
import type { LoadDriver } from '../spi/load.ts';
import type { Plan } from '../spi/plan.ts';
import type { Capabilities, Support } from '../spi/runtime.ts';
import { compile } from './compile.ts';
import { canonicalJson } from './digest.ts';
import { badStartsThatTrip, explain } from './explain.ts';
import { type LoadWorld, realWorld } from './load.ts';
import { startsByJourney } from './starts.ts';
import { layOut } from './topology.ts';
import { validatePlan } from './validate.ts';

const FOLDER = resolve(import.meta.dirname, '../../fixtures/plans-invalid');
const PLAN = `
plan: sample
hypothesis: It stays up.
stack: stacks/small.yaml
load:
  - scenario: sale
    executor: ramping-arrival-rate
    stages: [{ to: 250/s, over: 10s }, { hold: 120s }]
    mix: { browse: 90%, buy: 10% }
    good: { within: 1s }
  - { scenario: real-users, executor: constant-arrival-rate, rate: 20/s, mix: { browse: 100% }, good: { within: 1s } }
faults:
  - { name: slow, at: 10s, for: 5s, inject: network.latency, target: { link: { from: shop, to: shop-db } }, with: { delay: 10ms } }
  - { name: dies, at: 20s, for: 5s, inject: database.primary-kill, target: { store: shop-db, role: primary } }
guard: { blastRadius: { idcs: 2 }, abortWhen: [{ of: real-users, bad: 5%, over: 10s }] }
verify:
  - availability: { of: sale, target: 99.99% }
  - availability: { of: sale, journey: buy, target: 99.99% }
  - isolation: { leaks: 0 }
`;

function planAt(folder: string, text = PLAN): Plan {
  const world: LoadWorld = {
    environment: {},
    exists: () => true,
    read: (file) => (file === `${folder}/plan.yaml` ? text : realWorld.read(file.replace(folder, FOLDER))),
  };
  const result = validatePlan(`${folder}/plan.yaml`, {}, CATALOGUE, world);
  if ('issues' in result) throw new Error(result.issues.map(({ message }) => message).join('\n'));
  return result.plan;
}

const CAPABILITIES: Capabilities = {
  runtime: 'local',
  powers: ['node.kill', 'link.toxics'],
  proxy: undefined,
  versions: {},
};
const refuse: Support = { ok: false, reason: 'not mine', hint: 'ask another' };

function faultDriver(name: string, accepts: FaultDriver['accepts']): FaultDriver {
  const never = () => Promise.reject(new Error('compile starts nothing'));
  return { name, accepts, prepare: never, apply: never, revert: never };
}

function loadDriver(accepts: LoadDriver['accepts'] = () => ({ ok: true })): LoadDriver {
  const never = () => Promise.reject(new Error('compile starts nothing'));
  return { name: 'native', detect: never, accepts, start: never };
}

const links = faultDriver('links', (effect) =>
  effect.kind.startsWith('link.') ? { ok: true, note: 'handshakes are not delayed' } : refuse,
);
const nodes = faultDriver('nodes', (effect) => (effect.kind.startsWith('node.') ? { ok: true } : refuse));
const drivers = { fault: [links, nodes], load: [loadDriver()] };
const compiled = (plan = planAt(FOLDER), capabilities = CAPABILITIES, seed = 7) =>
  compile(plan, capabilities, seed, CATALOGUE, drivers);

describe('layOut', () => {
  it('names nodes by what and where, and lays a link for each call and both ways between the members of a store', () => {
    const { nodes: laid, links: edges } = layOut(planAt(FOLDER).stack);
    expect(laid.map(({ id, firstRole }) => `${id} ${firstRole ?? ''}`.trim())).toEqual([
      'front-edge',
      'shop-hz-a',
      'shop-hz-a-2',
      'shop-hz-b',
      'shop-db-hz-a primary',
      'shop-db-hz-b standby',
    ]);
    expect(edges.map(({ id, why }) => `${id} ${why}`)).toEqual([
      'front-edge>shop-hz-a call',
      'front-edge>shop-hz-a-2 call',
      'front-edge>shop-hz-b call',
      'front-edge>shop-db-hz-a:control call',
      'front-edge>shop-db-hz-b:control call',
      'shop-hz-a>shop-db-hz-a:sql call',
      'shop-hz-a>shop-db-hz-b:sql call',
      'shop-hz-a-2>shop-db-hz-a:sql call',
      'shop-hz-a-2>shop-db-hz-b:sql call',
      'shop-hz-b>shop-db-hz-a:sql call',
      'shop-hz-b>shop-db-hz-b:sql call',
      'shop-db-hz-a>shop-db-hz-b:sql replication',
      'shop-db-hz-b>shop-db-hz-a:sql replication',
    ]);
  });
});

describe('compile', () => {
  it('counts the starts, asks who makes which effect true, and keeps roles symbolic', () => {
    const { scenarios, faults, checks, loadMs, notes } = compiled();
    expect(scenarios[0]).toMatchObject({
      starts: 31_250,
      startsByJourney: { browse: 28_125, buy: 3125 },
      durationMs: 130_000,
    });
    expect(loadMs).toBe(130_000);
    expect(new Set(faults[0]!.drivers)).toEqual(new Set(['links']));
    expect(faults[1]).toMatchObject({
      drivers: ['nodes'],
      effects: [{ on: { store: 'shop-db', role: 'primary' } }],
      blast: { idcs: ['hz-a', 'hz-b'], nodes: ['shop-db-hz-a', 'shop-db-hz-b'], services: ['shop-db'] },
    });
    expect(checks.map(({ sampleNeeded, sampleExpected }) => [sampleNeeded, sampleExpected])).toEqual([
      [29_956, 31_250],
      [29_956, 3125],
      [undefined, undefined],
    ]);
    expect(notes).toEqual(['slow: handshakes are not delayed']);
  });

  it('names everything that cannot be done at once, with reasons and hints', () => {
    const none = faultDriver('none', () => ({
      ok: false,
      reason: 'packet loss needs nftables',
      hint: 'use containers',
    }));
    const attempt = () => compile(planAt(FOLDER), CAPABILITIES, 1, CATALOGUE, { ...drivers, fault: [none] });
    expect(attempt).toThrow(HarnessError);
    expect(attempt).toThrow(
      /^slow \(network\.latency\): link\.latency: packet loss needs nftables; this is the local runtime\ndies \(database\.primary-kill\): node\.killed: packet/,
    );
  });

  it('refuses a scenario that its engine cannot run', () => {
    const attempt = () =>
      compile(planAt(FOLDER), CAPABILITIES, 1, CATALOGUE, { ...drivers, load: [loadDriver(() => refuse)] });
    expect(attempt).toThrow(/^sale: not mine\nreal-users: not mine$/);
  });

  it('gives two clones the same digest, and another one to another seed, runtime or plan', () => {
    const { digest } = compiled();
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    expect(compiled(planAt('/elsewhere/a clone/plans')).digest).toBe(digest);
    expect(compiled(planAt(FOLDER), { ...CAPABILITIES, versions: { node: '25' } }).digest).toBe(digest);
    expect(compiled(planAt(FOLDER), CAPABILITIES, 8).digest).not.toBe(digest);
    expect(compiled(planAt(FOLDER), { ...CAPABILITIES, runtime: 'containers' }).digest).not.toBe(digest);
    expect(compiled(planAt(FOLDER, PLAN.replace('delay: 10ms', 'delay: 11ms'))).digest).not.toBe(digest);
  });
});

describe('explain', () => {
  it('prints the whole rehearsal', () => {
    const page = explain(compiled());
    for (const line of [
      'sample: It stays up.',
      '  runtime local, seed 7',
      '   10s  inject slow: network.latency on shop → shop-db',
      '   10s  sale: 250/s for 2m',
      '  130s  end of load; drain, audit, stack down',
      '  sale (real, ramping-arrival-rate, engine native): 31,250 in 130s: browse 28,125, buy 3,125',
      '    node.killed (once, undone by restart) by nodes: the primary of shop-db at that moment',
      '  heal at once when real-users has more than 5% bad over 10s: 16 of 200',
      '    needs 29,956 samples, this plan starts 3,125: too few to pass; 1074s more would do',
      '  slow: handshakes are not delayed',
    ]) {
      expect(page.split('\n')).toContain(line);
    }
    expect(page).toContain(`digest ${compiled().digest}`);
  });

  it('finds the fewest bad starts that trip a guard', () => {
    expect(badStartsThatTrip(200, 0.05)).toBe(16);
    expect(badStartsThatTrip(0, 0.05)).toBeUndefined();
    expect(badStartsThatTrip(2, 0.9)).toBeUndefined();
  });
});

describe('counting', () => {
  it('deals every start to a journey, each within one of its share', () => {
    const scenario = {
      ...planAt(FOLDER).load[0]!,
      segments: [{ fromRate: 1, toRate: 1, durationMs: 10_000 }],
      mix: [
        { journey: 'a', share: 1 / 3 },
        { journey: 'b', share: 1 / 3 },
        { journey: 'c', share: 1 / 3 },
      ],
    };
    expect(Object.values(startsByJourney(scenario)!).toSorted((a, b) => a - b)).toEqual([3, 3, 4]);
  });

  it('writes equal values as equal text', () => {
    expect(canonicalJson({ b: [1, { d: undefined, c: 2 }], a: null })).toBe('{"a":null,"b":[1,{"c":2}]}');
  });
});
