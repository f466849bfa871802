import { checkpoint } from '../core/checkpoint.ts';
import type { Clock } from '../core/clock.ts';
import { deadline, within } from '../core/deadline.ts';
import { HarnessError, messageOf } from '../core/errors.ts';
import { formatDuration } from '../core/units.ts';
import type { Effect, Expectation, FaultContext, FaultDriver, Measurement, Probe, Undo } from '../spi/fault.ts';
import type { FaultStep, Proof } from '../spi/journal.ts';
import type { Json } from '../spi/json.ts';
import type { Environment } from '../spi/runtime.ts';
import type { TimelineFault } from '../spi/timeline.ts';
import type { Journal } from './journal.ts';
import type { Ledger } from './ledger.ts';

/** How long one measurement of a bite or a heal may take; a heal may have to wait for a database to be rebuilt. */
const BITE_DEADLINE_MS = 5_000;
const HEAL_DEADLINE_MS = 45_000;
/** One attempt to prepare, apply or revert one effect. */
const STEP_DEADLINE_MS = 15_000;
const REVERT_ATTEMPTS = 3;
/** How far beyond its hold a fault's undo may lie before it counts as overdue. */
const LEASE_MARGIN_MS = 60_000;

export interface ProbeClient {
  measure(kind: string, request: Json, signal: AbortSignal): Promise<Measurement>;
}

export interface FaultRunContext {
  runId: string;
  /** Absolute folder for what helpers of faults say. */
  logs: string;
  clock: Clock;
  journal: Journal;
  ledger: Ledger;
  env: Environment;
  driver(name: string): FaultDriver;
  probe(kind: string): Probe;
  probes: ProbeClient;
  /** Aborted: revert now. */
  stop: AbortSignal;
  /** Why it was, for the journal. */
  stopReason(): 'guard' | 'interrupt' | 'failure';
}

/** One effect made ready: how to take it back, and what to measure. */
interface Prepared {
  id: string;
  effect: Effect;
  driver: FaultDriver;
  undo: Undo;
  bite: Json;
}

/**
 * The whole life of one fault: prepare → fsync → apply → prove the bite → hold → revert → prove the heal. Never throws:
 * what went wrong is in the journal, and whatever was applied is reverted on every path.
 */
export async function runFault(fault: TimelineFault, ctx: FaultRunContext): Promise<void> {
  const expiresAtMs = ctx.clock.now() + fault.forMs + LEASE_MARGIN_MS;
  const prepared = await prepareAll(fault, expiresAtMs, ctx);
  if (prepared === undefined) return;
  const written = await step(ctx, fault, 'fsync', async () => writeUndos(fault, prepared, expiresAtMs, ctx));
  if (written instanceof Error) return skip(ctx, fault, `its undo could not be written: ${messageOf(written)}`);
  const targets = [...new Set(prepared.map(({ undo }) => nameOf(undo)))];
  ctx.journal.append({ type: 'fault.commanded', fault: fault.name, targets });
  const applied = await step(ctx, fault, 'apply', () => inGroups(prepared, (one) => apply(one, ctx)));
  const bitten =
    applied instanceof Error ? notBitten(ctx, fault, messageOf(applied), []) : await proveBite(fault, prepared, ctx);
  if (bitten) await step(ctx, fault, 'hold', () => hold(fault, ctx));
  await revertAndProve(fault, prepared, ctx, bitten ? 'hold-over' : 'failure');
}

async function prepareAll(
  fault: TimelineFault,
  expiresAtMs: number,
  ctx: FaultRunContext,
): Promise<Prepared[] | undefined> {
  const prepared = await step(ctx, fault, 'prepare', () =>
    Promise.all(fault.effects.map((effect, index) => prepareOne(fault, effect, index, expiresAtMs, ctx))),
  );
  if (!(prepared instanceof Error)) return prepared;
  skip(ctx, fault, messageOf(prepared));
  return undefined;
}

async function prepareOne(
  fault: TimelineFault,
  effect: Effect,
  index: number,
  expiresAtMs: number,
  ctx: FaultRunContext,
): Promise<Prepared> {
  const driver = ctx.driver(fault.drivers[index]!);
  const preparing = { ...contextFor(ctx), expiresAtMs, logs: ctx.logs };
  const undo = await bounded(driver.prepare(effect, ctx.env, preparing), `prepare ${effect.kind}`);
  const bite = await bounded(
    ctx.probe(effect.bite.kind).resolve(effect.bite, ctx.env, undo),
    `baseline of ${effect.bite.kind}`,
  );
  return { id: `${fault.name}/${index}`, effect, driver, undo, bite };
}

function writeUndos(fault: TimelineFault, prepared: Prepared[], expiresAtMs: number, ctx: FaultRunContext): void {
  ctx.ledger.write(
    ...prepared.map(({ id, undo }) => ({ type: 'undo' as const, id, fault: fault.name, undo, expiresAtMs })),
  );
}

async function apply(one: Prepared, ctx: FaultRunContext): Promise<void> {
  await bounded(one.driver.apply(one.undo, contextFor(ctx)), `apply ${one.effect.kind}`);
}

async function proveBite(fault: TimelineFault, prepared: Prepared[], ctx: FaultRunContext): Promise<boolean> {
  const proofs = await step(ctx, fault, 'probe-bite', () =>
    Promise.all(prepared.map((one) => measure(one.effect.bite, one.bite, nameOf(one.undo), BITE_DEADLINE_MS, ctx))),
  );
  if (proofs instanceof Error) return notBitten(ctx, fault, messageOf(proofs), []);
  const missing = proofs.filter((proof) => !proof.holds);
  if (missing.length > 0) return notBitten(ctx, fault, missing[0]!.because, proofs);
  ctx.journal.append({ type: 'fault.bitten', fault: fault.name, proofs });
  return true;
}

