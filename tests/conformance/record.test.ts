import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RecordProxy, startRecordProxy } from '../../harness/load/recording/record-proxy.ts';
import type { Recorded } from '../../harness/load/recording/recorded.ts';
import { openRecording } from '../../harness/load/recording/recording-reader.ts';
import { Scanner } from '../../harness/load/recording/scanner.ts';
import { cli, eventually, startCli } from '../support/cli.ts';

const BODY_MAX_BYTES = 64 * 1024;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'seawall-record-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Listener = (asked: IncomingMessage, response: ServerResponse) => unknown;

async function upstream(listener: Listener): Promise<{ server: Server; url: URL }> {
  const server = createServer((asked, response) => void listener(asked, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`) };
}

/** Runs a proxy before an upstream and gives what was recorded once both are gone. */
async function through(
  listener: Listener,
  send: (address: string, proxy: RecordProxy, server: Server) => Promise<void>,
): Promise<{ recorded: Recorded[]; proxy: RecordProxy }> {
  const recorded: Recorded[] = [];
  const failures: unknown[] = [];
  const { server, url } = await upstream(listener);
  const proxy = await startRecordProxy({
    upstream: url,
    listen: { host: '127.0.0.1', port: 0 },
    session: { by: 'ip+ua' },
    bodyMaxBytes: BODY_MAX_BYTES,
    record: (one) => recorded.push(one),
    failed: (error) => failures.push(error),
  });
  try {
    await send(`http://127.0.0.1:${proxy.port}`, proxy, server);
  } finally {
    await proxy.close(2000);
    server.close();
    server.closeAllConnections();
  }
  expect(failures).toEqual([]);
  return { recorded: recorded.toSorted((a, b) => a.atMs - b.atMs), proxy };
}

function pairs(flat: readonly string[]): [string, string][] {
  return Array.from({ length: flat.length / 2 }, (_, at) => [flat[at * 2]!, flat[at * 2 + 1]!]);
}

async function textOf(message: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of message) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString('utf8');
}

