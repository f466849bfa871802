/**
 * Seawall's load as its tool runs it, without the tool around it: the native driver with the shadow tag, both histograms
 * and windows for each journey. Takes an order on its standard input and tells the news on its standard output; `stop`
 * ends the load early, a closed input kills it.
 */
import { createInterface } from 'node:readline';
import { Histogram } from '../../harness/core/histogram.ts';
import { LOAD_DRIVERS } from '../../harness/registry.ts';
import type { LoadHealth, LoadSink, LoadSpec, LoadWindow } from '../../harness/spi/load.ts';
import type { Scenario } from '../../harness/spi/plan.ts';
import type { JourneyStep } from '../../harness/spi/stack.ts';
import { pin } from './cores.ts';
import type { LoadNews, LoadOrder, LoadResult } from './seawall-messages.ts';

/** Between the order to begin and t = 0 of a load without warm-up, so that no start is late from the beginning. */
const LEAD_MS = 200;

function say(news: LoadNews): void {
  process.stdout.write(`${JSON.stringify(news)}\n`);
}

function step(path: string): JourneyStep {
  return {
    name: 'get',
    method: 'GET',
    path,
    headers: {},
    body: undefined,
    expect: [200],
    take: {},
    checks: [],
    ack: undefined,
    think: { fromMs: 0, toMs: 0 },
    conversion: 1,
  };
}

function scenarioOf({ model, warmUpMs, forMs, withinMs, inFlightMax, numbered }: LoadOrder): Scenario {
  const level = model.kind === 'closed' ? model.users : model.perSecond;
  const mix: [string, number][] = numbered
    ? [['numbered', 1]]
    : [
        ['browse', 0.7],
        ['order', 0.2],
        ['pay', 0.1],
      ];
  return {
    name: 'bench',
    executor: model.kind === 'closed' ? 'constant-vus' : 'constant-arrival-rate',
    engine: 'native',
    segments: [{ fromRate: level, toRate: level, durationMs: forMs }],
    warmUpRate: level,
    warmUpMs,
    mix: mix.map(([journey, share]) => ({ journey, share })),
    journeys: Object.fromEntries(mix.map(([journey]) => [journey, [step(numbered ? '/{n}' : `/${journey}`)]])),
    good: { withinMs, journeyWithinMs: undefined, shed: 'bad' },
    shadow: true,
    inFlightMax,
  };
}

function specOf(order: LoadOrder): LoadSpec {
  return {
    runId: `bench-${process.pid}`,
    scenario: scenarioOf(order),
    target: order.url,
    seed: 1,
    marker: 'sw00000000',
    users: { from: 1, to: 100_000 },
    steadyMs: 0,
    drainMs: Math.min(order.withinMs, 30_000),
  };
}

/** Adds the windows up as they come, so that its memory does not grow with the load's length. */
class Collector implements LoadSink {
  readonly #lateness = new Map<string, number>();
  readonly #fromIntended = new Histogram();
  readonly #service = new Histogram();
  readonly #bad: Record<string, number> = {};
  readonly #health: LoadHealth[] = [];
  readonly #sums = { scheduled: 0, sent: 0, good: 0, droppedCap: 0, droppedLate: 0, rows: 0 };

  windows(rows: LoadWindow[]): void {
    for (const row of rows) {
      this.#sums.rows++;
      if (row.step === undefined && row.fromMs >= 0) this.#add(row);
    }
  }

  acks(): void {}

  failures(): void {}

  health(row: LoadHealth): void {
    this.#health.push(row);
  }

  result(): Omit<LoadResult, 'originMs' | 'summary'> {
    return {
      ...this.#sums,
      bad: this.#bad,
      latenessP99Ms: [...this.#lateness.values()],
      fromIntended: this.#fromIntended.encode(),
      service: this.#service.encode(),
      health: this.#health,
    };
  }

  #add(row: LoadWindow): void {
    for (const key of ['scheduled', 'sent', 'good', 'droppedCap', 'droppedLate'] as const) this.#sums[key] += row[key];
    for (const [why, count] of Object.entries(row.bad)) this.#bad[why] = (this.#bad[why] ?? 0) + count;
    const window = `${row.journey} ${row.fromMs}`;
    if (row.sent + row.droppedLate > 0) {
      this.#lateness.set(window, Math.max(this.#lateness.get(window) ?? 0, row.latenessP99Ms));
    }
    this.#fromIntended.mergeEncoded(row.fromIntended);
    this.#service.mergeEncoded(row.service);
  }
}

async function run(order: LoadOrder, stopped: Promise<void>, signal: AbortSignal): Promise<void> {
  const driver = LOAD_DRIVERS.find(({ name }) => name === 'native')!;
  const spec = specOf(order);
  const support = driver.accepts(spec.scenario);
  if (!support.ok) return say({ type: 'refused', reason: support.reason });
  const collector = new Collector();
  const job = await driver.start(spec, collector, signal);
  if (order.pinTo !== undefined) {
    await pin(job.pid!, order.pinTo.generator);
    await pin(process.pid, order.pinTo.tool);
  }
  say({ type: 'ready', generatorPid: job.pid! });
  const originMs = performance.timeOrigin + performance.now() + LEAD_MS + order.warmUpMs;
  job.begin(originMs);
  say({ type: 'begun', originMs });
  void stopped.then(() => job.stop().catch(() => {}));
  const summary = await job.done;
  say({ type: 'done', result: { ...collector.result(), originMs, summary } });
}

async function main(): Promise<void> {
  const kill = new AbortController();
  const stopped = Promise.withResolvers<void>();
  const ordered = Promise.withResolvers<LoadOrder>();
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    if (line === 'stop') stopped.resolve();
    else ordered.resolve(JSON.parse(line) as LoadOrder);
  });
  lines.on('close', () => kill.abort(new Error('the benchmark is gone')));
  await run(await ordered.promise, stopped.promise, kill.signal);
  lines.removeAllListeners('close');
  lines.close();
}

await main();
