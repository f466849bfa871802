import { systemClock } from '../core/clock.ts';
import type { LoadSpec } from '../spi/load.ts';
import { Batches } from './batches.ts';
import { Canary } from './canary.ts';
import { Executor } from './executor.ts';
import { HttpTransport } from './http-client.ts';
import type { FromGenerator, ToGenerator } from './messages.ts';

const TICK_MS = 1;
const BATCH_MS = 200;

/** The generator's side of the channel: real clock, real transport, and batches that never overtake each other. */
export class Generator {
  readonly #say: (message: FromGenerator) => Promise<void>;
  #spec: LoadSpec | undefined;
  #tag: Record<string, string> = {};
  #transport: HttpTransport | undefined;
  #executor: Executor | undefined;
  #stopAsked = false;

  constructor(say: (message: FromGenerator) => Promise<void>) {
    this.#say = say;
  }

  hear(message: ToGenerator): void {
    switch (message.type) {
      case 'spec':
        this.#spec = message.spec;
        this.#tag = message.tag;
        this.#transport = new HttpTransport(message.spec.target, message.spec.scenario.good.withinMs);
        void this.#say({ type: 'ready' });
        return;
      case 'canary':
        this.#canary();
        return;
      case 'begin':
        this.#begin(message.originMs);
        return;
      case 'stop':
        this.#stop();
        return;
    }
  }

  #canary(): void {
    const now = (): number => performance.now();
    const canary = new Canary({ ...this.#parts(), now });
    const timer = setInterval(() => {
      canary.tick();
      const { results } = canary;
      if (results === undefined) return;
      clearInterval(timer);
      void this.#say({ type: 'canary', results });
    }, TICK_MS);
  }

  #begin(originMs: number): void {
    const now = (): number => systemClock.now() - originMs;
    const executor = new Executor({ ...this.#parts(), now });
    this.#executor = executor;
    if (this.#stopAsked) executor.stop();
    const ticks = setInterval(() => executor.tick(), TICK_MS);
    const batches = new Batches(executor, this.#parts().spec.scenario.name, this.#say);
    const turns = setInterval(() => {
      if (!batches.turn()) return;
      clearInterval(ticks);
      clearInterval(turns);
    }, BATCH_MS);
  }

  #stop(): void {
    this.#stopAsked = true;
    this.#executor?.stop();
    if (this.#executor !== undefined) return;
    const summary = { scheduled: 0, sent: 0, good: 0, bad: 0, failuresOmitted: 0 };
    void this.#say({ type: 'done', summary });
  }

  #parts(): { spec: LoadSpec; tag: Record<string, string>; transport: HttpTransport } {
    if (this.#spec === undefined || this.#transport === undefined)
      throw new Error('the load was begun before its spec');
    return { spec: this.#spec, tag: this.#tag, transport: this.#transport };
  }
}
