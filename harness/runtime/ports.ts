import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { HarnessError } from '../core/errors.ts';

const HOST = '127.0.0.1';
/** Blocks lie on one grid for every run of this machine, so that two runs share either all of a block or nothing. */
const BLOCK = 200;
const LOWEST = 10_000;
const HIGHEST = 32_000;

/**
 * Ports of one run. Whole blocks are taken by listening on their first port for as long as the run lives: no other run
 * then touches the rest, not even while a killed node has left its own free. Ends with the process, leaves no file.
 */
export class PortPool implements AsyncDisposable {
  readonly #guards: Server[] = [];
  readonly #range: { from: number; to: number };
  #blocksTried = 0;
  #firstBlock: number;
  #next = 0;
  #end = 0;

  constructor(runId: string, range = portRange()) {
    this.#range = range;
    this.#firstBlock = hash(runId) % this.#blocks();
  }

  /** Guards the blocks of ports that a kept stack took; one that somebody else guards for it now is left to them. */
  async guard(ports: Iterable<number>): Promise<void> {
    const blockOf = (port: number): number => port - ((port - this.#range.from) % BLOCK);
    for (const base of new Set([...ports].map(blockOf))) {
      const guard = await listen(base);
      if (guard === undefined) continue;
      guard.unref();
      this.#guards.push(guard);
    }
  }

  /** A port that is free now and that no other run takes. */
  async take(): Promise<number> {
    for (;;) {
      while (this.#next < this.#end) {
        const port = this.#next++;
        const server = await listen(port);
        if (server === undefined) continue;
        await close(server);
        return port;
      }
      await this.#takeBlock();
    }
  }

  #blocks(): number {
    return Math.max(1, Math.floor((this.#range.to - this.#range.from) / BLOCK));
  }

  async #takeBlock(): Promise<void> {
    while (this.#blocksTried < this.#blocks()) {
      const block = (this.#firstBlock + this.#blocksTried++) % this.#blocks();
      const base = this.#range.from + block * BLOCK;
      const guard = await listen(base);
      if (guard === undefined) continue;
      guard.unref();
      this.#guards.push(guard);
      this.#next = base + 1;
      this.#end = base + BLOCK;
      return;
    }
    const message = `no free block of ${BLOCK} ports between ${this.#range.from} and ${this.#range.to} on ${HOST}`;
    throw new HarnessError('PORT_IN_USE', message, 'End some of the programs that listen there, or other runs.');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#guards.splice(0).map(close));
  }
}

/** Below the ports that the kernel hands out to outgoing connections, which could take one of ours at any moment. */
function portRange(): { from: number; to: number } {
  const lowestEphemeral = ephemeralStart();
  if (lowestEphemeral - LOWEST < 10 * BLOCK) return { from: LOWEST, to: HIGHEST };
  return { from: LOWEST, to: Math.min(HIGHEST, lowestEphemeral - 1) };
}

function ephemeralStart(): number {
  // Elsewhere than on Linux it starts at 49152 or near it.
  if (process.platform !== 'linux') return HIGHEST + 1;
  return Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().split(/\s+/)[0]);
}

function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (thrown: NodeJS.ErrnoException) => {
      if (thrown.code === 'EADDRINUSE' || thrown.code === 'EACCES') resolve(undefined);
      else reject(thrown);
    });
    server.listen({ host: HOST, port, exclusive: true }, () => resolve(server));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

function hash(text: string): number {
  let value = 2166136261;
  for (const char of text) value = Math.imul(value ^ char.codePointAt(0)!, 16777619) >>> 0;
  return value;
}
