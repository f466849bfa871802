import { readFileSync } from 'node:fs';
import type { JournalBody } from '../spi/journal.ts';

/** Resident size of a living process in bytes; 0 where the system does not tell. */
export function residentBytes(pid: number): number {
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
    return pages * 4096;
  } catch {
    // Not Linux, or gone since: a missing sample is shown as none, it decides nothing.
    return 0;
  }
}

/** What the harness itself costs while the system under test runs beside it. */
export class Sampler {
  #cpu = process.cpuUsage();
  #atMs = performance.now();

  sample(loadPids: readonly number[], proxyPids: readonly number[]): Extract<JournalBody, { type: 'sample' }> {
    const now = performance.now();
    const used = process.cpuUsage(this.#cpu);
    const cpuShare = (used.user + used.system) / 1000 / Math.max(1, now - this.#atMs);
    this.#cpu = process.cpuUsage();
    this.#atMs = now;
    const sizes = (pids: readonly number[]): { rssBytes: number }[] =>
      pids.map((pid) => ({ rssBytes: residentBytes(pid) }));
    return {
      type: 'sample',
      tool: { rssBytes: process.memoryUsage.rss(), cpuShare: Math.round(cpuShare * 1000) / 1000 },
      load: sizes(loadPids),
      proxies: sizes(proxyPids),
    };
  }
}
