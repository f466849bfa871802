import { Chance } from '../core/random.ts';
import type { Ack, LoadSpec, LoadSummary } from '../spi/load.ts';
import { Agenda } from './agenda.ts';
import { type CompiledJourney, compileJourney } from './compiled-journey.ts';
import { DeadlineList } from './deadline-list.ts';
import type { Engine } from './engine.ts';
import type { FeedRows } from './feed.ts';
import { Journey, type JourneyHost, journeyDeadlineMs, type Purpose, type Result } from './journey.ts';
import { valuesOf } from './journey-values.ts';
import { type Label, labelsOf } from './labels.ts';
import { type Lane as BookLane, LoadBook, type Output } from './load-book.ts';
import { Mix } from './mix.ts';
import { Pacer } from './pacer.ts';
import { RegionalMix } from './regional-mix.ts';
import { drawTrace } from './trace.ts';
import type { Answer, Transport } from './transport.ts';
import { Users } from './users.ts';
import type { WindowCells } from './window-cells.ts';

export interface ExecutorOptions {
  spec: LoadSpec;
  /** Headers of every request; `{trace}` and `{span}` in them are drawn per request. */
  tag: Record<string, string>;
  feeds: ReadonlyMap<string, FeedRows>;
  transport: Transport;
  /** Of a scenario with regions: the way from each of them, in their order. */
  ways?: readonly Transport[];
  /** Ms from t = 0. */
  now: () => number;
  /** Memory for a window; WINDOW_BYTES, all zeros. */
  allocate?: () => ArrayBufferLike;
}

/** One journey of the mix with all that counting it needs. */
interface Lane extends BookLane {
  compiled: CompiledJourney;
}

/** A user whose connection was refused looks again after this long. */
const USER_PAUSE_MS = 100;
/**
 * A start that waits for a thread that is behind is given up after this share of its deadline: sent later it would
 * be cut off on its way, with its connection, and make the thread fall further behind.
 */
const HELD_SHARE_MAX = 0.5;
const PURPOSES: Record<Purpose, number> = { think: 2, conversion: 3 };
/** So that every step of a journey has streams of its own. */
const STREAMS_A_STEP = 8;

/**
 * The engine of one scenario of journeys, open or closed model.
 *
 * Catch-up policy of the open model: the schedule never moves. Whatever is due at a tick is sent at that tick, all of
 * it, and timed from its intended start; what is later than its deadline already is not sent and counted as
 * `droppedLate`. Only while this thread is behind, so that the answers which free its connections lie unread
 * (`OpeningRule`), starts wait for them on the schedule: that is lateness of the generator, counted so, and after half
 * of their deadline they are `droppedLate` too. A start that finds the in-flight cap full is not sent, `droppedCap` and
 * bad. In the closed model a user's next journey is intended when the last one has ended, and nothing is ever dropped.
 */
export class Executor implements Engine, JourneyHost {
  readonly good: LoadSpec['scenario']['good'];
  readonly now: () => number;
  readonly labels: readonly Label[];
  readonly #spec: LoadSpec;
  readonly #firstNumber: number;
  readonly #chance: Chance;
  readonly #pacer: Pacer | undefined;
  readonly #users: Users | undefined;
  readonly #lanes: readonly Lane[];
  readonly #agenda = new Agenda();
  readonly #open = new DeadlineList<Journey>();
  readonly #thinking = new Set<Journey>();
  readonly #book: LoadBook;
  readonly #endMs: number;
  readonly #ways: readonly Transport[];
  #mix: { next(): number };
  #dealt = 0;
  #mixIsWarmUp = true;
  #sending = false;
  #inFlight = 0;
  #userCount = 0;
  #userStarts = 0;
  #stoppedMs: number | undefined;
  #dryMs: number | undefined;
  #done = false;

