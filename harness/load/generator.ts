import { Worker } from 'node:worker_threads';
import { ownProgram } from '../core/own-program.ts';
import type { LoadHealth, LoadSpec, LoadSummary } from '../spi/load.ts';
import { UseMeter } from './health.ts';
import { type Label, labelsOf, replayLabels } from './labels.ts';
import type { FromGenerator, FromSender, SenderHealth, ToGenerator, ToSender } from './messages.ts';
import { WHOLE } from './pacer.ts';
import { WindowCells } from './window-cells.ts';

const SENDER = ownProgram('./sender', import.meta.url);

type Batch = Extract<FromSender, { type: 'batch' }>;

/**
 * The generator's main thread: starts the threads that send, each with its stripe of the schedule, reads out the windows
 * that they are done with, and tells the tool. One batch of each thread is on its way at most: what comes meanwhile is
 * gathered in its windows, so a slow tool costs little memory here.
 */
export class Generator {
  readonly #say: (message: FromGenerator) => Promise<void>;
  readonly #fail: (thrown: unknown) => void;
  readonly #use = new UseMeter();
  readonly #threads: Worker[] = [];
  readonly #inFlight: number[] = [];
  readonly #summaries: LoadSummary[] = [];
  #labels: readonly Label[] = [];
  #scenario = '';
  #readyCount = 0;

  constructor(say: (message: FromGenerator) => Promise<void>, fail: (thrown: unknown) => void) {
    this.#say = say;
    this.#fail = fail;
  }

  hear(message: ToGenerator): void {
    switch (message.type) {
      case 'spec':
        this.#start(message.spec, message.tag).catch(this.#fail);
        return;
      case 'canary':
        this.#tell(this.#threads[0]!, { type: 'canary' });
        return;
      default:
        for (const thread of this.#threads) this.#tell(thread, message);
    }
  }

  async #start(spec: LoadSpec, tag: Record<string, string>): Promise<void> {
    const { scenario } = spec;
    this.#scenario = scenario.name;
    const kinds =
      scenario.replay === undefined ? [] : await (await import('./open-replay.ts')).kindsOf(scenario.replay);
    const journeys = scenario.mix.map(({ journey }) => ({ name: journey, steps: scenario.journeys[journey] ?? [] }));
    this.#labels = scenario.replay === undefined ? labelsOf(journeys).labels : replayLabels(kinds);
    const threads = scenario.threads ?? 1;
    for (let index = 0; index < threads; index++) {
      const data = { spec: partOf(spec, index, threads), tag, kinds };
      const thread = new Worker(SENDER, { workerData: data, execArgv: [] });
      thread.on('message', (message: FromSender) => this.#heard(thread, index, message));
      thread.on('error', this.#fail);
      this.#threads.push(thread);
      this.#inFlight.push(0);
    }
  }

  #tell(thread: Worker, message: ToSender): void {
    thread.postMessage(message);
  }

  #heard(thread: Worker, index: number, message: FromSender): void {
    switch (message.type) {
      case 'ready':
        this.#readyCount++;
        if (this.#readyCount === this.#threads.length) void this.#say({ type: 'ready' });
        return;
      case 'canary':
        void this.#say(message);
        return;
      case 'batch':
        this.#forward(thread, index, message).catch(this.#fail);
        return;
    }
  }

  async #forward(thread: Worker, index: number, batch: Batch): Promise<void> {
    const windows = batch.windows.map(({ label, fromMs, buffer }) => {
      const cells = new WindowCells(buffer);
      const row = cells.row(this.#scenario, this.#labels[label]!, fromMs);
      cells.clear();
      return row;
    });
    const health = batch.health === undefined ? [] : [this.#health(index, batch.health)];
    const { acks, failures, summary } = batch;
    await this.#say({ type: 'output', windows, acks, failures, health });
    this.#tell(thread, { type: 'taken' });
    if (summary === undefined) return;
    this.#summaries.push(summary);
    if (this.#summaries.length === this.#threads.length)
      await this.#say({ type: 'done', summary: added(this.#summaries) });
  }

  /** A thread's own state and, in every row, that of the process. */
  #health(index: number, health: SenderHealth): LoadHealth {
    const { atMs, eventLoopP99Ms, inFlight, pacer } = health;
    this.#inFlight[index] = inFlight;
    const { stealShare, ...use } = this.#use.read();
    const all = this.#inFlight.reduce((sum, count) => sum + count, 0);
    const steal = stealShare === undefined ? {} : { stealShare };
    return { scenario: this.#scenario, atMs: Math.round(atMs), eventLoopP99Ms, inFlight: all, ...use, ...steal, pacer };
  }
}

/** What thread `index` of `threads` is to send: its stripe of the schedule and its part of the cap. */
function partOf(spec: LoadSpec, index: number, threads: number): LoadSpec {
  const outer = spec.stripe ?? WHOLE;
  const stripe = { index: outer.index + outer.of * index, of: outer.of * threads };
  const inFlightMax = Math.max(1, Math.floor((spec.scenario.inFlightMax + stripe.of - 1 - stripe.index) / stripe.of));
  return { ...spec, stripe, scenario: { ...spec.scenario, inFlightMax } };
}

function added(summaries: readonly LoadSummary[]): LoadSummary {
  const sum = (key: 'scheduled' | 'sent' | 'good' | 'bad' | 'failuresOmitted'): number =>
    summaries.reduce((total, summary) => total + summary[key], 0);
  const dry = summaries.flatMap(({ dryAtMs }) => dryAtMs ?? []);
  return {
    scheduled: sum('scheduled'),
    sent: sum('sent'),
    good: sum('good'),
    bad: sum('bad'),
    failuresOmitted: sum('failuresOmitted'),
    ...(dry.length === 0 ? {} : { dryAtMs: Math.min(...dry) }),
  };
}
