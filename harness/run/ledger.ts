import { readFileSync } from 'node:fs';
import type { ProcessIdentity } from '../core/process-identity.ts';
import type { Undo } from '../spi/fault.ts';
import type { Resource } from '../spi/runtime.ts';
import type { AppendFile } from './append-file.ts';

/** One line of the ledger: what must be undone, written and fsynced before it is done. */
export type LedgerEntry =
  | { type: 'opened'; runId: string; runtime: string; owner: ProcessIdentity; atMs: number }
  | { type: 'resource'; resource: Resource }
  | { type: 'undo'; id: string; fault: string; undo: Undo; expiresAtMs: number }
  /** `by: 'lease'`: the keeper did it, since the tool had not in time. */
  | { type: 'undone'; id: string; by?: 'lease' }
  | { type: 'closed' };

export class Ledger {
  readonly #file: AppendFile;

  constructor(file: AppendFile) {
    this.#file = file;
  }

  /** Durable when it returns; throws when it cannot be, and then nothing may be done. */
  write(...entries: LedgerEntry[]): void {
    this.#file.write(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
    this.#file.sync();
  }

  close(): void {
    this.#file.close();
  }
}

/** What a ledger says is still to be undone. */
export interface Debt {
  runtime: string | undefined;
  owner: ProcessIdentity | undefined;
  resources: Resource[];
  undos: { id: string; fault: string; undo: Undo; expiresAtMs: number }[];
  closed: boolean;
}

/** Reads a ledger; a last line cut short by a sudden death counts as never written, since nothing was done on it. */
export function readLedger(path: string): Debt {
  const debt: Debt = { runtime: undefined, owner: undefined, resources: [], undos: [], closed: false };
  const lines = readFileSync(path, 'utf8').split('\n');
  const last = lines.length - 1;
  lines.forEach((line, index) => {
    if (line === '') return;
    if (index === last) return;
    settle(debt, JSON.parse(line) as LedgerEntry);
  });
  return debt;
}

function settle(debt: Debt, entry: LedgerEntry): void {
  switch (entry.type) {
    case 'opened':
      debt.runtime = entry.runtime;
      debt.owner = entry.owner;
      break;
    case 'resource':
      debt.resources.push(entry.resource);
      break;
    case 'undo':
      debt.undos.push({ id: entry.id, fault: entry.fault, undo: entry.undo, expiresAtMs: entry.expiresAtMs });
      break;
    case 'undone':
      debt.undos = debt.undos.filter((undo) => undo.id !== entry.id);
      break;
    case 'closed':
      debt.closed = true;
      break;
  }
}
