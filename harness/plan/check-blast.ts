import type { GuardSpec } from '../spi/plan.ts';
import type { Topology } from '../spi/topology.ts';
import { worstCase } from './blast.ts';
import { type Taken, takenBy, unitOf } from './budget.ts';
import type { CheckedFault } from './check-faults.ts';
import type { Concurrency } from './concurrent.ts';
import type { Path } from './document.ts';
import type { IssueBook } from './parts.ts';

/** At any moment, all faults held then together stay within what the guard allows. */
export function checkBlast(
  faults: readonly CheckedFault[],
  concurrency: Concurrency,
  guard: GuardSpec,
  topology: Topology,
  book: IssueBook,
): void {
  const allowed = guard.blastRadius;
  if (allowed === undefined) return;
  const told = new Set<string>();
  faults.forEach((last, index) => {
    for (const held of concurrency.setsWith(index).map((set) => set.map((at) => faults[at]!))) {
      const blast = worstCase(
        held.flatMap(({ effects }) => effects),
        topology,
      );
      for (const what of ['idcs', 'nodes', 'services'] as const) {
        const limit = allowed[what];
        const once = JSON.stringify([last.path, what]);
        if (limit === undefined || blast[what] <= limit || told.has(once)) continue;
        told.add(once);
        const message = `${togetherText(held)} can touch ${blast[what]} ${what}, the guard allows ${limit}`;
        book.add([...last.path, 'target'], 'BLAST_RADIUS', message, {
          hint: `aim at less, or allow it: \`blastRadius: { ${what}: ${blast[what]} }\``,
        });
      }
    }
  });
}

/**
 * At any moment, no more is gone than the stack can claim to survive. What has one member claims nothing: to take it is
 * worth a warning. Where there is redundancy, to take more than it covers is an issue unless the guard says it is meant.
 */
export function checkBudget(
  faults: readonly CheckedFault[],
  concurrency: Concurrency,
  { topology, entry }: { topology: Topology; entry: string },
  book: IssueBook,
  warnings: IssueBook,
): void {
  const told = new Set<string>();
  faults.forEach((last, index) => {
    const own = new Set(takenBy(last.effects, entry, topology).map(({ claim }) => claim.what));
    for (const held of concurrency.setsWith(index).map((set) => set.map((at) => faults[at]!))) {
      const effects = held.flatMap((one) => one.effects);
      const over = takenBy(effects, entry, topology).filter(({ claim, taken }) => taken > claim.survives);
      // With all IDCs gone everything is: the rest need not be told.
      const worst = over[0]?.claim.kind === 'idc' ? over.slice(0, 1) : over;
      for (const taken of worst.filter(({ claim }) => own.has(claim.what))) {
        const once = JSON.stringify([last.path, taken.claim.what]);
        if (told.has(once)) continue;
        told.add(once);
        tell([...last.path, 'target'], `${togetherText(held)} can take ${takenText(taken)}`, taken, book, warnings);
      }
    }
  });
}

function tell(path: Path, message: string, { claim }: Taken, book: IssueBook, warnings: IssueBook): void {
  const hint = 'take less at one moment, or say that it is meant: `guard: { faultBudget: none }`';
  if (claim.survives === 0) warnings.add(path, 'FAULT_BUDGET', message);
  else book.add(path, 'FAULT_BUDGET', message, { hint });
}

/** `both nodes of order at one moment: with 2 it can claim to survive the loss of 1`. */
export function takenText({ claim, taken }: Taken): string {
  const { kind, what, members, survives } = claim;
  if (members.length === 1) {
    const only = kind === 'idc' ? `the only IDC, ${members[0]}` : `${members[0]}, all there is of ${what}`;
    return `${only}: the stack can claim to survive no such loss`;
  }
  const many = taken === members.length ? (taken === 2 ? 'both' : `all ${taken}`) : `${taken} of ${members.length}`;
  return `${many} ${unitOf(claim)} at one moment: with ${members.length} the stack can claim to survive the loss of ${survives} at most`;
}

function togetherText(held: readonly CheckedFault[]): string {
  const names = held.map(({ spec }) => spec.name);
  return names.length > 1 ? `${names.join(' and ')} together` : names.join('');
}
