import { z } from 'zod';
import type { JournalView, SecondRow } from '../spi/journal.ts';
import { recoveryAfter } from './recovered.ts';

/** Parts of a run: commanded to proved healed; from there to the end of the failback's RTO; the rest. */
export const WHENS = ['all', 'calm', 'faults', 'recovery'] as const;
export type When = (typeof WHENS)[number];
export const whenParam = () => z.enum(WHENS).default('all');

interface Span {
  fromMs: number;
  toMs: number;
}

/** Sorts seconds into calm, faults and recovery for a scenario; one that touches two belongs to the worse. */
export function classifier(view: JournalView, scenario: string): (fromMs: number) => Exclude<When, 'all'> {
  const faults = view.faults.flatMap((fault) => spanOf(fault.commandedMs, fault.healedMs));
  const recoveries = view.faults.flatMap((fault) =>
    fault.healedMs === undefined ? [] : spanOf(fault.healedMs, recoveryAfter(view, scenario, fault.healedMs).atMs),
  );
  return (fromMs) => {
    if (faults.some((span) => touches(span, fromMs))) return 'faults';
    return recoveries.some((span) => touches(span, fromMs)) ? 'recovery' : 'calm';
  };
}

/** The rows of one part of the run. */
export function inPart(view: JournalView, rows: readonly SecondRow[], when: When): readonly SecondRow[] {
  if (when === 'all' || rows.length === 0) return rows;
  const classify = classifier(view, rows[0]!.scenario);
  return rows.filter((row) => classify(row.fromMs) === when);
}

/** The rows from a fault's command to its proved heal. */
export function underFault(
  rows: readonly SecondRow[],
  fault: { commandedMs: number | undefined; healedMs: number | undefined },
): readonly SecondRow[] {
  const spans = spanOf(fault.commandedMs, fault.healedMs);
  return rows.filter((row) => spans.some((span) => touches(span, row.fromMs)));
}

/** A moment that never came leaves the span open to the end of the run. */
function spanOf(fromMs: number | undefined, toMs: number | undefined): Span[] {
  return fromMs === undefined ? [] : [{ fromMs, toMs: toMs ?? Number.POSITIVE_INFINITY }];
}

function touches(span: Span, secondMs: number): boolean {
  return span.fromMs < span.toMs && secondMs < span.toMs && secondMs + 1000 > span.fromMs;
}
