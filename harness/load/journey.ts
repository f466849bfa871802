import type { Ack, BadClass } from '../spi/load.ts';
import type { GoodRule } from '../spi/plan.ts';
import { type CompiledJourney, type CompiledStep, SLOT } from './compiled-journey.ts';
import type { HasDeadline } from './deadline-list.ts';
import { LazyJson } from './extract.ts';
import { fill, isFilledBy, type Value } from './template.ts';
import { spanText, traceText } from './trace.ts';
import type { Answer, Receiver, Sent } from './transport.ts';

/** `droppedLate`: never sent because the generator was later than the step's deadline. */
export type Result = 'good' | 'excluded' | 'droppedLate' | BadClass;

/** What a journey needs of its surroundings. All times are ms from t = 0. */
export interface JourneyHost {
  now(): number;
  good: GoodRule;
  /** Calls `wake` of the journey at that time, unless it is told before that the wait is over. */
  wait(journey: Journey, untilMs: number): void;
  /** The journey's request is open until `deadlineMs`; `closed` when it is not any more. */
  opened(journey: Journey): void;
  closed(journey: Journey): void;
  /** Draws for one step of one journey: always the same for the same start, step and purpose. */
  draw(journey: Journey, step: number, purpose: Purpose): number;
  /** The trace and span of one step's request: always the same, and good until the next call. */
  trace(journey: Journey, step: number): Uint32Array;
  onSent(journey: Journey, sentMs: number): void;
  /** The journey's current step ended so, now `endedMs`; `answer` is what there was of one. */
  onStep(journey: Journey, result: Result, endedMs: number, answer: Answer | undefined): void;
  onAck(journey: Journey, ack: Pick<Ack, 'key' | 'sentMs' | 'answeredMs' | 'outcome'>): void;
  /** The current step is the last one that it came to; the journey may be bad though that `stepResult` is good. */
  onEnd(journey: Journey, result: Result, endedMs: number, stepResult: Result): void;
}

export type Purpose = 'think' | 'conversion';

/**
 * One user's way through the steps. The first is intended at the scheduled start, each later one at the answer before
 * it plus its think time; each is timed from there, and its deadline destroys it. It ends exactly once.
 */
export class Journey implements Receiver, HasDeadline {
  readonly compiled: CompiledJourney;
  readonly scheduledMs: number;
  /** Its start's number in the whole schedule. */
  readonly number: number;
  readonly values: Value[];
  /** Index of the current step, when it was intended and when it was sent. */
  step = 0;
  intendedMs: number;
  sentMs: number | null = null;
  /** Real send of the first step. */
  firstSentMs: number | null = null;
  deadlineMs = 0;
  earlier: HasDeadline | undefined = undefined;
  later: HasDeadline | undefined = undefined;
  listed = false;
  readonly #host: JourneyHost;
  #request: Sent | undefined = undefined;
  #over = false;

  constructor(host: JourneyHost, compiled: CompiledJourney, number: number, scheduledMs: number, values: Value[]) {
    this.#host = host;
    this.compiled = compiled;
    this.number = number;
    this.scheduledMs = scheduledMs;
    this.intendedMs = scheduledMs;
    this.values = values;
  }