/** What comes back on a raw socket until the other side ends it. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(text);
  const pieces: Buffer[] = [];
  for await (const piece of socket) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString('latin1');
}

describe('the recording proxy', () => {
  it('passes requests and answers on as they are, and records both', async () => {
    const { recorded } = await through(
      async (asked, response) => {
        response.writeHead(201, 'Made', ['X-Two', 'a', 'X-Two', 'b', 'Content-Type', 'application/json']);
        const { host, 'x-forwarded-for': via, connection, te } = asked.headers;
        response.end(JSON.stringify({ url: asked.url, body: await textOf(asked), host, via, connection, te }));
      },
      async (address, _proxy, server) => {
        const answer = await request(`${address}/a/b?x=%20y`, {
          method: 'POST',
          body: 'hello',
          headers: { 'x-forwarded-for': '203.0.113.9', te: 'trailers' },
        });
        expect(answer.statusCode).toBe(201);
        expect(answer.headers['x-two']).toEqual(['a', 'b']);
        const { port } = server.address() as AddressInfo;
        expect(await answer.body.json()).toEqual({
          url: '/a/b?x=%20y',
          body: 'hello',
          host: `127.0.0.1:${port}`,
          via: '203.0.113.9, 127.0.0.1',
          connection: 'keep-alive',
        });
      },
    );
    expect(recorded).toHaveLength(1);
    expect(recorded[0]).toMatchObject({ method: 'POST', path: '/a/b?x=%20y', body: 'hello', status: 201 });
    expect(pairs(recorded[0]!.headers).map(([name]) => name)).not.toContain('te');
    expect(pairs(recorded[0]!.answerHeaders)).toEqual(
      expect.arrayContaining([
        ['x-two', 'a'],
        ['x-two', 'b'],
      ]),
    );
    expect(recorded[0]!.session).toMatch(/^203\.0\.113\.9 /);
    expect(recorded[0]!.tookMs).toBeGreaterThan(0);
  });

  it('knows answers without a body, packed ones, ones that are no text and ones longer than what is kept', async () => {
    const long = 'x'.repeat(BODY_MAX_BYTES + 1000);
    const { recorded, proxy } = await through(
      (asked, response) => {
        if (asked.url === '/none') response.writeHead(204).end();
        else if (asked.url === '/packed')
          response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{"a":1}'));
        else if (asked.url === '/bytes') response.end(Buffer.from([0, 255, 254, 1]));
        else response.end(asked.method === 'HEAD' ? undefined : long);
      },
      async (address) => {
        const got = new Map<string, Buffer>();
        for (const path of ['/none', '/packed', '/bytes', '/long']) {
          const answer = await request(address + path);
          got.set(path, Buffer.from(await answer.body.arrayBuffer()));
        }
        expect(got.get('/long')).toHaveLength(long.length);
        expect(got.get('/packed')).toEqual(gzipSync('{"a":1}'));
        await (await request(`${address}/long`, { method: 'HEAD' })).body.dump();
      },
    );
    const [none, packed, bytes, cut, head] = recorded;
    expect(none).toMatchObject({ status: 204, answerBody: undefined });
    expect(packed!.answerBody).toBe('{"a":1}');
    expect(pairs(packed!.answerHeaders).map(([name]) => name)).not.toContain('content-encoding');
    expect(bytes!.answerBody).toBeUndefined();
    expect(pairs(bytes!.answerHeaders)).toContainEqual(['x-seawall-cut', 'left out: 4 bytes that are no text']);
    expect(cut!.answerBody).toHaveLength(BODY_MAX_BYTES);
    expect(pairs(cut!.answerHeaders)).toContainEqual([
      'x-seawall-cut',
      `${BODY_MAX_BYTES} of ${long.length} bytes kept`,
    ]);
    expect(head).toMatchObject({ method: 'HEAD', status: 200, answerBody: undefined });
    expect(proxy.counts).toMatchObject({ recorded: 5, cut: 2 });
  });

  it('answers for an upstream that is not there, and records that', async () => {
    const { recorded, proxy } = await through(
      () => undefined,
      async (address, _proxy, server) => {
        server.close();
        const answer = await request(`${address}/x`);
        expect(answer.statusCode).toBe(502);
        expect(await answer.body.text()).toMatch(/upstream did not answer.*ECONNREFUSED/s);
      },
    );
    expect(recorded[0]).toMatchObject({ path: '/x', status: 502 });
    expect(pairs(recorded[0]!.answerHeaders)).toContainEqual(['x-seawall-record', 'upstream-failed']);
    expect(proxy.counts).toMatchObject({ upstreamFailed: 1, aborted: 0 });
  });

  it('breaks an answer off where the upstream did, and marks it', async () => {
    const { recorded, proxy } = await through(
      (_asked, response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('half', () => response.destroy());
      },
      async (address) => {
        const answer = await request(`${address}/half`);
        await expect(answer.body.text()).rejects.toThrow(/terminated|closed|aborted/);
      },
    );
    expect(recorded[0]).toMatchObject({ status: 200, answerBody: 'half' });
    expect(pairs(recorded[0]!.answerHeaders)).toContainEqual(['x-seawall-cut', 'upstream-failed after 4 bytes']);
    expect(proxy.counts.upstreamFailed).toBe(1);
  });

  it('stops the upstream’s work when the client goes away, and records that nobody was answered', async () => {
    let gone = 0;
    const { recorded, proxy } = await through(
      (_asked, response) => void response.on('close', () => gone++),
      async (address, { counts }) => {
        const asked = httpRequest(`${address}/slow`);
        asked.on('error', () => undefined);
        asked.end();
        await once(asked, 'socket');
        await eventually('the request is under way', () => asked.writableFinished);
        setTimeout(() => asked.destroy(), 50);
        await eventually('the upstream sees it', () => gone === 1);
        await eventually('it is recorded', () => counts.recorded === 1);
      },
    );
    expect(recorded[0]).toMatchObject({ path: '/slow', status: undefined, answerBody: undefined });
    expect(proxy.counts.aborted).toBe(1);
  });

  it('reads no faster than the client takes', async () => {
    let sent = 0;
    const piece = Buffer.alloc(64 * 1024, 'x');
    const total = 1024;
    const { recorded } = await through(
      (_asked, response) => {
        const push = (): void => {
          while (sent < total) {
            sent += 1;
            if (!response.write(piece)) return void response.once('drain', push);
          }
          response.end();
        };
        push();
      },
      async (address) => {
        const socket = connect(Number(new URL(address).port), '127.0.0.1');
        socket.write('GET /flood HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
        await once(socket, 'readable');
        const before = await settled(() => sent);
        // Buffers of the system and of three sockets, and far from all of it.
        expect(before).toBeLessThan(total / 2);
        let bytes = 0;
        for await (const chunk of socket) bytes += (chunk as Buffer).length;
        expect(bytes).toBeGreaterThan(total * piece.length);
      },
    );
    expect(sent).toBe(total);
    expect(recorded[0]!.answerBody).toHaveLength(BODY_MAX_BYTES);
  });

  it('refuses upgrades, CONNECT and what is no request', async () => {
    const { recorded, proxy } = await through(
      (_asked, response) => response.end('ok'),
      async (_address, { port }) => {
        expect(
          await raw(port, 'GET /ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'),
        ).toMatch(/^HTTP\/1.1 501 /);
        expect(await raw(port, 'CONNECT x:443 HTTP/1.1\r\nhost: x:443\r\n\r\n')).toMatch(/^HTTP\/1.1 501 /);
        expect(await raw(port, 'nonsense\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
        expect(await raw(port, 'OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')).toMatch(
          /^HTTP\/1.1 400 /,
        );
        expect(
          await raw(port, 'GET http://shop.test/abs?a=1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'),
        ).toMatch(/ok/);
      },
    );
    expect(recorded.map((one) => one.path)).toEqual(['/abs?a=1']);
    expect(proxy.counts.refused).toBe(4);
  });
});

/** A number once it has stood still for a while. */
async function settled(look: () => number): Promise<number> {
  for (let before = look(); ; before = look()) {
    await new Promise((resolved) => setTimeout(resolved, 200));
    if (look() === before) return before;
  }
}

