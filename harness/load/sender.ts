import { performance } from 'node:perf_hooks';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../core/clock.ts';
import type { LoadSpec } from '../spi/load.ts';
import { Canary } from './canary.ts';
import type { JourneySurroundings } from './compiled-journey.ts';
import type { Engine, EngineMaker } from './engine.ts';
import { feedsOf } from './feeds.ts';
import { DelayMeter } from './health.ts';
import type { FromSender, SenderData, ToSender } from './messages.ts';
import { openEngine } from './open-engine.ts';
import { type Pacing, pacingOf } from './pacing.ts';
import { SendLoop } from './send-loop.ts';
import { SocketTransport } from './socket-transport.ts';
import type { Transport } from './transport.ts';
import { WINDOW_BYTES, type WindowCells } from './window-cells.ts';

const TICK_MS = 1;
const BATCH_MS = 200;
const HEALTH_MS = 1000;
/** A tool that takes nothing for so long that this much waits has stopped to listen. */
const WAITING_ACKS_MAX = 1_000_000;

/** A sending thread: real clock, real sockets, windows in shared memory, and batches that never overtake each other. */
class SendingThread {
  readonly #port: MessagePort;
  readonly #spec: LoadSpec;
  readonly #around: JourneySurroundings;
  readonly #make: EngineMaker;
  readonly #pacing: Pacing;
  readonly #meter = new DelayMeter();
  #engine: Engine | undefined;
  #stopAsked = false;
  /** Windows of the batch that the main thread has not yet taken. */
  #given: WindowCells[] | undefined;
  #healthMs = performance.now();

  constructor(port: MessagePort, spec: LoadSpec, around: JourneySurroundings, make: EngineMaker) {
    this.#port = port;
    this.#spec = spec;
    this.#around = around;
    this.#make = make;
    this.#pacing = pacingOf(spec.scenario.threads ?? 1);
  }

  hear(message: ToSender): void {
    switch (message.type) {
      case 'canary':
        this.#canary();
        return;
      case 'begin':
        this.#begin(message.originMs);
        return;
      case 'stop':
        this.#stopAsked = true;
        if (this.#engine !== undefined) this.#engine.stop();
        else this.#nothingSent();
        return;
      case 'taken':
        for (const cells of this.#given ?? []) this.#engine?.release(cells);
        this.#given = undefined;
        return;
    }
  }

  #canary(): void {
    if (this.#spec.scenario.replay !== undefined) {
      // It has no journeys to try, and its own beginning is its warm-up.
      this.#say({ type: 'canary', results: [] });
      return;
    }
    const canary = new Canary({ spec: this.#spec, around: this.#around, now: () => performance.now() });
    const timer = setInterval(() => {
      canary.tick();
      const { results } = canary;
      if (results === undefined) return;
      clearInterval(timer);
      this.#say({ type: 'canary', results });
    }, TICK_MS);
  }

  #begin(originMs: number): void {
    // The system's clock, taken once: it costs more than the rest of a reading.
    const offsetMs = originMs - (systemClock.now() - performance.now());
    const now = (): number => performance.now() - offsetMs;
    const allocate = (): ArrayBufferLike => new SharedArrayBuffer(WINDOW_BYTES);
    const engine = this.#make({ now, allocate });
    this.#engine = engine;
    if (this.#stopAsked) engine.stop();
    const loop = new SendLoop(engine, this.#pacing === 'spin');
    loop.start();
    const turns = setInterval(() => {
      if (!this.#turn(engine)) return;
      loop.end();
      clearInterval(turns);
      this.#around.transport.close();
      for (const way of this.#around.ways ?? []) way.close();
    }, BATCH_MS);
  }

  /** Gives out what there is, unless the last batch is still being read. Returns whether that was the last of it. */
  #turn(engine: Engine): boolean {
    if (this.#given !== undefined) {
      if (engine.acksWaiting <= WAITING_ACKS_MAX) return false;
      throw new Error('the tool has stopped to take the load’s results');
    }
    const last = engine.done;
    const { windows, acks, failures } = engine.output();
    const health = this.#health(engine, last);
    if (!last && health === undefined && windows.length + acks.length + failures.length === 0) return false;
    this.#given = windows.map(({ cells }) => cells);
    const given = windows.map(({ label, fromMs, cells }) => ({ label, fromMs, buffer: cells.buffer }));
    const summary = last ? engine.summary : undefined;
    this.#say({ type: 'batch', windows: given, acks, failures, health, summary });
    return last;
  }

  #health(engine: Engine, last: boolean): Extract<FromSender, { type: 'batch' }>['health'] {
    const nowMs = performance.now();
    if (!last && nowMs - this.#healthMs < HEALTH_MS) return undefined;
    this.#healthMs = nowMs;
    const eventLoopP99Ms = this.#meter.read();
    return { atMs: engine.now(), eventLoopP99Ms, inFlight: engine.inFlight, pacer: this.#pacing };
  }

  #nothingSent(): void {
    const summary = { scheduled: 0, sent: 0, good: 0, bad: 0, failuresOmitted: 0 };
    this.#say({ type: 'batch', windows: [], acks: [], failures: [], health: undefined, summary });
  }

  #say(message: FromSender): void {
    this.#port.postMessage(message);
  }
}

/** Of a closed model: each of the users has a connection. */
const oneEachOf = ({ scenario: { executor } }: LoadSpec): boolean =>
  executor === 'constant-vus' || executor === 'ramping-vus';

async function transportOf(spec: LoadSpec): Promise<Transport> {
  const { target, scenario } = spec;
  const { http } = scenario;
  if (http?.version !== 2 && http?.proxy === undefined)
    return new SocketTransport(target, { oneEach: oneEachOf(spec) });
  // Loaded only where it is needed: it is most of what a generator would weigh.
  const { UndiciTransport } = await import('./undici-transport.ts');
  return new UndiciTransport(target, {
    http2: http.version === 2,
    proxy: http.proxy,
    withinMs: scenario.good.withinMs,
  });
}

const port = parentPort;
if (port === null) throw new Error('a sending thread is started by the load generator');
const { spec, tag, kinds, feeds: read, ways } = workerData as SenderData;
const feeds = feedsOf(read);
const transport = await transportOf(spec);
const around: JourneySurroundings = {
  ...{ runId: spec.runId, marker: spec.marker, tag, feeds, transport },
  ...(ways === undefined
    ? {}
    : { ways: ways.map((by) => new SocketTransport(spec.target, { by, oneEach: oneEachOf(spec) })) }),
};
const make = await openEngine(spec, around, {
  kinds,
  // Outside any call of ours: the thread ends with it, and the generator says why.
  failed: (thrown) =>
    setImmediate(() => {
      throw thrown;
    }),
});
const thread = new SendingThread(port, spec, around, make);
port.on('message', (message: ToSender) => thread.hear(message));
port.postMessage({ type: 'ready' } satisfies FromSender);