  constructor({ spec, tag, feeds, transport, ways, now, allocate }: ExecutorOptions) {
    const { scenario } = spec;
    this.#spec = spec;
    this.now = now;
    this.good = scenario.good;
    // The first ones are the canary's, one for each journey.
    this.#firstNumber = (spec.firstNumber ?? 0) + scenario.mix.length;
    this.#chance = new Chance(`${spec.seed}/load/${scenario.name}`);
    const closed = scenario.executor === 'constant-vus' || scenario.executor === 'ramping-vus';
    this.#pacer = closed ? undefined : new Pacer(scenario, spec);
    this.#users = closed ? new Users(scenario, spec) : undefined;
    this.#endMs = (this.#pacer ?? this.#users)!.endMs;
    const around = { runId: spec.runId, marker: spec.marker, tag, feeds, transport };
    this.#ways = ways ?? [transport];
    const journeys = this.#ways.flatMap((way, nth) =>
      scenario.mix.map(({ journey }, index) => {
        const place = nth * scenario.mix.length + index;
        return compileJourney(journey, place, scenario.journeys[journey]!, { ...around, transport: way });
      }),
    );
    const regions = (scenario.regions ?? []).map(({ name }) => name);
    const { labels, of } = labelsOf(journeys.slice(0, scenario.mix.length), regions);
    this.labels = labels;
    this.#lanes = journeys.map((compiled, index) => ({
      compiled,
      labels: of[index]!,
      deadlineMs: journeyDeadlineMs(compiled, scenario.good),
    }));
    const { withinMs } = scenario.good;
    this.#book = new LoadBook({ scenario: scenario.name, withinMs, labels: labels.length, allocate });
    this.#mix = this.#newMix();
  }

  get done(): boolean {
    return this.#done;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get acksWaiting(): number {
    return this.#book.acksWaiting;
  }

  get nextMs(): number {
    return this.#pacer?.nextMs ?? this.now();
  }

  get summary(): LoadSummary {
    return { ...this.#book.summary, ...(this.#dryMs === undefined ? {} : { dryAtMs: Math.round(this.#dryMs) }) };
  }

  tick(): void {
    if (this.#done) return;
    const nowMs = this.now();
    this.#open.expireUntil(nowMs);
    this.#agenda.runUntil(nowMs);
    if (this.#users === undefined) this.#sendDue(nowMs);
    else this.#fillUsers(nowMs);
    for (const way of this.#ways) way.flush?.();
    this.#finish(nowMs);
  }

  stop(): void {
    this.#stoppedMs ??= this.now();
  }

  output(): Output {
    return this.#book.output(this.#done ? Number.POSITIVE_INFINITY : this.now());
  }

  release(cells: WindowCells): void {
    this.#book.release(cells);
  }

  wait(journey: Journey, untilMs: number): void {
    this.#thinking.add(journey);
    this.#agenda.add(untilMs, () => {
      if (this.#thinking.delete(journey)) journey.wake();
    });
  }

  opened(journey: Journey): void {
    this.#open.add(journey);
  }

  closed(journey: Journey): void {
    this.#open.remove(journey);
  }

  draw(journey: Journey, step: number, purpose: Purpose): number {
    return this.#chance.seek(journey.number, step * STREAMS_A_STEP + PURPOSES[purpose]).next();
  }

  trace(journey: Journey, step: number): Uint32Array {
    return drawTrace(this.#chance.seek(journey.number, step * STREAMS_A_STEP));
  }

  onSent(journey: Journey, sentMs: number): void {
    this.#book.sent(this.#laneOf(journey), journey, sentMs);
  }

  onStep(journey: Journey, result: Result, endedMs: number, answer: Answer | undefined): void {
    this.#book.step(this.#laneOf(journey), journey, result, endedMs, answer);
  }

  onAck(journey: Journey, ack: Pick<Ack, 'key' | 'sentMs' | 'answeredMs' | 'outcome'>): void {
    this.#book.ack(journey, ack);
  }

  onEnd(journey: Journey, result: Result, endedMs: number, stepResult: Result): void {
    this.#inFlight--;
    if (this.#thinking.size > 0) this.#thinking.delete(journey);
    this.#book.end(this.#laneOf(journey), journey, result, stepResult, endedMs);
    if (this.#users !== undefined) this.#nextOfUser(result, endedMs);
    // A busy generator is awake anyway: what has become due meanwhile need not wait for the next tick.
    else if (this.#pacer!.nextMs <= endedMs) this.#sendDue(endedMs);
  }

  /** `anyway`: however far behind the transport is. */
  #sendDue(nowMs: number, anyway = false): void {
    // A start that ends at once comes by here again.
    if (this.#sending) return;
    this.#sending = true;
    this.#sendAll(this.#pacer!, Math.min(nowMs, this.#stoppedMs ?? nowMs), anyway);
    this.#sending = false;
  }

  #sendAll(pacer: Pacer, untilMs: number, anyway: boolean): void {
    for (;;) {
      const late = untilMs - pacer.nextMs;
      if (late < 0) return;
      const admitted = anyway || this.#admitted();
      if (!admitted && late <= this.good.withinMs * HELD_SHARE_MAX) return;
      if (!pacer.take(untilMs)) return;
      if (this.#mixIsWarmUp && !pacer.warmUp) {
        // The load's own counts by journey must be those of the timeline, whatever was dealt in warm-up.
        this.#mix = this.#newMix();
        this.#mixIsWarmUp = false;
        // Of a stripe, the first starts of the load may be others'.
        this.#dealt = pacer.firstOfLoad;
      }
      for (; this.#dealt < pacer.index; this.#dealt++) this.#mix.next();
      this.#dealt++;
      this.#start(this.#lanes[this.#mix.next()]!, pacer.index, pacer.dueMs, !admitted);
      if (this.#dryMs !== undefined) return;
    }
  }

  #admitted(): boolean {
    for (const way of this.#ways) if (way.admits?.() === false) return false;
    return true;
  }

  /** `heldTooLong`: it is counted, and not sent. */
  #start(lane: Lane, index: number, dueMs: number, heldTooLong = false): void {
    const number = this.#firstNumber + index;
    // The first rows of feeds were the canary's, too.
    const row = this.#spec.scenario.mix.length + index;
    const values = valuesOf(lane.compiled, { number, index: row, chance: this.#chance, users: this.#spec.users });
    if (values === undefined) {
      // A feed whose rows are used once has no more: the scenario ends here, and says so.
      this.#dryMs ??= dueMs;
      this.#stoppedMs ??= dueMs;
      return;
    }
    this.#book.scheduled(lane, dueMs);
    if (!heldTooLong && this.#inFlight >= this.#spec.scenario.inFlightMax) {
      const { name, steps } = lane.compiled;
      const at = { dueMs, nowMs: this.now(), inFlight: this.#inFlight, journey: name, step: steps[0]!.name };
      this.#book.dropped(lane, at);
      return;
    }
    this.#inFlight++;
    this.#book.inFlight(lane, dueMs, this.#inFlight);
    const journey = new Journey(this, lane.compiled, number, dueMs, values);
    if (heldTooLong) journey.skip();
    else journey.wake();
  }

  #fillUsers(nowMs: number): void {
    const wanted = this.#stoppedMs === undefined ? this.#users!.at(nowMs) : 0;
    while (this.#userCount < wanted && this.#stoppedMs === undefined) {
      this.#userCount++;
      this.#startUser(nowMs);
    }
  }

  #nextOfUser(result: Result, endedMs: number): void {
    const wanted = this.#stoppedMs === undefined ? this.#users!.at(endedMs) : 0;
    if (this.#userCount > wanted) {
      this.#userCount--;
      return;
    }
    if (result === 'refused' || result === 'dns' || result === 'tls' || result === 'droppedLate') {
      // Whoever is turned away at the door does not knock a thousand times a second.
      this.#agenda.add(endedMs + USER_PAUSE_MS, () => this.#returnUser());
    } else this.#startUser(this.now());
  }

  #returnUser(): void {
    const nowMs = this.now();
    if (this.#stoppedMs !== undefined || this.#userCount > this.#users!.at(nowMs)) this.#userCount--;
    else this.#startUser(nowMs);
  }

  #startUser(nowMs: number): void {
    const { stripe } = this.#spec;
    const index = this.#userStarts++ * (stripe?.of ?? 1) + (stripe?.index ?? 0);
    this.#start(this.#lanes[this.#mix.next()]!, index, nowMs);
  }

  #finish(nowMs: number): void {
    const lastMs = this.#stoppedMs ?? this.#endMs;
    if (nowMs < lastMs || (this.#stoppedMs === undefined && this.#pacer?.exhausted === false)) return;
    if (nowMs >= lastMs + this.#spec.drainMs) {
      if (this.#pacer !== undefined) this.#sendDue(nowMs, true);
      for (let first = this.#open.first; first !== undefined; first = this.#open.first) first.abandon();
      for (const journey of [...this.#thinking]) journey.abandon();
    }
    // After a stop, starts from before it may still wait for the transport.
    this.#done = this.#inFlight === 0 && (this.#pacer === undefined || this.#pacer.nextMs > lastMs);
  }

  #laneOf(journey: Journey): Lane {
    return this.#lanes[journey.compiled.index]!;
  }

  #newMix(): { next(): number } {
    const { mix, regions } = this.#spec.scenario;
    const shares = mix.map(({ share }) => share);
    const ofRegions = regions?.map(({ share }) => share);
    return ofRegions === undefined ? new Mix(shares) : new RegionalMix(shares, ofRegions);
  }
}
