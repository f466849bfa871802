import { Histogram } from '../../harness/core/histogram.ts';
import { seeded } from '../../harness/core/random.ts';
import type { JournalBody, JournalEvent, Proof } from '../../harness/spi/journal.ts';
import type { JsonObject } from '../../harness/spi/json.ts';
import type { BadClass, LoadWindow } from '../../harness/spi/load.ts';
import type { Plan, Scenario, Target } from '../../harness/spi/plan.ts';
import type { Timeline } from '../../harness/spi/timeline.ts';

/** A made-up run: what its load and faults were like, second by second. Everything else is filled in. */
export interface JournalSpec {
  runId?: string;
  plan?: string;
  hypothesis?: string;
  planText?: string;
  /** Length of the load in whole seconds. */
  seconds: number;
  scenarios: ScenarioSpec[];
  faults?: FaultScript[];
  checks?: { check: string; params: JsonObject; advisory?: boolean }[];
  injectFaults?: boolean;
  /** The load ends here although the plan goes on to `seconds`. */
  cutAfterSeconds?: number;
  /** Events put in at a time from t = 0, in ms; among those of the load. */
  during?: { atMs: number; body: JournalBody }[];
  /** Events after the drain: audits and the like. */
  audits?: JournalBody[];
  outcome?: 'completed' | 'interrupted' | 'aborted' | 'failed';
  /** The tool was killed: no `load.ended`, no `run.closed`. */
  killed?: boolean;
  machine?: JsonObject;
  versions?: Record<string, string>;
  notes?: string[];
}

export interface ScenarioSpec {
  name: string;
  /** Journeys started per second. */
  rates: Record<string, number>;
  shadow?: boolean;
  withinMs?: number;
  steps?: Record<string, string[]>;
  /** Declared conversions of a journey's steps, in their order; default 1. */
  conversions?: Record<string, number[]>;
  /** How many of a second were sent a step; default: as many as were started. */
  sentTo?(second: number, journey: string, step: string): number;
  /** Bad ones of a second; must not be more than the rate. */
  bad?(second: number, journey: string): Partial<Record<BadClass, number>>;
  /** Latency of the good ones, in ms; `u` is uniform in [0, 1). */
  latencyMs?(second: number, journey: string, u: number): number;
  droppedLate?(second: number, journey: string): number;
  latenessP99Ms?(second: number): number;
}

export interface FaultScript {
  name: string;
  kind?: string;
  target?: Target;
  commandedMs?: number;
  bittenMs?: number;
  revertingMs?: number;
  healedMs?: number;
  notBitten?: string;
  notHealed?: string;
  skipped?: string;
}

const START_MS = Date.UTC(2026, 10, 11, 12, 0, 0);
const ORIGIN_MS = START_MS + 20_000;

/** The journal's lines, ready for `parseJournal`. */
export function journalFixture(spec: JournalSpec): string[] {
  const events: { atMs: number; body: JournalBody }[] = [];
  const at = (tMs: number, body: JournalBody): void => void events.push({ atMs: ORIGIN_MS + tMs, body });
  at(-20_000, opened(spec));
  at(-19_500, { type: 'phase.opened', phase: 'up' });
  at(-16_000, { type: 'stack.up', ms: 3500, nodes: [], links: 20, notes: [] });
  for (const scenario of spec.scenarios) {
    const results = Object.keys(scenario.rates).map((journey) => ({ journey, good: true, acks: [], because: '' }));
    at(-15_000, { type: 'canary', scenario: scenario.name, results });
  }
  at(-14_000, { type: 'load.origin', originMs: ORIGIN_MS });
  for (const { name } of spec.scenarios) {
    at(1_000, { type: 'steady-state', scenario: name, met: true, good: 500, bad: 0, p99Ms: 21, because: 'all good' });
  }
  loadEvents(spec, at);
  for (const fault of spec.faults ?? []) faultEvents(fault, at);
  for (const { atMs, body } of spec.during ?? []) at(atMs, body);
  const loadMs = (spec.cutAfterSeconds ?? spec.seconds) * 1000;
  if (spec.killed !== true) endEvents(spec, loadMs, at);
  return numbered(events);
}

function numbered(events: { atMs: number; body: JournalBody }[]): string[] {
  let originKnown = false;
  return events
    .toSorted((a, b) => a.atMs - b.atMs)
    .map(({ atMs, body }, index) => {
      if (body.type === 'load.origin') originKnown = true;
      const time = originKnown ? { tMs: atMs - ORIGIN_MS } : {};
      const event: JournalEvent = { seq: index + 1, atMs, ...time, ...body };
      return JSON.stringify(event);
    });
}

