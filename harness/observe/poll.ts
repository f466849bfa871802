import { setTimeout as sleep } from 'node:timers/promises';
import type { Measurement } from '../spi/fault.ts';

const PAUSE_MS = 100;

/** Measures until it holds or the time is over; the last measurement stands, with how often and long was tried. */
export async function pollUntil(
  withinMs: number,
  signal: AbortSignal,
  attempt: () => Promise<Measurement>,
): Promise<Measurement> {
  const startedAtMs = performance.now();
  for (let tries = 1; ; tries++) {
    const measured = await attempt();
    const tookMs = performance.now() - startedAtMs;
    if (measured.holds || tookMs + PAUSE_MS >= withinMs) {
      const after = tries === 1 ? '' : ` (after ${(tookMs / 1000).toFixed(1)} s, attempt ${tries})`;
      return { ...measured, because: measured.because + after };
    }
    await sleep(PAUSE_MS, undefined, { signal });
  }
}
