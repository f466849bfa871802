import { readFileSync } from 'node:fs';

/**
 * Processor time of the whole machine, in ticks since it started: what a hypervisor gave to others while something here
 * wanted to run, and all there was. Undefined where the system has no such account (proc(5), /proc/stat).
 */
export function readSteal(
  read = (): string => readFileSync('/proc/stat', 'utf8'),
): { stolen: number; total: number } | undefined {
  let line: string;
  try {
    line = read().split('\n', 1)[0]!;
  } catch {
    // Not Linux.
    return undefined;
  }
  const [name, ...fields] = line.trim().split(/\s+/);
  const ticks = fields.slice(0, 8).map(Number);
  if (name !== 'cpu' || ticks.length < 8 || ticks.some(Number.isNaN)) return undefined;
  return { stolen: ticks[7]!, total: ticks.reduce((sum, count) => sum + count, 0) };
}
