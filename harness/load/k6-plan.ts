import { arrivalRandom, poissonDueTimes } from '../core/arrivals.ts';
import { countStarts, curveDuration, dueMs, type RateSegment } from '../core/rate-curve.ts';
import type { JsonObject } from '../spi/json.ts';
import type { LoadSpec } from '../spi/load.ts';
import { journeyDeadlineMs } from './sample-windows.ts';

/** One of k6's own scenarios, and what the reader of its results knows about it beforehand. */
export interface K6Phase {
  name: 'warm' | 'load';
  /** k6's options for it. */
  config: JsonObject;
  /** Starts of the schedule; undefined where users go round and nothing is scheduled. */
  count: number | undefined;
  /** When its i-th start is due, in ms from t = 0. Only where starts are counted. */
  dueMs: (index: number) => number;
  /** The number of its i-th start in the whole schedule of the phase is `offset` + i · `stride`. */
  offset: number;
  stride: number;
  /** k6's own beginning of it, in ms from t = 0. */
  beginsMs: number;
  /** Length that k6's `progress` goes over. */
  lengthMs: number;
  /** Starts of the phases before it, those of all stripes: numbers go on from there. */
  startsBefore: number;
  /** Users that k6 has for it: with all of them busy it drops what is due. */
  users: number;
  /** Where k6 has no executor of the kind: when its starts are due, in ms from t = 0; the script itself waits for each. */
  dues?: readonly number[];
}

export interface K6Plan {
  phases: K6Phase[];
  /** When k6's run must begin, in ms from t = 0. */
  beginsMs: number;
}

/**
 * k6's ramping executor starts its i-th iteration (from 0) where the area under the curve reaches i + 1; ours is due where
 * it reaches i. A stage before the curve with an area of 1 makes both the same: 10 ms at 100/s, less one nanosecond, so that
 * a start between two stretches falls to the later one, as ours does where there is a pause between them.
 */
const LEAD_MS = 9.999999;
const LEAD_RATE = 100;
const NANOSECOND_MS = 1e-6;
const WHOLE: Stripe = { index: 0, of: 1 };
/** The executor ends with its last stage, also when the last start falls due just then. */
const TAIL_MS = 100;
/** k6 refuses constant executors that are shorter; what they start beyond the count, the script does not run. */
const CONSTANT_LEAST_MS = 1000;
/** Users that wait for starts of their own begin to do so this much before the first can be due. */
const AHEAD_MS = 200;
/** Users beyond those that can be busy at once: k6 takes one for granted a little later than it is free. */
const USERS_SPARE = 2;
/** Where chance decides, so many standard deviations more than the mean can start while one goes on. */
const BURST_DEVIATIONS = 6;

interface Stripe {
  index: number;
  of: number;
}

/** A scenario as k6's own: warm-up and steady state end exactly at t = 0, where the load begins. */
export function planK6(spec: LoadSpec): K6Plan {
  const { executor } = spec.scenario;
  return executor === 'constant-vus' || executor === 'ramping-vus' ? planUsers(spec) : planRates(spec);
}

function planRates(spec: LoadSpec): K6Plan {
  const { scenario, steadyMs, stripe = WHOLE } = spec;
  const { warmUpRate: rate, warmUpMs, segments } = scenario;
  const warming = [
    { fromRate: 0, toRate: rate, durationMs: warmUpMs },
    { fromRate: rate, toRate: rate, durationMs: steadyMs },
  ].filter(({ durationMs }) => durationMs > 0);
  const warmMs = curveDuration(warming);
  const warmStarts = warming.length === 0 ? 0 : countStarts(warming);
  const isPoisson = scenario.executor === 'poisson';
  const beginsMs = Math.min(-warmMs - LEAD_MS, isPoisson ? -AHEAD_MS : 0);
  const warm = ramping('warm', spec, { segments: warming, fromMs: -warmMs, startsBefore: 0, beginsMs });
  const part = { segments, fromMs: 0, startsBefore: warmStarts, beginsMs };
  const flat = scenario.executor === 'constant-arrival-rate' && segments.length === 1 && stripe.of === 1;
  const scheduled = flat ? constant(spec, segments[0]!, part) : ramping('load', spec, part);
  const load = isPoisson ? poisson(spec, part) : scheduled;
  return { phases: warmStarts > 0 ? [warm, load] : [load], beginsMs };
}