  /** Of its latest request; empty where it has none. */
  get traceparent(): string {
    const template = this.compiled.steps[this.step]!.traceparent;
    if (template === undefined || this.sentMs === null) return '';
    setTrace(this.values, this.#host.trace(this, this.step));
    return fill(template, this.values);
  }

  /** Sends the current step, whose time has come. */
  wake(): void {
    if (this.#over) return;
    const host = this.#host;
    const step = this.compiled.steps[this.step]!;
    const nowMs = host.now();
    this.deadlineMs = this.intendedMs + host.good.withinMs;
    this.sentMs = null;
    if (nowMs > this.deadlineMs) {
      this.#end('droppedLate', nowMs, undefined);
      return;
    }
    this.sentMs = nowMs;
    this.firstSentMs ??= nowMs;
    host.onSent(this, nowMs);
    host.opened(this);
    const trace = host.trace(this, this.step);
    if (!step.sender.writesTrace) setTrace(this.values, trace);
    this.#request = step.sender.send(this.values, trace, this);
  }

  /** Instead of `wake`, before anything was sent: its time has passed. */
  skip(): void {
    this.#end('droppedLate', this.#host.now(), undefined);
  }

  answered(answer: Answer): void {
    this.#request = undefined;
    this.#settle(answer, 'timeout');
  }

  /** Its deadline has come, and no answer. */
  expire(): void {
    this.#drop('timeout');
  }

  /** The drain is over: whatever is still open is bad. */
  abandon(): void {
    if (this.#request !== undefined) {
      this.#drop('unfinished');
      return;
    }
    this.sentMs = null;
    this.#end('unfinished', this.#host.now(), undefined);
  }

  #drop(why: BadClass): void {
    this.#request?.cancel();
    this.#request = undefined;
    this.#settle(undefined, why);
  }

  #settle(answer: Answer | undefined, whyNone: BadClass): void {
    const host = this.#host;
    host.closed(this);
    const endedMs = host.now();
    const step = this.compiled.steps[this.step]!;
    const result = answer === undefined ? whyNone : this.#judge(step, answer, endedMs - this.intendedMs);
    if (step.ack !== undefined) this.#acknowledge(step, answer, endedMs);
    const next = this.compiled.steps[this.step + 1];
    if (result !== 'good' || next === undefined || !this.#goesOn(next)) {
      this.#end(result, endedMs, answer);
      return;
    }
    host.onStep(this, result, endedMs, answer);
    this.step++;
    this.sentMs = null;
    const { fromMs, toMs } = next.think;
    const thinkMs = toMs > fromMs ? fromMs + (toMs - fromMs) * host.draw(this, this.step, 'think') : fromMs;
    this.intendedMs = endedMs + thinkMs;
    if (thinkMs > 0) host.wait(this, this.intendedMs);
    else this.wake();
  }

  #goesOn({ conversion }: CompiledStep): boolean {
    return conversion >= 1 || this.#host.draw(this, this.step + 1, 'conversion') < conversion;
  }

  #judge(step: CompiledStep, answer: Answer, elapsedMs: number): Result {
    if (!answer.ok) return answer.class;
    const { withinMs, shed } = this.#host.good;
    if (elapsedMs > withinMs) return 'timeout';
    if (!step.expect.includes(answer.status)) {
      const refused = answer.status === 429 || answer.status === 503;
      return refused && shed === 'excluded' ? 'excluded' : 'status';
    }
    if (step.takes.length + step.checks.length === 0) return 'good';
    const json = new LazyJson(answer);
    for (const { slot, take } of step.takes) {
      const value = take(answer, json);
      if (value === undefined) return 'body';
      this.values[slot] = value;
    }
    return step.checks.every((check) => check(answer, json)) ? 'good' : 'check';
  }

  /** An expected status says yes whenever it came while we listened; only a definite 4xx says no. */
  #acknowledge(step: CompiledStep, answer: Answer | undefined, endedMs: number): void {
    if (!isFilledBy(step.ack!, this.values)) return;
    const answered = answer?.ok === true;
    const outcome = answered ? ackOutcome(step, answer.status) : 'unknown';
    const key = fill(step.ack!, this.values);
    this.#host.onAck(this, { key, sentMs: this.sentMs!, answeredMs: answered ? endedMs : null, outcome });
  }

  #end(last: Result, endedMs: number, answer: Answer | undefined): void {
    const host = this.#host;
    this.#over = true;
    const { journeyWithinMs } = host.good;
    host.onStep(this, last, endedMs, answer);
    const tooLong = journeyWithinMs !== undefined && endedMs - this.scheduledMs > journeyWithinMs;
    host.onEnd(this, last === 'good' && tooLong ? 'timeout' : last, endedMs, last);
  }
}

function setTrace(values: Value[], trace: Uint32Array): void {
  values[SLOT.trace] = traceText(trace);
  values[SLOT.span] = spanText(trace);
}

function ackOutcome(step: CompiledStep, status: number): Ack['outcome'] {
  if (step.expect.includes(status)) return 'acked';
  // 408 says that the server stopped waiting, not that it did nothing.
  return status >= 400 && status < 500 && status !== 408 ? 'refused' : 'unknown';
}

/** Whether a result counts as bad. */
export const isBad = (result: Result): result is BadClass =>
  result !== 'good' && result !== 'excluded' && result !== 'droppedLate';

/** The most that a good journey could take: its own deadline, or its steps' one after the other with their thinking. */
export function journeyDeadlineMs(journey: CompiledJourney, good: GoodRule): number {
  const steps = journey.steps.reduce((sum, step, index) => sum + good.withinMs + (index > 0 ? step.think.toMs : 0), 0);
  return Math.min(steps, good.journeyWithinMs ?? steps);
}
