import { type ChildProcess, fork } from 'node:child_process';
import { compileCache } from '../core/binaries.ts';
import { within } from '../core/deadline.ts';
import { HarnessError } from '../core/errors.ts';
import { setNiceness } from '../core/niceness.ts';
import { ownProgram } from '../core/own-program.ts';
import { runArgument } from '../core/process-identity.ts';
import type { CanaryResult, LoadDriver, LoadJob, LoadSink, LoadSpec, LoadSummary } from '../spi/load.ts';
import type { FromGenerator, ToGenerator } from './messages.ts';

const READY_MS = 15_000;
const STDERR_MAX = 2000;
/** Nearly all that it makes is short-lived: with a small nursery it stays at 120 MB resident and its pauses are short. */
const NODE_FLAGS = ['--max-semi-space-size=2'];
const PROGRAM = ownProgram('./main', import.meta.url);
/** What Node is told to run as a generator. */
export const GENERATOR_PROGRAM: readonly string[] = [...NODE_FLAGS, PROGRAM];
/** The same for glibc's allocator; other ones ignore it. */
const ENVIRONMENT = { MALLOC_ARENA_MAX: '1' };
/** Where the machine lets us (as root) it goes before whatever else runs there: a late generator measures itself. */
const GENERATOR_NICENESS = -5;

/**
 * Our own engine in a process of its own. `tag` makes the headers of shadow requests from the run id; `{trace}` and
 * `{span}` in them are drawn per request.
 */
export function nativeDriver(options: { tag: (runId: string) => Record<string, string> }): LoadDriver {
  return {
    name: 'native',
    detect: () => Promise.resolve({ ok: true }),
    accepts: () => ({ ok: true }),
    start: async (spec, sink, signal) => {
      const tag = spec.scenario.shadow ? options.tag(spec.runId) : {};
      const job = new NativeJob(forkGenerator(spec.runId), spec, sink, signal);
      await job.ready(tag);
      return job;
    },
  };
}

function forkGenerator(runId: string): ChildProcess {
  const env: NodeJS.ProcessEnv = { ...compileCache(), ...process.env, ...ENVIRONMENT };
  // What is meant for the tool's own Node (inspector, loaders) must not slow or stop the generator.
  delete env.NODE_OPTIONS;
  // A session of its own: a Ctrl-C in the terminal is for the tool, which heals before it stops the load.
  const child = fork(PROGRAM, [runArgument(runId)], {
    env,
    execArgv: NODE_FLAGS,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  if (child.pid !== undefined) void setNiceness(child.pid, GENERATOR_NICENESS);
  return child;
}

class NativeJob implements LoadJob {
  readonly pid: number | undefined;
  readonly done: Promise<LoadSummary>;
  readonly #child: ChildProcess;
  readonly #spec: LoadSpec;
  readonly #sink: LoadSink;
  readonly #ready = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<LoadSummary>();
  #canary: PromiseWithResolvers<CanaryResult[]> | undefined;
  #stderr = '';
  #failure = '';
  #over = false;

  constructor(child: ChildProcess, spec: LoadSpec, sink: LoadSink, signal: AbortSignal) {
    this.#child = child;
    this.#spec = spec;
    this.#sink = sink;
    this.pid = child.pid;
    this.done = this.#ended.promise;
    // Whoever awaits these sees the rejection; whoever does not must not die of it.
    this.done.catch(() => {});
    this.#ready.promise.catch(() => {});
    child.on('message', (message: FromGenerator) => this.#hear(message));
    child.on('error', (thrown) => this.#died(thrown.message));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_MAX);
    });
    // `close` comes when the process has ended and its output has been read; messages may still wait until `disconnect`.
    const closed = new Promise<string>((resolve) => {
      child.once('close', (code, by) => resolve(by === null ? `exit code ${code}` : `signal ${by}`));
    });
    const disconnected = new Promise<void>((resolve) => child.once('disconnect', resolve));
    void Promise.all([closed, disconnected]).then(([why]) => this.#died(why));
    if (signal.aborted) this.#kill();
    else signal.addEventListener('abort', () => this.#kill(), { once: true });
  }

  /** Resolves when the generator has its spec and waits for `begin`. */
  async ready(tag: Record<string, string>): Promise<void> {
    this.#say({ type: 'spec', spec: this.#spec, tag });
    try {
      await within(READY_MS, this.#ready.promise, () => this.#error(`was not ready within ${READY_MS} ms`));
    } catch (thrown) {
      this.#kill();
      throw thrown;
    }
  }

  async canary(signal: AbortSignal): Promise<CanaryResult[]> {
    signal.throwIfAborted();
    if (this.#over) return this.done.then(() => []);
    const canary = Promise.withResolvers<CanaryResult[]>();
    this.#canary = canary;
    const abort = (): void => canary.reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    this.#say({ type: 'canary' });
    try {
      return await canary.promise;
    } finally {
      signal.removeEventListener('abort', abort);
      this.#canary = undefined;
    }
  }

  begin(originMs: number): void {
    this.#say({ type: 'begin', originMs });
  }

  stop(): Promise<LoadSummary> {
    this.#say({ type: 'stop' });
    return this.done;
  }

  #say(message: ToGenerator): void {
    // A channel that is closed is reported once, by `done`.
    if (!this.#over && this.#child.connected) this.#child.send(message, () => {});
  }

  #hear(message: FromGenerator): void {
    switch (message.type) {
      case 'ready':
        this.#ready.resolve();
        return;
      case 'canary':
        this.#canary?.resolve(message.results);
        return;
      case 'output':
        if (message.windows.length > 0) this.#sink.windows(message.windows);
        if (message.acks.length > 0) this.#sink.acks(message.acks);
        if (message.failures.length > 0) this.#sink.failures(message.failures);
        if (message.health !== undefined) this.#sink.health(message.health);
        return;
      case 'done':
        this.#over = true;
        // It ends when its channel closes.
        if (this.#child.connected) this.#child.disconnect();
        this.#ended.resolve(message.summary);
        return;
      case 'failed':
        this.#failure = message.message;
        return;
    }
  }

  #died(why: string): void {
    this.#over = true;
    const error = this.#error(this.#failure === '' ? `ended (${why})` : `failed: ${this.#failure} (${why})`);
    this.#ready.reject(error);
    this.#canary?.reject(error);
    this.#ended.reject(error);
  }

  #error(what: string): HarnessError {
    const said = this.#stderr.trim();
    const message = `the load generator of ${this.#spec.scenario.name} (pid ${this.pid}) ${what}${said === '' ? '' : `; it said: ${said}`}`;
    const hint = 'Look at the machine’s memory and for whoever killed it; what was not measured is in no finding.';
    return new HarnessError('LOAD_GENERATOR_DIED', message, hint);
  }

  #kill(): void {
    this.#child.kill('SIGKILL');
  }
}
