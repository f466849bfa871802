import type { Clock } from '../core/clock.ts';
import { HarnessError, messageOf } from '../core/errors.ts';
import type { JournalBody } from '../spi/journal.ts';
import type { JsonObject } from '../spi/json.ts';
import type { Ack } from '../spi/load.ts';
import type { Plan } from '../spi/plan.ts';
import type { Environment, Node, NodeStore } from '../spi/runtime.ts';
import type { AckSpec, InvariantSpec, MarkerSpec } from '../spi/stack.ts';

const OFFENDERS_MAX = 100;
const ROWS_MAX = 2_000_000;
const QUERY_TIMEOUT_MS = 20_000;
/** How long after the load the stores may take, all together, to finish what was in flight: recovery scans, failbacks. */
const SETTLE_MS = 15_000;
const POLL_MS = 500;

export interface AuditContext {
  env: Environment;
  plan: Plan;
  clock: Clock;
  marker: string;
  emit(body: JournalBody): void;
}

/** Compares what was acknowledged with what is stored, both ways of isolation, and the invariants, on live stores. */
export async function auditStores(ctx: AuditContext, acks: readonly Ack[]): Promise<void> {
  const { plan } = ctx;
  const settledMs = ctx.clock.now() + SETTLE_MS;
  for (const invariant of Object.values(plan.stack.invariants)) {
    await orFailed(ctx, `invariant ${invariant.name}`, () => auditInvariant(ctx, invariant, settledMs));
  }
  let shadowSeen = 0;
  for (const spec of Object.values(plan.stack.acks)) {
    await orFailed(ctx, `acks of ${spec.journey}`, async () => {
      shadowSeen += await auditAcks(ctx, spec, acks);
    });
  }
  await auditMarkers(ctx, shadowSeen);
}

/** Looks for rows on the wrong side; returns how many there are. */
export async function auditMarkers(ctx: AuditContext, shadowSeen: number): Promise<number> {
  let leaks = 0;
  for (const spec of ctx.plan.stack.marker) {
    await orFailed(ctx, `marker in ${spec.store}`, async () => {
      leaks += await auditMarker(ctx, spec, shadowSeen);
    });
  }
  return leaks;
}

async function auditInvariant(ctx: AuditContext, spec: InvariantSpec, untilMs: number): Promise<void> {
  for (;;) {
    const values = await Promise.all(
      spec.sql.map(async ({ store, query }) => ({ store, value: single(await ask(ctx, store, query), query) })),
    );
    const holds =
      spec.expect === 'zero'
        ? values.every(({ value }) => Number(value) === 0)
        : new Set(values.map(({ value }) => value)).size === 1;
    if (holds || ctx.clock.now() >= untilMs) {
      ctx.emit({ type: 'audit.invariant', name: spec.name, expect: spec.expect, values, holds });
      return;
    }
    await ctx.clock.sleep(POLL_MS);
  }
}

/** Returns how many acknowledged shadow keys were found. */
async function auditAcks(ctx: AuditContext, spec: AckSpec, acks: readonly Ack[]): Promise<number> {
  const shadowed = new Set(ctx.plan.load.filter((scenario) => scenario.shadow).map((scenario) => scenario.name));
  const schema = ctx.plan.stack.stores[spec.store]?.shadow?.schema ?? 'public';
  const found = new Set<string>();
  const mine = acks.filter((ack) => ack.journey === spec.journey);
  const schemas = new Set(mine.map((ack) => (shadowed.has(ack.scenario) ? schema : 'public')));
  for (const name of schemas) {
    const rows = await ask(ctx, spec.store, spec.key.replaceAll('{schema}', name));
    for (const row of rows) found.add(String(Object.values(row)[0]));
  }
  const of = (outcome: Ack['outcome']): Ack[] => mine.filter((ack) => ack.outcome === outcome);
  const missing = of('acked').filter((ack) => !found.has(ack.key));
  ctx.emit({
    type: 'audit.acks',
    store: spec.store,
    journey: spec.journey,
    acked: of('acked').length,
    unknown: of('unknown').length,
    refused: of('refused').length,
    found: of('acked').length - missing.length,
    missing: missing.length,
    missingKeys: missing.slice(0, OFFENDERS_MAX).map((ack) => ack.key),
    unknownKept: of('unknown').filter((ack) => found.has(ack.key)).length,
  });
  return of('acked').filter((ack) => shadowed.has(ack.scenario) && found.has(ack.key)).length;
}

async function auditMarker(ctx: AuditContext, spec: MarkerSpec, shadowSeen: number): Promise<number> {
  const literal = `'${ctx.marker}%'`;
  const [real, shadow] = await Promise.all(
    [spec.real, spec.shadow].map(async (query) => ask(ctx, spec.store, query.replaceAll('{marker}', literal))),
  );
  const words = (rows: JsonObject[]): string[] =>
    rows.slice(0, OFFENDERS_MAX).map((row) => String(Object.values(row)[0]));
  ctx.emit({
    type: 'audit.marker',
    store: spec.store,
    realLeaks: real!.length,
    shadowLeaks: shadow!.length,
    realRows: words(real!),
    shadowRows: words(shadow!),
    shadowSeen,
  });
  return real!.length + shadow!.length;
}

/** Asks the store's present primary, waiting for there to be one. */
async function ask(ctx: AuditContext, store: string, query: string): Promise<JsonObject[]> {
  const untilMs = ctx.clock.now() + SETTLE_MS;
  for (;;) {
    try {
      const primary = await primaryOf(ctx.env, store);
      return await primary.query(query, { timeoutMs: QUERY_TIMEOUT_MS, rowsMax: ROWS_MAX });
    } catch (thrown) {
      if (ctx.clock.now() >= untilMs) throw thrown;
      await ctx.clock.sleep(POLL_MS);
    }
  }
}

async function primaryOf(env: Environment, store: string): Promise<NodeStore> {
  const members = [...env.nodes.values()].filter((node) => node.spec.of === store && node.store !== undefined);
  const roles = await Promise.all(members.map(async (node) => ({ node, role: await roleOf(node) })));
  const primaries = roles.filter(({ role }) => role === 'primary');
  if (primaries.length === 1) return primaries[0]!.node.store!;
  const seen = roles.map(({ node, role }) => `${node.spec.id} is ${role}`).join(', ');
  throw new HarnessError(
    'QUERY_FAILED',
    `${store} has ${primaries.length} primaries: ${seen}`,
    'See the stores’ logs.',
  );
}

async function roleOf(node: Node): Promise<string> {
  try {
    return await node.store!.role(AbortSignal.timeout(QUERY_TIMEOUT_MS));
  } catch (thrown) {
    return `unreachable (${messageOf(thrown)})`;
  }
}

function single(rows: JsonObject[], query: string): string {
  const value = rows[0] === undefined ? undefined : Object.values(rows[0])[0];
  if (rows.length === 1 && value !== undefined && value !== null) return String(value);
  throw new HarnessError(
    'QUERY_FAILED',
    `${rows.length} rows instead of one number: ${query}`,
    'Make it select one number.',
  );
}

async function orFailed(ctx: AuditContext, what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    ctx.emit({ type: 'audit.failed', what, message: messageOf(thrown) });
  }
}
