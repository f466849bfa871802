import { performance } from 'node:perf_hooks';
import { Connection, type ConnectionOwner, type Peer } from './connection.ts';
import { OpeningRule } from './opening-rule.ts';
import type { AnswerWants } from './response-parser.ts';
import type { Receiver, Sent } from './transport.ts';
import type { WriteBatch } from './write-batch.ts';

/**
 * Requests that may wait for a connection that nobody opens yet, where starts can wait on their schedule instead: as many
 * as one turn opens.
 */
const ROOM = 16;
/** An idle connection that was not needed for so long is closed: after a rush there are more than the load needs. */
const SPARE_MS = 4000;
/** How often it is looked for them, and how many go at once, so that closing delays no send. */
const SWEEP_MS = 250;
const SWEPT_AT_ONCE = 8;

/** A request that is ready to be written. */
export interface Ready {
  data: Buffer | string;
  encoding: 'latin1' | 'utf8';
  toHead: boolean;
  wants: AnswerWants;
  receiver: Receiver;
}

/** A request without a connection yet. */
class Waiting implements Sent {
  readonly ready: Ready;
  readonly #gaveUp: () => void;
  #cancelled = false;
  #connection: Carrier | undefined;

  constructor(ready: Ready, gaveUp: () => void) {
    this.ready = ready;
    this.#gaveUp = gaveUp;
  }

  get wanted(): boolean {
    return !this.#cancelled;
  }

  cancel(): void {
    this.#cancelled = true;
    if (this.#connection === undefined) this.#gaveUp();
    else this.#connection.cancel();
  }

  give(connection: Carrier): void {
    this.#connection = connection;
    connection.send(this.ready);
  }
}

/** What the pool knows of its connections. */
export interface Carrier {
  /** When it became free last; ms. */
  readonly restedMs: number;
  /** Whether another request may still be sent on it, as far as this side knows. */
  usableAt(nowMs: number): boolean;
  send(ready: Ready): void;
  cancel(): void;
  destroy(): void;
}

export interface PoolOptions<C extends Carrier> {
  /** Begins to open a connection, which then tells its owner. */
  open: (owner: ConnectionOwner<C>) => C;
  /** Ms. */
  now: () => number;
  /** Calls back once what has come in by now has been read; gives how to call that off. */
  afterReading: (run: () => void) => () => void;
  /** Whether each request has a right to a connection of its own, however busy this thread is: those of users do. */
  oneEach: boolean;
}

/** A pool of real connections to a peer, which write by `batch`. */
export function poolOf(peer: Peer, batch: WriteBatch, oneEach: boolean): ConnectionPool<Connection> {
  return new ConnectionPool<Connection>({
    open: (owner) => new Connection(peer, owner, batch),
    now: () => performance.now(),
    afterReading: (run) => {
      const turn = setImmediate(run);
      return () => clearImmediate(turn);
    },
    oneEach,
  });
}

/**
 * The kept-alive connections to one peer, as many as there are requests at once. A request without one opens one, as
 * `OpeningRule` allows, and goes out on whatever is there first: that one, or another that has become free. The
 * connection used last is used next, and one that was not needed for a while is closed.
 */
export class ConnectionPool<C extends Carrier> implements ConnectionOwner<C> {
  readonly #options: PoolOptions<C>;
  readonly #rule: OpeningRule;
  readonly #idle: C[] = [];
  readonly #connecting = new Set<C>();
  /** First come, first sent; those that nobody waits for any more are passed over. */
  #waiting: Waiting[] = [];
  #first = 0;
  /** Of those, how many are still wanted. */
  #wanted = 0;
  readonly #gaveUp = (): void => {
    this.#wanted--;
  };
  #closed = false;
  #callOff: (() => void) | undefined;
  /** Whether a start has been kept waiting since the last turn. */
  #refused = false;
  #sweptMs = Number.NEGATIVE_INFINITY;

  constructor(options: PoolOptions<C>) {
    this.#options = options;
    this.#rule = new OpeningRule(options.oneEach);
  }

