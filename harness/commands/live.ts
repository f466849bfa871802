import { styleText } from 'node:util';
import { Histogram } from '../core/histogram.ts';
import { formatCount, formatDuration } from '../core/units.ts';
import type { JournalEvent } from '../spi/journal.ts';
import type { LoadWindow } from '../spi/load.ts';
import type { Timeline } from '../spi/timeline.ts';

const PLAIN_EVERY_MS = 5_000;
type Style = Parameters<typeof styleText>[0];

interface FaultState {
  state: 'commanded' | 'bitten' | 'reverting';
  sinceMs: number;
}

/**
 * Tells a run as it goes: an event a line, and below them one line of figures that is rewritten on a terminal and
 * repeated every five seconds elsewhere. NO_COLOR and a missing terminal are obeyed.
 */
export class LiveView {
  readonly #out: NodeJS.WriteStream;
  readonly #faults = new Map<string, FaultState>();
  readonly #recent = new Map<number, { scheduled: number; latency: Histogram }>();
  #timeline: Timeline | undefined;
  #phase = '';
  #originMs: number | undefined;
  #good = 0;
  #bad = 0;
  #statusShown = false;
  #lastPlainMs = 0;

  constructor(out: NodeJS.WriteStream = process.stdout) {
    this.#out = out;
  }

  see(event: JournalEvent): void {
    if (event.type === 'load.window') this.#count(event.row);
    const line = this.#describe(event);
    if (line !== undefined) this.#line(line);
    this.#status(event.atMs);
  }

  end(): void {
    if (this.#statusShown) this.#out.write('\r\u001b[2K');
    this.#statusShown = false;
  }

  #line(text: string): void {
    this.end();
    this.#out.write(`${text}\n`);
  }

