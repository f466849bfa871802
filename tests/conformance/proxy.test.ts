import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Toxiproxy } from 'toxiproxy-node-client';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Engine, type EngineName, freePort, startEngine } from '../support/proxy-engine.ts';
import { requireOrSkip, toxiproxy } from '../support/requirements.ts';

const real = toxiproxy();
const ENGINES: EngineName[] = real.ok ? ['seawall', 'toxiproxy'] : ['seawall'];
const SETTLE_MS = 60;

let upstream: Upstream;
const open: (() => void)[] = [];
beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.close());
afterEach(() => {
  for (const close of open.splice(0)) close();
});

test('the real Toxiproxy is here to compare with', (context) => {
  expect(requireOrSkip(context, real).version).toContain('2.12');
});

describe.each(ENGINES)('%s', (name) => {
  let engine: Engine;
  let client: Toxiproxy;
  beforeAll(async () => {
    engine = (await startEngine(name))!;
    client = new Toxiproxy(engine.api);
  });
  afterAll(() => engine[Symbol.asyncDispose]());
  afterEach(() => removeAll(engine));

  describe('the HTTP API', () => {
    test('tells its version', async () => {
      expect(await client.getVersion()).toMatch(/version/);
    });

    test('makes, lists, shows, changes and deletes a proxy', async () => {
      const port = await freePort();
      const body = { name: 'a>b:sql', listen: `127.0.0.1:${port}`, upstream: upstream.address };
      const made = await api(engine, 'POST', '/proxies', body);
      expect([made.status, made.body]).toMatchObject([201, { ...body, enabled: true }]);
      expect(await api(engine, 'GET', '/proxies')).toMatchObject({ status: 200, body: { 'a>b:sql': body } });
      const path = '/proxies/a%3Eb%3Asql';
      expect(await api(engine, 'GET', path)).toMatchObject({ status: 200, body: { ...body, toxics: [] } });
      const moved = `127.0.0.1:${await freePort()}`;
      for (const method of ['POST', 'PATCH']) {
        const answer = await api(engine, method, path, { listen: moved });
        expect(answer).toMatchObject({ status: 200, body: { listen: moved, upstream: upstream.address } });
      }
      expect((await api(engine, 'DELETE', path)).status).toBe(204);
      expect((await api(engine, 'GET', path)).status).toBe(404);
    });

    test('binds port 0 to a port of its choice and tells which', async () => {
      const proxy = await client.createProxy(proxyBody('any', '127.0.0.1:0'));
      const port = Number(proxy.listen.split(':')[1]);
      expect(port).toBeGreaterThan(0);
      expect(await roundTrip(port, 'ping')).toBe('ping');
    });

    test.each([
      ['without an upstream', '/proxies', { name: 'x', listen: '127.0.0.1:0' }, 400],
      ['without a name', '/proxies', { upstream: '127.0.0.1:1' }, 400],
      ['with a body that is no JSON', '/proxies', '{', 400],
      ['to a proxy that is not there', '/proxies/none', { enabled: false }, 404],
      ['a toxic to a proxy that is not there', '/proxies/none/toxics', { type: 'latency' }, 404],
    ])('refuses a post %s', async (_what, path, body, status) => {
      expect((await api(engine, 'POST', path, body)).status).toBe(status);
    });

    test('refuses a second proxy of the same name and one on a port in use', async () => {
      const first = await client.createProxy(proxyBody('one', '127.0.0.1:0'));
      expect((await api(engine, 'POST', '/proxies', proxyBody('one', '127.0.0.1:0'))).status).toBe(409);
      expect((await api(engine, 'POST', '/proxies', proxyBody('two', first.listen))).status).toBe(500);
    });

    test('refuses browsers', async () => {
      const answer = await fetch(`${engine.api}/proxies`, { headers: { 'user-agent': 'Mozilla/5.0' } });
      expect(answer.status).toBe(403);
    });

    test('makes, lists, shows, changes and deletes a toxic, with its defaults', async () => {
      await client.createProxy(proxyBody('p', '127.0.0.1:0'));
      const made = await api(engine, 'POST', '/proxies/p/toxics', { type: 'latency', attributes: { latency: 5 } });
      const toxic = { name: 'latency_downstream', type: 'latency', stream: 'downstream', toxicity: 1 };
      expect(made).toMatchObject({ status: 200, body: { ...toxic, attributes: { latency: 5, jitter: 0 } } });
      const path = '/proxies/p/toxics/latency_downstream';
      for (const method of ['PATCH', 'POST']) {
        const patched = await api(engine, method, path, { attributes: { jitter: 2 } });
        expect(patched).toMatchObject({ status: 200, body: { attributes: { latency: 5, jitter: 2 } } });
      }
      expect((await api(engine, 'GET', '/proxies/p/toxics')).body).toMatchObject([toxic]);
      expect((await api(engine, 'GET', path)).body).toMatchObject(toxic);
      expect((await api(engine, 'DELETE', path)).status).toBe(204);
      expect((await api(engine, 'GET', path)).status).toBe(404);
      expect((await api(engine, 'DELETE', path)).status).toBe(404);
    });

    test.each([
      ['an unknown type', { type: 'gremlin' }, 400],
      ['an unknown stream', { type: 'latency', stream: 'sideways' }, 400],
      ['text for a number', { type: 'latency', attributes: { latency: 'much' } }, 400],
      ['a fraction', { type: 'latency', attributes: { latency: 1.5 } }, 400],
      ['a name that is taken on the other stream', { type: 'latency', name: 'taken', stream: 'upstream' }, 409],
    ])('refuses a toxic with %s', async (_what, toxic, status) => {
      await client.createProxy(proxyBody('p', '127.0.0.1:0'));
      await api(engine, 'POST', '/proxies/p/toxics', { type: 'latency', name: 'taken' });
      expect((await api(engine, 'POST', '/proxies/p/toxics', toxic)).status).toBe(status);
    });

    test('populates: makes what is new, keeps what is the same, moves what differs', async () => {
      const listen = `127.0.0.1:${await freePort()}`;
      const other = `127.0.0.1:${await freePort()}`;
      expect((await api(engine, 'POST', '/populate', [proxyBody('p', listen)])).status).toBe(201);
      await api(engine, 'POST', '/proxies/p/toxics', { type: 'latency', name: 'kept' });
      const again = await api(engine, 'POST', '/populate', [proxyBody('p', listen), proxyBody('q', other)]);
      expect(again).toMatchObject({ status: 201, body: { proxies: [{ name: 'p' }, { name: 'q' }] } });
      expect((await api(engine, 'GET', '/proxies/p/toxics')).body).toMatchObject([{ name: 'kept' }]);
      const moved = `127.0.0.1:${await freePort()}`;
      await api(engine, 'POST', '/populate', [proxyBody('p', moved)]);
      expect((await api(engine, 'GET', '/proxies/p')).body).toMatchObject({ listen: moved, toxics: [] });
    });

    test('populates for the client library, disabled ones too', async () => {
      const bodies = [
        { ...proxyBody('p', `127.0.0.1:${await freePort()}`), enabled: true },
        { ...proxyBody('q', `127.0.0.1:${await freePort()}`), enabled: false },
      ];
      expect(await client.populate(bodies)).toMatchObject({
        p: { name: 'p', enabled: true },
        q: { name: 'q', enabled: false },
      });
      expect(Object.keys(await client.getAll())).toEqual(['p', 'q']);
    });

    test.each([
      ['no array', { name: 'p' }, 400],
      ['no upstream', [{ name: 'p', listen: '127.0.0.1:0' }], 400],
    ])('refuses to populate: %s', async (_what, body, status) => {
      expect((await api(engine, 'POST', '/populate', body)).status).toBe(status);
      expect((await api(engine, 'GET', '/proxies')).body).toEqual({});
    });

    test('populating stops at a port in use, and tells what was done before', async () => {
      const taken = await client.createProxy(proxyBody('taken', '127.0.0.1:0'));
      const bodies = [proxyBody('p', `127.0.0.1:${await freePort()}`), proxyBody('q', taken.listen)];
      expect(await api(engine, 'POST', '/populate', bodies)).toMatchObject({
        status: 500,
        body: { status: 500, proxies: [{ name: 'p' }] },
      });
    });

    test('reset enables every proxy and removes every toxic', async () => {
      await client.createProxy(proxyBody('p', '127.0.0.1:0'));
      await api(engine, 'POST', '/proxies/p/toxics', { type: 'timeout' });
      await api(engine, 'POST', '/proxies/p', { enabled: false });
      expect((await api(engine, 'POST', '/reset')).status).toBe(204);
      expect((await api(engine, 'GET', '/proxies/p')).body).toMatchObject({ enabled: true, toxics: [] });
    });
  });

  describe('what toxics do', () => {
    const proxied = async (...toxics: object[]): Promise<number> => {
      const proxy = await client.createProxy(proxyBody('p', '127.0.0.1:0'));
      for (const toxic of toxics) expect((await api(engine, 'POST', '/proxies/p/toxics', toxic)).status).toBe(200);
      return Number(proxy.listen.split(':')[1]);
    };

    test('none: bytes pass unchanged both ways, also many of them', async () => {
      const port = await proxied();
      const text = 'seawall '.repeat(250_000);
      expect(await roundTrip(port, text)).toBe(text);
    });

    test('latency delays each stream it stands in, on connections old and new', async () => {
      const port = await proxied();
      const socket = await dial(port);
      expect(await timed(socket)).toBeLessThan(60);
      for (const stream of ['upstream', 'downstream']) {
        await api(engine, 'POST', '/proxies/p/toxics', { type: 'latency', stream, attributes: { latency: 120 } });
      }
      for (const one of [socket, await dial(port)]) {
        const ms = await timed(one);
        expect(ms).toBeGreaterThanOrEqual(238);
        expect(ms).toBeLessThan(400);
      }
      await api(engine, 'DELETE', '/proxies/p/toxics/latency_upstream');
      await api(engine, 'DELETE', '/proxies/p/toxics/latency_downstream');
      expect(await timed(socket)).toBeLessThan(60);
    });

    test('latency with jitter keeps the order of bytes', async () => {
      const port = await proxied({ type: 'latency', attributes: { latency: 30, jitter: 30 } });
      const socket = await dial(port);
      let text = '';
      const got = reads(socket, (all) => all.length >= 4 * 200);
      for (let index = 0; index < 200; index++) {
        const part = `${index}`.padStart(4, '0');
        text += part;
        socket.write(part);
        if (index % 20 === 0) await sleep(5);
      }
      expect(await got).toBe(text);
    });

    test('a latency taken off lets go at once of what it holds', async () => {
      const port = await proxied({ type: 'latency', attributes: { latency: 30_000 } });
      const socket = await dial(port);
      const got = reads(socket, (all) => all.length >= 5);
      socket.write('hello');
      await sleep(SETTLE_MS);
      await api(engine, 'DELETE', '/proxies/p/toxics/latency_downstream');
      expect(await got).toBe('hello');
    });

    test('bandwidth lets its rate pass: 20 KB at 50 KB/s take 0.4 s', async () => {
      const port = await proxied({ type: 'bandwidth', attributes: { rate: 50 } });
      const startedAtMs = performance.now();
      await roundTrip(port, 'x'.repeat(20_000));
      const ms = performance.now() - startedAtMs;
      expect(ms).toBeGreaterThanOrEqual(340);
      expect(ms).toBeLessThan(800);
    });

    test('timeout 0 holds a connection without a byte, and closes it when taken off', async () => {
      const port = await proxied({ type: 'timeout' });
      const socket = await dial(port);
      const seen = watch(socket);
      socket.write('hello');
      await sleep(300);
      expect(seen.events).toEqual([]);
      await api(engine, 'DELETE', '/proxies/p/toxics/timeout_downstream');
      await seen.over;
      expect(seen.events).not.toContain('data');
    });

    test('a timeout closes a silent connection after its time', async () => {
      const port = await proxied({ type: 'timeout', attributes: { timeout: 150 } });
      const startedAtMs = performance.now();
      const seen = watch(await dial(port));
      await seen.over;
      expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(145);
      expect(performance.now() - startedAtMs).toBeLessThan(600);
    });

    test('reset_peer resets a new connection that sends', async () => {
      const port = await proxied({ type: 'reset_peer', stream: 'upstream', attributes: { timeout: 100 } });
      const socket = await dial(port);
      const seen = watch(socket);
      socket.write('hello');
      await seen.over;
      expect(seen.events).toContain('ECONNRESET');
    });

    test.each([
      ['more than', 500, 300],
      ['exactly', 300, 300],
      ['any', 1, 0],
    ])('limit_data ends a connection that sends %s its limit', async (_what, sent, bytes) => {
      const port = await proxied({ type: 'limit_data', attributes: { bytes } });
      const socket = await dial(port);
      const got = reads(socket, () => false);
      socket.write('x'.repeat(sent));
      expect(await got).toHaveLength(Math.min(sent, bytes));
    });

    test('limit_data leaves a connection below its limit alone', async () => {
      const socket = await dial(await proxied({ type: 'limit_data', attributes: { bytes: 4 } }));
      for (let sent = 0; sent < 3; sent++) expect(await timed(socket)).toBeLessThan(1000);
    });

    test('slow_close delays the end, not what comes before it', async () => {
      const proxy = await client.createProxy({ ...proxyBody('p', '127.0.0.1:0'), upstream: upstream.closingAddress });
      await api(engine, 'POST', '/proxies/p/toxics', { type: 'slow_close', attributes: { delay: 200 } });
      const socket = await dial(Number(proxy.listen.split(':')[1]));
      const seen = watch(socket);
      const answered = new Promise((resolve) => socket.once('data', resolve));
      socket.write('hello');
      await answered;
      const answeredAtMs = performance.now();
      await seen.over;
      const ms = performance.now() - answeredAtMs;
      expect(ms).toBeGreaterThanOrEqual(190);
      expect(ms).toBeLessThan(400);
    });

    test('slicer sends small pieces with a delay between them', async () => {
      const port = await proxied({
        type: 'slicer',
        attributes: { average_size: 64, size_variation: 32, delay: 10_000 },
      });
      const socket = await dial(port);
      const pieces: number[] = [];
      const got = reads(socket, (all) => all.length >= 1024);
      socket.on('data', (bytes: Buffer) => pieces.push(bytes.length));
      const startedAtMs = performance.now();
      socket.write('x'.repeat(1024));
      await got;
      const ms = performance.now() - startedAtMs;
      expect(pieces.length).toBeGreaterThan(8);
      expect(ms).toBeGreaterThanOrEqual(9 * 10);
      expect(ms).toBeLessThan(800);
    });

    test('disabled: new connections are refused and live ones end; enabled again it listens on the same port', async () => {
      const port = await proxied();
      const seen = watch(await dial(port));
      await api(engine, 'POST', '/proxies/p', { enabled: false });
      await seen.over;
      await expect(dial(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
      await api(engine, 'POST', '/proxies/p', { enabled: true });
      expect(await roundTrip(port, 'again')).toBe('again');
    });

    test('an upstream that refuses: the client connects and reads the end', async () => {
      const body = { ...proxyBody('dead', '127.0.0.1:0'), upstream: `127.0.0.1:${await freePort()}` };
      const proxy = await client.createProxy(body);
      const seen = watch(await dial(Number(proxy.listen.split(':')[1])));
      await seen.over;
      expect(seen.events.filter((event) => event === 'data')).toEqual([]);
    });

    test('toxicity 0 leaves every connection alone, 1 takes every one', async () => {
      const port = await proxied({ type: 'timeout', toxicity: 0 });
      expect(await roundTrip(port, 'free')).toBe('free');
      await api(engine, 'PATCH', '/proxies/p/toxics/timeout_downstream', { toxicity: 1 });
      const socket = await dial(port);
      const seen = watch(socket);
      socket.write('held');
      await sleep(150);
      expect(seen.events).toEqual([]);
    });

    test('toxics of one stream leave the other alone: the request arrives, its answer is lost', async () => {
      const port = await proxied({ type: 'timeout', stream: 'downstream' });
      const arrived = upstream.next();
      const socket = await dial(port);
      socket.write('one way');
      expect(await arrived).toBe('one way');
    });
  });
});

/**
 * Where ours means to differ. Each look returns what was seen; both columns are asserted, so that a new Toxiproxy that
 * behaves like ours, or an ours that falls back, is noticed.
 */
interface Divergence {
  name: string;
  why: string;
  toxiproxy: unknown;
  ours: unknown;
  look: (engine: Engine) => Promise<unknown>;
}

const DIVERGENCES: Divergence[] = [
  {
    name: 'an unknown attribute',
    why: 'a misspelt attribute would be 0, and the fault no fault',
    toxiproxy: 200,
    ours: 400,
    look: async (engine) => {
      await makeProxy(engine);
      const toxic = { type: 'latency', attributes: { latencyMs: 100 } };
      return (await api(engine, 'POST', '/proxies/p/toxics', toxic)).status;
    },
  },
  {
    name: 'a negative rate, then one byte',
    why: 'Toxiproxy panics and every proxy of the program is gone',
    toxiproxy: ['accepted', 'the program died'],
    ours: ['refused', 'alive'],
    look: (engine) => afterOneByte(engine, { type: 'bandwidth', attributes: { rate: -1 } }),
  },
  {
    name: 'a proxy made with its toxics',
    why: 'a connection between the two steps would pass without them',
    toxiproxy: [],
    ours: ['first'],
    look: async (engine) => {
      const body = { ...proxyBody('p', '127.0.0.1:0'), toxics: [{ name: 'first', type: 'latency' }] };
      await api(engine, 'POST', '/proxies', body);
      return toxicNames(engine);
    },
  },
  {
    name: 'toxics in populate',
    why: 'a whole layout is one call',
    toxiproxy: [],
    ours: ['first'],
    look: async (engine) => {
      const body = { ...proxyBody('p', '127.0.0.1:0'), toxics: [{ name: 'first', type: 'latency' }] };
      await api(engine, 'POST', '/populate', [body]);
      return toxicNames(engine);
    },
  },
  {
    name: 'populate with enabled: false on a proxy that is there',
    why: 'what was asked is done',
    toxiproxy: true,
    ours: false,
    look: async (engine) => {
      const listen = `127.0.0.1:${await freePort()}`;
      await api(engine, 'POST', '/populate', [proxyBody('p', listen)]);
      await api(engine, 'POST', '/populate', [{ ...proxyBody('p', listen), enabled: false }]);
      return ((await api(engine, 'GET', '/proxies/p')).body as { enabled: boolean }).enabled;
    },
  },
  {
    name: 'populate again with port 0',
    why: 'the same layout said twice changes nothing',
    toxiproxy: [],
    ours: ['kept'],
    look: async (engine) => {
      await api(engine, 'POST', '/populate', [proxyBody('p', '127.0.0.1:0')]);
      await api(engine, 'POST', '/proxies/p/toxics', { name: 'kept', type: 'latency' });
      await api(engine, 'POST', '/populate', [proxyBody('p', '127.0.0.1:0')]);
      return toxicNames(engine);
    },
  },
  {
    name: 'a client that closes its sending half only',
    why: 'HTTP and others may go on to answer; a proxy must not change that',
    toxiproxy: 'no answer',
    ours: 'late answer',
    look: async (engine) => {
      const port = await makeProxy(engine, upstream.lateAddress);
      const socket = await dial(port);
      const got = reads(socket, () => false);
      socket.end('question');
      return (await got) === '' ? 'no answer' : 'late answer';
    },
  },
  {
    name: 'the upstream dies behind a black hole (timeout 0)',
    why: 'silence means silence: a client must not learn of a death from a line that is cut',
    toxiproxy: ['end'],
    ours: [],
    look: async (engine) => {
      const own = await startUpstream();
      const socket = await dial(await makeProxy(engine, own.address));
      expect(await timed(socket)).toBeLessThan(1000);
      const seen = watch(socket);
      for (const stream of ['upstream', 'downstream']) {
        await api(engine, 'POST', '/proxies/p/toxics', { type: 'timeout', stream });
      }
      own.close();
      await sleep(300);
      return seen.events.slice(0, 1);
    },
  },
  {
    name: 'a new connection through a black hole to a dead upstream',
    why: 'a dead data centre refuses nothing',
    toxiproxy: ['end'],
    ours: [],
    look: async (engine) => {
      const port = await makeProxy(engine, `127.0.0.1:${await freePort()}`);
      for (const stream of ['upstream', 'downstream']) {
        await api(engine, 'POST', '/proxies/p/toxics', { type: 'timeout', stream });
      }
      const seen = watch(await dial(port));
      await sleep(300);
      return seen.events.slice(0, 1);
    },
  },
  {
    name: 'reset_peer added to a connection that is there',
    why: 'a reset is a reset, not a polite end',
    toxiproxy: ['end'],
    ours: ['ECONNRESET'],
    look: async (engine) => {
      const socket = await dial(await makeProxy(engine));
      await timed(socket);
      const seen = watch(socket);
      await api(engine, 'POST', '/proxies/p/toxics', { type: 'reset_peer', stream: 'upstream' });
      socket.write('x');
      await seen.over;
      return seen.events.slice(0, 1);
    },
  },
  {
    name: 'reset_peer on an idle new connection',
    why: 'a pooled connection that is idle dies too',
    toxiproxy: [],
    ours: ['ECONNRESET'],
    look: async (engine) => {
      const port = await makeProxy(engine);
      await api(engine, 'POST', '/proxies/p/toxics', {
        type: 'reset_peer',
        stream: 'upstream',
        attributes: { timeout: 100 },
      });
      const seen = watch(await dial(port));
      await sleep(300);
      return seen.events.slice(0, 1);
    },
  },
  {
    name: 'a timeout of 200 ms under writes each 50 ms, after 700 ms',
    why: 'the time is that of the connection, not of its last byte',
    toxiproxy: 'open',
    ours: 'closed',
    look: async (engine) => {
      const port = await makeProxy(engine);
      await api(engine, 'POST', '/proxies/p/toxics', {
        type: 'timeout',
        stream: 'upstream',
        attributes: { timeout: 200 },
      });
      const socket = await dial(port);
      const seen = watch(socket);
      for (let written = 0; written < 14; written++) {
        if (seen.events.length > 0) return 'closed';
        socket.write('x');
        await sleep(50);
      }
      return seen.events.length === 0 ? 'open' : 'closed';
    },
  },
  {
    name: 'toxicity on one connection while another toxic comes and goes forty times',
    why: 'a draw is for the life of a connection',
    toxiproxy: 'drawn again',
    ours: 'drawn once',
    look: async (engine) => {
      const port = await makeProxy(engine);
      const half = { name: 'half', type: 'latency', toxicity: 0.5, attributes: { latency: 40 } };
      await api(engine, 'POST', '/proxies/p/toxics', half);
      const socket = await dial(port);
      const outcomes = new Set<boolean>();
      for (let round = 0; round < 40 && outcomes.size < 2; round++) {
        await api(engine, 'POST', '/proxies/p/toxics', { name: 'other', type: 'latency' });
        outcomes.add((await timed(socket)) >= 38);
        await api(engine, 'DELETE', '/proxies/p/toxics/other');
      }
      return outcomes.size === 2 ? 'drawn again' : 'drawn once';
    },
  },
  {
    name: 'changing the name of a toxic',
    why: 'what is not done is refused',
    toxiproxy: 200,
    ours: 400,
    look: async (engine) => {
      await makeProxy(engine);
      await api(engine, 'POST', '/proxies/p/toxics', { name: 'a', type: 'latency' });
      return (await api(engine, 'PATCH', '/proxies/p/toxics/a', { name: 'b' })).status;
    },
  },
  {
    name: 'a slicer without a size, then one byte',
    why: 'Toxiproxy cuts for ever, its stack overflows, and every proxy of the program is gone',
    toxiproxy: ['accepted', 'the program died'],
    ours: ['refused', 'alive'],
    look: (engine) => afterOneByte(engine, { type: 'slicer' }),
  },
  {
    name: 'a slicer that varies by more than its size, then many bytes',
    why: 'Toxiproxy panics and every proxy of the program is gone',
    toxiproxy: ['accepted', 'the program died'],
    ours: ['refused', 'alive'],
    look: (engine) =>
      afterOneByte(
        engine,
        { type: 'slicer', attributes: { average_size: 1, size_variation: 500 } },
        'x'.repeat(200_000),
      ),
  },
  {
    name: 'pieces of 1000 bytes sliced to 100 without variation',
    why: 'Toxiproxy halves until a piece is small enough: on average less than what was asked',
    toxiproxy: 16,
    ours: 10,
    look: async (engine) => {
      const port = await makeProxy(engine);
      const attributes = { average_size: 100, size_variation: 0, delay: 15_000 };
      await api(engine, 'POST', '/proxies/p/toxics', { type: 'slicer', attributes });
      const socket = await dial(port);
      let pieces = 0;
      const got = reads(socket, (all) => all.length >= 1000);
      socket.on('data', () => {
        pieces += 1;
      });
      socket.write('x'.repeat(1000));
      await got;
      return pieces;
    },
  },
];

describe.each(ENGINES)('where %s stands in the table of divergences', (name) => {
  test.each(DIVERGENCES)('$name', async ({ look, toxiproxy: theirs, ours }) => {
    await using engine = (await startEngine(name))!;
    expect(await look(engine)).toEqual(name === 'seawall' ? ours : theirs);
  });
});

describe('only ours', () => {
  test('the same seed draws the same connections', async () => {
    const draw = async (seed: number): Promise<string> => {
      await using engine = (await startEngine('seawall', ['--seed', String(seed)]))!;
      const port = await makeProxy(engine);
      await api(engine, 'POST', '/proxies/p/toxics', { type: 'reset_peer', toxicity: 0.5 });
      let drawn = '';
      for (let index = 0; index < 24; index++) {
        // Not `dial`: the reset may come before the connection has been told of.
        const socket = connect(port, '127.0.0.1');
        open.push(() => socket.destroy());
        const seen = watch(socket);
        const answered = new Promise((resolve) => socket.once('data', resolve));
        socket.write('x');
        await Promise.race([seen.over, answered]);
        drawn += seen.events.includes('ECONNRESET') ? '1' : '0';
      }
      return drawn;
    };
    const first = await draw(7);
    expect(first).toMatch(/01|10/);
    expect(await draw(7)).toBe(first);
    expect(await draw(8)).not.toBe(first);
  });

  test('a reader that stops reading stops the sender: nothing piles up in the proxy', async () => {
    await using engine = (await startEngine('seawall'))!;
    const sink = createServer((socket) => socket.pause());
    await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve));
    open.push(() => sink.close());
    const socket = await dial(await makeProxy(engine, addressOf(sink)));
    const chunk = Buffer.alloc(256 * 1024);
    let stalled = false;
    for (let sent = 0; sent < 400 && !stalled; sent++) {
      if (socket.write(chunk)) continue;
      const drained = new Promise<boolean>((resolve) => socket.once('drain', () => resolve(false)));
      stalled = await Promise.race([drained, sleep(1000).then(() => true)]);
    }
    expect(stalled).toBe(true);
  });
});

