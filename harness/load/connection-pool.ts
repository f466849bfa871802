import { Connection, type ConnectionOwner, type Peer } from './connection.ts';
import type { AnswerWants } from './response-parser.ts';
import type { Receiver, Sent } from './transport.ts';

/**
 * Most connections opened in one turn of the event loop. Opening one costs many times what a request does, and after a
 * moment in which the generator did nothing the answers that free the old ones lie there already, unread.
 */
const OPENED_A_TURN = 16;

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
  #connection: Connection | undefined;

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

  give(connection: Connection): void {
    this.#connection = connection;
    connection.send(this.ready);
  }
}

/**
 * The kept-alive connections to one peer, as many as there are requests at once. A request without one opens one, and goes
 * out on whatever is there first: that one, or another that has become free. The connection used last is used next.
 */
export class ConnectionPool implements ConnectionOwner {
  readonly #peer: Peer;
  readonly #idle: Connection[] = [];
  readonly #connecting = new Set<Connection>();
  /** First come, first sent; those that nobody waits for any more are passed over. */
  #waiting: Waiting[] = [];
  #first = 0;
  /** Of those, how many are still wanted. */
  #wanted = 0;
  readonly #gaveUp = (): void => {
    this.#wanted--;
  };
  #closed = false;
  #turn: NodeJS.Immediate | undefined;

  constructor(peer: Peer) {
    this.#peer = peer;
  }

  /** A connection that is free, or undefined. */
  free(): Connection | undefined {
    if (this.#idle.length === 0) return undefined;
    const nowMs = performance.now();
    for (let last = this.#idle.pop(); last !== undefined; last = this.#idle.pop()) {
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
    this.#open();
    return waiting;
  }

  close(): void {
    this.#closed = true;
    clearImmediate(this.#turn);
    for (const connection of [...this.#idle.splice(0), ...this.#connecting]) connection.destroy();
  }

  connected(connection: Connection): void {
    this.#connecting.delete(connection);
    this.idle(connection);
    this.#open();
  }

  idle(connection: Connection): void {
    const next = this.#next();
    if (next === undefined) this.#idle.push(connection);
    else next.give(connection);
  }

  /** It could not be opened: that is the answer to the request that has waited longest. */
  refused(connection: Connection, why: Parameters<ConnectionOwner['refused']>[1]): void {
    if (!this.#connecting.delete(connection) || this.#closed) return;
    this.#next()?.ready.receiver.answered({ ok: false, class: why, status: null, body: null });
    this.#open();
  }

  /** Once this turn's answers have been read: no more are opened than requests still wait for. */
  #open(): void {
    if (this.#turn !== undefined || this.#connecting.size >= this.#wanted) return;
    this.#turn = setImmediate(() => {
      this.#turn = undefined;
      const missing = Math.min(OPENED_A_TURN, this.#wanted - this.#connecting.size);
      for (let count = 0; count < missing; count++) this.#connecting.add(new Connection(this.#peer, this));
      this.#open();
    });
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