  #describe(event: JournalEvent): string | undefined {
    const at = event.tMs === undefined ? '' : `${this.#paint('dim', `${(event.tMs / 1000).toFixed(1).padStart(6)}s`)} `;
    switch (event.type) {
      case 'run.opened':
        this.#timeline = event.timeline;
        return `${this.#paint('bold', event.timeline.plan.name)}  run ${event.runId}, runtime ${event.timeline.runtime}, seed ${event.timeline.seed}`;
      case 'phase.opened':
        this.#phase = event.phase;
        return `${at}${this.#paint('cyan', `▸ ${event.phase}`)}`;
      case 'load.origin':
        this.#originMs = event.originMs;
        return undefined;
      case 'stack.up':
        return `  ${event.nodes.length} nodes and ${event.links} links ready in ${formatDuration(event.ms)}`;
      case 'steady-state':
        return `${at}${event.met ? this.#paint('green', 'steady') : this.#paint('red', 'not steady')}: ${event.because}`;
      case 'canary':
        return event.results.every((result) => result.good)
          ? `  canaries of ${event.scenario}: good`
          : this.#paint(
              'red',
              `  canary of ${event.scenario}: ${event.results.find((result) => !result.good)?.because}`,
            );
      case 'guard.tripped':
        return `${at}${this.#paint('red', 'GUARD')} ${event.because}`;
      case 'interrupted':
        return this.#paint('yellow', `interrupted by ${event.by}: healing, then the report (again: heal only)`);
      case 'error':
        return `${this.#paint('red', event.code)} ${event.message}\n  ${event.hint}`;
      case 'leftover':
        return this.#paint('red', `left behind: ${event.what}`);
      case 'node.exited':
        return event.expected ? undefined : this.#paint('yellow', `${at}${event.node} ended: ${event.why}`);
      case 'log':
        return event.level === 'info' ? undefined : `${at}${this.#paint('yellow', event.message)}`;
      default:
        return this.#describeFault(event, at);
    }
  }

  #describeFault(event: JournalEvent, at: string): string | undefined {
    switch (event.type) {
      case 'fault.commanded':
        this.#faults.set(event.fault, { state: 'commanded', sinceMs: event.atMs });
        return `${at}${this.#paint('magenta', `⚡ ${event.fault}`)} commanded: ${shorten(event.targets)}`;
      case 'fault.bitten':
        this.#faults.set(event.fault, { state: 'bitten', sinceMs: event.atMs });
        return `${at}${this.#paint('magenta', `⚡ ${event.fault}`)} bit: ${event.proofs[0]?.because ?? ''}`;
      case 'fault.reverting':
        this.#faults.set(event.fault, { state: 'reverting', sinceMs: event.atMs });
        return `${at}${this.#paint('magenta', `⚡ ${event.fault}`)} reverting`;
      case 'fault.healed':
        this.#faults.delete(event.fault);
        return `${at}${this.#paint('green', `✓ ${event.fault}`)} healed: ${event.proofs.at(-1)?.because ?? ''}`;
      case 'fault.not-bitten':
      case 'fault.not-healed':
      case 'fault.skipped':
        if (event.type !== 'fault.not-bitten') this.#faults.delete(event.fault);
        return `${at}${this.#paint('red', `✗ ${event.fault}`)} ${event.type.slice('fault.'.length)}: ${event.because}`;
      default:
        return undefined;
    }
  }

  #count(row: LoadWindow): void {
    if (row.step !== undefined || row.fromMs < 0) return;
    this.#good += row.good;
    this.#bad += Object.values(row.bad).reduce((sum, count) => sum + count, 0);
    const second = this.#recent.get(row.fromMs) ?? { scheduled: 0, latency: new Histogram() };
    second.scheduled += row.scheduled;
    second.latency.merge(Histogram.decode(row.fromIntended));
    this.#recent.set(row.fromMs, second);
    for (const fromMs of this.#recent.keys()) if (fromMs < row.fromMs - 5_000) this.#recent.delete(fromMs);
  }

  #status(nowMs: number): void {
    if (this.#originMs === undefined || this.#timeline === undefined) return;
    if (!this.#out.isTTY && nowMs - this.#lastPlainMs < PLAIN_EVERY_MS) return;
    this.#lastPlainMs = nowMs;
    const text = this.#figures(nowMs);
    if (!this.#out.isTTY) return void this.#out.write(`${text}\n`);
    this.#out.write(`\r\u001b[2K${text.slice(0, this.#out.columns - 1)}`);
    this.#statusShown = true;
  }

  #figures(nowMs: number): string {
    // The newest second is still being told: some scenarios' rows of it have not come yet.
    const [newest, whole] = [...this.#recent].toSorted(([a], [b]) => b - a);
    const latest = (whole ?? newest)?.[1];
    const seconds = Math.round((nowMs - (this.#originMs ?? nowMs)) / 1000);
    const parts = [
      `${this.#phase} ${seconds}s of ${formatDuration(this.#timeline?.loadMs ?? 0)}`,
      `${latest?.scheduled ?? 0}/s`,
      `good ${formatCount(this.#good)}`,
      `bad ${formatCount(this.#bad)}`,
      `p99 ${latest === undefined ? '-' : formatDuration(Math.round(latest.latency.quantile(0.99) / 1000))}`,
      ...[...this.#faults].map(([name, fault]) => `⚡ ${name} ${this.#countdown(name, fault, nowMs)}`),
    ];
    return parts.join(' · ');
  }

  #countdown(name: string, { state, sinceMs }: FaultState, nowMs: number): string {
    const holdMs = this.#timeline?.faults.find((fault) => fault.name === name)?.forMs ?? 0;
    return state === 'bitten' ? `${Math.max(0, Math.ceil((sinceMs + holdMs - nowMs) / 1000))}s left` : state;
  }

  #paint(style: Style, text: string): string {
    return styleText(style, text, { stream: this.#out });
  }
}

function shorten(names: readonly string[]): string {
  return names.length <= 4 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`;
}
