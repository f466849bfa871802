import { Chance } from '../core/random.ts';
import type { Ack, LoadSpec, LoadSummary } from '../spi/load.ts';
import type { CompiledJourney } from './compiled-journey.ts';
import { DeadlineList } from './deadline-list.ts';
import type { Engine } from './engine.ts';
import { Journey, type JourneyHost, type Result } from './journey.ts';
import { type Label, OTHER, REPLAY_JOURNEY, replayLabels } from './labels.ts';
import { type Lane, LoadBook, type Output } from './load-book.ts';
import { kindOf } from './path-template.ts';
import { replayStep, type Sign, tagTemplates } from './replay-request.ts';
import { ReplaySession } from './replay-session.ts';
import type { DueRequest, ReplaySource } from './replay-source.ts';
import type { Template, Value } from './template.ts';
import { drawTrace } from './trace.ts';
import type { Answer, Transport } from './transport.ts';
import type { WindowCells } from './window-cells.ts';

/** Sessions remembered; of more than that the longest idle are forgotten, with what they had learned. */
const SESSIONS_MAX = 50_000;

export interface ReplayerOptions {
  spec: LoadSpec;
  source: ReplaySource;
  /** Kinds of request that are counted for themselves, as of `kindOf`. */
  kinds: readonly string[];
  /** When the last request is due, ms from t = 0. */
  endMs: number;
  tag: Record<string, string>;
  sign: Sign | undefined;
  transport: Transport;
  now: () => number;
  allocate?: () => ArrayBufferLike;
}

/** One recorded request on its way again. */
class Replayed extends Journey {
  readonly request: DueRequest;
  readonly lane: Lane;

  constructor(
    host: JourneyHost,
    compiled: CompiledJourney,
    at: { number: number; intendedMs: number; values: Value[] },
    of: { request: DueRequest; lane: Lane },
  ) {
    super(host, compiled, at.number, at.intendedMs, at.values);
    this.request = of.request;
    this.lane = of.lane;
  }
}

/**
 * The engine of one scenario that replays a recording. Each request is sent at its recorded time, scaled, and timed from
 * there; one that waited for an answer before it in its session is timed from when it could go, as every later step is.
 */
export class Replayer implements Engine, JourneyHost {
  readonly good: LoadSpec['scenario']['good'];
  readonly now: () => number;
  readonly labels: readonly Label[];
  readonly #options: ReplayerOptions;
  readonly #tag: (readonly [string, Template])[];
  readonly #chance: Chance;
  readonly #book: LoadBook;
  readonly #open = new DeadlineList<Replayed>();
  readonly #sessions = new Map<string, ReplaySession>();
  readonly #lanes: ReadonlyMap<string, Lane>;
  #number = 0;
  #inFlight = 0;
  #stoppedMs: number | undefined;
  #done = false;

