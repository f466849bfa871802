import { type ChildProcess, fork } from 'node:child_process';
import { within } from '../core/deadline.ts';
import { HarnessError, messageOf } from '../core/errors.ts';
import { ownProgram } from '../core/own-program.ts';
import { runArgument } from '../core/process-identity.ts';
import type { Measurement } from '../spi/fault.ts';
import type { Json } from '../spi/json.ts';
import type { FromProbe, ToProbe } from './messages.ts';

const START_MS = 10_000;
const END_MS = 2000;

/** The tool's side of the probe process. */
export interface ProbeAgent extends AsyncDisposable {
  pid: number;
  /** Rejects with PROBE_FAILED when the process died or the probe failed, and with the signal's reason when aborted. */
  measure(kind: string, request: Json, signal: AbortSignal): Promise<Measurement>;
}

interface Waiting {
  resolve(measured: Measurement): void;
  reject(failure: unknown): void;
}

/** Starts the probe process of a run; it ends when disposed and when this process ends, however it ends. */
export async function startProbeAgent(runId: string): Promise<ProbeAgent> {
  const child = fork(ownProgram('./main', import.meta.url), [runArgument(runId)], {
    // In a session of its own: Ctrl-C must not reach it before the heal does.
    detached: true,
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
    child.once('error', (thrown) => resolve(messageOf(thrown)));
  });
  const agent = new Agent(child, ended);
  const ready = Promise.race([agent.ready, ended.then((why) => Promise.reject(died(why)))]);
  try {
    await within(START_MS, ready, () => died(`it was not ready within ${START_MS / 1000} s`));
  } catch (thrown) {
    child.kill('SIGKILL');
    throw thrown;
  }
  return agent;
}

class Agent implements ProbeAgent {
  readonly ready: Promise<void>;
  readonly #child: ChildProcess;
  readonly #ended: Promise<string>;
  readonly #waiting = new Map<number, Waiting>();
  #gone: string | undefined;
  #asked = 0;

  constructor(child: ChildProcess, ended: Promise<string>) {
    this.#child = child;
    this.#ended = ended;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ready = promise;
    child.on('message', (message: FromProbe) => {
      if ('ready' in message) resolve();
      else this.#settle(message);
    });
    void ended.then((why) => {
      this.#gone = why;
      for (const waiting of this.#waiting.values()) waiting.reject(died(why));
      this.#waiting.clear();
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  measure(kind: string, request: Json, signal: AbortSignal): Promise<Measurement> {
    if (this.#gone !== undefined) return Promise.reject(died(this.#gone));
    if (signal.aborted) return Promise.reject(signal.reason);
    this.#asked += 1;
    const id = this.#asked;
    const { promise, resolve, reject } = Promise.withResolvers<Measurement>();
    this.#waiting.set(id, { resolve, reject });
    const abort = (): void => {
      this.#waiting.delete(id);
      this.#send({ id, abort: true });
      reject(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
    this.#send({ id, kind, request });
    return promise.finally(() => signal.removeEventListener('abort', abort));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#gone !== undefined) return;
    if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), END_MS);
    await this.#ended;
    clearTimeout(timer);
  }

  #send(message: ToProbe): void {
    // A channel that closed between two messages is told by the process's end.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  #settle(message: Exclude<FromProbe, { ready: true }>): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (waiting === undefined) return;
    if ('measured' in message) waiting.resolve(message.measured);
    else waiting.reject(new HarnessError('PROBE_FAILED', message.failed, 'Nothing was measured: run it again.'));
  }
}

function died(why: string): HarnessError {
  return new HarnessError('PROBE_FAILED', `the probe process ended: ${why}`, 'What it said is on stderr.');
}
