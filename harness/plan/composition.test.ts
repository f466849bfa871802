import { resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CATALOGUE } from '../../tests/support/plan-catalogue.ts';
import type { FaultDriver } from '../spi/fault.ts';
import type { LoadDriver } from '../spi/load.ts';
import type { Plan } from '../spi/plan.ts';
import type { Timeline, TimelineFault } from '../spi/timeline.ts';
import { compile } from './compile.ts';
import { explain } from './explain.ts';
import { type LoadWorld, realWorld } from './load.ts';
import { validatePlan } from './validate.ts';

const FOLDER = resolve(import.meta.dirname, '../../fixtures/plans-invalid');
const LOAD_S = 300;

/** A plan on the small stack with these lines under `faults:`. */
const planText = (faults: string, guard = 'none') => `
plan: sample
hypothesis: It stays up.
stack: stacks/small.yaml
load: [{ scenario: sale, rate: 20/s, for: ${LOAD_S}s, mix: { browse: 100% }, good: { within: 1s } }]
faults:
${faults}
recovery: { window: 10s }
guard: ${guard}
verify: [isolation: { leaks: 0 }]
`;

const kill = (name: string, more: string, node = 'shop-hz-a') =>
  `{ name: ${name}, ${more}, inject: process.kill, target: { node: ${node} } }`;

function check(faults: string, guard?: string): ReturnType<typeof validatePlan> {
  const text = planText(faults, guard);
  const world: LoadWorld = {
    environment: {},
    exists: () => true,
    read: (file) => (file.endsWith('/plan.yaml') ? text : realWorld.read(file)),
  };
  return validatePlan(`${FOLDER}/plan.yaml`, {}, CATALOGUE, world);
}

function planOf(faults: string, guard?: string): Plan {
  const result = check(faults, guard);
  if ('issues' in result) throw new Error(result.issues.map(({ message }) => message).join('\n'));
  return result.plan;
}

const issuesOf = (faults: string, guard?: string): string[] => {
  const result = check(faults, guard);
  return 'issues' in result ? result.issues.map(({ code, message }) => `${code} ${message}`) : [];
};

function timelineOf(plan: Plan, seed = 1): Timeline {
  const never = () => Promise.reject(new Error('compile starts nothing'));
  const load: LoadDriver = { name: 'native', detect: never, accepts: () => ({ ok: true }), start: never };
  const fault: FaultDriver = {
    name: 'any',
    accepts: () => ({ ok: true }),
    prepare: never,
    apply: never,
    revert: never,
  };
  const capabilities = { runtime: 'local', powers: [], proxy: undefined, versions: {} };
  return compile(plan, capabilities, seed, CATALOGUE, { fault: [fault], load: [load] });
}

/** `name @ turn + hold (late) after …`, in seconds. */
const shown = ({ name, atMs, forMs, lateMs = 0, after = [] }: Partial<TimelineFault>): string => {
  const late = lateMs === 0 ? '' : ` (${lateMs / 1000})`;
  const waits = after.map(({ fault, moment, delayMs }) => ` ${moment} ${fault} +${delayMs / 1000}`);
  return `${name} @${atMs! / 1000} +${forMs! / 1000}${late}${waits.join()}`;
};
const scheduleOf = (faults: string): string[] => planOf(faults).faults.map(shown);

