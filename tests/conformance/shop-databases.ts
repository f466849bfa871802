import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { removeSegmentOf } from '../../harness/core/shared-memory.ts';
import { databaseUser, findPostgres, layPostgres } from '../../harness/runtime/postgres-programs.ts';

const SERVICES = join(import.meta.dirname, '../../fixtures/services');
export const NODES = ['trade-db-a', 'trade-db-b'] as const;
export type NodeName = (typeof NODES)[number];

/** A link that can be made to fall silent: nothing is refused, nothing passes. */
export class Relay {
  readonly port: number;
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();
  #silent = false;

  static async to(target: number): Promise<Relay> {
    const port = await freePort();
    const relay = new Relay(port, target);
    await new Promise<void>((resolve, reject) => {
      relay.#server.once('error', reject);
      relay.#server.listen(port, '127.0.0.1', resolve);
    });
    return relay;
  }

  private constructor(port: number, target: number) {
    this.port = port;
    this.#server = net.createServer((near) => {
      const far = net.connect(target, '127.0.0.1');
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.on('data', (chunk) => to.write(chunk));
        from.on('end', () => to.end());
        from.on('error', () => to.destroy());
        from.on('close', () => {
          to.destroy();
          this.#sockets.delete(from);
        });
        if (this.#silent) from.pause();
      }
    });
  }

  silence(silent: boolean): void {
    this.#silent = silent;
    for (const socket of this.#sockets) {
      if (silent) socket.pause();
      else socket.resume();
    }
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

let nextPort = 21_000 + (process.pid % 500) * 16;

/** A free port below the ephemeral range. */
export async function freePort(): Promise<number> {
  for (;;) {
    nextPort = nextPort >= 31_000 ? 21_000 : nextPort + 1;
    const port = nextPort;
    const free = await new Promise<boolean>((resolve) => {
      const server = net.createServer();
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
}

interface Seat {
  control: number;
  sql: number;
  folder: string;
  child?: ChildProcess;
  controlLink: Relay;
  clientLink: Relay;
  /** From this node to the other's SQL port. */
  peerLink?: Relay;
}

/** Two database nodes of the shop and their witness, every link over a relay. */
export class ShopDatabases {
  readonly #folder: string;
  readonly #bin: string;
  readonly #runAs: { uid: number; gid: number } | undefined;
  readonly #seats = new Map<NodeName, Seat>();
  readonly #weakness: string;
  #witness: ChildProcess | undefined;
  witnessPort = 0;

  /** Resolves when the store has a synchronous standby. `bin` holds the PostgreSQL programs, for every user to read. */
  static async start(bin: string, weakness = ''): Promise<ShopDatabases> {
    const databases = new ShopDatabases(openFolder(), bin, await databaseUser(), weakness);
    try {
      await databases.#begin();
    } catch (error) {
      await databases.stop();
      throw error;
    }
    return databases;
  }

  private constructor(folder: string, bin: string, runAs: { uid: number; gid: number } | undefined, weakness: string) {
    this.#folder = folder;
    this.#bin = bin;
    this.#runAs = runAs;
    this.#weakness = weakness;
  }

  async #begin(): Promise<void> {
    writeFileSync(
      join(this.#folder, 'init.sql'),
      'create table mark (key text primary key, at timestamptz default now());',
    );
    for (const name of NODES) {
      const folder = join(this.#folder, name);
      mkdirSync(join(folder, 'data'), { recursive: true, mode: 0o755 });
      if (this.#runAs) chownSync(join(folder, 'data'), this.#runAs.uid, this.#runAs.gid);
      const control = await freePort();
      const sql = await freePort();
      this.#seats.set(name, {
        ...{ control, sql, folder },
        controlLink: await Relay.to(control),
        clientLink: await Relay.to(sql),
      });
    }
    for (const name of NODES) this.seat(name).peerLink = await Relay.to(this.seat(this.other(name)).sql);
    for (const name of NODES) this.startNode(name);
    await this.startWitness();
  }

  other(name: NodeName): NodeName {
    return name === NODES[0] ? NODES[1] : NODES[0];
  }

  seat(name: NodeName): Seat {
    return this.#seats.get(name)!;
  }

  startNode(name: NodeName): void {
    const seat = this.seat(name);
    const log = openSync(join(seat.folder, 'log'), 'a');
    // A session of its own, so that the supervisor and its server can be killed together.
    seat.child = spawn(process.execPath, [join(SERVICES, 'db-supervisor.ts'), '--seawall-run=test'], {
      detached: true,
      stdio: ['ignore', log, log],
      env: {
        PATH: process.env['PATH'],
        ...{ NODE_ID: name, IDC: name, HOST: '127.0.0.1', RUN_ID: 'test', STORE: 'trade-db' },
        ...{
          PORT: String(seat.control),
          PG_PORT: String(seat.sql),
          PGDATA: join(seat.folder, 'data'),
          PG_BIN: this.#bin,
        },
        PG_RUN_AS: this.#runAs === undefined ? '' : `${this.#runAs.uid}:${this.#runAs.gid}`,
        ...{
          PG_DATABASE: 'trade',
          PG_USER: 'shop',
          PG_PASSWORD: 'se cret',
          PG_INIT_SQL: join(this.#folder, 'init.sql'),
        },
        FIRST_ROLE: name === NODES[0] ? 'primary' : 'standby',
        PEERS: `${this.other(name)}=127.0.0.1:${seat.peerLink!.port}`,
      },
    });
  }

  /** SIGKILL to the supervisor and its server at once. */
  async killNode(name: NodeName): Promise<void> {
    const child = this.seat(name).child!;
    await ended(child, () => process.kill(-child.pid!, 'SIGKILL'));
  }

  /** SIGKILL to the supervisor alone: its server goes on. */
  async killSupervisor(name: NodeName): Promise<void> {
    const child = this.seat(name).child!;
    await ended(child, () => child.kill('SIGKILL'));
  }

  /** SIGKILL to the server alone. */
  killServer(name: NodeName): void {
    process.kill(this.serverPid(name), 'SIGKILL');
  }

  serverPid(name: NodeName): number {
    return Number(readFileSync(join(this.seat(name).folder, 'data/postmaster.pid'), 'utf8').split('\n')[0]);
  }

  /** Freezes or wakes the supervisor and the server with all its processes. */
  freeze(name: NodeName, frozen: boolean): void {
    const signal = frozen ? 'SIGSTOP' : 'SIGCONT';
    for (const pid of [...descendants(this.seat(name).child!.pid!), this.seat(name).child!.pid!])
      process.kill(pid, signal);
  }

  /** All links into and out of a node fall silent, or speak again. */
  isolate(name: NodeName, silent: boolean): void {
    const { controlLink, clientLink, peerLink } = this.seat(name);
    for (const link of [controlLink, clientLink, peerLink!, this.seat(this.other(name)).peerLink!])
      link.silence(silent);
  }

  async startWitness(port?: number): Promise<void> {
    this.witnessPort = port ?? (await freePort());
    const log = openSync(join(this.#folder, 'witness.log'), 'a');
    this.#witness = spawn(process.execPath, [join(SERVICES, 'witness.ts')], {
      stdio: ['ignore', log, log],
      env: {
        PATH: process.env['PATH'],
        ...{ NODE_ID: 'witness', HOST: '127.0.0.1', PORT: String(this.witnessPort) },
        ...{ STORES: 'TRADE_DB', SHOP_WEAKNESS: this.#weakness },
        TRADE_DB: NODES.map((name) => `${name}=http://127.0.0.1:${this.seat(name).controlLink.port}`).join(','),
      },
    });
    await this.until('the witness is ready', () => this.redundant());
  }

  async stopWitness(): Promise<void> {
    const witness = this.#witness;
    if (witness !== undefined) await ended(witness, () => witness.kill('SIGKILL'));
  }

  /** The environment a service gets, with every member over its relay. */
  storeEnv(): Record<string, string> {
    const hosts = NODES.map((name) => `127.0.0.1:${this.seat(name).clientLink.port}`).join(',');
    return { TRADE_DB: `postgres://shop:se%20cret@${hosts}/trade`, TRADE_DB_MEMBERS: NODES.join(',') };
  }

  async redundant(): Promise<boolean> {
    const answer = await fetch(`http://127.0.0.1:${this.witnessPort}/ready`).catch(() => undefined);
    return answer?.status === 200;
  }

  async leader(): Promise<NodeName> {
    const answer = await fetch(`http://127.0.0.1:${this.witnessPort}/primary/trade-db`);
    return ((await answer.json()) as { node: NodeName }).node;
  }

  /** Waits for `seen`; throws with what the logs say after `withinMs`. */
  async until(what: string, seen: () => Promise<boolean> | boolean, withinMs = 60_000): Promise<number> {
    const startedAtMs = performance.now();
    while (!(await seen())) {
      if (performance.now() - startedAtMs > withinMs)
        throw new Error(`not within ${withinMs} ms: ${what}\n${this.logs()}`);
      await pause(20);
    }
    return performance.now() - startedAtMs;
  }

  logs(): string {
    const files = [join(this.#folder, 'witness.log'), ...NODES.map((name) => join(this.seat(name).folder, 'log'))];
    return files.map((file) => `--- ${file}\n${readIfThere(file)}`).join('\n');
  }

  async stop(): Promise<void> {
    await this.stopWitness();
    await Promise.all([...this.#seats.values()].map((seat) => this.#stopSeat(seat)));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #stopSeat({ child, folder, controlLink, clientLink, peerLink }: Seat): Promise<void> {
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      for (const pid of [...descendants(child.pid!), child.pid!]) process.kill(pid, 'SIGCONT');
      await ended(child, () => child.kill('SIGTERM'));
    }
    for (const link of [controlLink, clientLink, peerLink]) link?.close();
    const pidFile = readIfThere(join(folder, 'data/postmaster.pid'));
    if (pidFile !== '') await removeSegmentOf(pidFile);
  }
}

/** A temporary folder that every user may enter: the databases may run as another one. */
function openFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'shop-db-'));
  chmodSync(folder, 0o755);
  return folder;
}

/** Lays the PostgreSQL programs out in a folder of their own; `remove` takes it away. */
export async function layPrograms(): Promise<{ bin: string; remove(): void }> {
  const folder = openFolder();
  const bin = await layPostgres(findPostgres(), join(folder, 'pg'));
  return { bin, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

async function ended(child: ChildProcess, end: () => void): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  end();
  await exit;
}

function descendants(pid: number): number[] {
  const text = readIfThere(`/proc/${pid}/task/${pid}/children`);
  const children = text
    .split(' ')
    .filter((word) => word.trim() !== '')
    .map(Number);
  return children.flatMap((child) => [...descendants(child), child]);
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
