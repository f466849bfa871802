import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import type { BadClass } from '../spi/load.ts';
import type { Carrier, Ready } from './connection-pool.ts';
import { DirectWriter } from './direct-writer.ts';
import { classOf } from './failure-class.ts';
import { type AnswerWants, ILLEGAL, MORE, ResponseParser } from './response-parser.ts';
import { SPAN_WORDS, TRACE_WORDS, writeHex } from './trace.ts';
import type { Answer, Receiver, Sent } from './transport.ts';
import type { WriteBatch, Writes } from './write-batch.ts';

/** Where connections go. */
export interface Peer {
  host: string;
  port: number;
  /** Undefined: plain. */
  tls: { servername: string; session: Buffer | undefined } | undefined;
}

/** A request's bytes, and where in them the digits of trace and span stand. */
export interface Wire {
  bytes: Buffer;
  traceAt: readonly number[];
  spanAt: readonly number[];
}

/** What a connection tells its pool. */
export interface ConnectionOwner<C> {
  /** It is open, and carries nothing yet. */
  connected(connection: C): void;
  /** It could not be opened. */
  refused(connection: C, why: BadClass): void;
  /** It carried its message to the end and may carry another one. */
  idle(connection: C): void;
}

const READ_BYTES = 64 * 1024;
/** All connections of a thread read into it: each read is taken in whole before the next one happens. */
const READ_BUFFER = Buffer.allocUnsafeSlow(READ_BYTES);
/** A server's own idle limit is met from this side a little earlier, so that no request crosses its FIN. */
const KEEP_ALIVE_MARGIN_MS = 1000;
const KEEP_ALIVE_DEFAULT_MS = 4000;
const NO_HEADERS: readonly string[] = [];

/** One HTTP/1.1 connection: one request after the other, each with its answer, until either side is done with it. */
export class Connection implements Sent, Carrier, Writes {
  restedMs = 0;
  readonly #owner: ConnectionOwner<Connection>;
  readonly #batch: WriteBatch;
  readonly #socket: Socket;
  /** Absent over TLS, and where this Node has none. */
  #writer: DirectWriter | undefined;
  readonly #parser = new ResponseParser();
  #receiver: Receiver | undefined;
  #opened = false;
  #usable = true;
  #keptMs = Number.POSITIVE_INFINITY;
  #error: Error | undefined;
  #wire: Wire | undefined;
  #bytes: Buffer | undefined;
  /** The request that the batch holds back. */
  #held: Buffer | string | undefined;
  #encoding: 'latin1' | 'utf8' = 'latin1';

