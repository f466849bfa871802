import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { nodeHttp } from '../core/node-http.ts';
import { runArgument } from '../core/process-identity.ts';
import { LineReader } from './line-reader.ts';

const SAID_MAX = 4000;
/** k6's word for a run that waits to be resumed, its users made (`lib.ExecutionStatusPausedBeforeRun`). */
const PAUSED_BEFORE_RUN = 4;
const POLL_MS = 20;
const API_TIMEOUT_MS = 2000;
/** A script's own `teardown` may take so long; then it is killed. */
const STOP_MS = 5000;
/** k6 ends like this when it is told to from outside, and when a threshold of the script's own was crossed. */
const ENDED_BY_US = 105;
const THRESHOLDS_CROSSED = 99;
/** Ends k6 when whoever holds its input is gone, however that came about. */
const WATCHDOG = 'read _; kill -KILL "$1"';

const FLAGS = [
  '--quiet',
  '--no-color',
  '--log-format=raw',
  '--no-usage-report',
  '--summary-mode=disabled',
  '--no-thresholds',
];

export interface K6Options {
  binary: string;
  runId: string;
  /** The text of a script, or the path of a file. */
  script: { text: string } | { file: string };
  flags: readonly string[];
  /** Where it looks for what its script names; the current folder when absent. */
  cwd?: string;
  /** Waits, its users made, until `resume`. */
  paused: boolean;
  /** Every line that it says on its log. */
  onLog: (line: string) => void;
  /** Every line that it says on its standard output. */
  onOutput?: (line: string) => void;
}

/** One run of k6 as a child of this process, which takes it along however it ends. */
export class K6Process {
  readonly pid: number | undefined;
  /** Resolves when it has ended as it should and all that it said was read; rejects with what it said otherwise. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  readonly #port: number | undefined;
  #said = '';
  #stopped = false;
  #over = false;

  private constructor(options: K6Options, port: number | undefined) {
    this.#port = port;
    const { script, flags } = options;
    // By this flag, which k6 takes for a tag of its metrics, `heal` finds it.
    const marked = ['--tag', runArgument(options.runId)];
    const api = port === undefined ? [] : ['--paused', `--address=127.0.0.1:${port}`];
    const file = 'file' in script ? script.file : '-';
    const args = ['run', ...FLAGS, ...api, ...marked, ...flags, file];
    const stdio = [
      'pipe' as const,
      options.onOutput === undefined ? ('ignore' as const) : ('pipe' as const),
      'pipe' as const,
    ];
    const cwd = options.cwd === undefined ? {} : { cwd: options.cwd };
    this.#child = spawn(options.binary, args, { env: environment(), stdio, ...cwd });
    this.pid = this.#child.pid;
    if (this.pid !== undefined) this.#watch(this.pid, options.runId);
    const log = new LineReader((line) => options.onLog(line));
    this.#child.stderr?.on('data', (chunk: Buffer) => log.add(chunk)).on('end', () => log.end());
    const { onOutput } = options;
    if (onOutput !== undefined) {
      const output = new LineReader(onOutput);
      this.#child.stdout?.on('data', (chunk: Buffer) => output.add(chunk)).on('end', () => output.end());
    }
    // A k6 that ended before it read its script says so by its exit code.
    this.#child.stdin?.on('error', () => {});
    this.#child.stdin?.end('text' in script ? script.text : '');
    this.ended = this.#end();
    this.ended.catch(() => {});
  }

  static async start(options: K6Options): Promise<K6Process> {
    return new K6Process(options, options.paused ? await freePort() : undefined);
  }

  /** What it said that was not for us to read, for messages. */
  note(line: string): void {
    this.#said = `${this.#said}${line}\n`.slice(-SAID_MAX);
  }

  /** Resolves when it waits to be resumed. */
  async untilPaused(): Promise<void> {
    let early: unknown;
    this.ended.then(
      () => {
        early = new Error(`k6 ended before its load began${this.#because()}`);
      },
      (thrown: unknown) => {
        early = thrown;
      },
    );
    for (;;) {
      if (early !== undefined) throw early;
      const status = await this.#api('GET').catch(() => undefined);
      if (status === PAUSED_BEFORE_RUN) return;
      await sleep(POLL_MS);
    }
  }

  async resume(): Promise<void> {
    await this.#api('PATCH', { data: { type: 'status', id: 'default', attributes: { paused: false } } });
  }

  /** Ends it: it starts nothing new and cuts off what is on its way. */
  stop(): void {
    this.#stopped = true;
    if (this.#over) return;
    // Not SIGINT: it may have been started with that one ignored.
    this.#child.kill('SIGTERM');
    const patience = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    this.#child.once('exit', () => clearTimeout(patience));
  }

  #watch(pid: number, runId: string): void {
    const args = ['-c', WATCHDOG, runArgument(runId), String(pid)];
    const dog = spawn('sh', args, { stdio: ['pipe', 'ignore', 'ignore'] });
    dog.on('error', (thrown) => this.note(`no watch over it: ${thrown.message}`));
    dog.stdin.on('error', () => {});
    // The pid may soon be somebody else's.
    this.#child.once('exit', () => dog.kill('SIGKILL'));
  }

  #end(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#child.once('error', (thrown) => reject(thrown));
      this.#child.once('exit', () => {
        this.#over = true;
      });
      this.#child.once('close', (code, signal) => {
        const asAsked = code === 0 || code === THRESHOLDS_CROSSED || (this.#stopped && code === ENDED_BY_US);
        if (asAsked || (this.#stopped && signal !== null)) return resolve();
        const why = signal === null ? `exit code ${code}` : `signal ${signal}`;
        reject(new Error(`k6 ended with ${why}${this.#because()}`));
      });
    });
  }

  #because(): string {
    const said = this.#said.trim();
    return said === '' ? '' : `; it said: ${said}`;
  }

  #api(method: 'GET' | 'PATCH', body?: object): Promise<number> {
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json' };
      const options = {
        host: '127.0.0.1',
        port: this.#port,
        path: '/v1/status',
        method,
        headers,
        timeout: API_TIMEOUT_MS,
      };
      const request = nodeHttp.request(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('error', reject);
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          if (response.statusCode !== 200) return reject(new Error(`k6’s API said ${response.statusCode}: ${text}`));
          const answer = JSON.parse(text) as { data: { attributes: { status: number } } };
          resolve(answer.data.attributes.status);
        });
      });
      request.on('timeout', () => request.destroy(new Error(`k6’s API did not answer within ${API_TIMEOUT_MS} ms`)));
      request.on('error', reject);
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}

/**
 * The user's own k6 settings are for his own runs, and through a proxy the load would go to where it may not; nor does k6
 * fetch extensions behind anybody's back.
 */
function environment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(?:K6_.*|(?:https?|all|ftp)_proxy)$/i.test(name));
  return { ...Object.fromEntries(own), K6_AUTO_EXTENSION_RESOLUTION: 'false' };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port on loopback');
  return address.port;
}
