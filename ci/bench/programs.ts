import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { isProgram } from '../../harness/core/binaries.ts';
import { within } from '../../harness/core/deadline.ts';
import { HarnessError } from '../../harness/core/errors.ts';
import { must } from '../run-command.ts';

const COMPILE_MS = 60_000;
const STOP_MS = 5_000;
const OUTPUT_MAX = 4 * 1024 * 1024;
const COMPILERS = ['cc', 'gcc', 'clang'];

/** Absolute path of a program on PATH; what lies in a node_modules/.bin is never a peer's real program. */
export function onPath(program: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '' && !folder.includes(join('node_modules', '.bin')))
    .map((folder) => join(folder, program))
    .find(isProgram);
}

/** The C programs of this folder, compiled into a temporary one that goes when the benchmark does. */
export class Workshop implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'seawall-bench-'));

  constructor() {
    // Also when it is interrupted.
    process.on('exit', () => this[Symbol.dispose]());
  }

  /** Throws BINARY_MISSING when there is no C compiler: nothing else here saturates a client and is as easy to read. */
  async compile(name: string): Promise<string> {
    const compiler = COMPILERS.map(onPath).find((path) => path !== undefined);
    if (compiler === undefined) {
      const hint = 'Install one: apt-get install gcc libc6-dev';
      throw new HarnessError('BINARY_MISSING', `no C compiler (${COMPILERS.join(', ')}) is on PATH`, hint);
    }
    const made = join(this.folder, name);
    const source = join(import.meta.dirname, `${name}.c`);
    await must(compiler, ['-O2', '-Wall', '-Wextra', '-o', made, source, '-lm'], { timeoutMs: COMPILE_MS });
    return made;
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const running = new Set<Program>();
process.on('exit', () => {
  for (const program of running) program.kill('SIGKILL');
});

/** A program that the benchmark started. None outlives it: what still runs is killed when this process ends. */
export class Program {
  readonly pid: number;
  stdout = '';
  stderr = '';
  readonly #child: ChildProcess;
  /** How it ended: `code 0`, `SIGTERM`, or why it could not start. */
  readonly ending: Promise<string>;
  #lines: ((line: string) => void) | undefined;
  #rest = '';
  #over = false;

  constructor(command: readonly string[], env: NodeJS.ProcessEnv = process.env) {
    const [program, ...args] = command;
    this.#child = spawn(program!, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.pid = this.#child.pid ?? -1;
    running.add(this);
    // One that ended while it was being told something is reported by how it ended.
    this.#child.stdin!.on('error', () => {});
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => this.#heard(text));
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-OUTPUT_MAX);
    });
    this.ending = new Promise((resolve) => {
      this.#child.once('error', (thrown) => resolve(thrown.message));
      this.#child.once('close', (code, signal) => resolve(signal ?? `code ${code}`));
    });
    void this.ending.then(() => {
      this.#over = true;
      running.delete(this);
    });
  }

  get over(): boolean {
    return this.#over;
  }

  /** Each whole line of its output from now on. */
  onLine(listener: (line: string) => void): void {
    this.#lines = listener;
  }

  /** The next whole line that it prints; throws when it ends or `ms` pass before. */
  async line(ms: number): Promise<string> {
    const next = new Promise<string>((resolve) => this.onLine(resolve));
    const ended = this.ending.then((how) => Promise.reject(this.failure(`ended with ${how}`)));
    return within(ms, Promise.race([next, ended]), () => this.failure(`said nothing for ${ms} ms`));
  }

  tell(line: string): void {
    this.#child.stdin!.write(`${line}\n`);
  }

  closeInput(): void {
    this.#child.stdin!.end();
  }

  /** `ending`, but killed and thrown about when that takes longer than `ms`. */
  async ended(ms: number): Promise<string> {
    return within(ms, this.ending, () => {
      this.kill('SIGKILL');
      return this.failure(`did not end within ${ms} ms`);
    });
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.kill(signal);
    await this.ended(STOP_MS);
  }

  kill(signal: NodeJS.Signals): void {
    if (!this.#over) this.#child.kill(signal);
  }

  failure(what: string): Error {
    const said = `${this.stderr}\n${this.stdout}`.trim().split('\n').slice(-5).join(' · ');
    return new Error(`${this.#child.spawnargs.slice(0, 6).join(' ')} … ${what}${said === '' ? '' : `: ${said}`}`);
  }

  #heard(text: string): void {
    this.stdout = (this.stdout + text).slice(-OUTPUT_MAX);
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#lines?.(line);
  }
}
