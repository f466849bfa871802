import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { LoadHealth } from '../spi/load.ts';
import { DelayMeter, UseMeter } from './health.ts';

/** The kernel's unit of processor time in /proc; 100 a second wherever Linux runs Node. */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;
const PS_TIMEOUT_MS = 500;

/** How this process and the one that it started do, added up. */
export class ProcessMeter {
  readonly #pid: number | undefined;
  readonly #delay = new DelayMeter();
  readonly #use = new UseMeter();
  #cpuMs = 0;
  #atMs = performance.now();

  constructor(pid?: number) {
    this.#pid = pid;
    this.#cpuMs = this.#reading()?.cpuMs ?? 0;
  }

  read(scenario: string, atMs: number, inFlight: number): LoadHealth {
    const own = this.#use.read();
    const other = this.#reading();
    const nowMs = performance.now();
    const share = other === undefined ? 0 : (other.cpuMs - this.#cpuMs) / Math.max(1, nowMs - this.#atMs);
    this.#cpuMs = other?.cpuMs ?? this.#cpuMs;
    this.#atMs = nowMs;
    return {
      scenario,
      atMs: Math.round(atMs),
      eventLoopP99Ms: this.#delay.read(),
      cpuShare: Math.round((own.cpuShare + share) * 1000) / 1000,
      rssBytes: own.rssBytes + (other?.rssBytes ?? 0),
      inFlight,
      ...(own.stealShare === undefined ? {} : { stealShare: own.stealShare }),
    };
  }

  #reading(): { cpuMs: number; rssBytes: number } | undefined {
    if (this.#pid === undefined) return undefined;
    return process.platform === 'linux' ? fromProc(this.#pid) : fromPs(this.#pid);
  }
}

function fromProc(pid: number): { cpuMs: number; rssBytes: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command in parentheses may hold spaces and parentheses: fields count from the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]);
    return { cpuMs: (ticks * 1000) / TICKS_PER_SECOND, rssBytes: Number(fields[21]) * PAGE_BYTES };
  } catch {
    // It has ended: nothing more is used.
    return undefined;
  }
}

function fromPs(pid: number): { cpuMs: number; rssBytes: number } | undefined {
  const asked = spawnSync('ps', ['-o', 'time=,rss=', '-p', String(pid)], { encoding: 'utf8', timeout: PS_TIMEOUT_MS });
  const match = /(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)\s+(\d+)/.exec(asked.stdout ?? '');
  if (match === null) return undefined;
  const [, days = 0, hours = 0, minutes, seconds, kilobytes] = match;
  const total = ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds);
  return { cpuMs: total * 1000, rssBytes: Number(kilobytes) * 1024 };
}
