import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, type TestContext } from 'vitest';
import { type Cores, chooseCores } from '../../ci/bench/cores.ts';
import { measureFloors } from '../../ci/bench/floors.ts';
import { Workshop } from '../../ci/bench/programs.ts';
import { Target } from '../../ci/bench/target.ts';
import { loggedTruth, serviceMs } from '../../ci/bench/truth-model.ts';
import { TruthServer } from '../../ci/bench/truth-server.ts';
import { messageOf } from '../../harness/core/errors.ts';

const ANSWER_END = 'x'.repeat(100);
const FLOORS_MS = 60_000;

/** What the benchmark measures with must itself be right: its servers, against hand-made clients. */
describe('the servers of bench:load', () => {
  it('the target answers every request that is whole, however it arrives, and counts it', async (context) => {
    const { cores, workshop } = setUp(context);
    using _ = workshop;
    await using target = await Target.start(workshop, cores.server);
    const socket = await dial(target.url);
    const heard = listen(socket);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHo');
    await until(() => answersIn(heard.text) === 1);
    expect(target.counts()).toEqual({ requests: 1, accepted: 1, open: 1 });
    socket.write('st: x\r\n\r');
    await sleep(50);
    expect(answersIn(heard.text)).toBe(1);
    socket.write('\n');
    await until(() => answersIn(heard.text) === 2);
    expect(heard.text.startsWith('HTTP/1.1 200 OK\r\n')).toBe(true);
    expect(heard.text.match(/Content-Length: 100\r\n/g)).toHaveLength(2);
    socket.destroy();
    await target.deserted(2000);
    expect(target.counts()).toEqual({ requests: 2, accepted: 1, open: 0 });
  });

  it('the truth server serves for as long as the model has it, stalls as scripted, and keeps both', async (context) => {
    const { cores, workshop } = setUp(context);
    using _ = workshop;
    const script = {
      perSecond: 50,
      seconds: 1,
      cycleSeconds: 1,
      serviceMinMs: 2,
      serviceSpanMs: 38,
      stalls: [{ atMs: 300, forMs: 400 }],
    };
    await using server = await TruthServer.start(workshop, script, cores.server);
    const originMs = performance.timeOrigin + performance.now() + 20;
    const sockets = await Promise.all(
      Array.from({ length: 50 }, async (_unused, number) => {
        const socket = await dial(server.url);
        await sleep(originMs + number * 20 - (performance.timeOrigin + performance.now()));
        const heard = listen(socket);
        socket.write(`GET /${number + 7} HTTP/1.1\r\nHost: x\r\n\r\n`);
        await until(() => heard.text.endsWith('ok\n'));
        return socket;
      }),
    );
    for (const socket of sockets) socket.destroy();
    const log = await server.log();
    expect(log).toMatchObject({ requests: 50, broken: 0, connectionsPeak: 50 });
    expect(log.stalls).toHaveLength(1);
    const [stall] = log.stalls;
    expect(stall!.endedMs - stall!.beganMs).toBeGreaterThan(390);
    expect(stall!.endedMs - stall!.beganMs).toBeLessThan(500);
    log.served.forEach(({ answeredMs, arrivedMs }, k) => {
      expect(answeredMs - arrivedMs).toBeGreaterThanOrEqual(serviceMs(script, k) - 0.01);
    });
    expect(log.served.filter(({ answeredMs }) => answeredMs > stall!.beganMs && answeredMs < stall!.endedMs)).toEqual(
      [],
    );
    const logged = loggedTruth(log.served, script, originMs);
    expect(logged).toHaveLength(50);
    expect(logged.at(-1)).toBeGreaterThan(390);
  });

  it('the floors are those of a machine', { timeout: FLOORS_MS }, async (context) => {
    const { cores, workshop } = setUp(context);
    using _ = workshop;
    const floors = await measureFloors(workshop, cores);
    for (const [name, least, most] of [
      ['syscallNs', 10, 50_000],
      ['writeNullNs', 10, 50_000],
      ['nodeWriteNs', 50, 100_000],
      ['loopbackP50Us', 1, 50_000],
      ['timerP99Ms', 0, 1000],
    ] as const) {
      expect({ name, holds: floors[name] > least && floors[name] < most }).toEqual({ name, holds: true });
    }
  });
});

function setUp(context: TestContext): { cores: Cores; workshop: Workshop } {
  try {
    return { cores: chooseCores(), workshop: new Workshop() };
  } catch (thrown) {
    return context.skip(messageOf(thrown));
  }
}

async function dial(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  await once(socket, 'connect');
  return socket;
}

function listen(socket: Socket): { text: string } {
  const heard = { text: '' };
  socket.setEncoding('utf8').on('data', (text: string) => {
    heard.text += text;
  });
  return heard;
}

const answersIn = (text: string): number => text.split(ANSWER_END).length - 1;

/** Bounded by the test's own deadline. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(1);
}
