import type { Ack, LoadSummary, StepFailure } from '../spi/load.ts';
import { FailureLog } from './failure-log.ts';
import { isBad, type Journey, type Result } from './journey.ts';
import type { JourneyLabels } from './labels.ts';
import type { Answer } from './transport.ts';
import { type ClosedWindow, WindowBook } from './window-book.ts';
import type { WindowCells } from './window-cells.ts';

export interface Output {
  windows: ClosedWindow[];
  acks: Ack[];
  failures: StepFailure[];
}

/** What is to be counted of a journey beside itself. */
export interface Lane {
  labels: JourneyLabels;
  /** The most that a good one could take. */
  deadlineMs: number;
}

export interface BookOptions {
  scenario: string;
  withinMs: number;
  labels: number;
  /** Memory for a window; WINDOW_BYTES, all zeros. */
  allocate?: (() => ArrayBufferLike) | undefined;
}

/**
 * All that is counted of a scenario: windows, acknowledgements, failures and totals. In each second and journey, and once
 * the drain is over: scheduled = good + bad + excluded + droppedLate. For a step the same sum plus abandoned and left is
 * its journey's starts.
 */
export class LoadBook {
  readonly #scenario: string;
  readonly #withinMs: number;
  readonly #windows: WindowBook;
  readonly #failures = new FailureLog();
  readonly #totals = { scheduled: 0, sent: 0, good: 0, bad: 0 };
  #acks: Ack[] = [];

  constructor({ scenario, withinMs, labels, allocate }: BookOptions) {
    this.#scenario = scenario;
    this.#withinMs = withinMs;
    this.#windows = new WindowBook(labels, withinMs, allocate);
  }

  get acksWaiting(): number {
    return this.#acks.length;
  }

  /** Journeys from t = 0 on: warm-up and steady state are in no total. */
  get summary(): LoadSummary {
    return { ...this.#totals, failuresOmitted: this.#failures.omitted };
  }

  /** What has become final since the last call; `Infinity` gives out all. Windows come back by `release`. */
  output(nowMs: number): Output {
    const acks = this.#acks;
    this.#acks = [];
    return { windows: this.#windows.giveOut(nowMs), acks, failures: this.#failures.take() };
  }

  release(cells: WindowCells): void {
    this.#windows.release(cells);
  }

  /** The schedule had a start. */
  scheduled(lane: Lane, dueMs: number): void {
    this.#windows.at(lane.labels.journey, dueMs).scheduled();
    if (dueMs >= 0) this.#totals.scheduled++;
  }

  /** So many are in flight with the one that is due now. */
  inFlight(lane: Lane, dueMs: number, count: number): void {
    this.#windows.at(lane.labels.journey, dueMs).inFlight(count);
  }

  sent(lane: Lane, journey: Journey, sentMs: number): void {
    const { step, intendedMs } = journey;
    this.#windows.at(lane.labels.steps[step]!, intendedMs).sent(sentMs - intendedMs);
    if (step > 0) return;
    this.#windows.at(lane.labels.journey, intendedMs).sent(sentMs - intendedMs);
    if (intendedMs >= 0) this.#totals.sent++;
  }

  /** The journey's current step ended. */
  step(lane: Lane, journey: Journey, result: Result, endedMs: number, answer: Answer | undefined): void {
    const { step, intendedMs, sentMs } = journey;
    const window = this.#windows.at(lane.labels.steps[step]!, intendedMs);
    if (result === 'good') window.good();
    else if (!isBad(result)) window.count(result);
    else {
      window.bad(result, intendedMs);
      this.#fail(journey, result, endedMs, answer);
    }
    if (result === 'excluded' || result === 'droppedLate') return;
    const leastMs = result === 'good' ? 0 : this.#withinMs;
    window.latency(Math.max(endedMs - intendedMs, leastMs), sentMs === null ? undefined : endedMs - sentMs);
  }

  ack(journey: Journey, ack: Pick<Ack, 'key' | 'sentMs' | 'answeredMs' | 'outcome'>): void {
    const times = { sentMs: rounded(ack.sentMs), answeredMs: ack.answeredMs === null ? null : rounded(ack.answeredMs) };
    this.#acks.push({ ...ack, ...times, scenario: this.#scenario, journey: journey.compiled.name });
  }

  /** The journey is over; it may be bad though its last step was good. */
  end(lane: Lane, journey: Journey, result: Result, stepResult: Result, endedMs: number): void {
    const { scheduledMs, firstSentMs, step } = journey;
    this.#notSent(lane, step + 1, journey.intendedMs, stepResult === 'good' ? 'left' : 'abandoned');
    const window = this.#windows.at(lane.labels.journey, scheduledMs);
    if (result === 'good') window.good();
    else if (isBad(result)) window.bad(result, scheduledMs);
    else window.count(result);
    // How late it was must show, also where nothing was sent.
    if (result === 'droppedLate' && step === 0) window.late(endedMs - scheduledMs);
    this.#total(scheduledMs, result);
    if (result === 'excluded' || result === 'droppedLate') return;
    const leastMs = result === 'good' ? 0 : lane.deadlineMs;
    window.latency(Math.max(endedMs - scheduledMs, leastMs), firstSentMs === null ? undefined : endedMs - firstSentMs);
  }

  /** A start that found the in-flight cap full. */
  dropped(lane: Lane, at: { dueMs: number; nowMs: number; inFlight: number; journey: string; step: string }): void {
    const { dueMs, nowMs } = at;
    for (const [label, leastMs] of [
      [lane.labels.journey, lane.deadlineMs],
      [lane.labels.steps[0]!, this.#withinMs],
    ] as const) {
      const window = this.#windows.at(label, dueMs);
      window.count('droppedCap');
      window.bad('dropped', dueMs);
      window.latency(leastMs, undefined);
    }
    this.inFlight(lane, dueMs, at.inFlight);
    const where = { scenario: this.#scenario, journey: at.journey, step: at.step };
    const [intendedMs, endedMs] = [rounded(dueMs), rounded(nowMs)];
    const none = { sentMs: null, status: null, body: null, traceparent: '' };
    this.#failures.add({ ...where, intendedMs, endedMs, class: 'dropped', ...none });
    this.#notSent(lane, 1, dueMs, 'abandoned');
    this.#total(dueMs, 'dropped');
  }

  #notSent(lane: Lane, step: number, intendedMs: number, why: 'abandoned' | 'left'): void {
    const { steps } = lane.labels;
    for (let at = step; at < steps.length; at++) this.#windows.at(steps[at]!, intendedMs).count(why);
  }

  #fail(journey: Journey, why: StepFailure['class'], endedMs: number, answer: Answer | undefined): void {
    const { compiled, step, intendedMs, sentMs } = journey;
    this.#failures.add({
      scenario: this.#scenario,
      journey: compiled.name,
      step: compiled.steps[step]!.name,
      intendedMs: rounded(intendedMs),
      sentMs: sentMs === null ? null : rounded(sentMs),
      endedMs: rounded(endedMs),
      class: why,
      status: answer?.status ?? null,
      body: answer?.body ?? null,
      traceparent: journey.traceparent,
    });
  }

  #total(scheduledMs: number, result: Result): void {
    if (scheduledMs < 0) return;
    if (result === 'good') this.#totals.good++;
    else if (isBad(result)) this.#totals.bad++;
  }
}

/** Ten microseconds are as fine as any of these times is known. */
const rounded = (ms: number): number => Math.round(ms * 100) / 100;
