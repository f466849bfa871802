import type { Ack, LoadSpec, LoadSummary, LoadWindow, StepFailure } from '../spi/load.ts';
import { Agenda } from './agenda.ts';
import { builtIns, type CompiledJourney, compileJourney, type Identity } from './compiled-journey.ts';
import { FailureLog } from './failure-log.ts';
import {
  isBad,
  Journey,
  type JourneyHost,
  type JourneyOutcome,
  journeyDeadlineMs,
  type StepOutcome,
} from './journey.ts';
import { Mix } from './mix.ts';
import { type DueStart, Pacer } from './pacer.ts';
import { RequestTag } from './request-tag.ts';
import type { Transport } from './transport.ts';
import { type Label, labelsOf, WindowBook } from './window-book.ts';

export interface Output {
  windows: LoadWindow[];
  acks: Ack[];
  failures: StepFailure[];
}

/** One journey of the mix with all that counting it needs. */
interface Lane {
  compiled: CompiledJourney;
  label: Label;
  stepLabels: Label[];
  deadlineMs: number;
}

/**
 * The open-model engine of one scenario. It has no timers of its own: `tick` does all that is due, so that real and
 * virtual time run the same code.
 *
 * Catch-up policy: the schedule never moves. Whatever is due at a tick is sent at that tick, all of it, and timed from
 * its intended start; what is later than its deadline already is not sent and counted as `droppedLate`. A start that
 * finds the in-flight cap full is not sent, `droppedCap` and bad. In each second and journey, and once the drain is
 * over: scheduled = good + bad + excluded + droppedLate. For a step the same sum plus abandoned is its journey's starts.
 */
export class Executor implements JourneyHost {
  readonly transport: Transport;
  readonly good: LoadSpec['scenario']['good'];
  readonly tag: RequestTag;
  /** Ms from t = 0. */
  readonly now: () => number;
  readonly #spec: LoadSpec;
  readonly #identity: Identity;
  readonly #firstNumber: number;
  readonly #pacer: Pacer;
  readonly #lanes: readonly Lane[];
  readonly #laneOf: ReadonlyMap<CompiledJourney, Lane>;
  readonly #agenda = new Agenda();
  readonly #windows: WindowBook;
  readonly #failures = new FailureLog();
  readonly #inFlight = new Set<Journey>();
  readonly #totals = { scheduled: 0, sent: 0, good: 0, bad: 0 };
  #mix: Mix;
  #mixIsWarmUp = true;
  #acks: Ack[] = [];
  #stoppedMs: number | undefined;
  #done = false;

  constructor(options: { spec: LoadSpec; tag: Record<string, string>; transport: Transport; now: () => number }) {
    const { spec } = options;
    const { scenario } = spec;
    this.#spec = spec;
    this.transport = options.transport;
    this.now = options.now;
    this.tag = new RequestTag(options.tag);
    this.good = scenario.good;
    this.#identity = identityOf(spec);
    // The first ones are the canary's, one for each journey.
    this.#firstNumber = (spec.firstNumber ?? 0) + scenario.mix.length;
    this.#pacer = new Pacer(scenario, spec.steadyMs);
    this.#lanes = lanesOf(spec);
    this.#laneOf = new Map(this.#lanes.map((lane) => [lane.compiled, lane]));
    this.#windows = new WindowBook(scenario.name, scenario.good.withinMs);
    this.#mix = this.#newMix();
  }

  /** Whether the drain is over and every count final. */
  get done(): boolean {
    return this.#done;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  get acksWaiting(): number {
    return this.#acks.length;
  }

