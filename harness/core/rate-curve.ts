/** A straight piece of an arrival-rate curve; rates are journeys started per second. */
export interface RateSegment {
  fromRate: number;
  toRate: number;
  durationMs: number;
}

/**
 * Starts due by `ms`: the area under a piecewise linear rate curve. Event i (from 0) is due when the area reaches i.
 */
export function areaUntil(segments: readonly RateSegment[], ms: number): number {
  let area = 0;
  let rest = Math.max(0, ms);
  for (const { fromRate, toRate, durationMs } of segments) {
    const part = Math.min(rest, durationMs);
    const endRate = durationMs === 0 ? toRate : fromRate + ((toRate - fromRate) * part) / durationMs;
    area += ((fromRate + endRate) / 2) * (part / 1000);
    rest -= part;
    if (rest <= 0) break;
  }
  return area;
}

export function curveDuration(segments: readonly RateSegment[]): number {
  return segments.reduce((sum, segment) => sum + segment.durationMs, 0);
}

/** Number of starts in [0, end of the curve). */
export function countStarts(segments: readonly RateSegment[]): number {
  return Math.max(0, Math.ceil(areaUntil(segments, curveDuration(segments)) - 1e-9));
}

/** Due time in ms of event i, or undefined past the end. Closed form: no drift however long the curve. */
export function dueMs(segments: readonly RateSegment[], index: number): number | undefined {
  if (index >= countStarts(segments)) return undefined;
  let done = 0;
  let startMs = 0;
  for (const segment of segments) {
    const area = ((segment.fromRate + segment.toRate) / 2) * (segment.durationMs / 1000);
    if (index < done + area || (index === 0 && area > 0)) return startMs + withinSegment(segment, index - done);
    done += area;
    startMs += segment.durationMs;
  }
  return startMs;
}

/** Ms into one segment at which its area is `events`: solves from·t + (to − from)·t²/(2·d) = events, t in seconds. */
export function withinSegment({ fromRate, toRate, durationMs }: RateSegment, events: number): number {
  const seconds = durationMs / 1000;
  const slope = (toRate - fromRate) / seconds;
  if (events <= 0) return 0;
  if (Math.abs(slope) < 1e-12) return Math.min(durationMs, (events / fromRate) * 1000);
  const root = Math.sqrt(Math.max(0, fromRate * fromRate + 2 * slope * events));
  // The form without cancellation, good for slopes of either sign.
  return Math.min(durationMs, ((2 * events) / (fromRate + root)) * 1000);
}

/**
 * `dueMs` for those who ask for rising indices only: constant time, whatever the number of segments. Gives the very same
 * times.
 */
export function startTimes(segments: readonly RateSegment[]): (index: number) => number | undefined {
  const count = countStarts(segments);
  let at = 0;
  let done = 0;
  let startMs = 0;
  return (index) => {
    if (index >= count) return undefined;
    for (let segment = segments[at]; segment !== undefined; segment = segments[at]) {
      const area = ((segment.fromRate + segment.toRate) / 2) * (segment.durationMs / 1000);
      if (index < done + area || (index === 0 && area > 0)) return startMs + withinSegment(segment, index - done);
      done += area;
      startMs += segment.durationMs;
      at++;
    }
    return startMs;
  };
}

/** The curve's height at a time: journeys a second, or users at once. The last value holds after the end. */
export function heightAt(segments: readonly RateSegment[], ms: number): number {
  let startMs = 0;
  for (const { fromRate, toRate, durationMs } of segments) {
    if (ms < startMs + durationMs) return fromRate + ((toRate - fromRate) * Math.max(0, ms - startMs)) / durationMs;
    startMs += durationMs;
  }
  return segments.at(-1)?.toRate ?? 0;
}
