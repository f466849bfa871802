import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkpoint } from '../core/checkpoint.ts';
import { deadline, within } from '../core/deadline.ts';
import { HarnessError, messageOf } from '../core/errors.ts';
import { findRun } from '../core/local-process.ts';
import { signalExactly } from '../core/process-identity.ts';
import type { FaultDriver } from '../spi/fault.ts';
import type { RuntimeDriver } from '../spi/runtime.ts';
import { openAppend } from './append-file.ts';
import { type Debt, Ledger, readLedger } from './ledger.ts';
import type { IndexEntry, RunIndex } from './run-index.ts';

const UNDO_DEADLINE_MS = 15_000;
const REAP_DEADLINE_MS = 60_000;

export interface HealDeps {
  index: RunIndex;
  runtime(name: string): RuntimeDriver | undefined;
  faultDriver(name: string): FaultDriver | undefined;
}

export interface HealResult {
  runId: string;
  runDir: string;
  /** What was undone or removed, in words. */
  done: string[];
  /** What was not; the run stays in the index then. */
  failed: string[];
}

/**
 * Undoes all that a dead run left, from any process and any folder, knowing nothing but its ledger: first its effects
 * on what is not the run's own, in reverse, in parallel across targets, each with a deadline of its own; then the run's
 * own stack whole.
 * Idempotent. Throws RUN_ALIVE for a run whose owner lives.
 */
export async function healRun(entry: IndexEntry, deps: HealDeps): Promise<HealResult> {
  deps.index.lock(entry.runId);
  const result: HealResult = { runId: entry.runId, runDir: entry.runDir, done: [], failed: [] };
  const path = join(entry.runDir, 'ledger.ndjson');
  const debt = existsSync(path) ? readLedger(path) : undefined;
  await inStep('foreign', () => (debt === undefined ? Promise.resolve() : undoForeign(entry, debt, deps, result)));
  await inStep('reap', () => reap(entry, debt, deps, result));
  await inStep('close', async () => {
    if (result.failed.length > 0) return;
    if (debt !== undefined) closeLedger(path);
    deps.index.remove(entry.runId);
  });
  return result;
}

/** Heals every run of this user whose owner is dead; the living and the stacks that were kept are left alone. */
export async function healDeadRuns(deps: HealDeps, except?: string): Promise<HealResult[]> {
  const results: HealResult[] = [];
  for (const entry of deps.index.list()) {
    if (entry.kept === true || entry.runId === except || deps.index.holder(entry.runId) !== undefined) continue;
    results.push(await healRun(entry, deps));
  }
  return results;
}

async function undoForeign(entry: IndexEntry, debt: Debt, deps: HealDeps, result: HealResult): Promise<void> {
  const targets = new Map<string, Debt['undos']>();
  for (const one of debt.undos.filter(({ undo }) => undo.owner === 'foreign').toReversed()) {
    const target = JSON.stringify(one.undo.on);
    targets.set(target, [...(targets.get(target) ?? []), one]);
  }
  await Promise.all([...targets.values()].map((undos) => undoInTurn(undos, entry.runId, deps, result)));
}

/** One target's, each with a deadline of its own: one that hangs or fails keeps no other from being tried. */
async function undoInTurn(undos: Debt['undos'], runId: string, deps: HealDeps, result: HealResult): Promise<void> {
  for (const { id, undo } of undos) {
    const driver = deps.faultDriver(undo.driver);
    const ctx = { runId, signal: deadline(UNDO_DEADLINE_MS), record: async () => {} };
    const work = driver?.revert(undo, ctx) ?? Promise.reject(new Error(`no driver is called ${undo.driver}`));
    const undone = work.then(() => [`undo ${id}`]);
    await settled(`undo ${id}`, UNDO_DEADLINE_MS, undone, result);
  }
}

async function reap(entry: IndexEntry, debt: Debt | undefined, deps: HealDeps, result: HealResult): Promise<void> {
  const runtime = deps.runtime(debt?.runtime ?? entry.runtime);
  if (runtime !== undefined) {
    const work = runtime.reap(entry.runId, debt?.resources ?? [], deadline(REAP_DEADLINE_MS));
    await settled(`the stack of runtime ${runtime.name}`, REAP_DEADLINE_MS, work, result);
  }
  for (const row of findRun(entry.runId)) {
    if (signalExactly(row, 'SIGKILL')) result.done.push(`ended process ${row.pid}`);
  }
}

/** Adds what the work says it did to `done`, or why it could not to `failed`. */
async function settled(what: string, ms: number, work: Promise<string[]>, result: HealResult): Promise<void> {
  const late = (): Error => new HarnessError('HEAL_INCOMPLETE', `not done within ${ms} ms`, 'Run seawall heal again.');
  try {
    result.done.push(...(await within(ms, work, late)));
  } catch (thrown) {
    result.failed.push(`${what}: ${messageOf(thrown)}`);
  }
}

function closeLedger(path: string): void {
  const ledger = new Ledger(openAppend(path));
  ledger.write({ type: 'closed' });
  ledger.close();
}

async function inStep(name: string, work: () => Promise<void>): Promise<void> {
  checkpoint(`heal:${name}:begin`);
  await work();
  checkpoint(`heal:${name}:end`);
}