async function hold(fault: TimelineFault, ctx: FaultRunContext): Promise<void> {
  try {
    await ctx.clock.sleep(fault.forMs, ctx.stop);
  } catch (thrown) {
    if (!ctx.stop.aborted) throw thrown;
  }
}

async function revertAndProve(
  fault: TimelineFault,
  prepared: Prepared[],
  ctx: FaultRunContext,
  why: 'hold-over' | 'failure',
): Promise<void> {
  const reason = ctx.stop.aborted ? ctx.stopReason() : why;
  ctx.journal.append({ type: 'fault.reverting', fault: fault.name, why: reason });
  const reverted = await step(ctx, fault, 'revert', () => inGroups(prepared.toReversed(), (one) => revert(one, ctx)));
  const proofs = await step(ctx, fault, 'probe-heal', () => Promise.all(prepared.map((one) => measureHeal(one, ctx))));
  if (proofs instanceof Error || reverted instanceof Error) {
    const because = [reverted, proofs].filter((result) => result instanceof Error).map(messageOf);
    ctx.journal.append({ type: 'fault.not-healed', fault: fault.name, because: because.join('; '), proofs: [] });
    return;
  }
  const missing = proofs.filter((proof) => !proof.holds);
  if (missing.length === 0) ctx.journal.append({ type: 'fault.healed', fault: fault.name, proofs });
  else ctx.journal.append({ type: 'fault.not-healed', fault: fault.name, because: missing[0]!.because, proofs });
}

/** Tried a few times, each with a deadline of its own; only what succeeded is struck from the ledger. */
async function revert(one: Prepared, ctx: FaultRunContext): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await bounded(one.driver.revert(one.undo, contextFor(ctx)), `revert ${one.effect.kind}`);
      ctx.ledger.write({ type: 'undone', id: one.id });
      return;
    } catch (thrown) {
      if (attempt === REVERT_ATTEMPTS) throw thrown;
      ctx.journal.append({ type: 'log', level: 'warn', message: `${one.id}: ${messageOf(thrown)}; trying again` });
    }
  }
}

async function measureHeal(one: Prepared, ctx: FaultRunContext): Promise<Proof> {
  const request = await ctx.probe(one.effect.heal.kind).resolve(one.effect.heal, ctx.env, one.undo);
  return measure(one.effect.heal, request, nameOf(one.undo), HEAL_DEADLINE_MS, ctx);
}

async function measure(
  expectation: Expectation,
  request: Json,
  on: string,
  ms: number,
  ctx: FaultRunContext,
): Promise<Proof> {
  const measured = await ctx.probes.measure(expectation.kind, request, deadline(ms));
  return { on, ...measured, atMs: Math.round(ctx.clock.now()) };
}

/** Effects of one kind act together; the next kind waits for them (links go silent before processes die). */
async function inGroups(prepared: readonly Prepared[], act: (one: Prepared) => Promise<void>): Promise<void> {
  const failures: unknown[] = [];
  let rest = [...prepared];
  while (rest.length > 0) {
    const other = rest.findIndex((one) => one.effect.kind !== rest[0]!.effect.kind);
    const group = rest.slice(0, other === -1 ? rest.length : other);
    rest = rest.slice(group.length);
    const results = await Promise.allSettled(group.map(act));
    failures.push(...results.filter((result) => result.status === 'rejected').map((result) => result.reason));
  }
  if (failures.length > 0) throw new AggregateError(failures, failures.map(messageOf).join('; '));
}

/** Journals both edges of a step and passes both checkpoints; a failure is returned, not thrown. */
async function step<T>(
  ctx: FaultRunContext,
  fault: TimelineFault,
  name: FaultStep,
  work: () => T | Promise<T>,
): Promise<T | Error> {
  ctx.journal.append({ type: 'fault.step', fault: fault.name, step: name, edge: 'begin' });
  checkpoint(`fault:${name}:begin`);
  let result: T | Error;
  try {
    result = await work();
  } catch (thrown) {
    result = thrown instanceof Error ? thrown : new Error(messageOf(thrown));
  }
  checkpoint(`fault:${name}:end`);
  const note = result instanceof Error ? { note: messageOf(result) } : {};
  ctx.journal.append({ type: 'fault.step', fault: fault.name, step: name, edge: 'end', ...note });
  return result;
}

function skip(ctx: FaultRunContext, fault: TimelineFault, because: string): void {
  ctx.journal.append({ type: 'fault.skipped', fault: fault.name, because });
}

function notBitten(ctx: FaultRunContext, fault: TimelineFault, because: string, proofs: Proof[]): false {
  ctx.journal.append({ type: 'fault.not-bitten', fault: fault.name, because, proofs });
  return false;
}

function nameOf(undo: Undo): string {
  return 'link' in undo.on ? undo.on.link : undo.on.node;
}

function contextFor(ctx: FaultRunContext): FaultContext {
  return {
    runId: ctx.runId,
    signal: deadline(STEP_DEADLINE_MS),
    record: async (detail) => {
      ctx.ledger.write({
        type: 'resource',
        resource: { kind: 'process', id: String(detail.nodeId ?? 'fault'), detail },
      });
    },
  };
}

function bounded<T>(work: Promise<T>, what: string): Promise<T> {
  const hint = 'Look at the node and proxy logs in the run’s folder.';
  const late = (): Error =>
    new HarnessError('PROXY_FAILED', `${what} took longer than ${formatDuration(STEP_DEADLINE_MS)}`, hint);
  return within(STEP_DEADLINE_MS, work, late);
}