function opened(spec: JournalSpec): JournalBody {
  return {
    type: 'run.opened',
    version: 1,
    runId: spec.runId ?? '20261111-120000-5eaf00',
    marker: 'sw5eaf00d1',
    planText: spec.planText ?? 'plan: made-up\n',
    timeline: timelineOf(spec),
    versions: spec.versions ?? { seawall: '0.1.0', node: 'v24.19.2' },
    machine: spec.machine ?? { platform: 'linux', cores: 2 },
    argv: ['run', 'plan.yaml'],
    injectFaults: spec.injectFaults ?? true,
  };
}

function timelineOf(spec: JournalSpec): Timeline {
  const plan = planOf(spec);
  return {
    digest: 'd1'.repeat(32),
    runtime: 'local',
    seed: plan.seed,
    plan,
    topology: { idcs: ['hz-a', 'hz-b', 'edge'], edge: ['edge'], nodes: [], links: [] },
    scenarios: spec.scenarios.map(({ name, rates }) => ({
      name,
      driver: 'native',
      starts: Object.values(rates).reduce((sum, rate) => sum + rate, 0) * spec.seconds,
      startsByJourney: Object.fromEntries(Object.entries(rates).map(([key, rate]) => [key, rate * spec.seconds])),
      durationMs: spec.seconds * 1000,
    })),
    faults: plan.faults.map((fault) => ({
      ...fault,
      effects: [],
      drivers: [],
      blast: { idcs: [], nodes: [], services: [] },
    })),
    checks: (spec.checks ?? []).map(({ check, params, advisory }) => ({
      check,
      params,
      advisory: advisory ?? false,
      sampleNeeded: undefined,
      sampleExpected: undefined,
    })),
    loadMs: spec.seconds * 1000,
    warmUpMs: 5_000,
    notes: spec.notes ?? [],
  };
}

function planOf(spec: JournalSpec): Plan {
  return {
    name: spec.plan ?? 'made-up',
    hypothesis: spec.hypothesis ?? 'Nothing acknowledged is lost.',
    file: 'plans/made-up.yaml',
    stack: {
      file: 'fixtures/stacks/shop.yaml',
      vars: {},
      idcs: ['hz-a', 'hz-b', 'edge'],
      edge: ['edge'],
      entry: 'gtm',
      services: {},
      stores: {},
      journeys: {},
      invariants: {},
      acks: {},
      marker: [],
      users: { real: { from: 1, to: 1000 }, shadow: { from: 900_001, to: 901_000 } },
      existing: {},
    },
    seed: 20_261_111,
    load: spec.scenarios.map((scenario) => scenarioOf(scenario, spec.seconds)),
    steadyState: { forMs: 10_000, goodRatio: 0.999, p99Ms: 300 },
    faults: (spec.faults ?? []).map((fault) => ({
      name: fault.name,
      kind: fault.kind ?? 'idc.blackout',
      atMs: fault.commandedMs ?? 0,
      forMs: (fault.revertingMs ?? 0) - (fault.bittenMs ?? 0),
      target: fault.target ?? { idc: 'hz-a' },
      params: {},
    })),
    guard: { blastRadius: { idcs: 1 }, abortWhen: [] },
    verify: [],
    recoveryWindowMs: 20_000,
    allowHosts: [],
    runtime: 'local',
    proxy: 'seawall',
  };
}

function scenarioOf({ name, rates, shadow, withinMs, steps, conversions }: ScenarioSpec, seconds: number): Scenario {
  const total = Object.values(rates).reduce((sum, rate) => sum + rate, 0);
  const stepOf = (step: string, conversion: number): Scenario['journeys'][string][number] => ({
    name: step,
    method: 'GET',
    path: '/',
    headers: {},
    body: undefined,
    expect: [200],
    take: {},
    ack: undefined,
    checks: [],
    think: { fromMs: 0, toMs: 0 },
    conversion,
  });
  return {
    name,
    executor: 'constant-arrival-rate',
    engine: 'native',
    segments: [{ fromRate: total, toRate: total, durationMs: seconds * 1000 }],
    warmUpRate: total,
    warmUpMs: 5_000,
    mix: Object.entries(rates).map(([journey, rate]) => ({ journey, share: rate / total })),
    journeys: Object.fromEntries(
      Object.keys(rates).map((journey) => {
        const named = steps?.[journey] ?? [];
        return [journey, named.map((step, index) => stepOf(step, conversions?.[journey]?.[index] ?? 1))];
      }),
    ),
    good: { withinMs: withinMs ?? 1_000, journeyWithinMs: undefined, shed: 'bad' },
    shadow: shadow ?? false,
    inFlightMax: 1_000,
  };
}