interface Upstream {
  address: string;
  /** Answers only when the client has ended its half, 50 ms later. */
  lateAddress: string;
  /** Answers the first bytes and ends the connection. */
  closingAddress: string;
  /** The first bytes of the next connection. */
  next(): Promise<string>;
  close(): void;
}

/** An echo that keeps count of nobody. */
async function startUpstream(): Promise<Upstream> {
  const sockets = new Set<Socket>();
  let arrival: ((text: string) => void) | undefined;
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  };
  const echo = createServer((socket) => {
    keep(socket);
    socket.once('data', (bytes: Buffer) => arrival?.(bytes.toString()));
    socket.pipe(socket);
  });
  const late = createServer({ allowHalfOpen: true }, (socket) => {
    keep(socket);
    socket.resume();
    socket.on('end', () => setTimeout(() => socket.end('answer'), 50));
  });
  const closing = createServer((socket) => {
    keep(socket);
    socket.once('data', () => socket.end('bye'));
  });
  const all = [echo, late, closing];
  for (const server of all) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: addressOf(echo),
    lateAddress: addressOf(late),
    closingAddress: addressOf(closing),
    next: () =>
      new Promise((resolve) => {
        arrival = resolve;
      }),
    close: () => {
      for (const server of all) server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function addressOf(server: Server): string {
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function proxyBody(name: string, listen: string): { name: string; listen: string; upstream: string } {
  return { name, listen, upstream: upstream.address };
}

async function makeProxy(engine: Engine, to = upstream.address): Promise<number> {
  const made = await api(engine, 'POST', '/proxies', { name: 'p', listen: '127.0.0.1:0', upstream: to });
  expect(made.status).toBe(201);
  return Number((made.body as { listen: string }).listen.split(':')[1]);
}

/** Whether the engine took a toxic, and whether it lives when something has passed. */
async function afterOneByte(engine: Engine, toxic: object, text = 'x'): Promise<string[]> {
  const port = await makeProxy(engine);
  const { status } = await api(engine, 'POST', '/proxies/p/toxics', toxic);
  const socket = await dial(port);
  const seen = watch(socket);
  socket.write(text);
  await Promise.race([seen.over, sleep(200)]);
  // A stack that grows until it overflows takes a second or two.
  const end = performance.now() + (status === 200 ? 6000 : 0);
  for (;;) {
    const alive = await api(engine, 'GET', '/version').then(
      () => 'alive',
      () => 'the program died',
    );
    if (alive !== 'alive' || performance.now() >= end) return [status === 200 ? 'accepted' : 'refused', alive];
    await sleep(50);
  }
}

async function toxicNames(engine: Engine): Promise<string[]> {
  return ((await api(engine, 'GET', '/proxies/p/toxics')).body as { name: string }[]).map(({ name }) => name);
}

async function api(
  engine: Engine,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: unknown }> {
  const text = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
  const answer = await fetch(engine.api + path, { method, ...text, signal: AbortSignal.timeout(5000) });
  const said = await answer.text();
  return { status: answer.status, body: said.startsWith('{') || said.startsWith('[') ? JSON.parse(said) : said };
}

async function removeAll(engine: Engine): Promise<void> {
  for (const name of Object.keys((await api(engine, 'GET', '/proxies')).body as object)) {
    await api(engine, 'DELETE', `/proxies/${encodeURIComponent(name)}`);
  }
}

function dial(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  open.push(() => socket.destroy());
  return new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** What happens on a socket from now on; `over` when it ended or failed. */
function watch(socket: Socket): { events: string[]; over: Promise<void> } {
  const events: string[] = [];
  const over = new Promise<void>((resolve) => {
    socket.on('data', () => events.push('data'));
    socket.on('end', () => {
      events.push('end');
      resolve();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      events.push(error.code ?? 'error');
      resolve();
    });
  });
  return { events, over };
}

/** Everything read until `enough` or the end. */
function reads(socket: Socket, enough: (all: string) => boolean): Promise<string> {
  return new Promise((resolve) => {
    let all = '';
    const read = (bytes: Buffer): void => {
      all += bytes.toString();
      if (enough(all)) done();
    };
    const done = (): void => {
      socket.off('data', read).off('end', done).off('error', done);
      resolve(all);
    };
    socket.on('data', read);
    socket.once('end', done);
    socket.once('error', done);
  });
}

async function roundTrip(port: number, text: string): Promise<string> {
  const socket = await dial(port);
  const got = reads(socket, (all) => all.length >= text.length);
  socket.write(text);
  const answer = await got;
  socket.destroy();
  return answer;
}

/** Round trip of one byte, in ms. */
async function timed(socket: Socket): Promise<number> {
  const got = reads(socket, (all) => all.length >= 1);
  const startedAtMs = performance.now();
  socket.write('x');
  await got;
  return performance.now() - startedAtMs;
}
