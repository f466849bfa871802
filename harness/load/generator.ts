import { Worker } from 'node:worker_threads';
import { ownProgram } from '../core/own-program.ts';
import type { LoadHealth, LoadSpec, LoadSummary, RegionMeasured } from '../spi/load.ts';
import { readFeeds } from './feeds.ts';
import { UseMeter } from './health.ts';
import { type Label, labelsOf, replayLabels } from './labels.ts';
import type { FromGenerator, FromSender, SenderData, SenderHealth, ToGenerator, ToSender } from './messages.ts';
import { WHOLE } from './pacer.ts';
import type { RegionWays } from './region-ways.ts';
import { WindowCells } from './window-cells.ts';

const LOOK_MS = 1000;
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
  #ways: RegionWays | undefined;
  /** What was seen of the ways since a row told of them last. */
  #looked: RegionMeasured[] = [];
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
        if (message.type === 'begin') this.#lookAtWays();
    }
  }

  /** A proxy that cannot keep up would be taken for a slow system. */
  #lookAtWays(): void {
    const ways = this.#ways;
    if (ways === undefined) return;
    const looking = setInterval(() => {
      ways.look().then((looked) => void this.#looked.push(...looked), this.#fail);
    }, LOOK_MS);
    looking.unref();
  }

  async #start(spec: LoadSpec, tag: Record<string, string>): Promise<void> {
    const { scenario } = spec;
    this.#scenario = scenario.name;
    const kinds =
      scenario.replay === undefined ? [] : await (await import('./open-replay.ts')).kindsOf(scenario.replay);
    const journeys = scenario.mix.map(({ journey }) => ({ name: journey, steps: scenario.journeys[journey] ?? [] }));
    const regions = scenario.regions?.map(({ name }) => name);
    this.#labels = scenario.replay === undefined ? labelsOf(journeys, regions).labels : replayLabels(kinds);
    // Loaded only where there is one: most loads come from one place.
    if (regions !== undefined) this.#ways = await (await import('./region-ways.ts')).openWays(spec, this.#fail);
    const ways = this.#ways === undefined ? {} : { ways: this.#ways.addresses };
    const feeds = await readFeeds(scenario);
    const threads = scenario.threads ?? 1;
    for (let index = 0; index < threads; index++) {
      const data: SenderData = { spec: partOf(spec, index, threads), tag, kinds, feeds, ...ways };
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
        this.#canary(message).catch(this.#fail);
        return;
      case 'batch':
        this.#forward(thread, index, message).catch(this.#fail);
        return;
    }
  }

  /** Beside the journeys: does the way from each region take what was asked for? */
  async #canary({ results }: Extract<FromSender, { type: 'canary' }>): Promise<void> {
    const measured = (await this.#ways?.measure()) ?? [];
    await this.#say({ type: 'canary', results: [...results, ...measured] });
  }

  async #forward(thread: Worker, index: number, batch: Batch): Promise<void> {
    const windows = batch.windows.map(({ label, fromMs, buffer }) => {
      const cells = new WindowCells(buffer);
      const { region } = this.#labels[label]!;
      const row = cells.row(this.#scenario, this.#labels[label]!, fromMs);
      cells.clear();
      return region === undefined ? row : { ...row, region };
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
    const looked = this.#looked.length === 0 ? {} : { ways: this.#looked };
    this.#looked = [];
    const own = { atMs: Math.round(atMs), eventLoopP99Ms, inFlight: all };
    return { scenario: this.#scenario, ...own, ...use, ...steal, pacer, ...looked };
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
