import type { LoadSpec } from '../spi/load.ts';
import { classOfK6Error } from './k6-failure.ts';
import type { K6Phase, K6Plan } from './k6-plan.ts';
import { mixCycle } from './mix-cycle.ts';
import type { OpenJourney, SampleResult, SampleWindows } from './sample-windows.ts';

/** What begins a line of ours among those of k6's log. */
export const K6_LINE = '~';
/** A start that is so little late was not held up by busy users: k6 had one when its time came. */
const SLACK_MS = 5;
/** Lines may be so long on their way before what they say is missed. */
const LINE_LAG_MS = 100;

type Fields = [kind: string, phase: string, ...rest: (string | number | null)[]];

interface OpenPhase {
  phase: K6Phase;
  /** What k6's clock (µs) says at its beginning, and the epoch time (µs) of that clock's zero; known from its first line. */
  began: number | undefined;
  zero: number;
  waiting: Fields[];
  /** Next start of the schedule that neither began nor was dropped. */
  next: number;
  journeys: Map<number, OpenJourney>;
  /** Where the script itself waits for each start: those that it told of. */
  told: Uint8Array | undefined;
  /** A feed had no row for a start: nothing was due any more. */
  isDry: boolean;
  /** The last time (ms from t = 0) at which all users were known to be busy. */
  fullUntilMs: number;
  isFull: boolean;
}

/**
 * Makes journeys and windows of the lines that a compiled script tells. k6 has no intended start: it starts iterations in
 * the order of its schedule and leaves out the starts for which it has no free user, without a word on its log. So each
 * iteration that begins is taken for the next start of the schedule, after those that fell due while all users were
 * busy: these were dropped. What is left of the schedule at the end was dropped too.
 */
export class K6Reader {
  readonly #spec: LoadSpec;
  readonly #windows: SampleWindows;
  readonly #originMs: number;
  readonly #phases: Map<string, OpenPhase>;
  readonly #cycle: readonly number[];
  #dryMs: number | undefined;

