import { type ChildProcess, spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findBinary } from '../../harness/core/binaries.ts';

export type EngineName = 'seawall' | 'toxiproxy';

/** A fault proxy program for tests, ours or the real one. */
export interface Engine extends AsyncDisposable {
  name: EngineName;
  api: string;
  pid: number;
}

/** Undefined when the real one is not on this machine. */
export async function startEngine(name: EngineName, flags: string[] = []): Promise<Engine | undefined> {
  const port = await freePort();
  const at = ['--host', '127.0.0.1', '--port', String(port)];
  let command = [process.execPath, fileURLToPath(new URL('../../harness/proxy/main.ts', import.meta.url)), ...at];
  if (name === 'toxiproxy') {
    const found = findBinary('toxiproxy');
    if (found === undefined) return undefined;
    command = [found.path, '-host', '127.0.0.1', '-port', String(port)];
  }
  // Toxiproxy's API freezes when nobody reads what it prints.
  const child = spawn(command[0]!, [...command.slice(1), ...flags], { stdio: 'ignore' });
  await listening(port);
  return {
    name,
    api: `http://127.0.0.1:${port}`,
    pid: child.pid!,
    [Symbol.asyncDispose]: () => ended(child),
  };
}

/** A port that nothing listens on just now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Resolves when something accepts on a port of this machine. */
export async function listening(port: number): Promise<void> {
  const end = performance.now() + 10_000;
  while (performance.now() < end) {
    const socket = connect(port, '127.0.0.1');
    const accepted = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    if (accepted) return;
    await sleep(20);
  }
  throw new Error(`nothing listens on port ${port}`);
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exit;
}