interface Part {
  segments: readonly RateSegment[];
  /** In ms from t = 0; `beginsMs` is that of the whole run. */
  fromMs: number;
  beginsMs: number;
  startsBefore: number;
}

function constant(spec: LoadSpec, segment: RateSegment, { startsBefore, beginsMs }: Part): K6Phase {
  const lengthMs = Math.max(CONSTANT_LEAST_MS, Math.ceil(segment.durationMs));
  const unit = unitFor([segment.fromRate]);
  const users = usersFor(spec, segment.fromRate);
  const config = {
    executor: 'constant-arrival-rate',
    rate: Math.round(segment.fromRate * unit),
    timeUnit: `${unit}s`,
    duration: ms(lengthMs),
    ...common('load', spec, -beginsMs, users),
  };
  const due = (index: number): number => dueMs([segment], index) ?? segment.durationMs;
  const counted = { count: countStarts([segment]), dueMs: due, offset: 0, stride: 1, startsBefore };
  return { name: 'load', config, ...counted, beginsMs: 0, lengthMs, users };
}

/** k6 has no such executor: its users take the starts one after the other, and wait for the time of each. */
function poisson(spec: LoadSpec, { segments, fromMs, beginsMs, startsBefore }: Part): K6Phase {
  const { scenario, seed, stripe = WHOLE } = spec;
  const offset = offsetOf(stripe, startsBefore);
  const all = [...poissonDueTimes(segments, arrivalRandom(seed, scenario.name))];
  const dues = all.flatMap((due, index) => (index % stripe.of === offset ? [fromMs + due] : []));
  const rate = Math.max(...segments.flatMap(({ fromRate, toRate }) => [fromRate, toRate])) / stripe.of;
  const users = usersFor(spec, rate, BURST_DEVIATIONS);
  const lengthMs = AHEAD_MS + curveDuration(segments) + TAIL_MS;
  const { preAllocatedVUs: vus, maxVUs: _, ...rest } = common('load', spec, fromMs - AHEAD_MS - beginsMs, users);
  const config = {
    executor: 'shared-iterations',
    vus: vus!,
    // It wants at least as many as users, and the script passes over what is beyond the schedule.
    iterations: Math.max(dues.length, users),
    maxDuration: ms(Math.max(CONSTANT_LEAST_MS, lengthMs)),
    ...rest,
  };
  const due = (index: number): number => dues[index] ?? fromMs + curveDuration(segments);
  const counted = { count: dues.length, dueMs: due, dues, offset, stride: stripe.of, startsBefore };
  return { name: 'load', config, ...counted, beginsMs: fromMs - AHEAD_MS, lengthMs, users };
}

/** The first start of a phase that is this stripe's. */
const offsetOf = ({ index, of }: Stripe, startsBefore: number): number => (((index - startsBefore) % of) + of) % of;

/** A stripe has its share of every rate, and its first start by as much sooner or later as the stage before it is long. */
function ramping(name: 'warm' | 'load', spec: LoadSpec, part: Part): K6Phase {
  const { segments, fromMs, beginsMs, startsBefore } = part;
  const { index, of } = spec.stripe ?? WHOLE;
  const offset = offsetOf({ index, of }, startsBefore);
  const leadMs = LEAD_MS - ((LEAD_MS + NANOSECOND_MS) * offset) / of;
  const rates = segments.flatMap(({ fromRate, toRate }) => [fromRate, toRate]);
  const unit = unitFor(rates);
  const target = (rate: number): number => Math.round(rate * unit);
  const users = usersFor(spec, Math.max(...rates) / of);
  const stages = [{ duration: ms(leadMs), target: target(LEAD_RATE * of) }];
  let rate = LEAD_RATE * of;
  for (const { fromRate, toRate, durationMs } of segments) {
    // A stage of no length is k6's way of saying that a rate jumps.
    if (fromRate !== rate) stages.push({ duration: '0s', target: target(fromRate) });
    stages.push({ duration: ms(durationMs), target: target(toRate) });
    rate = toRate;
  }
  stages.push({ duration: '0s', target: 0 }, { duration: ms(TAIL_MS), target: 0 });
  const config = {
    executor: 'ramping-arrival-rate',
    startRate: target(LEAD_RATE * of),
    timeUnit: `${unit * of}s`,
    stages,
    ...common(name, spec, fromMs - leadMs - beginsMs, users),
  };
  const durationMs = curveDuration(segments);
  const due = (start: number): number => fromMs + (dueMs(segments, offset + start * of) ?? durationMs);
  const count = Math.max(0, Math.ceil((countStarts(segments) - offset) / of));
  const counted = { count, dueMs: due, offset, stride: of, startsBefore };
  return { name, config, ...counted, beginsMs: fromMs - leadMs, lengthMs: leadMs + durationMs + TAIL_MS, users };
}