  constructor(spec: LoadSpec, plan: K6Plan, windows: SampleWindows, originMs: number) {
    this.#spec = spec;
    this.#windows = windows;
    this.#originMs = originMs;
    this.#cycle = mixCycle(spec.scenario.mix.map(({ share }) => share));
    this.#phases = new Map(
      plan.phases.map((phase) => [
        phase.name,
        {
          phase,
          began: undefined,
          zero: 0,
          waiting: [],
          next: 0,
          journeys: new Map(),
          told: phase.dues === undefined ? undefined : new Uint8Array(phase.dues.length),
          isDry: false,
          fullUntilMs: Number.NEGATIVE_INFINITY,
          isFull: false,
        },
      ]),
    );
  }

  /** When the first start was due that a feed had no row for. */
  get dryMs(): number | undefined {
    return this.#dryMs;
  }

  /** One line without its mark. */
  line(text: string): void {
    const fields = JSON.parse(text) as Fields;
    const open = this.#phases.get(fields[1]);
    if (open === undefined) return;
    if (fields[0] === 'o') this.#origin(open, Number(fields[2]), Number(fields[3]));
    else if (open.began === undefined) open.waiting.push(fields);
    else this.#tell(open, fields);
  }

  /** Call it now and then: with all users busy nothing begins, and what falls due is dropped. */
  tick(nowMs: number): void {
    for (const open of this.#phases.values()) {
      if (open.isFull) this.#dropUntil(open, nowMs - LINE_LAG_MS, nowMs);
    }
  }

  /** Nothing more will be said. `whole`: k6 ended by itself, so that every start of the schedule was either made or dropped. */
  finish(nowMs: number, whole: boolean): void {
    for (const open of this.#phases.values()) {
      for (const journey of open.journeys.values()) journey.cutOff(nowMs);
      const { count } = open.phase;
      if (!whole || count === undefined || open.isDry) continue;
      const { told } = open;
      if (told === undefined) while (open.next < count) this.#drop(open, open.next++, nowMs);
      else told.forEach((known, start) => void (known === 0 && this.#drop(open, start, nowMs)));
    }
  }

  #origin(open: OpenPhase, began: number, zero: number): void {
    open.began = began;
    open.zero = zero;
    const { waiting } = open;
    open.waiting = [];
    for (const fields of waiting) this.#tell(open, fields);
  }

  #tell(open: OpenPhase, fields: Fields): void {
    const [kind, , i] = fields;
    if (kind === 'b') {
      this.#begin(open, Number(i), Number(fields[3]), this.#ms(open, fields[4]));
      return;
    }
    if (kind === 'd' || kind === 'y') {
      this.#notBegun(open, kind, Number(i), this.#ms(open, fields[3]));
      return;
    }
    const journey = open.journeys.get(Number(i));
    if (journey === undefined) return;
    if (kind === 's') this.#step(open, journey, fields);
    else journey.leave(Number(fields[3]), this.#ms(open, fields[4]));
    if (this.#windows.open.has(journey)) return;
    open.journeys.delete(Number(i));
    if (!open.isFull) return;
    open.isFull = false;
    open.fullUntilMs = kind === 's' ? this.#ms(open, fields[6]) : this.#ms(open, fields[4]);
  }

  #begin(open: OpenPhase, i: number, journey: number, sentMs: number): void {
    const { told } = open;
    const start = told === undefined ? this.#startOf(open, sentMs) : this.#known(open, i);
    open.journeys.set(i, this.#windows.begin({ journey, sentMs, ...start }));
    open.isFull = told === undefined && open.phase.count !== undefined && open.journeys.size >= open.phase.users;
    if (told !== undefined) told[i] = 1;
  }

  /** Start i left out for want of a free user, or of a row: then it was the last one, and its time is kept. */
  #notBegun(open: OpenPhase, kind: 'd' | 'y', i: number, atMs: number): void {
    if (open.told !== undefined) open.told[i] = 1;
    if (kind === 'd') {
      this.#drop(open, i, atMs);
      return;
    }
    const dueMs = open.phase.count === undefined ? atMs : open.phase.dueMs(open.told === undefined ? open.next : i);
    this.#dryMs = Math.min(this.#dryMs ?? dueMs, dueMs);
    open.isDry = true;
  }

  #known(open: OpenPhase, i: number): { keyMs: number; intendedMs: number } {
    const keyMs = open.phase.dueMs(i);
    return { keyMs, intendedMs: keyMs + this.#lateByMs(open) };
  }

  #startOf(open: OpenPhase, sentMs: number): { keyMs: number; intendedMs: number } {
    const { count } = open.phase;
    if (count === undefined) return { keyMs: sentMs, intendedMs: sentMs };
    if (open.fullUntilMs > Number.NEGATIVE_INFINITY) {
      this.#dropUntil(open, Math.min(open.fullUntilMs, sentMs - SLACK_MS), sentMs);
      open.fullUntilMs = Number.NEGATIVE_INFINITY;
    }
    return this.#known(open, Math.min(open.next++, count - 1));
  }

  /** How much later than planned k6 began this phase: its own schedule counts from there. */
  #lateByMs(open: OpenPhase): number {
    return this.#ms(open, open.began!) - open.phase.beginsMs;
  }

  #dropUntil(open: OpenPhase, untilMs: number, nowMs: number): void {
    const { count, dueMs } = open.phase;
    const lateByMs = this.#lateByMs(open);
    if (open.isDry) return;
    while (open.next < (count ?? 0) && dueMs(open.next) + lateByMs < untilMs) this.#drop(open, open.next++, nowMs);
  }

  #drop(open: OpenPhase, start: number, nowMs: number): void {
    const { offset, stride } = open.phase;
    const journey = this.#cycle[(offset + start * stride) % this.#cycle.length]!;
    this.#windows.drop(journey, open.phase.dueMs(start), nowMs);
  }

  #step(open: OpenPhase, journey: OpenJourney, fields: Fields): void {
    const [, , , step, intended, sent, ended, told, status, last, key, acked, traceparent, body, code, error] = fields;
    const sentMs = this.#ms(open, sent);
    const endedMs = this.#ms(open, ended);
    const intendedMs = Number(step) === 0 ? journey.start.intendedMs : this.#ms(open, intended);
    const result = this.#resultOf(String(told), endedMs - intendedMs, sentMs - intendedMs, Number(code), String(error));
    const isLast = last === 1 || result !== 'good';
    const shown = body === undefined || body === '' ? null : String(body);
    if (typeof key === 'string') {
      const outcome = acked === 'acked' || acked === 'refused' ? acked : 'unknown';
      const answeredMs = told === 'error' ? null : endedMs;
      journey.ack({ key, sentMs, answeredMs, outcome }, this.#spec.scenario.name);
    }
    journey.step({
      step: Number(step),
      intendedMs,
      sentMs,
      endedMs,
      result,
      status: Number(status) === 0 ? null : Number(status),
      body: shown,
      traceparent: String(traceparent ?? ''),
      last: isLast,
    });
  }

  #resultOf(told: string, elapsedMs: number, lateMs: number, code: number, error: string): SampleResult {
    const { withinMs } = this.#spec.scenario.good;
    if (lateMs > withinMs) return 'droppedLate';
    if (told === 'error') return classOfK6Error(code, error);
    if (elapsedMs > withinMs) return 'timeout';
    return told === 'status' || told === 'body' || told === 'excluded' ? told : 'good';
  }

  /** A reading of k6's clock as ms from t = 0. */
  #ms(open: OpenPhase, micros: string | number | null | undefined): number {
    return (Number(micros) + open.zero) / 1000 - this.#originMs;
  }
}