describe('seawall record', () => {
  it('writes a thousand requests in order, masked, that scan finds nothing in', async () => {
    const { server, url } = await upstream(async (asked, response) => {
      const body = await textOf(asked);
      response.setHeader('set-cookie', `sid=${asked.headers.cookie ?? 'none'}-secret; Path=/`);
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ token: 'tok-abc', receiver: '李雷', echo: body }));
    });
    const out = join(folder, 'thousand.swr');
    const args = [
      'record',
      '--to',
      url.origin,
      '-o',
      out,
      '--session',
      'cookie:sid',
      '--mask-key',
      'a key of sixteen and more',
    ];
    const recording = startCli(args);
    const address = await eventually('it listens', () => /recording (http:\S+)/.exec(recording.stdout())?.[1]);
    const agent = new Agent({ connections: 1 });
    for (let number = 0; number < 1000; number++) {
      const answer = await request(`${address}/orders/${number}?phone=138001${String(number % 7).padStart(5, '0')}`, {
        dispatcher: agent,
        method: 'POST',
        headers: {
          cookie: `sid=user-${number % 7}`,
          authorization: 'Bearer abc.def',
          'content-type': 'application/json',
        },
        body: JSON.stringify({ name: '韩梅梅', card: '4111 1111 1111 1111', mail: `u${number % 7}@example.com` }),
      });
      expect(answer.statusCode).toBe(200);
      await answer.body.dump();
    }
    await agent.close();
    recording.child.kill('SIGINT');
    const result = await recording.done;
    server.close();
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout).toMatch(/1,000 requests in .*, 7 sessions/);
    expect(result.stdout).toMatch(/added to latency by this proxy’s own work: p50 .*ms, p99 .*ms/);

    await using written = await openRecording(out);
    const requests: Recorded[] = [];
    for await (const one of written.read()) requests.push(one);
    expect(requests.map((one) => Number(/orders\/(\d+)/.exec(one.path)![1]))).toEqual([...Array(1000).keys()]);
    expect(new Set(requests.map((one) => one.session)).size).toBe(7);
    expect(new Set(requests.map((one) => /phone=(\d+)/.exec(one.path)![1])).size).toBe(7);
    // Without the times: some moment of the day reads like any six digits.
    const text = JSON.stringify(requests.map(({ atMs: _at, tookMs: _took, ...said }) => said));
    const secrets = ['138001', '韩梅梅', '李雷', '4111 1111', 'example.com', 'abc.def', 'tok-abc', 'user-'];
    expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
    const scanner = new Scanner();
    expect(requests.flatMap((one) => scanner.recorded(one))).toEqual([]);
    expect(await cli(['scan', out])).toMatchObject({ code: 0 });
  });

  it('ends by itself after --for, says so when nothing came, and leaves no file', async () => {
    const { server, url } = await upstream((_asked, response) => response.end());
    const out = join(folder, 'nothing.swr');
    const result = await cli(['record', '--to', url.origin, '-o', out, '--for', '200ms']);
    server.close();
    expect(result.code).toBe(4);
    expect(result.stderr).toMatch(/RECORDING_EMPTY: no request came in/);
    expect(existsSync(out) || existsSync(`${out}.part`)).toBe(false);
  });

  it.each([
    [['--to', 'http://shop.example.com'], 'HOST_NOT_ALLOWED', '--allow-host shop.example.com'],
    [['--to', 'shop'], 'USAGE', 'no http address'],
    [['--to', 'http://127.0.0.1:1', '--listen', 'nowhere'], 'USAGE', '--listen nowhere'],
    [['--to', 'http://127.0.0.1:1', '--for', 'soon'], 'USAGE', '--for soon'],
    [['--to', 'http://127.0.0.1:1', '--body-max', 'much'], 'USAGE', '--body-max much'],
    [['--to', 'http://127.0.0.1:1', '--session', 'luck'], 'USAGE', '--session luck'],
  ])('refuses %s', async (args, code, words) => {
    const result = await cli(['record', '-o', join(folder, 'no.swr'), ...args]);
    expect(result.code).toBe(3);
    expect(result.stderr).toContain(code);
    expect(result.stderr).toContain(words);
  });
});
