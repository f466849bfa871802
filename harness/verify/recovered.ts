import type { FaultRecord, JournalView } from '../spi/journal.ts';

/** How long the good share must hold for a scenario to count as recovered. */
export const RECOVERED_FOR_MS = 5_000;
const TARGET_WITHOUT_CHECK = 0.99;
const SECOND_MS = 1_000;

/** When a scenario was well again after a moment; `seenUntilMs` is where its evidence ends. */
export interface Recovery {
  /** Start of the first 5 s in which good ≥ target, never before the moment itself; undefined: not seen. */
  atMs: number | undefined;
  seenUntilMs: number;
  target: number;
}

/** The share that counts as recovered: the scenario's own availability target; whole scenario before one journey, whole run before windows. */
export function recoveryTarget(view: JournalView, scenario: string): number {
  const targets = view.timeline.checks.filter(
    ({ check, params }) => check === 'availability' && params.of === scenario,
  );
  const wholes = targets.filter(({ params }) => params.journey === undefined);
  const chosen = wholes.find(({ params }) => params.over === undefined) ?? wholes[0] ?? targets[0];
  const target = chosen?.params.target;
  return typeof target === 'number' ? target : TARGET_WITHOUT_CHECK;
}

/** The start of the first 5 s from `fromMs` on in which the scenario's good share reached its target. */
export function recoveryAfter(view: JournalView, scenario: string, fromMs: number): Recovery {
  const target = recoveryTarget(view, scenario);
  const seconds = new Map<number, { good: number; total: number }>();
  let seenUntilMs = 0;
  for (const row of view.seconds({ scenario })) {
    const second = seconds.get(row.fromMs) ?? { good: 0, total: 0 };
    seconds.set(row.fromMs, { good: second.good + row.good, total: second.total + row.good + row.badCount });
    seenUntilMs = Math.max(seenUntilMs, row.toMs);
  }
  const first = Math.floor(fromMs / SECOND_MS) * SECOND_MS;
  for (let start = first; start + RECOVERED_FOR_MS <= seenUntilMs; start += SECOND_MS) {
    if (isWell(seconds, start, target)) return { atMs: Math.max(start, fromMs), seenUntilMs, target };
  }
  return { atMs: undefined, seenUntilMs, target };
}

/** Recovery of one fault, and of its failback after the heal; undefined where the moment it counts from never came. */
export function recoveryOf(
  view: JournalView,
  scenario: string,
  fault: FaultRecord,
): { rto: Recovery | undefined; failback: Recovery | undefined } {
  const after = (ms: number | undefined): Recovery | undefined =>
    ms === undefined ? undefined : recoveryAfter(view, scenario, ms);
  return { rto: after(fault.commandedMs), failback: after(fault.healedMs) };
}

function isWell(seconds: Map<number, { good: number; total: number }>, start: number, target: number): boolean {
  let good = 0;
  let total = 0;
  for (let at = start; at < start + RECOVERED_FOR_MS; at += SECOND_MS) {
    const second = seconds.get(at);
    good += second?.good ?? 0;
    total += second?.total ?? 0;
  }
  return total > 0 && good / total >= target;
}
