import { connect, type Socket } from 'node:net';
import { seeded } from '../core/random.ts';
import { Link } from './link.ts';
import { countPassed } from './nursery.ts';
import type { Timers } from './timers.ts';
import type { Attributes, Ending, Stream, Toxic } from './toxics/toxic.ts';

export interface ConnectionOptions {
  client: Socket;
  upstream: { host: string; port: number };
  toxics: readonly Toxic[];
  /** Names this connection's own stream of chance: seed, proxy and number. */
  chance: string;
  dialTimeoutMs: number;
  timers: Timers;
  /** Called once, when neither side is open any more. */
  onGone(connection: Connection): void;
}

/** A client whose upstream could not be dialled reads EOF; so long its bytes are still taken, so that it reads no RST. */
const LINGER_MS = 1000;

/** A client's connection, the one dialled for it, and a link each way between them. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #client: Socket;
  #server: Socket | undefined;
  #dialled = false;
  readonly #links: Record<Stream, Link>;
  #gone = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#client = options.client;
    this.#links = {
      upstream: this.#makeLink(
        () => this.#client,
        () => this.#server,
      ),
      downstream: this.#makeLink(
        () => this.#server,
        () => this.#client,
      ),
    };
    for (const toxic of options.toxics) this.apply(toxic);
    this.#attach(this.#client, 'upstream', 'downstream');
    // A connection that is silent both ways is held without asking whether the upstream lives.
    if (!this.#links.upstream.silent || !this.#links.downstream.silent) this.#dial();
  }

  /** A toxic that is new to this connection, or whose toxicity changed: the draw stays the one it was. */
  apply(toxic: Toxic): void {
    const link = this.#links[toxic.stream];
    const random = seeded(`${this.#options.chance}/${toxic.name}`);
    const wanted = random.fork('toxicity').next() < toxic.toxicity;
    if (wanted && !link.has(toxic.name)) link.add(toxic, random.fork('jitter'));
    if (!wanted) link.remove(toxic.name);
  }

  update(stream: Stream, name: string, attributes: Attributes): void {
    this.#links[stream].update(name, attributes);
  }

  remove(stream: Stream, name: string): void {
    this.#links[stream].remove(name);
  }

  /** Ends both sides now. */
  close(how: 'fin' | 'reset'): void {
    for (const socket of [this.#client, this.#server]) {
      if (socket === undefined || socket.destroyed) continue;
      // A reset of a socket that still connects would wait for the handshake, perhaps for ever.
      if (how === 'reset' && !socket.connecting) socket.resetAndDestroy();
      else socket.destroy();
    }
    this.#settle();
  }

  #makeLink(source: () => Socket | undefined, sink: () => Socket | undefined): Link {
    return new Link(
      {
        pauseSource: () => source()?.pause(),
        resumeSource: () => source()?.resume(),
        // Bytes for a sink that is gone are dropped: its own error or close tells the other side.
        write: (bytes) => {
          const socket = sink();
          return socket === undefined || !socket.writable || socket.write(bytes);
        },
        finish: (item) => finish(source(), sink(), item, this.#options.timers),
        close: (how) => this.close(how),
      },
      this.#options.timers,
    );
  }

  #dial(): void {
    const { upstream, timers, dialTimeoutMs } = this.#options;
    const server = connect({ ...upstream, noDelay: true, allowHalfOpen: true });
    this.#server = server;
    const cancel = timers.after(dialTimeoutMs, () => server.destroy(new Error('dial timed out')));
    server.once('connect', () => {
      this.#dialled = true;
      cancel();
    });
    server.once('close', () => {
      cancel();
      if (!this.#dialled) this.#links.downstream.receive('gone');
    });
    this.#attach(server, 'downstream', 'upstream');
  }

  /** Wires a socket as the source of one link and the sink of the other. */
  #attach(socket: Socket, from: Stream, into: Stream): void {
    socket.on('data', (bytes: Buffer) => {
      countPassed(bytes.length);
      this.#links[from].receive(bytes);
    });
    socket.on('end', () => this.#links[from].receive('end'));
    socket.on('drain', () => this.#links[into].drained());
    socket.on('error', () => {
      // A failed dial is told by `gone` instead.
      if (socket === this.#client || this.#dialled) this.#links[from].receive('reset');
    });
    socket.on('close', () => this.#settle());
  }

  #settle(): void {
    if (this.#gone || !this.#client.destroyed || this.#server?.destroyed === false) return;
    this.#gone = true;
    for (const link of Object.values(this.#links)) link.dispose();
    this.#options.onGone(this);
  }
}

function finish(source: Socket | undefined, sink: Socket | undefined, item: Ending, timers: Timers): void {
  // What it still sends has nowhere to go.
  if (item === 'over') source?.destroy();
  if (sink === undefined || sink.destroyed) return;
  if (item === 'reset') {
    if (sink.connecting) sink.destroy();
    else sink.resetAndDestroy();
    return;
  }
  if (item === 'end') return void sink.end();
  sink.resume();
  // Counted from when all has been handed over: a slow reader still gets what was let through.
  sink.end(() => {
    const cancel = timers.after(LINGER_MS, () => sink.destroy());
    sink.once('close', cancel);
    if (sink.readableEnded) sink.destroy();
    else sink.once('end', () => sink.destroy());
  });
}
