import { Histogram } from '../core/histogram.ts';
import type { Ack, BadClass, LoadSpec, LoadSummary, LoadWindow, StepFailure } from '../spi/load.ts';
import type { Scenario } from '../spi/plan.ts';
import { FailureLog } from './failure-log.ts';
import { OTHER } from './labels.ts';

/**
 * Windows made of samples that another program's engine measured: what happened is known only when a line of it comes
 * in, and nothing here decides what is sent. The counts keep the native engine's promise: in each second and journey,
 * scheduled = good + bad + excluded + droppedLate once all has ended; for a step the same sum plus abandoned and left is
 * its journey's starts.
 */

/** `droppedLate`: the engine was later than the deadline, which says nothing about the system. */
export type SampleResult = 'good' | 'excluded' | 'droppedLate' | BadClass;

/** A journey's start. `keyMs` is the second it counts in, `intendedMs` what its latency counts from; ms from t = 0. */
export interface SampleStart {
  /** Index in the scenario's mix. */
  journey: number;
  keyMs: number;
  intendedMs: number;
  sentMs: number;
}

/** What became of one step. */
export interface StepSample {
  step: number;
  intendedMs: number;
  sentMs: number | null;
  endedMs: number;
  result: SampleResult;
  status: number | null;
  body: string | null;
  traceparent: string;
  /** Whether nothing of the journey follows. */
  last: boolean;
}

export interface SampleOutput {
  windows: LoadWindow[];
  acks: Ack[];
  failures: StepFailure[];
}

/** Most (journey) and (journey, step) pairs that get rows of their own. */
const LABELS_MAX = 16;
const SECOND_MS = 1000;
/** A second's first row waits this much longer than its deadline, so that lines on the way in are counted in it. */
const GRACE_MS = 250;
/** What comes later than that is gathered this long before it makes a further row. */
const LATE_GATHER_MS = 1000;

/** The open seconds of one journey or step. */
interface Row {
  label: { journey: string; step?: string };
  cells: Map<number, Cell>;
}

/** Gives each journey and step its row, as long as there are any: those that are asked for first. */
class Rows {
  readonly all: Row[] = [];
  readonly #limit: number;
  readonly #own = new Map<string, Map<string | undefined, Row>>();
  #others: { journey: Row; step: Row } | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  of(journey: string, step?: string): Row {
    let steps = this.#own.get(journey);
    if (steps === undefined) {
      steps = new Map();
      this.#own.set(journey, steps);
    }
    const known = steps.get(step);
    if (known !== undefined) return known;
    if (this.all.length >= this.#limit) return this.#other(step !== undefined);
    const row = this.#add(step === undefined ? { journey } : { journey, step });
    steps.set(step, row);
    return row;
  }

  #other(isStep: boolean): Row {
    this.#others ??= { journey: this.#add({ journey: OTHER }), step: this.#add({ journey: OTHER, step: OTHER }) };
    return isStep ? this.#others.step : this.#others.journey;
  }

  #add(label: Row['label']): Row {
    const row = { label, cells: new Map<number, Cell>() };
    this.all.push(row);
    return row;
  }
}

class Cell {
  readonly row: Omit<LoadWindow, 'fromIntended' | 'service' | 'latenessP99Ms'>;
  readonly giveOutMs: number;
  readonly latenessMs: number[] = [];
  readonly fromIntendedMs: number[] = [];
  readonly serviceMs: number[] = [];

  constructor(scenario: string, label: Row['label'], fromMs: number, giveOutMs: number) {
    const counts = { scheduled: 0, sent: 0, droppedCap: 0, droppedLate: 0, abandoned: 0, good: 0, excluded: 0 };
    const span = { fromMs, toMs: fromMs + SECOND_MS };
    this.row = { scenario, ...label, ...span, ...counts, bad: {}, inFlightMax: 0 };
    this.giveOutMs = giveOutMs;
  }

  end(result: SampleResult, keyMs: number): void {
    const { row } = this;
    if (result === 'good' || result === 'excluded' || result === 'droppedLate') {
      row[result]++;
      return;
    }
    row.bad[result] = (row.bad[result] ?? 0) + 1;
    row.firstBadMs = Math.min(row.firstBadMs ?? Number.POSITIVE_INFINITY, rounded(keyMs));
    row.lastBadMs = Math.max(row.lastBadMs ?? Number.NEGATIVE_INFINITY, rounded(keyMs));
  }

