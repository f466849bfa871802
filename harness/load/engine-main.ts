import { messageOf } from '../core/errors.ts';
import type { LoadHealth } from '../spi/load.ts';
import type { ForeignEngine } from './foreign-engine.ts';
import { openChannel, say } from './generator-channel.ts';
import type { ToGenerator } from './messages.ts';

/**
 * The process around another program's load engine: it starts the engine, reads what it says and makes windows of it.
 * When it ends the engine ends with it.
 */
const BATCH_MS = 200;
const HEALTH_MS = 1000;

let engine: ForeignEngine | undefined;
let begun = false;
let busy = false;
let healthAtMs = 0;

async function hear(message: ToGenerator): Promise<void> {
  switch (message.type) {
    case 'spec':
      engine = await engineOf(process.argv[2] ?? '', message);
      await engine.prepare();
      return say({ type: 'ready' });
    case 'canary':
      return say({ type: 'canary', results: await known().canary() });
    case 'begin':
      begun = true;
      known().begin(message.originMs);
      return run(known());
    case 'stop':
      known().stop();
      return begun ? undefined : run(known());
  }
}

async function engineOf(name: string, { spec, tag }: Extract<ToGenerator, { type: 'spec' }>): Promise<ForeignEngine> {
  // Each is loaded only where it is used.
  if (name === 'autocannon') return new (await import('./autocannon-engine.ts')).AutocannonEngine(spec, tag);
  if (spec.scenario.script !== undefined) return new (await import('./k6-script-engine.ts')).K6ScriptEngine(spec);
  return new (await import('./k6-engine.ts')).K6Engine(spec, tag);
}

function known(): ForeignEngine {
  if (engine === undefined) throw new Error('the load was begun before its spec');
  return engine;
}

async function run(running: ForeignEngine): Promise<void> {
  healthAtMs = performance.now();
  const turns = setInterval(() => void turn(running).catch(fail), BATCH_MS);
  await running.ended;
  clearInterval(turns);
  await tell(running, []);
  await say({ type: 'done', summary: running.summary() });
}

/** At most one batch is on its way: what comes meanwhile is gathered in the windows. */
async function turn(running: ForeignEngine): Promise<void> {
  if (busy) return;
  const health: LoadHealth[] = [];
  if (performance.now() - healthAtMs >= HEALTH_MS) {
    healthAtMs = performance.now();
    health.push(running.health());
  }
  busy = true;
  await tell(running, health);
  busy = false;
}

async function tell(running: ForeignEngine, health: LoadHealth[]): Promise<void> {
  const { windows, acks, failures } = running.output();
  if (windows.length + acks.length + failures.length + health.length === 0) return;
  await say({ type: 'output', windows, acks, failures, health });
}

function fail(thrown: unknown): void {
  void say({ type: 'failed', message: messageOf(thrown) }).then(() => process.exit(1));
}

openChannel((message) => void hear(message).catch(fail), fail);
