import type { FaultCondition, FaultDraw, FaultSpec } from '../spi/plan.ts';
import type { Path } from './document.ts';
import {
  checkEvery,
  type FaultItem,
  flapTurns,
  type WrittenFault,
  type WrittenGroup,
  writtenFaults,
} from './fault-items.ts';
import { INJECTIONS_MAX, type RawAfter } from './fault-schema.ts';
import { suggest } from './load.ts';
import type { IssueBook } from './parts.ts';

/** How long the system must be well for a fault to count as recovered from. */
const RECOVERED_FOR_MS = 5000;

/** One injection in its time; what it does is that of the fault it was written as. */
export interface Injection {
  written: WrittenFault;
  timing: Omit<FaultSpec, 'kind' | 'target' | 'params'>;
}

/** Where the list is by now: all from t = 0, or relative to moments that only the run will know. */
interface Cursor {
  /** The next one's turn if all goes as planned. */
  atMs: number;
  draws: FaultDraw[];
  after: FaultCondition[];
  /** How much later the moments in `after` may come; a `wait` does not make up for it. */
  baseLateMs: number;
  /** What must be over, and how late that may be; a `wait` makes up for it. */
  before: Injection[];
  slipMs: number;
}

const START: Cursor = { atMs: 0, draws: [], after: [], baseLateMs: 0, before: [], slipMs: 0 };

/** Names of faults to what became of them, innermost group first. */
class Scope {
  readonly #outer: Scope | undefined;
  readonly #known = new Map<string, Injection[]>();

  constructor(outer?: Scope) {
    this.#outer = outer;
  }

  add(name: string, injection: Injection): void {
    this.#known.set(name, [...(this.#known.get(name) ?? []), injection]);
    this.#outer?.add(name, injection);
  }

  find(name: string): Injection[] | undefined {
    return this.#known.get(name) ?? this.#outer?.find(name);
  }