  latency(fromIntendedMs: number, serviceMs: number | undefined): void {
    this.fromIntendedMs.push(fromIntendedMs);
    if (serviceMs !== undefined) this.serviceMs.push(serviceMs);
  }

  finish(scratch: Histogram): LoadWindow {
    const latenessP99Ms = rounded(p99(this.latenessMs));
    const fromIntended = encoded(this.fromIntendedMs, scratch);
    return { ...this.row, latenessP99Ms, fromIntended, service: encoded(this.serviceMs, scratch) };
  }
}

/** The journeys that go on at the moment, and the windows of all that were. */
export class SampleWindows {
  readonly #scenario: Scenario;
  readonly #rows: Rows;
  readonly #failures = new FailureLog();
  readonly #scratch = new Histogram();
  readonly #totals = { scheduled: 0, sent: 0, good: 0, bad: 0 };
  readonly #open = new Set<OpenJourney>();
  #acks: Ack[] = [];
  #nowMs = Number.NEGATIVE_INFINITY;

  constructor(spec: Pick<LoadSpec, 'scenario'>) {
    const { scenario } = spec;
    this.#scenario = scenario;
    const steps = scenario.mix.flatMap(({ journey }) => this.#stepsOf(journey).map(({ name }) => ({ journey, name })));
    const known = scenario.script === undefined && scenario.mix.length + steps.length <= LABELS_MAX;
    // Two of the labels are those of the rest, where there is or may be one.
    this.#rows = new Rows(known ? LABELS_MAX : LABELS_MAX - 2);
    for (const { journey } of scenario.mix) this.#rows.of(journey);
    for (const { journey, name } of steps) this.#rows.of(journey, name);
  }

  get inFlight(): number {
    return this.#open.size;
  }

  get open(): ReadonlySet<OpenJourney> {
    return this.#open;
  }

  get acksWaiting(): number {
    return this.#acks.length;
  }

  /** Journeys from t = 0 on. */
  get summary(): LoadSummary {
    return { ...this.#totals, failuresOmitted: this.#failures.omitted };
  }

  begin(start: SampleStart): OpenJourney {
    const name = this.#scenario.mix[start.journey]!.journey;
    const opened = new OpenJourney(this, start, name, this.#stepsOf(name), this.#scenario.good);
    this.#open.add(opened);
    const cell = this.cell(start.keyMs, name);
    cell.row.scheduled++;
    cell.row.sent++;
    cell.row.inFlightMax = Math.max(cell.row.inFlightMax, this.#open.size);
    cell.latenessMs.push(start.sentMs - start.keyMs);
    if (start.keyMs >= 0) {
      this.#totals.scheduled++;
      this.#totals.sent++;
    }
    return opened;
  }

  /** A start that the engine left out because all its users were busy: the system's doing, and bad. */
  drop(journey: number, keyMs: number, nowMs: number): void {
    const name = this.#scenario.mix[journey]!.journey;
    const steps = this.#stepsOf(name);
    const withinMs = this.#scenario.good.withinMs;
    const cell = this.cell(keyMs, name);
    cell.row.scheduled++;
    if (keyMs >= 0) this.#totals.scheduled++;
    const first = this.cell(keyMs, name, steps[0]!.name);
    for (const [dropped, leastMs] of [
      [cell, journeyDeadlineMs(this.#scenario, name)],
      [first, withinMs],
    ] as const) {
      dropped.row.droppedCap++;
      dropped.row.inFlightMax = Math.max(dropped.row.inFlightMax, this.#open.size);
      dropped.end('dropped', keyMs);
      dropped.latency(leastMs, undefined);
    }
    for (const step of steps.slice(1)) this.cell(keyMs, name, step.name).row.abandoned++;
    const unsent = { sentMs: null, status: null, body: null, traceparent: '' };
    this.fail(name, steps[0]!.name, { ...unsent, intendedMs: keyMs, endedMs: nowMs, result: 'dropped' });
    this.total('dropped', keyMs);
  }

  /** One request of a script that is not ours: a journey of one step, which is known by its name alone. */
  scripted(step: string, sample: Pick<StepSample, 'endedMs' | 'result' | 'status'> & { sentMs: number }): void {
    const { sentMs, endedMs, result } = sample;
    const journey = this.#scenario.mix[0]!.journey;
    const whole = this.cell(sentMs, journey);
    whole.row.scheduled++;
    for (const cell of [whole, this.cell(sentMs, journey, step)]) {
      cell.row.sent++;
      cell.end(result, sentMs);
      const leastMs = result === 'good' ? 0 : this.#scenario.good.withinMs;
      if (result !== 'excluded') cell.latency(Math.max(endedMs - sentMs, leastMs), endedMs - sentMs);
    }
    this.fail(journey, step, { ...sample, intendedMs: sentMs, body: null, traceparent: '' });
    if (sentMs < 0) return;
    this.#totals.scheduled++;
    this.#totals.sent++;
    this.total(result, sentMs);
  }

  /** An iteration that a script's own executor left out because all its users were busy. */
  dropScripted(atMs: number): void {
    const cell = this.cell(atMs, this.#scenario.mix[0]!.journey);
    cell.row.scheduled++;
    cell.row.droppedCap++;
    cell.end('dropped', atMs);
    cell.latency(this.#scenario.good.withinMs, undefined);
    if (atMs >= 0) this.#totals.scheduled++;
    this.total('dropped', atMs);
  }

  /** What has become final by `nowMs`; `Infinity` gives out all. */
  output(nowMs: number): SampleOutput {
    this.#nowMs = nowMs;
    const windows: LoadWindow[] = [];
    for (const { cells } of this.#rows.all) {
      for (const [fromMs, cell] of cells) {
        if (cell.giveOutMs > nowMs) continue;
        cells.delete(fromMs);
        windows.push(cell.finish(this.#scratch));
      }
    }
    const acks = this.#acks;
    this.#acks = [];
    return { windows: windows.sort((a, b) => a.fromMs - b.fromMs), acks, failures: this.#failures.take() };
  }

  cell(keyMs: number, journey: string, step?: string): Cell {
    const { label, cells } = this.#rows.of(journey, step);
    const fromMs = Math.floor(keyMs / SECOND_MS) * SECOND_MS;
    let cell = cells.get(fromMs);
    if (cell === undefined) {
      const deadlineMs = fromMs + SECOND_MS + this.#scenario.good.withinMs + GRACE_MS;
      const giveOutMs = deadlineMs > this.#nowMs ? deadlineMs : this.#nowMs + LATE_GATHER_MS;
      cell = new Cell(this.#scenario.name, label, fromMs, giveOutMs);
      cells.set(fromMs, cell);
    }
    return cell;
  }

  ack(ack: Ack): void {
    this.#acks.push({
      ...ack,
      sentMs: rounded(ack.sentMs),
      answeredMs: ack.answeredMs === null ? null : rounded(ack.answeredMs),
    });
  }

  fail(journey: string, step: string, sample: Omit<StepSample, 'step' | 'last'>): void {
    const { intendedMs, sentMs, endedMs, result, status, body, traceparent } = sample;
    if (result === 'good' || result === 'excluded' || result === 'droppedLate') return;
    const times = {
      intendedMs: rounded(intendedMs),
      sentMs: sentMs === null ? null : rounded(sentMs),
      endedMs: rounded(endedMs),
    };
    const where = { scenario: this.#scenario.name, journey, step };
    this.#failures.add({ ...where, ...times, class: result, status, body, traceparent });
  }

  close(journey: OpenJourney): void {
    this.#open.delete(journey);
  }

  total(result: SampleResult, keyMs: number): void {
    if (keyMs < 0) return;
    if (result === 'good') this.#totals.good++;
    else if (result !== 'excluded' && result !== 'droppedLate') this.#totals.bad++;
  }

  #stepsOf(journey: string): Scenario['journeys'][string] {
    return this.#scenario.journeys[journey] ?? [];
  }
}

/** One journey on its way. It ends exactly once. */
export class OpenJourney {
  readonly start: SampleStart;
  readonly name: string;
  readonly #windows: SampleWindows;
  readonly #steps: Scenario['journeys'][string];
  readonly #good: Scenario['good'];
  #next = 0;
  #intendedMs: number;
  #over = false;

  constructor(
    windows: SampleWindows,
    start: SampleStart,
    name: string,
    steps: Scenario['journeys'][string],
    good: Scenario['good'],
  ) {
    this.#windows = windows;
    this.start = start;
    this.name = name;
    this.#steps = steps;
    this.#good = good;
    this.#intendedMs = start.intendedMs;
  }

  step(sample: StepSample): void {
    if (this.#over) return;
    const { step, result, intendedMs, sentMs, endedMs } = sample;
    // The first step counts in its journey's second, the others where they were intended.
    const keyMs = step === 0 ? this.start.keyMs : intendedMs;
    const name = this.#steps[step]!.name;
    const cell = this.#windows.cell(keyMs, this.name, name);
    if (sentMs !== null) {
      cell.row.sent++;
      cell.latenessMs.push(step === 0 ? sentMs - this.start.keyMs : sentMs - intendedMs);
    }
    cell.end(result, keyMs);
    this.#windows.fail(this.name, name, sample);
    if (result !== 'excluded' && result !== 'droppedLate') {
      const leastMs = result === 'good' ? 0 : this.#good.withinMs;
      cell.latency(Math.max(endedMs - intendedMs, leastMs), sentMs === null ? undefined : endedMs - sentMs);
    }
    this.#next = step + 1;
    this.#intendedMs = endedMs;
    if (!sample.last) return;
    if (result !== 'good') this.#abandonFrom(step + 1, keyMs);
    this.#end(result, endedMs);
  }

  ack(ack: Pick<Ack, 'key' | 'sentMs' | 'answeredMs' | 'outcome'>, scenario: string): void {
    this.#windows.ack({ ...ack, scenario, journey: this.name });
  }

  /** The declared conversion ends it here, good: this step and those after it were not wanted. */
  leave(step: number, endedMs: number): void {
    if (this.#over) return;
    for (const { name } of this.#steps.slice(step)) {
      const { row } = this.#windows.cell(endedMs, this.name, name);
      row.left = (row.left ?? 0) + 1;
    }
    this.#end('good', endedMs);
  }

  /** Cut off in the middle of a step. */
  cutOff(endedMs: number): void {
    if (this.#over) return;
    const first = this.#next === 0;
    const sentMs = first ? this.start.sentMs : null;
    const intendedMs = first ? this.start.intendedMs : this.#intendedMs;
    const none = { status: null, body: null, traceparent: '' };
    this.step({ step: this.#next, intendedMs, sentMs, endedMs, result: 'unfinished', ...none, last: true });
  }

  #abandonFrom(step: number, keyMs: number): void {
    for (const { name } of this.#steps.slice(step)) this.#windows.cell(keyMs, this.name, name).row.abandoned++;
  }

  #end(last: SampleResult, endedMs: number): void {
    this.#over = true;
    this.#windows.close(this);
    const { keyMs, intendedMs, sentMs } = this.start;
    const { journeyWithinMs, withinMs } = this.#good;
    const tooLong = journeyWithinMs !== undefined && endedMs - intendedMs > journeyWithinMs;
    const result = last === 'good' && tooLong ? 'timeout' : last;
    const cell = this.#windows.cell(keyMs, this.name);
    cell.end(result, keyMs);
    this.#windows.total(result, keyMs);
    if (result === 'excluded' || result === 'droppedLate') return;
    const leastMs = result === 'good' ? 0 : deadlineOf(this.#steps, withinMs, journeyWithinMs);
    cell.latency(Math.max(endedMs - intendedMs, leastMs), endedMs - sentMs);
  }
}

/** The most that a good journey could take: its own deadline, or its steps' one after the other with their thinking. */
export function journeyDeadlineMs({ journeys, good }: Scenario, journey: string): number {
  return deadlineOf(journeys[journey] ?? [], good.withinMs, good.journeyWithinMs);
}

function deadlineOf(
  steps: Scenario['journeys'][string],
  withinMs: number,
  journeyWithinMs: number | undefined,
): number {
  const all = steps.reduce((sum, { think }, index) => sum + withinMs + (index > 0 ? think.toMs : 0), 0);
  return Math.min(all, journeyWithinMs ?? all);
}

function encoded(valuesMs: readonly number[], scratch: Histogram): string {
  scratch.clear();
  for (const ms of valuesMs) scratch.record(ms * 1000);
  return scratch.encode();
}

/** The value at rank ⌈0.99·n⌉; 0 of none. */
function p99(values: readonly number[]): number {
  if (values.length === 0) return 0;
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.ceil(sorted.length * 0.99) - 1]!;
}

const rounded = (ms: number): number => Math.round(ms * 100) / 100;
