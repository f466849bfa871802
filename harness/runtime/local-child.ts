import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { messageOf } from '../core/errors.ts';
import { findNode, killNode, type ProcessSpec, startProcess } from '../core/local-process.ts';
import { isAlive, type ProcessIdentity, signalExactly } from '../core/process-identity.ts';

/** One span from a start to an end. */
interface Life {
  identity: ProcessIdentity | undefined;
  /** Its end was asked for. */
  asked: boolean;
  over: boolean;
  /** Started by another process of ours: no event tells us when it ends. */
  adopted: boolean;
}

/** A process of a local stack, a node's or a proxy's, through its deaths and restarts. */
export class LocalChild {
  readonly spec: ProcessSpec;
  readonly role: 'node' | 'proxy';
  #life: Life | undefined;
  readonly #listeners = new Set<(why: string) => void>();

  constructor(spec: ProcessSpec, role: 'node' | 'proxy') {
    this.spec = spec;
    this.role = role;
  }

  /** The living process, if any. */
  get identity(): ProcessIdentity | undefined {
    return this.#life === undefined || this.#life.over ? undefined : this.#life.identity;
  }

  /** Calls back at every end that nobody asked for. Returns the unsubscribe. */
  onUnexpectedEnd(listener: (why: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  alive(): boolean {
    return findNode(this.spec.runId, this.spec.nodeId).length > 0;
  }

  /** Resolves when it runs; no-op when it does already. */
  async start(): Promise<void> {
    // Whoever was never started needs no search among all processes.
    if (this.#life !== undefined && this.alive()) return;
    const life: Life = { identity: undefined, asked: false, over: false, adopted: false };
    this.#life = life;
    life.identity = await startProcess(this.spec, (why) => this.#end(life, why));
  }

  /** Takes over what another process of ours started. */
  adopt(): void {
    this.#life = { identity: undefined, asked: false, over: true, adopted: true };
    this.look();
  }

  async kill(signal: AbortSignal): Promise<void> {
    this.expectEnd();
    await killNode(this.spec.runId, this.spec.nodeId, signal);
  }

  /** From now on the end of the present process is no news. */
  expectEnd(): void {
    if (this.#life !== undefined) this.#life.asked = true;
  }

  /** Asks it to end by itself. */
  terminate(): void {
    this.expectEnd();
    if (this.identity !== undefined) signalExactly(this.identity, 'SIGTERM');
  }

  /** Notices what no event told: that another process of ours started it again, or that such a one ended. */
  look(): void {
    const life = this.#life;
    if (life === undefined) return;
    if (life.adopted && !life.over && !isAlive(life.identity!)) this.#end(life, 'it is gone');
    if (!life.over) return;
    const rows = findNode(this.spec.runId, this.spec.nodeId);
    const main = rows.find((row) => !rows.some((other) => other.pid === row.parent));
    if (main !== undefined) this.#life = { identity: main, asked: false, over: false, adopted: true };
  }

  #end(life: Life, why: string): void {
    life.over = true;
    if (life.asked) return;
    for (const listener of this.#listeners) listener(why);
  }

  /** The last lines it said, for an error message. */
  lastWords(): string {
    try {
      const lines = tail(this.spec.logFile).trimEnd().split('\n').slice(-12);
      return lines.join('\n') === '' ? 'it said nothing' : `it said last:\n  ${lines.join('\n  ')}`;
    } catch (thrown) {
      return `its log could not be read (${messageOf(thrown)})`;
    }
  }
}

const TAIL_BYTES = 4096;

function tail(file: string): string {
  const handle = openSync(file, 'r');
  try {
    const { size } = fstatSync(handle);
    const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES));
    readSync(handle, bytes, 0, bytes.length, size - bytes.length);
    return bytes.toString();
  } finally {
    closeSync(handle);
  }
}
