import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { LoadHealth } from '../spi/load.ts';

const RESOLUTION_MS = 10;

/** How well this process keeps up, since the last reading. */
export class HealthMeter {
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #cpu = process.cpuUsage();
  #atMs = performance.now();

  constructor() {
    this.#delay.enable();
  }

  read(scenario: string, atMs: number, inFlight: number): LoadHealth {
    const now = performance.now();
    const used = process.cpuUsage(this.#cpu);
    const cpuShare = (used.user + used.system) / 1000 / Math.max(1, now - this.#atMs);
    // The monitor's own interval is in every sample of it.
    const p99Ms = Math.max(0, this.#delay.percentile(99) / 1e6 - RESOLUTION_MS);
    this.#delay.reset();
    this.#cpu = process.cpuUsage();
    this.#atMs = now;
    return {
      scenario,
      atMs: Math.round(atMs),
      eventLoopP99Ms: Math.round(p99Ms * 100) / 100,
      cpuShare: Math.round(cpuShare * 1000) / 1000,
      rssBytes: process.memoryUsage.rss(),
      inFlight,
    };
  }
}
