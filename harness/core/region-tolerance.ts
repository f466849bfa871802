/** What a busy machine may add. */
const LATE_MS = 15;
const RATIO = 0.2;

/** Whether a measured round trip (ms) from a region is the one that was asked for. */
export function isAsAsked({ rttMs, jitterMs }: { rttMs: number; jitterMs: number }, measuredMs: number): boolean {
  const spareMs = RATIO * rttMs + jitterMs;
  return measuredMs >= rttMs - spareMs && measuredMs <= rttMs + spareMs + LATE_MS;
}
