import type { FaultRecord, JournalView } from '../spi/journal.ts';
import type { TimelineFault } from '../spi/timeline.ts';

/** A share rounded down to four decimals of a percent: for lower bounds, so that the text never claims too much. */
export function percentDown(ratio: number): string {
  return `${Math.floor(ratio * 1e6 + 1e-7) / 1e4} %`;
}

/** A share rounded up to four decimals of a percent: for upper bounds. */
export function percentUp(ratio: number): string {
  return `${Math.ceil(ratio * 1e6 - 1e-7) / 1e4} %`;
}

/** `99.99 %`: a share that the plan gave, exactly. */
export function percent(ratio: number): string {
  return `${Number((ratio * 100).toFixed(10))} %`;
}

/** `40.3 s`, `812 ms`. */
export function seconds(ms: number): string {
  return Math.abs(ms) < 1000 ? `${Math.round(ms)} ms` : `${Number((ms / 1000).toFixed(1))} s`;
}

/** `one loss of hz-a`: a fault in the words of its meaning. */
export function faultPhrase(fault: Pick<TimelineFault, 'name' | 'kind' | 'target'>): string {
  const { kind, target, name } = fault;
  if (kind === 'idc.blackout' && 'idc' in target) return `one loss of ${target.idc}`;
  if (kind === 'database.primary-kill' && 'store' in target) return `one loss of the ${target.store} primary`;
  if (kind === 'process.kill') return `one kill of ${targetPhrase(target)}`;
  if (kind === 'network.partition') return `one partition of ${targetPhrase(target)}`;
  if (kind === 'network.latency') return `one slow spell of ${targetPhrase(target)}`;
  return `one trial of ${name}`;
}

/** A fault's target in one or two words. */
export function targetPhrase(target: TimelineFault['target']): string {
  if ('link' in target) return `${target.link.from.join(', ')} → ${target.link.to.join(', ')}`;
  if ('store' in target) return `${target.store} ${target.role}`;
  if ('node' in target) return target.node;
  if ('service' in target) return target.idc === undefined ? target.service : `${target.service} in ${target.idc}`;
  return target.idc;
}

/** `one loss of hz-a and one kill of gateway`: the faults of this run that were commanded; undefined without any. */
export function faultsIncluded(view: JournalView, faults: readonly FaultRecord[] = view.faults): string | undefined {
  const phrases = faults
    .filter((fault) => fault.commandedMs !== undefined)
    .flatMap((fault) => view.timeline.faults.filter(({ name }) => name === fault.name).map(faultPhrase));
  return phrases.length === 0 ? undefined : inWords(phrases);
}

/** `a, b and c`. */
export function inWords(parts: readonly string[]): string {
  if (parts.length < 2) return parts.join('');
  return `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)!}`;
}

/** `sale`, `sale/pay`, `sale/pay from north`. */
export function scopeOf({ of, journey, region }: { of: string; journey?: string; region?: string }): string {
  return `${of}${journey === undefined ? '' : `/${journey}`}${region === undefined ? '' : ` from ${region}`}`;
}