function common(name: string, spec: LoadSpec, startMs: number, users: number): JsonObject {
  return {
    exec: name,
    startTime: ms(startMs),
    gracefulStop: ms(spec.drainMs),
    preAllocatedVUs: users,
    maxVUs: users,
  };
}

/** Users go round without a schedule: warm-up, steady state and load are one run of them. */
function planUsers(spec: LoadSpec): K6Plan {
  const { scenario, steadyMs, drainMs, stripe = WHOLE } = spec;
  const { warmUpRate, warmUpMs, segments } = scenario;
  const warmMs = warmUpMs + steadyMs;
  const most = Math.max(warmUpRate, ...segments.flatMap(({ fromRate, toRate }) => [fromRate, toRate]));
  const users = shareOf(most, stripe);
  const flat = scenario.executor === 'constant-vus' && warmUpMs === 0 && users > 0;
  const wholeMs = warmMs + curveDuration(segments);
  const lengthMs = flat ? Math.max(CONSTANT_LEAST_MS, Math.ceil(wholeMs)) : wholeMs;
  const stop = { exec: 'load', gracefulStop: ms(drainMs) };
  const warming = [
    { fromRate: 0, toRate: warmUpRate, durationMs: warmUpMs },
    { fromRate: warmUpRate, toRate: warmUpRate, durationMs: steadyMs },
  ];
  const config: JsonObject = flat
    ? { executor: 'constant-vus', vus: users, duration: ms(lengthMs), ...stop }
    : {
        executor: 'ramping-vus',
        startVUs: 0,
        stages: userStages([...warming, ...segments], stripe),
        gracefulRampDown: ms(drainMs),
        ...stop,
      };
  const counted = { count: undefined, dueMs: () => 0, offset: stripe.index, stride: stripe.of, startsBefore: 0 };
  const phase: K6Phase = { name: 'load', config, ...counted, beginsMs: -warmMs, lengthMs, users };
  return { phases: [phase], beginsMs: -warmMs };
}

/** Of a striped load each stripe has every `of`-th user. */
export function shareOf(users: number, { index, of }: Stripe): number {
  return Math.max(0, Math.floor((Math.round(users) - index + of - 1) / of));
}

function userStages(segments: readonly RateSegment[], stripe: Stripe): JsonObject[] {
  let users = 0;
  return segments.flatMap(({ fromRate, toRate, durationMs }) => {
    const jump = fromRate === users ? [] : [{ duration: '0s', target: shareOf(fromRate, stripe) }];
    users = toRate;
    return durationMs === 0 && toRate === fromRate
      ? jump
      : [...jump, { duration: ms(durationMs), target: shareOf(toRate, stripe) }];
  });
}

/** No journey outlives its deadlines, so (but for chance) never more of them are on their way than start in that time. */
function usersFor(spec: LoadSpec, rate: number, deviations = 0): number {
  const { mix } = spec.scenario;
  const inFlightMax = shareOf(spec.scenario.inFlightMax, spec.stripe ?? WHOLE);
  const unbounded = { ...spec.scenario, good: { ...spec.scenario.good, journeyWithinMs: undefined } };
  const longestMs = Math.max(...mix.map(({ journey }) => journeyDeadlineMs(unbounded, journey)));
  const busy = (rate * longestMs) / 1000;
  return Math.max(1, Math.min(inFlightMax, Math.ceil(busy + deviations * Math.sqrt(busy)) + USERS_SPARE));
}

/** Seconds in which every rate is a whole number, as k6 wants it. */
function unitFor(rates: readonly number[]): number {
  for (let unit = 1; unit < 1_000_000; unit *= 10) {
    if (rates.every((rate) => Math.abs(rate * unit - Math.round(rate * unit)) < 1e-9)) return unit;
  }
  return 1_000_000;
}

/** To the nanosecond, as k6 takes it. */
const ms = (value: number): string => `${Math.round(value * 1e6) / 1e6}ms`;