  constructor(peer: Peer, owner: ConnectionOwner<Connection>, batch: WriteBatch) {
    this.#owner = owner;
    this.#batch = batch;
    this.#socket = open(peer, (length) => this.#read(length));
    this.#socket.setNoDelay(true);
    this.#socket.on('error', (error) => {
      this.#error = error;
    });
    this.#socket.on(peer.tls === undefined ? 'connect' : 'secureConnect', () => {
      this.#opened = true;
      this.restedMs = performance.now();
      if (peer.tls === undefined) this.#writer = DirectWriter.over(this.#socket);
      if (this.#usable) owner.connected(this);
    });
    this.#socket.on('end', () => this.#over());
    this.#socket.on('close', () => this.#over());
    if (peer.tls !== undefined) {
      (this.#socket as TLSSocket).on('session', (session) => {
        peer.tls!.session = session;
      });
    }
  }

  usableAt(nowMs: number): boolean {
    return this.#usable && nowMs < this.restedMs + this.#keptMs;
  }

  send({ data, encoding, toHead, wants, receiver }: Ready): void {
    this.#receiver = receiver;
    this.#parser.begin(toHead, wants);
    this.#held = data;
    this.#encoding = encoding;
    this.#batch.add(this);
  }

  /** The same for a request of which only the trace changes: the bytes of the last one are written over and sent again. */
  sendWire(wire: Wire, trace: Uint32Array, toHead: boolean, wants: AnswerWants, receiver: Receiver): void {
    this.#receiver = receiver;
    this.#parser.begin(toHead, wants);
    if (this.#wire !== wire) {
      this.#wire = wire;
      this.#bytes = Buffer.from(wire.bytes);
    }
    const bytes = this.#bytes!;
    writeTrace(bytes, wire, trace);
    this.#held = bytes;
    this.#batch.add(this);
  }

  /** Writes what the batch held back. */
  write(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined || !this.#usable) return;
    const writer = this.#writer;
    if (typeof held === 'string') {
      if (writer === undefined) this.#socket.write(held, this.#encoding);
      else writer.writeText(held, this.#encoding);
    } else if (writer === undefined) this.#socket.write(held);
    else writer.writeBytes(held);
  }

  cancel(): void {
    this.#receiver = undefined;
    this.destroy();
  }

  destroy(): void {
    this.#usable = false;
    this.#socket.destroy();
  }

  /** Whether the request has not all been written yet. */
  get #writing(): boolean {
    if (this.#held !== undefined) return true;
    return this.#writer === undefined ? this.#socket.writableLength > 0 : this.#writer.pending;
  }

  #read(length: number): boolean {
    const receiver = this.#receiver;
    if (receiver === undefined) {
      // Nobody asked: whatever it is, the next answer would be read wrong.
      this.destroy();
      return false;
    }
    const parser = this.#parser;
    const end = parser.feed(READ_BUFFER, 0, length);
    if (end === MORE) return true;
    if (end === ILLEGAL) {
      this.destroy();
      this.#fail('body');
      return false;
    }
    this.#receiver = undefined;
    const answer = this.#answer();
    // Bytes behind the message, or a request that was answered before it was all written: not to be used again.
    if (!parser.keepAlive || end !== length || this.#writing) this.destroy();
    else this.#rest();
    receiver.answered(answer);
    return this.#usable;
  }

  #rest(): void {
    const hintS = this.#parser.keepAliveHintS;
    this.#keptMs = hintS === undefined ? KEEP_ALIVE_DEFAULT_MS : hintS * 1000 - KEEP_ALIVE_MARGIN_MS;
    this.restedMs = performance.now();
    this.#owner.idle(this);
  }

  #over(): void {
    this.#usable = false;
    if (!this.#opened) {
      this.#opened = true;
      this.#socket.destroy();
      this.#owner.refused(this, this.#error === undefined ? 'reset' : classOf(this.#error));
      return;
    }
    if (this.#receiver === undefined) return;
    if (this.#error === undefined && this.#parser.end()) {
      const receiver = this.#receiver;
      this.#receiver = undefined;
      this.#socket.destroy();
      receiver.answered(this.#answer());
      return;
    }
    // An end is followed by `close`, which knows whether there was an error.
    if (this.#socket.closed || this.#error !== undefined || this.#socket.readableEnded) {
      this.#socket.destroy();
      this.#fail(this.#error === undefined ? 'reset' : classOf(this.#error));
    }
  }

  #answer(): Answer {
    const parser = this.#parser;
    const headers = parser.headers.length > 0 ? parser.headers : NO_HEADERS;
    return { ok: true, status: parser.status, body: parser.body(), cut: parser.cut, headers };
  }

  #fail(why: Extract<Answer, { ok: false }>['class']): void {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    const { status } = this.#parser;
    const body = this.#parser.body();
    receiver?.answered({
      ok: false,
      class: why,
      status: status === 0 ? null : status,
      body: body === '' ? null : body,
    });
  }
}

/** Writes a trace's digits where a request has them. */
export function writeTrace(bytes: Buffer, wire: Wire, trace: Uint32Array): void {
  for (const at of wire.traceAt) writeHex(bytes, at, trace, 0, TRACE_WORDS);
  for (const at of wire.spanAt) writeHex(bytes, at, trace, TRACE_WORDS, TRACE_WORDS + SPAN_WORDS);
}

function open({ host, port, tls }: Peer, read: (length: number) => boolean): Socket {
  const onread = { buffer: READ_BUFFER, callback: read };
  if (tls === undefined) return connect({ host, port, onread });
  const { servername, session } = tls;
  const resumed = session === undefined ? {} : { session };
  // The types know `onread` for plain sockets only; the documentation has it for these too.
  const options: ConnectionOptions & { onread: typeof onread } = {
    host,
    port,
    servername,
    ALPNProtocols: ['http/1.1'],
    onread,
    ...resumed,
  };
  return connectTls(options);
}
