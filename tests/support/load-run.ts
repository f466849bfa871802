import type {
  Ack,
  LoadDriver,
  LoadHealth,
  LoadJob,
  LoadSpec,
  LoadSummary,
  LoadWindow,
  StepFailure,
} from '../../harness/spi/load.ts';
import type { Scenario } from '../../harness/spi/plan.ts';
import type { JourneyStep } from '../../harness/spi/stack.ts';

/** All that a load told. */
export interface Told {
  windows: LoadWindow[];
  acks: Ack[];
  failures: StepFailure[];
  health: LoadHealth[];
}

export interface LoadRun extends Told {
  summary: LoadSummary;
}

export const getStep = (path: string, extra: Partial<JourneyStep> = {}): JourneyStep => ({
  name: path.slice(1) || 'root',
  method: 'GET',
  path,
  headers: {},
  body: undefined,
  expect: [200],
  take: {},
  ack: undefined,
  checks: [],
  think: { fromMs: 0, toMs: 0 },
  conversion: 1,
  ...extra,
});

/** A second or two of one journey at a constant rate. */
export function loadSpec(target: string, scenario: Partial<Scenario> & { rate?: number; ms?: number } = {}): LoadSpec {
  const { rate = 50, ms = 1000, ...rest } = scenario;
  return {
    runId: `load-run-${process.pid}`,
    scenario: {
      name: 'sale',
      executor: 'constant-arrival-rate',
      engine: 'native',
      segments: [{ fromRate: rate, toRate: rate, durationMs: ms }],
      warmUpRate: rate,
      warmUpMs: 0,
      mix: [{ journey: 'browse', share: 1 }],
      journeys: { browse: [getStep('/')] },
      good: { withinMs: 1000, journeyWithinMs: undefined, shed: 'bad' },
      shadow: true,
      inFlightMax: 1000,
      ...rest,
    },
    target,
    seed: 7,
    marker: 'sw00000000',
    users: { from: 900_001, to: 900_100 },
    steadyMs: 0,
    drainMs: 1500,
  };
}

export const nothingTold = (): Told => ({ windows: [], acks: [], failures: [], health: [] });

/** Starts a generator, idle; what it tells goes into `told`. */
export function startLoad(
  driver: LoadDriver,
  spec: LoadSpec,
  told: Told,
  signal = new AbortController().signal,
): Promise<LoadJob> {
  const sink = {
    windows: (rows: LoadWindow[]) => void told.windows.push(...rows),
    acks: (rows: Ack[]) => void told.acks.push(...rows),
    failures: (rows: StepFailure[]) => void told.failures.push(...rows),
    health: (row: LoadHealth) => void told.health.push(row),
  };
  return driver.start(spec, sink, signal);
}

/** Runs a load to its end. */
export async function runLoad(driver: LoadDriver, spec: LoadSpec): Promise<LoadRun> {
  const told = nothingTold();
  const job = await startLoad(driver, spec, told);
  job.begin(Date.now() + spec.steadyMs + spec.scenario.warmUpMs + 100);
  return { ...told, summary: await job.done };
}

/** Bad ones by class, whole journeys from t = 0 on. */
export function badByClass(windows: readonly LoadWindow[]): Record<string, number> {
  const bad: Record<string, number> = {};
  for (const row of windows) {
    if (row.step !== undefined || row.fromMs < 0) continue;
    for (const [why, count] of Object.entries(row.bad)) bad[why] = (bad[why] ?? 0) + count;
  }
  return bad;
}
