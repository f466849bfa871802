import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pinned } from './cores.ts';
import { Program, type Workshop } from './programs.ts';

const READY_MS = 5_000;
const POLL_MS = 20;

/** What the server has counted since it started. */
export interface TargetCounts {
  requests: number;
  accepted: number;
  open: number;
}

/** The server that answers as fast as one core can; it counts for every tool alike. */
export class Target implements AsyncDisposable {
  readonly url: string;
  readonly #program: Program;
  readonly #statsFile: string;

  private constructor(program: Program, port: number, statsFile: string) {
    this.#program = program;
    this.url = `http://127.0.0.1:${port}/`;
    this.#statsFile = statsFile;
  }

  static async start(workshop: Workshop, core: number): Promise<Target> {
    const path = await workshop.compile('target');
    const statsFile = join(workshop.folder, 'target-stats');
    const program = new Program(pinned(core, [path, statsFile]));
    return new Target(program, Number(await program.line(READY_MS)), statsFile);
  }

  get pid(): number {
    return this.#program.pid;
  }

  counts(): TargetCounts {
    const bytes = readFileSync(this.#statsFile);
    const at = (index: number): number => Number(bytes.readBigUInt64LE(index * 8));
    return { requests: at(0), accepted: at(1), open: at(2) };
  }

  /** Resolves when requests come in on at least `connections` connections; throws when they do not within `ms`. */
  async reached(connections: number, requestsBefore: number, ms: number, whose: Program): Promise<void> {
    const end = performance.now() + ms;
    for (;;) {
      const { open, requests } = this.counts();
      if (open >= connections && requests > requestsBefore) return;
      if (whose.over) throw whose.failure('ended before it sent anything');
      if (performance.now() > end) {
        throw new Error(`only ${open} of ${connections} connections were open after ${ms} ms`);
      }
      await sleep(POLL_MS);
    }
  }

  /** Resolves when nobody is connected any more, so that one tool's last requests are not counted for the next. */
  async deserted(ms: number): Promise<void> {
    const end = performance.now() + ms;
    while (this.counts().open > 0) {
      if (performance.now() > end)
        throw new Error(`${this.counts().open} connections stayed open after the tool ended`);
      await sleep(POLL_MS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program.stop('SIGKILL');
  }
}
