import { asHarnessError, type HarnessError, messageOf } from '../core/errors.ts';
import type { JournalBody } from '../spi/journal.ts';
import type { LoadDriver, LoadJob, LoadSink, LoadSpec, LoadWindow } from '../spi/load.ts';
import type { Timeline } from '../spi/timeline.ts';
import type { AckLog } from './acks-file.ts';
import type { AppendFile } from './append-file.ts';

const FAILURES_MAX = 10_000;
/** Room for the journey numbers of one scenario, so that no two scenarios make the same key. */
const NUMBERS_A_SCENARIO = 500_000_000;

export interface LoadControlContext {
  runId: string;
  timeline: Timeline;
  /** Of several generators, the one whose stripe is sent; `index` from 1. */
  segment: { index: number; of: number } | undefined;
  driver(name: string): LoadDriver;
  marker(shadow: boolean): string;
  acks: AckLog;
  failures: AppendFile;
  emit(body: JournalBody): void;
  /** Every window row, after it is in the journal. */
  onWindow(row: LoadWindow): void;
  onFailure(error: HarnessError): void;
}

/** The generators of a run: one job a scenario, what they tell written to the journal and the side files. */
export class LoadControl {
  readonly #ctx: LoadControlContext;
  readonly #jobs = new Map<string, LoadJob>();
  readonly #kill = new AbortController();
  #failureCount = 0;

  constructor(ctx: LoadControlContext) {
    this.#ctx = ctx;
  }

  /** Failed steps in all, those beyond the file's limit included. */
  get failureCount(): number {
    return this.#failureCount;
  }

  get pids(): number[] {
    return [...this.#jobs.values()].flatMap((job) => job.pid ?? []);
  }

  /** Starts every generator, idle. The signal ends the starting; a generator that runs ends by `end` or `kill`. */
  async start(target: string, signal: AbortSignal): Promise<void> {
    for (const { name, driver } of this.#ctx.timeline.scenarios) {
      signal.throwIfAborted();
      const job = await this.#ctx.driver(driver).start(this.#spec(name, target), this.#sink(), this.#kill.signal);
      this.#jobs.set(name, job);
      job.done.catch((thrown: unknown) => {
        this.#ctx.emit({ type: 'load.failed', scenario: name, message: messageOf(thrown) });
        this.#ctx.onFailure(asHarnessError(thrown));
      });
    }
  }

  async canaries(signal: AbortSignal): Promise<void> {
    for (const [scenario, job] of this.#jobs) {
      this.#ctx.emit({ type: 'canary', scenario, results: await job.canary(signal) });
    }
  }

  begin(originMs: number): void {
    for (const job of this.#jobs.values()) job.begin(originMs);
  }

  /** Waits for every answer that may still come; with `stop`, sends nothing new. A dead generator hides no other. */
  async end(stop: boolean): Promise<void> {
    const ends = [...this.#jobs].map(async ([scenario, job]) => {
      const summary = await (stop ? job.stop() : job.done);
      this.#ctx.emit({ type: 'load.ended', scenario, summary });
    });
    const results = await Promise.allSettled(ends);
    for (const result of results) {
      if (result.status === 'rejected') this.#ctx.onFailure(asHarnessError(result.reason));
    }
    this.#jobs.clear();
  }

  /** Ends whatever still runs, at once. */
  kill(): void {
    this.#kill.abort(new Error('the run is over'));
  }

  #spec(name: string, target: string): LoadSpec {
    const { timeline, runId, marker, segment } = this.#ctx;
    const scenario = timeline.plan.load.find((candidate) => candidate.name === name)!;
    const { users } = timeline.plan.stack;
    return {
      runId,
      scenario,
      target,
      firstNumber: timeline.plan.load.indexOf(scenario) * NUMBERS_A_SCENARIO,
      seed: timeline.seed,
      marker: marker(scenario.shadow),
      users: scenario.shadow ? users.shadow : users.real,
      steadyMs: timeline.plan.steadyState.forMs,
      drainMs: (scenario.good.journeyWithinMs ?? scenario.good.withinMs * 4) + 1_000,
      ...(segment === undefined ? {} : { stripe: { index: segment.index - 1, of: segment.of } }),
    };
  }

  #sink(): LoadSink {
    return {
      windows: (rows) => {
        for (const row of rows) {
          this.#ctx.emit({ type: 'load.window', row });
          this.#ctx.onWindow(row);
        }
      },
      acks: (acks) => this.#sideFile(() => this.#ctx.acks.add(acks)),
      failures: (failures) => {
        const room = failures.slice(0, Math.max(0, FAILURES_MAX - this.#failureCount));
        this.#failureCount += failures.length;
        if (room.length === 0) return;
        const lines = room.map((failure) => `${JSON.stringify(failure)}\n`).join('');
        this.#sideFile(() => this.#ctx.failures.write(lines));
      },
      health: (row) => this.#ctx.emit({ type: 'load.health', row }),
    };
  }

  #sideFile(write: () => void): void {
    try {
      write();
    } catch (thrown) {
      this.#ctx.onFailure(asHarnessError(thrown));
    }
  }
}
