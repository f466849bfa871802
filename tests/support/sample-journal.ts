import { type JournalSpec, journalFixture, type ScenarioSpec } from './journal-fixture.ts';

const PLAN_TEXT = `plan: lose-a-data-centre
hypothesis: With hz-a dark at sale peak, no acknowledged payment is lost and users still get answers.
stack: ../fixtures/stacks/shop.yaml
seed: 20261111
load:
  - scenario: sale
    executor: constant-arrival-rate
    rate: 250/s
    mix: { browse: 70%, order: 20%, pay: 10% }
    good: { within: 1s }
    shadow: true
  - { scenario: real-users, executor: constant-arrival-rate, rate: 20/s, mix: { browse: 100% }, good: { within: 1s } }
steadyState: { for: 10s, good: 99.9%, p99: 300ms }
faults:
  - { name: slow-link, at: 15s, for: 10s, inject: network.latency, with: { delay: 60ms }, target: { link: { from: payment, to: order } } }
  - { name: dark, at: 40s, for: 20s, inject: idc.blackout, target: { idc: hz-a } }
guard:
  blastRadius: { idcs: 1 }
  abortWhen: [{ of: real-users, bad: 25%, over: 10s }]
verify:
  - availability: { of: sale, target: 99.9% }
  - availability: { of: sale, journey: pay, target: 99.9% }
  - latency: { of: sale, journey: pay, p99: 300ms, when: calm }
  - recovery: { of: sale, rto: 10s, rpo: 0 }
  - integrity: { invariant: money-conserved }
  - isolation: { leaks: 0 }
  - availability: { of: real-users, target: 99%, advisory: true }
`;

const OUTAGE = [40, 41, 42] as const;

const sale: ScenarioSpec = {
  name: 'sale',
  rates: { browse: 175, order: 50, pay: 25 },
  shadow: true,
  steps: { pay: ['order', 'pay'] },
  bad: (second, journey) => outageOf(second, journey === 'pay' ? 0 : journey === 'order' ? 7 : 24),
  latencyMs: (second, journey, u) => {
    const base = (journey === 'browse' ? 5 : journey === 'order' ? 11 : 19) + 26 * u ** 6;
    if (second >= 15 && second < 25 && journey !== 'browse') return base + 62;
    if (second >= 40 && second < 46) return base * (1 + 14 * u * (46 - second) * 0.3);
    if (second >= 60 && second < 66) return base * (1.4 + u);
    return base;
  },
};

const realUsers: ScenarioSpec = {
  name: 'real-users',
  rates: { browse: 20 },
  bad: (second) => outageOf(second, 2),
  latencyMs: (second, _journey, u) => (5 + 22 * u ** 5) * (second >= 40 && second < 44 ? 6 : 1),
};

function outageOf(second: number, most: number): Record<string, number> {
  if (!OUTAGE.includes(second as (typeof OUTAGE)[number]) || most === 0) return {};
  return second === 42 ? { reset: Math.ceil(most / 4) } : { timeout: most, refused: Math.floor(most / 6) };
}

/** A run that looks like the shop losing a data centre: the picture to look at while working on reports. */
export function sampleJournal(changes: Partial<JournalSpec> = {}): string[] {
  return journalFixture({
    plan: 'lose-a-data-centre',
    hypothesis: 'With hz-a dark at sale peak, no acknowledged payment is lost and users still get answers.',
    planText: PLAN_TEXT,
    seconds: 125,
    scenarios: [sale, realUsers],
    faults: [
      {
        name: 'slow-link',
        kind: 'network.latency',
        target: { link: { from: ['payment'], to: ['order'] } },
        commandedMs: 15_010,
        bittenMs: 15_190,
        revertingMs: 25_190,
        healedMs: 25_340,
      },
      { name: 'dark', commandedMs: 40_020, bittenMs: 40_610, revertingMs: 60_610, healedMs: 66_480 },
    ],
    checks: [
      { check: 'availability', params: { of: 'sale', target: 0.999, confidence: 0.95, when: 'all' } },
      { check: 'availability', params: { of: 'sale', journey: 'pay', target: 0.999, confidence: 0.95, when: 'all' } },
      { check: 'latency', params: { of: 'sale', journey: 'pay', p99: 300, confidence: 0.95, when: 'calm' } },
      { check: 'recovery', params: { of: 'sale', rto: 10_000, rpo: 0 } },
      { check: 'integrity', params: { invariant: 'money-conserved' } },
      { check: 'isolation', params: { leaks: 0 } },
      {
        check: 'availability',
        params: { of: 'real-users', target: 0.99, confidence: 0.95, when: 'all' },
        advisory: true,
      },
    ],
    audits: [
      {
        type: 'audit.invariant',
        name: 'money-conserved',
        expect: 'equal',
        values: [
          { store: 'account-db', value: '1853100' },
          { store: 'trade-db', value: '1853100' },
        ],
        holds: true,
      },
      {
        type: 'audit.acks',
        store: 'trade-db',
        journey: 'pay',
        acked: 3121,
        unknown: 4,
        refused: 0,
        found: 3121,
        missing: 0,
        missingKeys: [],
        unknownKept: 3,
      },
      ...(['trade-db', 'account-db'] as const).map((store) => ({
        type: 'audit.marker' as const,
        store,
        realLeaks: 0,
        shadowLeaks: 0,
        realRows: [],
        shadowRows: [],
        shadowSeen: 3121,
      })),
    ],
    machine: { platform: 'linux', release: '6.18', cores: 2, memoryBytes: 25_769_803_776 },
    versions: { seawall: '0.1.0', node: 'v24.19.2', postgres: '18.4', proxy: 'seawall 0.1.0' },
    notes: ['network.latency is half each way and not on the handshake.'],
    ...changes,
  });
}
