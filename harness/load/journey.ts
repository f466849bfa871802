import type { Random } from '../core/random.ts';
import type { Ack, BadClass } from '../spi/load.ts';
import type { GoodRule } from '../spi/plan.ts';
import type { CompiledJourney, CompiledStep } from './compiled-journey.ts';
import type { RequestTag } from './request-tag.ts';
import type { Answer, Transport } from './transport.ts';

/** `droppedLate`: never sent because the generator was later than the step's deadline. */
export type Result = 'good' | 'excluded' | 'droppedLate' | BadClass;

export interface StepOutcome {
  step: number;
  result: Result;
  intendedMs: number;
  sentMs: number | null;
  endedMs: number;
  status: number | null;
  body: string | null;
  traceparent: string;
}

export interface JourneyOutcome {
  result: Result;
  scheduledMs: number;
  /** Real send of the first step. */
  sentMs: number | null;
  endedMs: number;
  /** The step it ended at; those after it were never sent. */
  lastStep: StepOutcome;
}

/** What a journey needs of its surroundings. All times are ms from t = 0. */
export interface JourneyHost {
  now(): number;
  at(ms: number, run: () => void): void;
  transport: Transport;
  good: GoodRule;
  tag: RequestTag;
  onSent(journey: Journey, step: number, intendedMs: number, sentMs: number): void;
  onStep(journey: Journey, outcome: StepOutcome): void;
  onAck(journey: Journey, ack: Pick<Ack, 'key' | 'sentMs' | 'answeredMs' | 'outcome'>): void;
  onEnd(journey: Journey, outcome: JourneyOutcome): void;
}

/**
 * One user's way through the steps. The first is intended at the scheduled start, each later one at the answer before
 * it plus its think time; each is timed from there, and its deadline destroys it. It ends exactly once.
 */
export class Journey {
  readonly compiled: CompiledJourney;
  readonly scheduledMs: number;
  readonly #host: JourneyHost;
  readonly #values: Map<string, string | number | boolean>;
  readonly #random: Random;
  #firstSentMs: number | null = null;
  #unfinished: () => void = () => {};

  constructor(
    host: JourneyHost,
    compiled: CompiledJourney,
    scheduledMs: number,
    start: { values: Map<string, string>; random: Random },
  ) {
    this.#host = host;
    this.compiled = compiled;
    this.scheduledMs = scheduledMs;
    this.#values = new Map<string, string | number | boolean>(start.values);
    this.#random = start.random;
  }

  begin(): void {
    this.#send(0, this.scheduledMs);
  }

  /** The drain is over: whatever is still open is bad. */
  abandon(): void {
    this.#unfinished();
  }

  #send(index: number, intendedMs: number): void {
    const host = this.#host;
    const step = this.compiled.steps[index]!;
    const sentMs = host.now();
    const deadlineMs = intendedMs + host.good.withinMs;
    if (sentMs > deadlineMs) {
      this.#end(unsent(index, 'droppedLate', intendedMs, sentMs));
      return;
    }
    this.#firstSentMs ??= sentMs;
    const tag = host.tag.next(this.#random);
    const request = step.request(this.#values, tag);
    const traceparent = tag.traceparent ?? '';
    host.onSent(this, index, intendedMs, sentMs);
    let open = true;
    let destroy = (): void => {};
    const settle = (answer: Answer | undefined, whyNone: BadClass): void => {
      if (!open) return;
      open = false;
      this.#unfinished = () => {};
      if (answer === undefined) destroy();
      this.#settle({ index, step, intendedMs, sentMs, traceparent }, answer, whyNone);
    };
    this.#unfinished = () => settle(undefined, 'unfinished');
    host.at(deadlineMs, () => settle(undefined, 'timeout'));
    destroy = host.transport.send(request, (answer) => settle(answer, 'timeout'));
  }

  #settle(
    sent: { index: number; step: CompiledStep; intendedMs: number; sentMs: number; traceparent: string },
    answer: Answer | undefined,
    whyNone: BadClass,
  ): void {
    const { index, step, intendedMs, sentMs, traceparent } = sent;
    const endedMs = this.#host.now();
    const result = answer === undefined ? whyNone : this.#judge(step, answer, endedMs - intendedMs);
    this.#acknowledge(step, answer, sentMs, endedMs);
    const status = answer?.status ?? null;
    const body = answer?.body ?? null;
    const outcome: StepOutcome = { step: index, result, intendedMs, sentMs, endedMs, status, body, traceparent };
    const next = this.compiled.steps[index + 1];
    if (result !== 'good' || next === undefined) {
      this.#end(outcome);
      return;
    }
    this.#host.onStep(this, outcome);
    this.#think(index + 1, endedMs + next.thinkMs);
  }

  #think(index: number, intendedMs: number): void {
    if (intendedMs <= this.#host.now()) {
      this.#send(index, intendedMs);
      return;
    }
    let waiting = true;
    this.#unfinished = () => {
      waiting = false;
      this.#end(unsent(index, 'unfinished', intendedMs, this.#host.now()));
    };
    this.#host.at(intendedMs, () => {
      if (waiting) this.#send(index, intendedMs);
    });
  }

  #judge(step: CompiledStep, answer: Answer, elapsedMs: number): Result {
    if (!answer.ok) return answer.class;
    if (elapsedMs > this.#host.good.withinMs) return 'timeout';
    if (!step.expect.includes(answer.status)) {
      const shed = answer.status === 429 || answer.status === 503;
      return shed && this.#host.good.shed === 'excluded' ? 'excluded' : 'status';
    }
    const taken = step.take(answer.body, answer.cut);
    if (taken === undefined) return 'body';
    for (const [name, value] of taken) this.#values.set(name, value);
    return 'good';
  }

  /** An expected status says yes whenever it came while we listened; only a definite 4xx says no. */
  #acknowledge(step: CompiledStep, answer: Answer | undefined, sentMs: number, endedMs: number): void {
    if (!step.hasAck) return;
    const key = step.ackKey(this.#values);
    if (key === undefined) return;
    const answered = answer?.ok === true;
    const outcome = answered ? ackOutcome(step, answer.status) : 'unknown';
    this.#host.onAck(this, { key, sentMs, answeredMs: answered ? endedMs : null, outcome });
  }

  #end(last: StepOutcome): void {
    const host = this.#host;
    const { journeyWithinMs } = host.good;
    host.onStep(this, last);
    const tooLong = journeyWithinMs !== undefined && last.endedMs - this.scheduledMs > journeyWithinMs;
    const result = last.result === 'good' && tooLong ? 'timeout' : last.result;
    const { scheduledMs } = this;
    const outcome = { result, scheduledMs, sentMs: this.#firstSentMs, endedMs: last.endedMs, lastStep: last };
    host.onEnd(this, outcome);
  }
}

function unsent(step: number, result: Result, intendedMs: number, endedMs: number): StepOutcome {
  return { step, result, intendedMs, sentMs: null, endedMs, status: null, body: null, traceparent: '' };
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
  const steps = journey.steps.reduce((sum, step, index) => sum + good.withinMs + (index > 0 ? step.thinkMs : 0), 0);
  return Math.min(steps, good.journeyWithinMs ?? steps);
}
