import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { deadline, within } from '../core/deadline.ts';
import { HarnessError, messageOf } from '../core/errors.ts';
import { isAlive } from '../core/process-identity.ts';
import type { FaultDriver } from '../spi/fault.ts';
import { type OpenAppend, openAppend } from './append-file.ts';
import { type Debt, Ledger, readLedger } from './ledger.ts';

const LOOK_MS = 500;
const UNDO_MS = 15_000;
const ATTEMPTS = 5;

export interface KeeperDeps {
  runId: string;
  ledgerPath: string;
  clock: Clock;
  faultDriver(name: string): Promise<FaultDriver | undefined>;
  say(line: string): void;
  open?: OpenAppend;
}

/**
 * Watches a run's ledger from another process and undoes each effect whose lease is over, whether the run's tool lives,
 * hangs or is dead. Resolves when the ledger is closed or gone, or when the tool is dead and nothing is left to undo.
 * What cannot be undone is tried again, and then left to `heal`.
 */
export async function keepLeases(deps: KeeperDeps): Promise<void> {
  const { ledgerPath, clock } = deps;
  const given = new Map<string, number>();
  let size = -1;
  let debt: Debt | undefined;
  for (;;) {
    if (!existsSync(ledgerPath)) return;
    const grown = statSync(ledgerPath).size;
    if (grown !== size) debt = readLedger(ledgerPath);
    size = grown;
    const open = debt!.undos.filter(({ id }) => (given.get(id) ?? 0) < ATTEMPTS);
    if (debt!.closed || (open.length === 0 && !ownerAlive(debt!))) return;
    const over = open.filter(({ expiresAtMs }) => expiresAtMs <= clock.now()).toReversed();
    for (const due of over) {
      given.set(due.id, (given.get(due.id) ?? 0) + 1);
      await undo(due, deps);
    }
    await clock.sleep(LOOK_MS);
  }
}

function ownerAlive({ owner }: Debt): boolean {
  return owner !== undefined && isAlive(owner);
}

async function undo(due: Debt['undos'][number], deps: KeeperDeps): Promise<void> {
  const { runId, ledgerPath, say, open = openAppend } = deps;
  const late = (): HarnessError =>
    new HarnessError('HEAL_INCOMPLETE', `not done within ${UNDO_MS} ms`, `Run seawall heal ${runId}.`);
  try {
    const driver = await deps.faultDriver(due.undo.driver);
    if (driver === undefined) throw new Error(`no driver is called ${due.undo.driver}`);
    const ledger = new Ledger(open(ledgerPath));
    const ctx = {
      runId,
      signal: deadline(UNDO_MS),
      record: async (detail: { nodeId?: unknown }) =>
        ledger.write({
          type: 'resource',
          resource: { kind: 'process', id: String(detail.nodeId ?? 'fault'), detail: {} },
        }),
    };
    await within(UNDO_MS, driver.revert(due.undo, ctx), late);
    ledger.write({ type: 'undone', id: due.id, by: 'lease' });
    ledger.close();
    say(`${due.id}: its lease was over, undone`);
  } catch (thrown) {
    say(`${due.id}: its lease is over, but: ${messageOf(thrown)}`);
  }
}

/** Where a keeper says what it did: beside the ledger, in the run's own logs. */
export const keeperLog = (ledgerPath: string): string => `${dirname(ledgerPath)}/logs/keeper.log`;