function loadEvents(spec: JournalSpec, at: (tMs: number, body: JournalBody) => void): void {
  const random = seeded('journal fixture');
  const last = spec.cutAfterSeconds ?? spec.seconds;
  for (const scenario of spec.scenarios) {
    for (let second = -5; second < last; second++) {
      for (const [journey, rate] of Object.entries(scenario.rates)) {
        const chance = random.fork(`${scenario.name}/${journey}/${second}`);
        const row = windowOf(scenario, journey, rate, second, () => chance.next());
        // As in a real journal: the second is told at its deadline, and late answers come in a second row.
        at(second * 1000 + 1_700, { type: 'load.window', row });
        for (const step of scenario.steps?.[journey] ?? []) {
          const sent = scenario.sentTo?.(second, journey, step) ?? row.sent;
          at(second * 1000 + 1_700, { type: 'load.window', row: { ...row, step, scheduled: 0, sent } });
        }
      }
    }
  }
  for (let second = 0; second < last; second += 5) {
    at(second * 1000, {
      type: 'sample',
      tool: { rssBytes: 88_000_000, cpuShare: 0.04 },
      load: [{ rssBytes: 96_000_000 }],
      proxies: [{ rssBytes: 61_000_000 }],
    });
  }
}

function windowOf(
  scenario: ScenarioSpec,
  journey: string,
  rate: number,
  second: number,
  uniform: () => number,
): LoadWindow {
  const bad = scenario.bad?.(second, journey) ?? {};
  const badCount = Object.values(bad).reduce((sum, count) => sum + count, 0);
  const droppedLate = scenario.droppedLate?.(second, journey) ?? 0;
  const droppedCap = bad.dropped ?? 0;
  const good = rate - badCount - droppedLate;
  if (good < 0) throw new RangeError(`second ${second} of ${journey}: more bad than started`);
  const latency = new Histogram();
  for (let index = 0; index < good; index++) {
    latency.record((scenario.latencyMs?.(second, journey, uniform()) ?? 8 + 20 * uniform() ** 4) * 1000);
  }
  if (badCount > 0) latency.record((scenario.withinMs ?? 1_000) * 1000, badCount);
  const text = latency.encode();
  return {
    scenario: scenario.name,
    journey,
    fromMs: second * 1000,
    toMs: second * 1000 + 1000,
    scheduled: rate,
    sent: rate - droppedLate - droppedCap,
    droppedCap,
    droppedLate,
    abandoned: 0,
    good,
    bad,
    excluded: 0,
    ...(badCount > 0 ? { firstBadMs: second * 1000, lastBadMs: second * 1000 + 900 } : {}),
    latenessP99Ms: scenario.latenessP99Ms?.(second) ?? 2.4,
    inFlightMax: 9,
    fromIntended: text,
    service: text,
  };
}

function faultEvents(fault: FaultScript, at: (tMs: number, body: JournalBody) => void): void {
  const { name, commandedMs, bittenMs, revertingMs, healedMs } = fault;
  const proof = (because: string, tMs: number, holds: boolean): Proof => ({
    on: 'gtm>gateway-hz-a',
    holds,
    value: holds ? 'silent' : 'answers',
    unit: 'state',
    because,
    atMs: ORIGIN_MS + tMs,
  });
  if (fault.skipped !== undefined) at(commandedMs ?? 0, { type: 'fault.skipped', fault: name, because: fault.skipped });
  else if (commandedMs !== undefined) at(commandedMs, { type: 'fault.commanded', fault: name, targets: ['hz-a'] });
  if (bittenMs !== undefined) {
    const proofs = [proof('nothing answered within 500 ms where 2 ms were usual', bittenMs, true)];
    at(bittenMs, { type: 'fault.bitten', fault: name, proofs });
  }
  if (fault.notBitten !== undefined) {
    const proofs = [proof(fault.notBitten, (commandedMs ?? 0) + 1, false)];
    at((commandedMs ?? 0) + 1, { type: 'fault.not-bitten', fault: name, because: fault.notBitten, proofs });
  }
  if (revertingMs !== undefined) at(revertingMs, { type: 'fault.reverting', fault: name, why: 'hold-over' });
  if (healedMs !== undefined) {
    at(healedMs, { type: 'fault.healed', fault: name, proofs: [proof('answered in 2 ms again', healedMs, true)] });
  }
  if (fault.notHealed !== undefined) {
    at((revertingMs ?? 0) + 1, { type: 'fault.not-healed', fault: name, because: fault.notHealed, proofs: [] });
  }
}

function endEvents(spec: JournalSpec, loadMs: number, at: (tMs: number, body: JournalBody) => void): void {
  for (const { name, rates } of spec.scenarios) {
    const sent = Object.values(rates).reduce((sum, rate) => sum + rate, 0) * (loadMs / 1000);
    const summary = { scheduled: sent, sent, good: sent, bad: 0, failuresOmitted: 0 };
    at(loadMs + 3_000, { type: 'load.ended', scenario: name, summary });
  }
  for (const [index, body] of (spec.audits ?? []).entries()) at(loadMs + 3_500 + index, body);
  at(loadMs + 6_000, { type: 'run.closed', outcome: spec.outcome ?? 'completed', files: { acks: '0', failures: '0' } });
}
