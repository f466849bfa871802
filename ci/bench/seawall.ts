import { join } from 'node:path';
import { within } from '../../harness/core/deadline.ts';
import { pinned } from './cores.ts';
import { Program } from './programs.ts';
import type { LoadNews, LoadOrder, LoadResult } from './seawall-messages.ts';

const READY_MS = 20_000;

/** The engine refused the scenario: not measured, and this is why. */
export class Refused extends Error {}

/** Seawall's own load in processes of its own: the tool's part and the generator's. */
export class SeawallLoad implements AsyncDisposable {
  readonly program: Program;
  readonly #ready = Promise.withResolvers<number>();
  readonly #begun = Promise.withResolvers<number>();
  readonly #done = Promise.withResolvers<LoadResult>();

  private constructor(command: readonly string[], order: LoadOrder, env: Record<string, string>) {
    this.program = new Program(command, { ...process.env, ...env });
    for (const part of [this.#ready, this.#begun, this.#done]) part.promise.catch(() => {});
    this.program.onLine((line) => this.#hear(line));
    this.program.tell(JSON.stringify(order));
    void this.program.ending.then((how) => this.#fail(this.program.failure(`ended with ${how}`)));
  }

  /** Starts it on one core, or, where the order moves its processes itself, on any. Resolves when the load has begun. */
  static async start(
    order: LoadOrder,
    core: number | undefined,
    env: Record<string, string> = {},
  ): Promise<SeawallLoad> {
    const command = [process.execPath, join(import.meta.dirname, 'seawall-load.ts')];
    const load = new SeawallLoad(core === undefined ? command : pinned(core, command), order, env);
    try {
      await within(READY_MS, load.#begun.promise, () => load.program.failure(`did not begin within ${READY_MS} ms`));
    } catch (thrown) {
      load.program.kill('SIGKILL');
      throw thrown;
    }
    return load;
  }

  get toolPid(): number {
    return this.program.pid;
  }

  generatorPid(): Promise<number> {
    return this.#ready.promise;
  }

  /** Epoch ms of the load's t = 0. */
  originMs(): Promise<number> {
    return this.#begun.promise;
  }

  done(ms: number): Promise<LoadResult> {
    return within(ms, this.#done.promise, () => this.program.failure(`was not done within ${ms} ms`));
  }

  stop(): void {
    this.program.tell('stop');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Its generator ends when it does.
    await this.program.stop('SIGKILL');
  }

  #hear(line: string): void {
    const news = JSON.parse(line) as LoadNews;
    switch (news.type) {
      case 'ready':
        this.#ready.resolve(news.generatorPid);
        return;
      case 'begun':
        this.#begun.resolve(news.originMs);
        return;
      case 'refused':
        this.#fail(new Refused(news.reason));
        return;
      case 'done':
        this.#done.resolve(news.result);
        return;
    }
  }

  #fail(error: Error): void {
    for (const part of [this.#ready, this.#begun, this.#done]) part.reject(error);
  }
}
