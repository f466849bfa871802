import autocannon from 'autocannon';
import type { LoadSpec } from '../spi/load.ts';
import type { AnswerView } from './extract.ts';
import type { PlainRequest } from './plain-request.ts';

/** Longer than any run: when it ends is not autocannon's to say. */
const DURATION_S = 10 * 24 * 3600;
/** Whole bodies are kept by autocannon; more of one than this is not looked at. */
const BODY_MAX = 64 * 1024;
/** autocannon takes no shorter deadline: what is answered between ours and this is late all the same. */
const TIMEOUT_LEAST_MS = 1000;
/** A connection that is given up so long before the deadline was not given up because of it. */
const TIMER_SLACK_MS = 20;

export interface AutocannonAnswer extends AnswerView {
  status: number;
}

/** What a run asks of and tells to its owner; all of it at the moment that it happens. */
export interface RunHost<T extends { request: PlainRequest }> {
  /** The next request; it is on its way when `sent` is told of it, and is settled at most once. */
  next(): T;
  sent(ask: T): void;
  settled(ask: T, how: AutocannonAnswer | Error): void;
  /** Whether nothing new is to be sent. */
  isOver(): boolean;
  /** autocannon does not go on. */
  failed(failure: Error): void;
}

/** What autocannon's client is and tells beyond its types. */
interface Client {
  parser: { reinitialize(type: 'RESPONSE'): void };
  destroy(): void;
  on(event: 'request', listener: () => void): void;
  on(event: 'connError', listener: (error: Error) => void): void;
  on(event: 'response', listener: (status: number) => void): void;
  on(event: 'headers', listener: (parsed: { headers: string[] }) => void): void;
}

/** One connection with the request that it waits for. */
interface Slot<T> {
  client: Client;
  made: T | undefined;
  asked: T | undefined;
  sentAtMs: number;
  error: Error | undefined;
  headers: string[];
}

/**
 * autocannon without a rate, and so without its correction of latency. A request is made up just before it is written (`setupRequest`); its
 * client says `request` when it is written and `response` when its answer is whole. A request that follows without a
 * `response` tells that the one before was given up: at its deadline, or because its connection broke.
 */
export class AutocannonRun<T extends { request: PlainRequest }> {
  readonly #host: RunHost<T>;
  readonly #timeoutMs: number;
  readonly #slots: Slot<T>[] = [];
  readonly #instance: autocannon.Instance;
  readonly #basePath: string;
  /** Made before its client was known: autocannon makes a client's first request up while it makes the client. */
  #unclaimed: T | undefined;
  #asking: Slot<T> | undefined;
  #body = '';

  constructor({ target, scenario }: LoadSpec, connections: number, host: RunHost<T>) {
    this.#host = host;
    this.#timeoutMs = Math.max(TIMEOUT_LEAST_MS, scenario.good.withinMs);
    this.#basePath = new URL(target).pathname.replace(/\/$/, '');
    this.#instance = autocannon(
      {
        url: target,
        connections,
        pipelining: 1,
        duration: DURATION_S,
        timeout: this.#timeoutMs / 1000,
        setupClient: (client) => this.#claim(client as unknown as Client),
        requests: [
          { setupRequest: (defaults) => this.#make(defaults), onResponse: (_status, body) => this.#keep(body) },
        ],
      },
      // Its own figures are not asked for; what it refuses to do, it says here.
      (failure: unknown) => {
        if (failure instanceof Error) this.#host.failed(failure);
      },
    );
  }

  /** Closes every connection, whatever it waits for. */
  end(): void {
    for (const { client } of this.#slots) client.destroy();
    (this.#instance as unknown as { stop(): void }).stop();
  }

  #make(defaults: autocannon.Request): autocannon.Request {
    const made = this.#host.next();
    const { method, path, headers, body } = made.request;
    if (this.#asking === undefined) this.#unclaimed = made;
    else this.#asking.made = made;
    this.#asking = undefined;
    const whole = { ...defaults, method: method as autocannon.Request['method'], path: this.#basePath + path };
    return { ...whole, headers, ...(body === undefined ? {} : { body }) };
  }

  #claim(client: Client): void {
    const slot: Slot<T> = {
      client,
      made: this.#unclaimed,
      asked: undefined,
      sentAtMs: 0,
      error: undefined,
      headers: [],
    };
    this.#unclaimed = undefined;
    this.#slots.push(slot);
    let isFirst = true;
    client.on('headers', ({ headers }) => {
      slot.headers = headers;
    });
    client.on('connError', (error) => {
      slot.error = error;
    });
    client.on('response', (status) => this.#answered(slot, status));
    client.on('request', () => {
      this.#givenUp(slot);
      // Each but the first request of a client is made up right after this, and written right after that.
      if (!isFirst) this.#asking = slot;
      isFirst = false;
      queueMicrotask(() => this.#written(slot));
    });
  }

  #written(slot: Slot<T>): void {
    const { made } = slot;
    if (made === undefined || this.#host.isOver()) {
      slot.client.destroy();
      return;
    }
    slot.made = undefined;
    slot.asked = made;
    slot.sentAtMs = performance.now();
    this.#host.sent(made);
  }

  #keep(body: string): void {
    this.#body = body;
  }

  #answered(slot: Slot<T>, status: number): void {
    const { asked, headers } = slot;
    slot.asked = undefined;
    const body = this.#body.slice(0, BODY_MAX);
    const isCut = this.#body.length > BODY_MAX;
    this.#body = '';
    if (asked !== undefined) this.#host.settled(asked, { status, headers, body, cut: isCut });
    if (this.#host.isOver()) slot.client.destroy();
  }

  #givenUp(slot: Slot<T>): void {
    const { asked, error } = slot;
    slot.asked = undefined;
    slot.error = undefined;
    if (asked === undefined) return;
    // autocannon goes on parsing in the middle of the broken answer, and would take the next one for the rest of it.
    slot.client.parser.reinitialize('RESPONSE');
    const elapsedMs = performance.now() - slot.sentAtMs;
    this.#host.settled(asked, error ?? (elapsedMs >= this.#timeoutMs - TIMER_SLACK_MS ? late() : broken()));
  }
}

const late = (): Error => Object.assign(new Error('no answer within the deadline'), { code: 'ETIMEDOUT' });
const broken = (): Error => Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' });
