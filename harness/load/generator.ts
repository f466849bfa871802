import { systemClock } from '../core/clock.ts';
import type { LoadSpec } from '../spi/load.ts';
import { Canary } from './canary.ts';
import { Executor } from './executor.ts';
import { HealthMeter } from './health.ts';
import { HttpTransport } from './http-client.ts';
import type { FromGenerator, ToGenerator } from './messages.ts';

const TICK_MS = 1;
const BATCH_MS = 200;
const HEALTH_MS = 1000;
/** A tool that takes nothing for so long that this much waits has stopped to listen. */
const WAITING_ACKS_MAX = 1_000_000;

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
    const meter = new HealthMeter();
    let busy = false;
    let healthMs = performance.now();
    const batches = setInterval(() => {
      if (busy) {
        if (executor.acksWaiting > WAITING_ACKS_MAX) throw new Error('the tool has stopped to take the load’s results');
        return;
      }
      const last = executor.done;
      const healthDue = performance.now() - healthMs >= HEALTH_MS;
      if (healthDue) healthMs = performance.now();
      const health = healthDue
        ? { health: meter.read(this.#parts().spec.scenario.name, now(), executor.inFlight) }
        : {};
      const output = executor.output();
      const empty = output.windows.length + output.acks.length + output.failures.length === 0;
      if (last) {
        clearInterval(ticks);
        clearInterval(batches);
      }
      if (empty && !healthDue && !last) return;
      busy = true;
      void this.#say({ type: 'output', ...health, ...output }).then(() => {
        busy = false;
        return last ? this.#say({ type: 'done', summary: executor.summary }) : undefined;
      });
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
