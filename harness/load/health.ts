import { monitorEventLoopDelay } from 'node:perf_hooks';
import { readSteal } from '../core/steal.ts';

const RESOLUTION_MS = 10;

/** How late this thread's event loop comes round to what is due, since the last reading. */
export class DelayMeter {
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  constructor() {
    this.#delay.enable();
  }

  /** The 99th percentile in ms. */
  read(): number {
    // The monitor's own interval is in every sample of it.
    const p99Ms = Math.max(0, this.#delay.percentile(99) / 1e6 - RESOLUTION_MS);
    this.#delay.reset();
    return Math.round(p99Ms * 100) / 100;
  }
}

/** What this process uses, and what the machine it runs on is kept from having, since the last reading. */
export class UseMeter {
  #cpu = process.cpuUsage();
  #atMs = performance.now();
  #steal = readSteal();

  /** Shares of one core and of the machine's time; the latter undefined where the system does not tell. */
  read(): { cpuShare: number; rssBytes: number; stealShare: number | undefined } {
    const nowMs = performance.now();
    const used = process.cpuUsage(this.#cpu);
    const cpuShare = (used.user + used.system) / 1000 / Math.max(1, nowMs - this.#atMs);
    const steal = readSteal();
    const before = this.#steal;
    this.#cpu = process.cpuUsage();
    this.#atMs = nowMs;
    this.#steal = steal;
    const stealShare =
      steal === undefined || before === undefined || steal.total <= before.total
        ? undefined
        : thousandths((steal.stolen - before.stolen) / (steal.total - before.total));
    return { cpuShare: thousandths(cpuShare), rssBytes: process.memoryUsage.rss(), stealShare };
  }
}

const thousandths = (share: number): number => Math.round(share * 1000) / 1000;