  /** Journeys from t = 0 on: warm-up and steady state are in no total. */
  get summary(): LoadSummary {
    return { ...this.#totals, failuresOmitted: this.#failures.omitted };
  }

  /** Does all that is due now. Call it every millisecond or so. */
  tick(): void {
    if (this.#done) return;
    const nowMs = this.now();
    this.#agenda.runUntil(nowMs);
    const startsUntilMs = Math.min(nowMs, this.#stoppedMs ?? nowMs);
    for (const start of this.#pacer.dueUntil(startsUntilMs)) this.#start(start);
    const lastMs = this.#stoppedMs ?? this.#pacer.endMs;
    if (nowMs < lastMs || (this.#stoppedMs === undefined && !this.#pacer.exhausted)) return;
    if (nowMs >= lastMs + this.#spec.drainMs) for (const journey of [...this.#inFlight]) journey.abandon();
    this.#done = this.#inFlight.size === 0;
  }

  /** No start whose time comes after this; the drain begins. */
  stop(): void {
    this.#stoppedMs ??= this.now();
  }

  /** What has become final since the last call; everything once `done`. */
  output(): Output {
    const acks = this.#acks;
    this.#acks = [];
    const windows = this.#windows.giveOut(this.#done ? Number.POSITIVE_INFINITY : this.now());
    return { windows, acks, failures: this.#failures.take() };
  }

  at(ms: number, run: () => void): void {
    this.#agenda.add(ms, run);
  }

  onSent(journey: Journey, step: number, intendedMs: number, sentMs: number): void {
    const lane = this.#lane(journey);
    const window = this.#windows.at(lane.stepLabels[step]!, intendedMs);
    window.sent++;
    window.latenessMs.push(sentMs - intendedMs);
    if (step > 0) return;
    const whole = this.#windows.at(lane.label, intendedMs);
    whole.sent++;
    whole.latenessMs.push(sentMs - intendedMs);
    if (intendedMs >= 0) this.#totals.sent++;
  }

  onStep(journey: Journey, outcome: StepOutcome): void {
    const { result, intendedMs, sentMs, endedMs } = outcome;
    const lane = this.#lane(journey);
    const window = this.#windows.at(lane.stepLabels[outcome.step]!, intendedMs);
    if (result === 'good') window.good++;
    else if (result === 'excluded') window.excluded++;
    else if (result === 'droppedLate') window.droppedLate++;
    else {
      window.addBad(result, intendedMs);
      this.#fail(lane, outcome, result);
    }
    if (result === 'excluded' || result === 'droppedLate') return;
    const leastMs = result === 'good' ? 0 : this.good.withinMs;
    window.addLatency(Math.max(endedMs - intendedMs, leastMs), sentMs === null ? undefined : endedMs - sentMs);
  }

  onAck(journey: Journey, ack: Pick<Ack, 'key' | 'sentMs' | 'answeredMs' | 'outcome'>): void {
    const times = { sentMs: rounded(ack.sentMs), answeredMs: ack.answeredMs === null ? null : rounded(ack.answeredMs) };
    this.#acks.push({ ...ack, ...times, scenario: this.#identity.scenario, journey: journey.compiled.name });
  }

  onEnd(journey: Journey, { result, scheduledMs, sentMs, endedMs, lastStep }: JourneyOutcome): void {
    this.#inFlight.delete(journey);
    const lane = this.#lane(journey);
    this.#abandonFrom(lane, lastStep.step + 1, lastStep.intendedMs);
    const window = this.#windows.at(lane.label, scheduledMs);
    if (result === 'excluded') window.excluded++;
    else if (result === 'droppedLate') {
      window.droppedLate++;
      // How late it was must show, also where nothing was sent.
      if (lastStep.step === 0) window.latenessMs.push(endedMs - scheduledMs);
    } else if (isBad(result)) window.addBad(result, scheduledMs);
    else window.good++;
    this.#total(scheduledMs, result);
    if (result === 'excluded' || result === 'droppedLate') return;
    const leastMs = result === 'good' ? 0 : lane.deadlineMs;
    window.addLatency(Math.max(endedMs - scheduledMs, leastMs), sentMs === null ? undefined : endedMs - sentMs);
  }

  #start({ index, dueMs, warmUp }: DueStart): void {
    if (this.#mixIsWarmUp && !warmUp) {
      // The load's own counts by journey must be those of the timeline, whatever was dealt in warm-up.
      this.#mix = this.#newMix();
      this.#mixIsWarmUp = false;
    }
    const lane = this.#lanes[this.#mix.next()]!;
    const window = this.#windows.at(lane.label, dueMs);
    window.scheduled++;
    if (dueMs >= 0) this.#totals.scheduled++;
    if (this.#inFlight.size >= this.#spec.scenario.inFlightMax) {
      this.#dropForCap(lane, dueMs);
      return;
    }
    const journey = new Journey(this, lane.compiled, dueMs, builtIns(this.#identity, this.#firstNumber + index));
    this.#inFlight.add(journey);
    window.inFlightMax = Math.max(window.inFlightMax, this.#inFlight.size);
    journey.begin();
  }

  #dropForCap(lane: Lane, dueMs: number): void {
    const endedMs = this.now();
    const step = { step: 0, intendedMs: dueMs, sentMs: null, endedMs, status: null, body: null, traceparent: '' };
    for (const [label, leastMs] of [
      [lane.label, lane.deadlineMs],
      [lane.stepLabels[0]!, this.good.withinMs],
    ] as const) {
      const window = this.#windows.at(label, dueMs);
      window.droppedCap++;
      window.addBad('dropped', dueMs);
      window.addLatency(leastMs, undefined);
    }
    const window = this.#windows.at(lane.label, dueMs);
    window.inFlightMax = Math.max(window.inFlightMax, this.#inFlight.size);
    this.#fail(lane, { ...step, result: 'dropped' }, 'dropped');
    this.#abandonFrom(lane, 1, dueMs);
    this.#total(dueMs, 'dropped');
  }

  #abandonFrom(lane: Lane, step: number, intendedMs: number): void {
    for (const label of lane.stepLabels.slice(step)) this.#windows.at(label, intendedMs).abandoned++;
  }

  #fail(lane: Lane, outcome: StepOutcome, why: StepFailure['class']): void {
    const { status, body, traceparent } = outcome;
    const sentMs = outcome.sentMs === null ? null : rounded(outcome.sentMs);
    const [intendedMs, endedMs] = [rounded(outcome.intendedMs), rounded(outcome.endedMs)];
    const step = lane.compiled.steps[outcome.step]!.name;
    const where = { scenario: this.#identity.scenario, journey: lane.compiled.name, step };
    this.#failures.add({ ...where, intendedMs, sentMs, endedMs, class: why, status, body, traceparent });
  }

  #total(scheduledMs: number, result: JourneyOutcome['result']): void {
    if (scheduledMs < 0) return;
    if (result === 'good') this.#totals.good++;
    else if (isBad(result)) this.#totals.bad++;
  }

  #lane(journey: Journey): Lane {
    return this.#laneOf.get(journey.compiled)!;
  }

  #newMix(): Mix {
    return new Mix(this.#spec.scenario.mix.map(({ share }) => share));
  }
}

/** Ten microseconds are as fine as any of these times is known. */
const rounded = (ms: number): number => Math.round(ms * 100) / 100;

export function identityOf(spec: LoadSpec): Identity {
  const { runId, seed, marker, users, scenario } = spec;
  return { runId, seed, marker, users, scenario: scenario.name };
}

function lanesOf({ scenario }: LoadSpec): Lane[] {
  const journeys = scenario.mix.map(({ journey }) => compileJourney(journey, scenario.journeys[journey]!));
  const labels = labelsOf(journeys);
  return journeys.map((compiled, index) => ({
    compiled,
    label: labels[index]!.journey,
    stepLabels: labels[index]!.steps,
    deadlineMs: journeyDeadlineMs(compiled, scenario.good),
  }));
}
