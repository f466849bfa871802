import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { HarnessError } from '../core/errors.ts';
import { identify, isAlive, type ProcessIdentity } from '../core/process-identity.ts';

/** Where a run of this user lies, so that `heal` and `stop` work from any folder. */
export interface IndexEntry {
  runId: string;
  runDir: string;
  runtime: string;
  startedAt: string;
  /** It is over, or never was more than a stack: what stands is meant to, until `down`. */
  kept?: true;
  /** The kept stack that the run works on. */
  on?: string;
}

/** The user's state folder: `$XDG_STATE_HOME/seawall`, else `~/.local/state/seawall`. */
export function stateFolder(): string {
  const base = process.env.XDG_STATE_HOME;
  return join(base === undefined || base === '' ? join(homedir(), '.local', 'state') : base, 'seawall');
}

/**
 * The index of runs that are not known to have ended clean. An entry is made before anything else of a run and taken
 * out when nothing of it is left. The lock beside it says who is at work on the run: its owner, or one healer.
 */
export class RunIndex {
  readonly #folder: string;

  constructor(folder: string = join(stateFolder(), 'runs')) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  add(entry: IndexEntry): void {
    this.lock(entry.runId);
    this.#write(entry);
  }

  /** From now on nobody takes what stands for the leftovers of a dead run. Gives up the lock. */
  keep(runId: string): void {
    const entry = this.get(runId);
    if (entry !== undefined) this.#write({ ...entry, kept: true });
    this.unlock(runId);
  }

  list(): IndexEntry[] {
    return readdirSync(this.#folder)
      .filter((name) => name.endsWith('.json'))
      .flatMap((name) => this.get(name.slice(0, -'.json'.length)) ?? []);
  }

  get(runId: string): IndexEntry | undefined {
    try {
      return JSON.parse(readFileSync(join(this.#folder, `${runId}.json`), 'utf8')) as IndexEntry;
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw thrown;
    }
  }

  remove(runId: string): void {
    rmSync(join(this.#folder, `${runId}.json`), { force: true });
    this.unlock(runId);
  }

  /** Gives up the lock that this process holds. */
  unlock(runId: string): void {
    rmSync(this.#lockPath(runId), { force: true });
  }

  /** Who holds the run now; undefined when nobody alive does. */
  holder(runId: string): ProcessIdentity | undefined {
    const held = readIdentity(this.#lockPath(runId));
    return held !== undefined && isAlive(held) ? held : undefined;
  }

  /** Takes the run for this process. A lock of the dead is taken over; one of the living is RUN_ALIVE. */
  lock(runId: string): void {
    const mine = `${this.#lockPath(runId)}.${process.pid}`;
    writeFileSync(mine, JSON.stringify(identify(process.pid)));
    try {
      for (let attempt = 0; attempt < 10; attempt++) {
        if (tryLink(mine, this.#lockPath(runId))) return;
        const holder = this.holder(runId);
        if (holder?.pid === process.pid) return;
        if (holder !== undefined) throw alive(runId, holder);
        this.#evictDead(runId);
      }
      throw new HarnessError('RUN_ALIVE', `the lock of run ${runId} keeps changing hands`, 'Try again in a moment.');
    } finally {
      rmSync(mine, { force: true });
    }
  }

  /** Moves a dead holder's lock aside; a living one's that slipped in between is put back. */
  #evictDead(runId: string): void {
    const aside = `${this.#lockPath(runId)}.${process.pid}.dead`;
    try {
      renameSync(this.#lockPath(runId), aside);
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw thrown;
    }
    const evicted = readIdentity(aside);
    if (evicted !== undefined && isAlive(evicted)) tryLink(aside, this.#lockPath(runId));
    rmSync(aside, { force: true });
  }

  #write(entry: IndexEntry): void {
    const path = join(this.#folder, `${entry.runId}.json`);
    writeFileSync(`${path}.new`, JSON.stringify(entry), { flush: true });
    renameSync(`${path}.new`, path);
  }

  #lockPath(runId: string): string {
    return join(this.#folder, `${runId}.lock`);
  }
}

function alive(runId: string, holder: ProcessIdentity): HarnessError {
  return new HarnessError(
    'RUN_ALIVE',
    `run ${runId} belongs to the living process ${holder.pid}`,
    `End it with: seawall stop ${runId}`,
  );
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw thrown;
  }
}

function readIdentity(path: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ProcessIdentity;
  } catch {
    // Gone or half-written by the dead: either way nobody holds it.
    return undefined;
  }
}
