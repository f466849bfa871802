import { type ChildProcess, fork } from 'node:child_process';
import { compileCache } from '../core/binaries.ts';
import { within } from '../core/deadline.ts';
import { HarnessError } from '../core/errors.ts';
import { setNiceness } from '../core/niceness.ts';
import { runArgument } from '../core/process-identity.ts';
import type { CanaryResult, LoadJob, LoadSink, LoadSpec, LoadSummary } from '../spi/load.ts';
import type { FromGenerator, ToGenerator } from './messages.ts';

const STDERR_MAX = 2000;
/** Nearly all that it makes is short-lived: with a small nursery it stays small and its pauses are short. */
export const GENERATOR_FLAGS: readonly string[] = ['--max-semi-space-size=2'];
/** The same for glibc's allocator; other ones ignore it. */
const ENVIRONMENT = { MALLOC_ARENA_MAX: '1' };
/** Where the machine lets us (as root) it goes before whatever else runs there, with all that it starts: a late generator measures itself. */
const GENERATOR_NICENESS = -5;

/** A program of ours that sends load, or has another one send it. */
export interface GeneratorProgram {
  /** For messages. */
  name: string;
  path: string;
  args: readonly string[];
  /** How long it may take to be ready. */
  readyMs: number;
}

/** Starts a generator's process, idle; resolves when it has its spec and waits for `begin`. */
export async function startGenerator(
  program: GeneratorProgram,
  spec: LoadSpec,
  tag: Record<string, string>,
  sink: LoadSink,
  signal: AbortSignal,
): Promise<LoadJob> {
  const env: NodeJS.ProcessEnv = { ...compileCache(), ...process.env, ...ENVIRONMENT };
  // What is meant for the tool's own Node (inspector, loaders) must not slow or stop the generator.
  delete env.NODE_OPTIONS;
  // A session of its own: a Ctrl-C in the terminal is for the tool, which heals before it stops the load.
  const child = fork(program.path, [...program.args, runArgument(spec.runId)], {
    env,
    execArgv: [...GENERATOR_FLAGS],
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  if (child.pid !== undefined) void setNiceness(child.pid, GENERATOR_NICENESS);
  const job = new GeneratorJob(child, program, spec, sink, signal);
  await job.ready(tag);
  return job;
}

class GeneratorJob implements LoadJob {
  readonly pid: number | undefined;
  readonly done: Promise<LoadSummary>;
  readonly #child: ChildProcess;
  readonly #program: GeneratorProgram;
  readonly #spec: LoadSpec;
  readonly #sink: LoadSink;
  readonly #ready = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<LoadSummary>();
  #canary: PromiseWithResolvers<CanaryResult[]> | undefined;
  #stderr = '';
  #failure = '';
  #over = false;

  constructor(child: ChildProcess, program: GeneratorProgram, spec: LoadSpec, sink: LoadSink, signal: AbortSignal) {
    this.#child = child;
    this.#program = program;
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

  async ready(tag: Record<string, string>): Promise<void> {
    const { readyMs } = this.#program;
    this.#say({ type: 'spec', spec: this.#spec, tag });
    try {
      await within(readyMs, this.#ready.promise, () => this.#error(`was not ready within ${readyMs} ms`));
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
        for (const row of message.health) this.#sink.health(row);
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
    const error = this.#error(this.#failure === '' ? `ended (${why})` : `failed: ${this.#failure}`);
    this.#ready.reject(error);
    this.#canary?.reject(error);
    this.#ended.reject(error);
  }

  #error(what: string): HarnessError {
    const said = this.#stderr.trim();
    const { name, script } = this.#spec.scenario;
    if (script !== undefined && this.#failure !== '') {
      const hint = `Run it by hand: k6 run ${script}`;
      return new HarnessError('LOAD_SCRIPT_BROKEN', `${script} of the scenario ${name}: ${this.#failure}`, hint);
    }
    const message = `the ${this.#program.name} of ${name} (pid ${this.pid}) ${what}${said === '' ? '' : `; it said: ${said}`}`;
    const hint = 'Look at the machine’s memory and for whoever killed it; what was not measured is in no finding.';
    return new HarnessError('LOAD_GENERATOR_DIED', message, hint);
  }

  #kill(): void {
    this.#child.kill('SIGKILL');
  }
}
