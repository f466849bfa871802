import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pinned } from './cores.ts';
import { Program, type Workshop } from './programs.ts';
import { type RealStall, type ServedRequest, stallsOf, type TruthScript } from './truth-model.ts';

const READY_MS = 5_000;
const RECORD_BYTES = 24;

/** What the server did, by its own clock. */
export interface ServerLog {
  requests: number;
  connectionsPeak: number;
  /** Connections that it dropped because more than one request, or one with a body, came on them. */
  broken: number;
  stalls: RealStall[];
  served: ServedRequest[];
}

/** The server whose every answer is known. It is asked for its log once, and ends with that. */
export class TruthServer implements AsyncDisposable {
  readonly url: string;
  readonly #program: Program;
  readonly #logFile: string;

  private constructor(program: Program, port: number, logFile: string) {
    this.#program = program;
    this.url = `http://127.0.0.1:${port}/`;
    this.#logFile = logFile;
  }

  static async start(workshop: Workshop, script: TruthScript, core: number): Promise<TruthServer> {
    const path = await workshop.compile('truth-server');
    const logFile = join(workshop.folder, 'truth-log');
    const service = [script.serviceMinMs * 1000, script.serviceSpanMs * 1000].map(String);
    const stalls = stallsOf(script).map(({ atMs, forMs }) => `${atMs}:${forMs}`);
    const program = new Program(pinned(core, [path, logFile, ...service, ...stalls]));
    return new TruthServer(program, Number(await program.line(READY_MS)), logFile);
  }

  async log(): Promise<ServerLog> {
    await this.#program.stop('SIGTERM');
    const summary = this.#program.stdout.split('\n').find((line) => line.startsWith('{'));
    if (summary === undefined) throw this.#program.failure('left no summary');
    return { ...(JSON.parse(summary) as Omit<ServerLog, 'served'>), served: parseLog(readFileSync(this.#logFile)) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program.stop('SIGKILL');
  }
}

/** Records of number, arrival and answer (int64 little-endian; ns since the epoch); those never answered are left out. */
export function parseLog(bytes: Buffer): ServedRequest[] {
  const served: ServedRequest[] = [];
  for (let at = 0; at + RECORD_BYTES <= bytes.length; at += RECORD_BYTES) {
    const answered = bytes.readBigInt64LE(at + 16);
    if (answered === 0n) continue;
    // As ms with the microseconds kept: a double holds epoch ns to 256 ns only.
    const inMs = (ns: bigint): number => Number(ns / 1000n) / 1000;
    served.push({
      number: Number(bytes.readBigInt64LE(at)),
      arrivedMs: inMs(bytes.readBigInt64LE(at + 8)),
      answeredMs: inMs(answered),
    });
  }
  return served;
}