  constructor(options: ReplayerOptions) {
    const { spec, kinds, allocate } = options;
    const { scenario } = spec;
    this.#options = options;
    this.good = scenario.good;
    this.now = options.now;
    this.labels = replayLabels(kinds);
    this.#tag = tagTemplates(options.tag);
    this.#chance = new Chance(`${spec.seed}/load/${scenario.name}`);
    const { withinMs } = scenario.good;
    this.#lanes = new Map(
      [...kinds, OTHER].map((kind, index) => [
        kind,
        { labels: { journey: 0, steps: [index + 1] }, deadlineMs: withinMs },
      ]),
    );
    this.#book = new LoadBook({ scenario: scenario.name, withinMs, labels: this.labels.length, allocate });
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
    return this.#options.source.nextMs;
  }

  get summary(): LoadSummary {
    return this.#book.summary;
  }

  tick(): void {
    if (this.#done) return;
    const nowMs = this.now();
    this.#open.expireUntil(nowMs);
    const untilMs = Math.min(nowMs, this.#stoppedMs ?? nowMs);
    const { source } = this.#options;
    for (let due = source.take(untilMs); due !== undefined; due = source.take(untilMs)) this.#offer(due);
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

  /** Its journeys have one step each: there is nothing to wait for, and nothing to draw. */
  wait(): void {}

  draw(): number {
    return 0;
  }

  opened(journey: Journey): void {
    this.#open.add(journey as Replayed);
  }

  closed(journey: Journey): void {
    this.#open.remove(journey as Replayed);
  }

  trace(journey: Journey): Uint32Array {
    return drawTrace(this.#chance.seek(journey.number, 0));
  }

  onSent(journey: Journey, sentMs: number): void {
    this.#book.sent((journey as Replayed).lane, journey, sentMs);
  }

  onStep(journey: Journey, result: Result, endedMs: number, answer: Answer | undefined): void {
    const { lane, request } = journey as Replayed;
    this.#book.step(lane, journey, result, endedMs, answer);
    if (answer?.ok !== true) return;
    const { answerBody, answerHeaders } = request.recorded;
    const now = { body: answer.cut ? undefined : answer.body, headers: answer.headers };
    this.#sessions.get(request.session)?.learned.learn({ body: answerBody, headers: answerHeaders }, now);
  }

  /** A recording has no keys that anybody could audit. */
  onAck(_journey: Journey, _ack: Pick<Ack, 'key' | 'sentMs' | 'answeredMs' | 'outcome'>): void {}

  onEnd(journey: Journey, result: Result, endedMs: number, stepResult: Result): void {
    const { lane, request } = journey as Replayed;
    this.#inFlight--;
    this.#book.end(lane, journey, result, stepResult, endedMs);
    const session = this.#sessions.get(request.session);
    for (const next of session?.ended(request) ?? []) this.#send(next, Math.max(next.dueMs, endedMs));
  }

  #offer(request: DueRequest): void {
    const session = this.#sessionOf(request.session);
    const answer = session.offer(request);
    if (answer === 'send') this.#send(request, request.dueMs);
    else if (answer === 'full') this.#drop(request);
  }

  #send(request: DueRequest, intendedMs: number): void {
    if (this.#inFlight >= this.#options.spec.scenario.inFlightMax) {
      this.#drop(request);
      for (const next of this.#sessions.get(request.session)?.ended(request) ?? []) this.#drop(next);
      return;
    }
    const replayed = this.#replayed(request, intendedMs);
    this.#book.scheduled(replayed.lane, intendedMs);
    this.#inFlight++;
    this.#book.inFlight(replayed.lane, intendedMs, this.#inFlight);
    replayed.wake();
  }

  #replayed(request: DueRequest, intendedMs: number): Replayed {
    const { recorded } = request;
    const { transport, sign } = this.#options;
    const { learned } = this.#sessionOf(request.session);
    const kind = this.#kind(request);
    const step = replayStep(recorded, { name: kind, learned, sign, tag: this.#tag, transport });
    const compiled: CompiledJourney = {
      name: REPLAY_JOURNEY,
      index: 0,
      steps: [step],
      slots: 2,
      usesUser: false,
      usesUuid: false,
      feeds: [],
    };
    const at = { number: this.#number++, intendedMs, values: [undefined, undefined] };
    return new Replayed(this, compiled, at, { request, lane: this.#lanes.get(kind)! });
  }

  #kind({ recorded }: DueRequest): string {
    const kind = kindOf(recorded.method, recorded.path);
    return this.#lanes.has(kind) ? kind : OTHER;
  }

  #drop(request: DueRequest): void {
    const kind = this.#kind(request);
    const lane = this.#lanes.get(kind)!;
    const { dueMs } = request;
    this.#book.scheduled(lane, dueMs);
    const at = { dueMs, nowMs: this.now(), inFlight: this.#inFlight, journey: REPLAY_JOURNEY, step: kind };
    this.#book.dropped(lane, at);
  }

  #sessionOf(name: string): ReplaySession {
    let session = this.#sessions.get(name);
    // Those used last stand last.
    if (session === undefined) session = new ReplaySession();
    else this.#sessions.delete(name);
    this.#sessions.set(name, session);
    if (this.#sessions.size > SESSIONS_MAX) this.#forget();
    return session;
  }

  #forget(): void {
    for (const [name, session] of this.#sessions) {
      if (!session.idle) continue;
      this.#sessions.delete(name);
      return;
    }
  }

  #finish(nowMs: number): void {
    const lastMs = this.#stoppedMs ?? this.#options.endMs;
    if (nowMs < lastMs || (this.#stoppedMs === undefined && !this.#options.source.exhausted)) return;
    if (nowMs >= lastMs + this.#options.spec.drainMs) this.#abandonAll();
    this.#done = this.#inFlight === 0 && [...this.#sessions.values()].every((session) => session.idle);
  }

  #abandonAll(): void {
    for (const session of this.#sessions.values()) {
      for (const request of session.giveUp()) {
        const replayed = this.#replayed(request, request.dueMs);
        this.#book.scheduled(replayed.lane, request.dueMs);
        this.#inFlight++;
        replayed.abandon();
      }
    }
    for (let first = this.#open.first; first !== undefined; first = this.#open.first) first.abandon();
  }
}
