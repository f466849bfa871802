import { Histogram } from '../../harness/core/histogram.ts';
import type { LoadSpec, LoadWindow } from '../../harness/spi/load.ts';
import type { Scenario } from '../../harness/spi/plan.ts';
import type { JourneyStep } from '../../harness/spi/stack.ts';
import type { Told } from '../support/load-run.ts';

/** `level`: journeys a second or users, by the executor. */
export function specOf(
  target: string,
  journeys: Record<string, JourneyStep[]>,
  { level, ms, ...scenario }: { level: number; ms: number } & Partial<Scenario>,
): LoadSpec {
  const names = Object.keys(journeys);
  return {
    runId: `engines-${process.pid}`,
    scenario: {
      name: 'sale',
      executor: 'constant-arrival-rate',
      engine: 'native',
      segments: [{ fromRate: level, toRate: level, durationMs: ms }],
      warmUpRate: level,
      warmUpMs: 0,
      mix: names.map((journey) => ({ journey, share: 1 / names.length })),
      journeys,
      good: { withinMs: 1000, journeyWithinMs: undefined, shed: 'bad' },
      shadow: true,
      inFlightMax: 200,
      ...scenario,
    },
    target,
    seed: 7,
    marker: 'sw00000000',
    users: { from: 900_001, to: 900_100 },
    steadyMs: 500,
    drainMs: 1500,
  };
}

export const wholes = ({ windows }: Told): LoadWindow[] =>
  windows.filter((row) => row.step === undefined && row.fromMs >= 0);

export function sum(
  rows: readonly LoadWindow[],
  field: 'scheduled' | 'sent' | 'good' | 'droppedCap' | 'abandoned',
): number {
  return rows.reduce((all, row) => all + row[field], 0);
}

export function bad(rows: readonly LoadWindow[], why?: string): number {
  return rows.reduce((all, row) => {
    const counts = row.bad as Record<string, number>;
    return all + (why === undefined ? Object.values(counts).reduce((a, b) => a + b, 0) : (counts[why] ?? 0));
  }, 0);
}

/** A quantile of the rows' latency in ms. */
export function quantile(rows: readonly LoadWindow[], of: 'fromIntended' | 'service', q: number): number {
  const all = new Histogram();
  for (const row of rows) all.mergeEncoded(row[of]);
  return all.quantile(q) / 1000;
}