describe('faults put together', () => {
  it('run one after the other in steps, each when the one before is over, and a wait makes up for lateness', () => {
    expect(
      scheduleOf(`
  - at: 10s
    steps:
      - ${kill('one', 'for: 5s')}
      - ${kill('two', 'for: 4s')}
      - wait: 3s
      - ${kill('three', 'for: 2s')}`),
    ).toEqual(['one @10 +5', 'two @15 +4 (4) over one +0', 'three @22 +2 (3) over two +0']);
  });

  it('run side by side in lanes, which may hold groups, and what follows waits for all of them', () => {
    expect(
      scheduleOf(`
  - at: 10s
    steps:
      - lanes:
          upper: [${kill('a', 'for: 5s')}, ${kill('b', 'for: 5s')}]
          lower: [{ wait: 1s }, { steps: [${kill('c', 'for: 2s', 'shop-hz-b')}] }]
      - ${kill('d', 'for: 2s')}`),
    ).toEqual(['a @10 +5', 'b @15 +5 (5) over a +0', 'c @11 +2', 'd @20 +2 (7) over b +0, over c +0']);
  });

  it('are repeated under names of their own, each round after the one before', () => {
    expect(scheduleOf(`  - ${kill('kick', 'at: 10s, for: 2s, repeat: { times: 3, every: 10s }')}`)).toEqual([
      'kick-1 @10 +2',
      'kick-2 @20 +2 (2) over kick-1 +0',
      'kick-3 @30 +2 (2) over kick-2 +0',
    ]);
    const group = `
  - at: 10s
    repeat: { times: 2, every: 20s }
    steps: [${kill('a', 'for: 2s')}, ${kill('b', 'for: 2s, repeat: { times: 2, every: 5s }')}]`;
    expect(scheduleOf(group).map((line) => line.replace(/ \(.*/, ''))).toEqual([
      'a-1 @10 +2',
      'b-1-1 @12 +2',
      'b-1-2 @17 +2',
      'a-2 @30 +2',
      'b-2-1 @32 +2',
      'b-2-2 @37 +2',
    ]);
  });

  it('flap: whole turns within the hold, each a fault of its own', () => {
    const plan = planOf(`  - ${kill('flap', 'at: 10s, for: 12s, flap: { on: 2s, off: 3s }')}`);
    expect(plan.faults.map(shown)).toEqual([
      'flap-1 @10 +2',
      'flap-2 @15 +2 (2) over flap-1 +0',
      'flap-3 @20 +2 (2) over flap-2 +0',
    ]);
    expect(plan.faults.map(({ flap }) => flap)).toEqual([1, 2, 3].map((turn) => ({ of: 'flap', turn, turns: 3 })));
    // A rest of the hold that is too short for a turn stays off, and what follows begins after it.
    expect(
      scheduleOf(
        `  - { at: 0s, steps: [${kill('flap', 'for: 8s, flap: { on: 2s, off: 2s }')}, ${kill('next', 'for: 1s')}] }`,
      ).map((line) => line.split(' (')[0]),
    ).toEqual(['flap-1 @0 +2', 'flap-2 @4 +2', 'next @8 +1']);
  });

  it('wait for a moment of another: the first to bite, the last to heal, with a delay and a bound', () => {
    expect(
      scheduleOf(`
  - ${kill('dark', 'at: 10s, for: 5s, repeat: { times: 2, every: 10s }')}
  - ${kill('on-top', 'after: { bitten: dark, delay: 1s, within: 4s }, for: 2s', 'shop-hz-b')}
  - ${kill('then', 'after: { healed: dark, delay: 3s }, for: 2s', 'shop-hz-a-2')}
  - ${kill('last', 'after: { recovered: then, within: 20s }, for: 2s', 'shop-hz-b')}`),
    ).toEqual([
      'dark-1 @10 +5',
      'dark-2 @20 +5 (5) over dark-1 +0',
      'on-top @11 +2 (4) bitten dark-1 +1',
      'then @28 +2 (15) healed dark-2 +3',
      'last @35 +2 (35) recovered then +0',
    ]);
  });

  it('in a group that waits for a moment all count from it, and a name means the one of the same round', () => {
    expect(
      scheduleOf(`
  - ${kill('dark', 'at: 10s, for: 5s')}
  - after: { healed: dark, within: 5s }
    repeat: { times: 2, every: 30s }
    steps:
      - ${kill('a', 'for: 2s')}
      - wait: 4s
      - ${kill('b', 'after: { healed: a, delay: 1s, within: 2s }, for: 2s')}`),
    ).toEqual([
      'dark @10 +5',
      'a-1 @15 +2 (5) healed dark +0',
      'b-1 @21 +2 (7) healed dark +6, healed a-1 +1, over a-1 +0',
      'a-2 @45 +2 (7) healed dark +30, over b-1 +0',
      'b-2 @51 +2 (8) healed dark +36, healed a-2 +1, over a-2 +0',
    ]);
  });

  it('are drawn from the seed, those of one group together, and are the same for the same seed', () => {
    const plan = planOf(`
  - ${kill('alone', 'at: { between: [10s, 40s] }, for: 2s')}
  - at: { between: [100s, 130s] }
    steps: [${kill('a', 'for: 5s')}, ${kill('b', 'for: 5s')}]`);
    const turns = (seed: number) => timelineOf(plan, seed).faults.map(({ atMs }) => atMs);
    for (let seed = 0; seed < 50; seed++) {
      const [alone, a, b] = turns(seed) as [number, number, number];
      expect(alone).toBeGreaterThanOrEqual(10_000);
      expect(alone).toBeLessThanOrEqual(40_000);
      expect(a).toBeGreaterThanOrEqual(100_000);
      expect(a).toBeLessThanOrEqual(130_000);
      expect(b - a).toBe(5000);
      expect(turns(seed)).toEqual([alone, a, b]);
    }
    expect(new Set(Array.from({ length: 50 }, (_, seed) => turns(seed)[0])).size).toBeGreaterThan(30);
    expect(timelineOf(plan, 1).digest).toBe(timelineOf(plan, 1).digest);
    expect(timelineOf(plan, 1).digest).not.toBe(timelineOf(plan, 2).digest);
    expect(timelineOf(plan, 1).faults[0]!.drawn).toEqual({ fromMs: 10_000, toMs: 40_000 });
  });

  it('are explained with what they wait for, until when, and what is drawn', () => {
    const page = explain(
      timelineOf(
        planOf(`
  - ${kill('dark', 'at: { between: [10s, 40s] }, for: 5s')}
  - ${kill('then', 'after: { healed: dark, delay: 3s, within: 10s }, for: 2s')}`),
        7,
      ),
    );
    expect(page).toMatch(/inject dark: process\.kill on shop-hz-a, drawn from 10s to 40s\n/);
    expect(page).toContain(
      '18s  inject then: process.kill on shop-hz-a, when dark is healed and 3s have passed, at the latest at 58s',
    );
    expect(page).toContain('skipped if that is not so by 58s, and then the verdict is unknown');
  });
});

describe('at its worst, a schedule', () => {
  it('may overlap only with what is not over before it', () => {
    const dark = `  - ${kill('dark', 'at: 10s, for: 5s')}\n`;
    const again = (moment: string) => `${dark}  - ${kill('again', `after: { ${moment}: dark }, for: 5s`)}`;
    expect(issuesOf(again('healed'))).toEqual([]);
    expect(issuesOf(again('recovered'))).toEqual([]);
    expect(issuesOf(again('bitten'))).toEqual([
      'FAULTS_OVERLAP again may act on shop-hz-a while dark still does: again may begin from 10s to 20s',
    ]);
  });

  it('counts lanes together and steps one by one', () => {
    const guard = '{ blastRadius: { nodes: 1 }, abortWhen: none }';
    const [a, b] = [kill('a', 'for: 5s'), kill('b', 'for: 5s', 'shop-hz-b')];
    expect(issuesOf(`  - { at: 10s, steps: [${a}, ${b}] }`, guard)).toEqual([]);
    expect(issuesOf(`  - { at: 10s, lanes: { x: [${a}], y: [${b}] } }`, guard)).toEqual([
      'BLAST_RADIUS a and b together can touch 2 nodes, the guard allows 1',
    ]);
    // Many late steps of a lane are never held together, however their times overlap.
    const flaps = kill('flap', 'after: { healed: first, within: 60s }, for: 20s, flap: { on: 1s, off: 1s }');
    expect(issuesOf(`  - ${kill('first', 'at: 1s, for: 1s', 'shop-hz-b')}\n  - ${flaps}`, guard)).toEqual([]);
  });

  it('ends with the latest turn, its hold and the recovery window within the load', () => {
    const last = (within: number) =>
      `  - ${kill('dark', 'at: 200s, for: 5s')}\n  - ${kill('then', `after: { healed: dark, within: ${within}s }, for: 20s`)}`;
    expect(issuesOf(last(65))).toEqual([]);
    expect(issuesOf(last(66))).toEqual([
      'FAULT_PAST_END then and its recovery last until 301s (205s + 66s later at worst + 20s + recovery window 10s), the load only until 5m',
    ]);
  });
});

describe('the fault budget', () => {
  const limits = '{ blastRadius: none, abortWhen: none }';

  it('is all members but one, unless the guard says that more is meant', () => {
    const all = '  - { name: all, at: 5s, for: 5s, inject: process.kill, target: { service: shop } }';
    const issue =
      'FAULT_BUDGET all can take all 3 nodes of shop at one moment: with 3 the stack can claim to survive the loss of 2 at most';
    expect(issuesOf(all, limits)).toEqual([issue]);
    expect(issuesOf(all, '{ blastRadius: none, abortWhen: none, faultBudget: none }')).toEqual([]);
    expect(issuesOf(all, 'none')).toEqual([]);
    expect(issuesOf(all.replace('service: shop', 'service: shop, idc: hz-a'), limits)).toEqual([]);
  });

  it('counts what is cut off from the users as gone, and what is only slow as there', () => {
    const links = (from: string, inject: string) =>
      `  - { name: cut, at: 5s, for: 5s, inject: ${inject}, target: { link: { from: ${from}, to: [hz-a, hz-b] } } }`;
    expect(issuesOf(links('edge', 'network.partition'), limits)[0]).toContain('cut can take both IDCs at one moment');
    expect(issuesOf(links('edge', 'network.latency, with: { delay: 10ms }'), limits)).toEqual([]);
    const half = links('edge', 'network.partition').replace('[hz-a, hz-b]', 'hz-a');
    expect(issuesOf(half, limits)).toEqual([]);
  });

  it('is told by explain with its numbers', () => {
    const page = explain(timelineOf(planOf(`  - ${kill('one', 'at: 5s, for: 5s')}`, limits)));
    expect(page).toContain(
      'fault budget: at worst 1 of 3 nodes of shop gone at one moment; the stack can claim to survive 2',
    );
  });
});

/** Lists of faults, groups and waits on four nodes, mostly valid ones. */
const seconds = (min: number, max: number) => fc.integer({ min, max }).map((n) => `${n}s`);
const NODES = ['shop-hz-a', 'shop-hz-a-2', 'shop-hz-b'];
let names = 0;
const faultIn = (turn: fc.Arbitrary<string>) =>
  fc
    .tuple(turn, fc.integer({ min: 1, max: 8 }), fc.constantFrom(...NODES), fc.nat(3))
    .map(([when, hold, node, more]) => {
      const extra = ['', `, repeat: { times: 2, every: ${hold + 3}s }`, '', ', flap: { on: 1s, off: 1s }'][more]!;
      const held = more === 3 ? hold + 3 : hold;
      return kill(`f${names++}`, `${when}for: ${held}s${extra}`, node);
    });
const lane = fc
  .array(
    fc.oneof(
      faultIn(fc.constant('')),
      seconds(1, 9).map((wait) => `{ wait: ${wait} }`),
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((steps) => `[${steps.join(', ')}]`);
const when = fc.oneof(
  seconds(0, 150).map((at) => `at: ${at}, `),
  fc
    .tuple(fc.integer({ min: 0, max: 80 }), fc.integer({ min: 1, max: 60 }))
    .map(([from, span]) => `at: { between: [${from}s, ${from + span}s] }, `),
);
const items = fc.array(
  fc.oneof(
    faultIn(when),
    fc.tuple(when, lane).map(([at, steps]) => `{ ${at}steps: ${steps} }`),
    fc.tuple(when, lane, lane).map(([at, a, b]) => `{ ${at}lanes: { a: ${a}, b: ${b} } }`),
  ),
  { minLength: 1, maxLength: 4 },
);

describe('any schedule that is valid', () => {
  it('never acts twice on one place, never ends past the load, and is the same for the same seed', () => {
    let valid = 0;
    fc.assert(
      fc.property(
        items,
        fc.nat(1000),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 64, maxLength: 64 }),
        (list, seed, lateness) => {
          const result = check(list.map((item) => `  - ${item}`).join('\n'));
          if ('issues' in result) return;
          valid++;
          const { faults, digest } = timelineOf(result.plan, seed);
          expect(timelineOf(result.plan, seed).digest).toBe(digest);
          const held = play(faults, lateness);
          for (const one of held) {
            expect(one.toMs + result.plan.recoveryWindowMs).toBeLessThanOrEqual(LOAD_S * 1000);
            for (const other of held) {
              if (one === other || one.node !== other.node) continue;
              expect(one.toMs <= other.fromMs || other.toMs <= one.fromMs).toBe(true);
            }
          }
        },
      ),
      { numRuns: 300 },
    );
    expect(valid).toBeGreaterThan(60);
  });
});

/** What a run makes of it when each turn is put off by a share of what it may be, and heals come at once. */
function play(
  faults: readonly TimelineFault[],
  lateness: readonly number[],
): { node: string; fromMs: number; toMs: number }[] {
  const ends = new Map<string, number>();
  return faults.map(({ name, atMs, forMs, lateMs = 0, after = [], blast }, index) => {
    const latest = atMs + lateMs;
    const soonest = Math.max(atMs, ...after.map(({ fault, delayMs }) => ends.get(fault)! + delayMs));
    expect(soonest).toBeLessThanOrEqual(latest);
    const fromMs = soonest + lateness[index % lateness.length]! * (latest - soonest);
    ends.set(name, fromMs + forMs);
    return { node: blast.nodes[0]!, fromMs, toMs: fromMs + forMs };
  });
}