  /** As `Transport.admits`. */
  admits(): boolean {
    if (this.#idle.length > 0) {
      if (this.#rule.send()) return true;
    } else if (this.#wanted - this.#connecting.size < ROOM && !this.#rule.behind) return true;
    this.#refused = true;
    this.#watch();
    return false;
  }

  /** A connection that is free, or undefined. */
  free(): C | undefined {
    const idle = this.#idle;
    if (idle.length === 0) return undefined;
    const nowMs = this.#options.now();
    if (nowMs - this.#sweptMs >= SWEEP_MS) this.#sweep(nowMs);
    for (let last = idle.pop(); last !== undefined; last = idle.pop()) {
      if (last.usableAt(nowMs)) return last;
      last.destroy();
    }
    return undefined;
  }

  /** Sends a request as soon as there is a connection for it. */
  queue(ready: Ready): Sent {
    const waiting = new Waiting(ready, this.#gaveUp);
    this.#waiting.push(waiting);
    this.#wanted++;
    this.#watch();
    return waiting;
  }

  close(): void {
    this.#closed = true;
    this.#callOff?.();
    for (const connection of [...this.#idle.splice(0), ...this.#connecting]) connection.destroy();
  }

  connected(connection: C): void {
    this.#connecting.delete(connection);
    this.#give(connection);
    this.#watch();
  }

  idle(connection: C): void {
    this.#rule.answered();
    this.#give(connection);
  }

  /** It could not be opened: that is the answer to the request that has waited longest. */
  refused(connection: C, why: Parameters<ConnectionOwner<C>['refused']>[1]): void {
    if (!this.#connecting.delete(connection) || this.#closed) return;
    this.#next()?.ready.receiver.answered({ ok: false, class: why, status: null, body: null });
    this.#watch();
  }

  #give(connection: C): void {
    const next = this.#next();
    if (next === undefined) this.#idle.push(connection);
    else next.give(connection);
  }

  /** Turn after turn, once its answers have been read, while there are not connections enough. */
  #watch(): void {
    if (this.#callOff !== undefined) return;
    if (this.#connecting.size < this.#wanted || this.#refused) {
      this.#callOff = this.#options.afterReading(() => this.#turn());
    } else this.#rule.rest();
  }

  #turn(): void {
    this.#callOff = undefined;
    const { now, open } = this.#options;
    const allowed = this.#rule.allow(now());
    const refused = this.#refused;
    const wanted = this.#wanted - this.#connecting.size;
    // A thread that is behind lets nobody wait here: the start that it refused waits for the connection.
    const missing = refused && this.#rule.behind && this.#idle.length === 0 ? Math.max(wanted, 1) : wanted;
    const count = Math.min(allowed, missing);
    for (let opened = 0; opened < count; opened++) this.#connecting.add(open(this));
    // What opening took is no part of the next turn.
    if (count > 0) this.#rule.begin(now());
    // After a refusal one more turn is looked at: whoever is still refused says so in it.
    this.#watch();
    this.#refused = false;
  }

  /** Those used last stand last. */
  #sweep(nowMs: number): void {
    this.#sweptMs = nowMs;
    const idle = this.#idle;
    let spare = 0;
    while (spare < SWEPT_AT_ONCE && spare < idle.length - 1 && nowMs - idle[spare]!.restedMs > SPARE_MS) spare++;
    for (const connection of idle.splice(0, spare)) connection.destroy();
  }

  #next(): Waiting | undefined {
    while (this.#first < this.#waiting.length) {
      const next = this.#waiting[this.#first++]!;
      if (this.#first > 1000 && this.#first * 2 > this.#waiting.length) {
        this.#waiting = this.#waiting.slice(this.#first);
        this.#first = 0;
      }
      if (!next.wanted) continue;
      this.#wanted--;
      return next;
    }
    this.#waiting = [];
    this.#first = 0;
    return undefined;
  }
}