  names(): string[] {
    return [...new Set([...this.#known.keys(), ...(this.#outer?.names() ?? [])])];
  }
}

export interface ExpansionSurroundings {
  recoveryWindowMs: number;
  /** Faults that are written, but wrong: whoever names them is not. */
  brokenNames: ReadonlySet<string>;
}

/**
 * Lays out the faults of a plan one by one: lanes, repetitions and flaps become injections with times, and with
 * conditions where a time is not known before the run. Pure; in the order of writing.
 */
export function expandFaults(items: readonly FaultItem[], around: ExpansionSurroundings, book: IssueBook): Injection[] {
  const expansion = new Expansion(around, book);
  const scope = new Scope();
  for (const item of items) expansion.item(item, START, '', scope);
  return expansion.all;
}

class Expansion {
  readonly all: Injection[] = [];
  readonly #around: ExpansionSurroundings;
  readonly #book: IssueBook;
  #full = false;

  constructor(around: ExpansionSurroundings, book: IssueBook) {
    this.#around = around;
    this.#book = book;
  }

  /** The item from the cursor on; returns where the list is after it. `round` is appended to names. */
  item(item: FaultItem, cursor: Cursor, round: string, scope: Scope): Cursor {
    if (item.is === 'wait') return shifted(cursor, item.waitMs);
    const first = writtenFaults([item])[0];
    if (first === undefined || this.#full) return cursor;
    let at = this.#begin(item, first.raw.name, cursor, scope);
    const { times, every } = item.raw.repeat ?? { times: 1, every: 0 };
    for (let turn = 1; turn <= times && !this.#full; turn++) {
      const beganMs = at.atMs;
      const name = times === 1 ? round : `${round}-${turn}`;
      at = item.is === 'fault' ? this.#fault(item, at, name, scope) : this.#group(item, at, name, new Scope(scope));
      const lastedMs = at.atMs - beganMs;
      if (item.is === 'group' && !checkEvery(item.raw, lastedMs, item.path, this.#book)) break;
      if (turn < times) at = shifted(at, every - lastedMs);
    }
    return at;
  }

  #begin(item: WrittenFault | WrittenGroup, firstName: string, cursor: Cursor, scope: Scope): Cursor {
    const { at, after } = item.raw;
    if (after !== undefined) return this.#afterMoment(after, item.path, cursor, scope);
    if (at === undefined) return cursor;
    if (typeof at === 'number') return { ...cursor, atMs: at };
    const [fromMs, toMs] = at.between as [number, number];
    return { ...cursor, atMs: fromMs, draws: [{ of: firstName, spreadMs: toMs - fromMs }] };
  }

  #afterMoment(after: RawAfter, path: Path, cursor: Cursor, scope: Scope): Cursor {
    const moment = 'bitten' in after ? 'bitten' : 'healed' in after ? 'healed' : 'recovered';
    const name = 'bitten' in after ? after.bitten : 'healed' in after ? after.healed : after.recovered;
    const found = scope.find(name);
    const waitedFor = moment === 'bitten' ? found?.[0] : found?.at(-1);
    if (waitedFor === undefined) {
      if (this.#around.brokenNames.has(name)) return cursor;
      const message = `there is no fault "${name}" before this one`;
      this.#book.add([...path, 'after', moment], 'REFERENCE_UNKNOWN', message, suggest(name, scope.names()));
      return cursor;
    }
    const { timing } = waitedFor;
    const delayMs = after.delay ?? 0;
    const passesMs = (moment === 'bitten' ? 0 : timing.forMs) + (moment === 'recovered' ? RECOVERED_FOR_MS : 0);
    const soonestMs = timing.atMs + passesMs + delayMs;
    const latestMs = soonestMs + latenessOf(timing) + (after.within ?? this.#around.recoveryWindowMs);
    const atMs = Math.max(cursor.atMs, soonestMs);
    const lateMs = Math.max(cursor.atMs + cursor.baseLateMs + cursor.slipMs, latestMs) - atMs;
    const condition: FaultCondition = { fault: timing.name, moment, delayMs };
    return { ...cursor, atMs, baseLateMs: lateMs, slipMs: 0, after: [...cursor.after, condition] };
  }

  #fault(written: WrittenFault, cursor: Cursor, round: string, scope: Scope): Cursor {
    const { name, for: forMs, flap } = written.raw;
    if (flap === undefined) return this.#place(written, cursor, { name: `${name}${round}`, forMs }, scope);
    const turns = flapTurns(forMs, flap);
    const endMs = cursor.atMs + forMs;
    let at = cursor;
    for (let turn = 1; turn <= turns; turn++) {
      const one = { name: `${name}${round}-${turn}`, forMs: flap.on, flap: { of: `${name}${round}`, turn, turns } };
      at = this.#place(written, at, one, scope);
      at = shifted(at, turn < turns ? flap.off : endMs - at.atMs);
    }
    return at;
  }

  #group({ lanes }: WrittenGroup, cursor: Cursor, round: string, scope: Scope): Cursor {
    const ends = lanes.map((lane) => lane.reduce((at, item) => this.item(item, at, round, scope), cursor));
    const endMs = Math.max(cursor.atMs, ...ends.map(({ atMs }) => atMs));
    const latestMs = Math.max(...ends.map(({ atMs, baseLateMs, slipMs }) => atMs + baseLateMs + slipMs));
    const over = shifted(cursor, endMs - cursor.atMs);
    const before = [...new Set(ends.flatMap((end) => end.before))];
    return { ...over, before, slipMs: Math.max(0, latestMs - endMs - cursor.baseLateMs) };
  }

  /** One injection at the cursor. It waits for those before it to be over, up to its own hold. */
  #place(
    written: WrittenFault,
    cursor: Cursor,
    one: { name: string; forMs: number; flap?: NonNullable<FaultSpec['flap']> },
    scope: Scope,
  ): Cursor {
    if (this.all.length >= INJECTIONS_MAX) {
      this.#full = true;
      this.#book.add(['faults'], 'LIMIT', `the faults come to more than ${INJECTIONS_MAX} injections`);
      return cursor;
    }
    const { atMs, draws, baseLateMs, before } = cursor;
    const slipMs = before.length === 0 ? 0 : cursor.slipMs + one.forMs;
    const over = before.map(({ timing }): FaultCondition => ({ fault: timing.name, moment: 'over', delayMs: 0 }));
    const after = [...cursor.after, ...over];
    const lateMs = baseLateMs + slipMs;
    const timing: Injection['timing'] = {
      ...one,
      atMs,
      ...(draws.length === 0 ? {} : { draws }),
      ...(after.length === 0 ? {} : { after }),
      ...(lateMs === 0 ? {} : { lateMs }),
    };
    const injection = { written, timing };
    this.all.push(injection);
    for (const name of new Set([written.raw.name, one.flap?.of ?? one.name, one.name])) scope.add(name, injection);
    return { ...shifted({ ...cursor, slipMs: 0 }, one.forMs), before: [injection], slipMs };
  }
}

/** How much later than `atMs` its turn may be, draws included. */
export function latenessOf({ draws = [], lateMs = 0 }: Pick<FaultSpec, 'draws' | 'lateMs'>): number {
  return draws.reduce((sum, { spreadMs }) => sum + spreadMs, 0) + lateMs;
}

/** So much later: what is relative to a moment moves with it, and what was late may catch up. */
function shifted(cursor: Cursor, byMs: number): Cursor {
  const after = cursor.after.map((condition) => ({ ...condition, delayMs: condition.delayMs + byMs }));
  return { ...cursor, atMs: cursor.atMs + byMs, after, slipMs: Math.max(0, cursor.slipMs - byMs) };
}
