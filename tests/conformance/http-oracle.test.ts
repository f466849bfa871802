import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SocketTransport } from '../../harness/load/socket-transport.ts';
import { literal } from '../../harness/load/template.ts';
import type { Answer, Sender, Transport } from '../../harness/load/transport.ts';
import { UndiciTransport } from '../../harness/load/undici-transport.ts';

/** What the server says on one connection: pieces with pauses, then it ends the connection or leaves it open. */
interface Script {
  pieces: Buffer[];
  pauseMs: number;
  stayOpen?: boolean;
}

const scripts = new Map<string, Script>();
const TRACE = new Uint32Array(6);
const LIMIT_MS = 1500;
let server: Server;
let origin: string;
let connections = 0;
const sockets = new Set<Socket>();

beforeAll(async () => {
  server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    let heard = '';
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1');
      const path = /^[A-Z]+ (\S+) HTTP\/1\.1\r\n[\s\S]*\r\n\r\n/.exec(heard)?.[1];
      if (path === undefined) return;
      heard = '';
      void play(socket, scripts.get(path)!);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

async function play(socket: Socket, { pieces, pauseMs, stayOpen }: Script): Promise<void> {
  for (const piece of pieces) {
    socket.write(piece);
    if (pauseMs > 0) await sleep(pauseMs);
  }
  if (stayOpen !== true) socket.end();
}

function senderOf(transport: Transport, path: string, method = 'GET', expectStatus = 200): Sender {
  const wants = { expect: [expectStatus], bodyMax: 1e6, otherBodyMax: 1e6, headers: true };
  return transport.compile({ method, path: literal(path), headers: [], body: undefined, wants });
}

function ask(sender: Sender): Promise<Answer | 'silent'> {
  return new Promise((resolve) => {
    const sent = sender.send([], TRACE, {
      answered: (answer) => {
        clearTimeout(timer);
        resolve(answer);
      },
    });
    const timer = setTimeout(() => {
      sent.cancel();
      resolve('silent');
    }, LIMIT_MS);
  });
}

/** What both must agree on. */
const essence = (answer: Answer | 'silent'): unknown =>
  answer === 'silent' || !answer.ok ? 'no answer' : [answer.status, answer.body];

let path = 0;

async function compare(script: Script): Promise<{ ours: Answer | 'silent'; theirs: Answer | 'silent' }> {
  const at = `/s${path++}`;
  scripts.set(at, script);
  const [ours, theirs] = await Promise.all(
    [new SocketTransport(origin), new UndiciTransport(origin, { http2: false, proxy: undefined, withinMs: 1000 })].map(
      async (transport) => {
        const answer = await ask(senderOf(transport, at));
        transport.close();
        return answer;
      },
    ),
  );
  scripts.delete(at);
  return { ours: ours!, theirs: theirs! };
}

const body = fc.string({ maxLength: 200 });
const legal = fc
  .record({
    status: fc.constantFrom(200, 201, 204, 301, 304, 404, 500, 503),
    fields: fc.array(fc.constantFrom('Server: x', 'X-A:b', 'X-Empty:', 'Vary: *', 'Set-Cookie: a=b; Path=/'), {
      maxLength: 4,
    }),
    body,
    framing: fc.constantFrom('length', 'chunked', 'close'),
    early: fc.boolean(),
  })
  .map(({ status, fields, body: text, framing, early }) => {
    const bytes = Buffer.from(text);
    const bodiless = status === 204 || status === 304;
    const head = [`HTTP/1.1 ${status} Word`, ...fields];
    if (framing === 'length' && !bodiless) head.push(`Content-Length: ${bytes.length}`);
    if (framing === 'chunked' && !bodiless) head.push('Transfer-Encoding: chunked');
    const chunk = bytes.length === 0 ? '' : `${bytes.length.toString(16)}\r\n${bytes.toString('latin1')}\r\n`;
    const payload = bodiless ? '' : framing === 'chunked' ? `${chunk}0\r\n\r\n` : bytes.toString('latin1');
    return Buffer.from(
      `${early ? 'HTTP/1.1 103 Early Hints\r\n\r\n' : ''}${head.join('\r\n')}\r\n\r\n${payload}`,
      'latin1',
    );
  });

function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...places]
    .map((from, index) => bytes.subarray(from, places[index] ?? bytes.length))
    .filter((piece) => piece.length > 0);
}

describe('our HTTP/1.1 and undici’s', () => {
  it('read the same from every legal response, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(legal, fc.array(fc.nat(600), { maxLength: 3 }), async (bytes, cuts) => {
        const { ours, theirs } = await compare({ pieces: cutAt(bytes, cuts), pauseMs: 1 });
        expect(ours).toMatchObject({ ok: true });
        expect(essence(ours)).toEqual(essence(theirs));
      }),
      { numRuns: 120 },
    );
  });

  it('agree on damaged ones: neither makes an answer of what the other refuses', async () => {
    const damaged = fc.tuple(
      legal,
      fc.array(fc.tuple(fc.nat(300), fc.constantFrom(0, 10, 13, 32, 48, 58, 255)), { minLength: 1, maxLength: 3 }),
    );
    await fc.assert(
      fc.asyncProperty(damaged, async ([good, changes]) => {
        const bytes = Buffer.from(good);
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        const { ours, theirs } = await compare({ pieces: [bytes], pauseMs: 0 });
        if (KNOWN.some(({ is }) => is(bytes.toString('latin1')))) return;
        expect(essence(ours), JSON.stringify(bytes.toString('latin1'))).toEqual(essence(theirs));
      }),
      { numRuns: 200 },
    );
  });

  /** Where they differ, and why ours does what it does. */
  const KNOWN = [
    {
      name: 'a control character in the reason phrase: RFC 9112 forbids it, ours refuses it',
      is: (text: string) => /^(HTTP[^\r\n]*\r\n\r\n)?HTTP[^\r\n]*(\0|\r(?!\n))/.test(text),
      bytes: 'HTTP/1.1 200 O\0K\r\nContent-Length: 1\r\n\r\nx',
      ours: 'no answer',
      theirs: [200, 'x'],
    },
    {
      name: '100 Continue though nothing waited for it: RFC 9110 §15.2 wants it read over, ours does',
      is: (text: string) => text.startsWith('HTTP/1.1 100'),
      bytes: 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx',
      ours: [200, 'x'],
      theirs: 'no answer',
    },
    {
      name: 'a 1xx of HTTP/1.0, which ends the connection for undici',
      is: (text: string) => text.startsWith('HTTP/1.0 1'),
      bytes: 'HTTP/1.0 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx',
      ours: [200, 'x'],
      theirs: 'no answer',
    },
  ];

  it.each(KNOWN)('differ about $name', async ({ bytes, ours, theirs }) => {
    const answers = await compare({ pieces: [Buffer.from(bytes, 'latin1')], pauseMs: 0 });
    expect(essence(answers.ours)).toEqual(ours);
    expect(essence(answers.theirs)).toEqual(theirs);
  });

  it.each([
    ['ends early', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc', 'reset'],
    ['ends within a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab', 'reset'],
    ['ends within its head', 'HTTP/1.1 200 OK\r\nContent-Le', 'reset'],
    ['is empty', '', 'reset'],
    ['is no HTTP', 'SSH-2.0-OpenSSH\r\n', 'body'],
    ['has two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', 'body'],
  ])('a response that %s is no answer to either', async (_name, bytes, why) => {
    const { ours, theirs } = await compare({ pieces: [Buffer.from(bytes)], pauseMs: 0 });
    expect(ours).toMatchObject({ ok: false, class: why });
    expect(theirs).toMatchObject({ ok: false });
  });
});

describe('a kept-alive connection', () => {
  const ok = (text: string, ...fields: string[]): Buffer =>
    Buffer.from([`HTTP/1.1 200 OK`, ...fields, `Content-Length: ${text.length}`, '', text].join('\r\n'));

  async function twice(script: Script): Promise<{ answers: (Answer | 'silent')[]; opened: number }> {
    const at = `/s${path++}`;
    scripts.set(at, { ...script, stayOpen: true });
    const transport = new SocketTransport(origin);
    const before = connections;
    const sender = senderOf(transport, at);
    const answers = [await ask(sender), await ask(sender)];
    const opened = connections - before;
    transport.close();
    return { answers, opened };
  }

  it('carries one request after the other', async () => {
    const { answers, opened } = await twice({ pieces: [ok('one')], pauseMs: 0 });
    expect(answers.map(essence)).toEqual([
      [200, 'one'],
      [200, 'one'],
    ]);
    expect(opened).toBe(1);
  });

  it.each([
    ['the server says that it closes', [ok('x', 'Connection: close')]],
    ['more bytes came than the answer had', [Buffer.concat([ok('x'), Buffer.from('HTTP/1.1 200 OK\r\n')])]],
    ['the server keeps it for no time at all', [ok('x', 'Keep-Alive: timeout=1')]],
  ])('is not used again when %s', async (_name, pieces) => {
    const { answers, opened } = await twice({ pieces, pauseMs: 0 });
    expect(answers.map(essence)).toEqual([
      [200, 'x'],
      [200, 'x'],
    ]);
    expect(opened).toBe(2);
  });

  it('on which something comes unasked is not used again', async () => {
    const at = `/s${path++}`;
    scripts.set(at, { pieces: [ok('x'), Buffer.from('surprise')], pauseMs: 20, stayOpen: true });
    const transport = new SocketTransport(origin);
    const before = connections;
    const sender = senderOf(transport, at);
    expect(essence(await ask(sender))).toEqual([200, 'x']);
    await sleep(60);
    expect(essence(await ask(sender))).toEqual([200, 'x']);
    expect(connections - before).toBe(2);
    transport.close();
  });

  it('is destroyed with a request that nobody waits for any more, and its late answer reaches nobody', async () => {
    const at = `/s${path++}`;
    scripts.set(at, { pieces: [ok('late')], pauseMs: 0, stayOpen: true });
    const transport = new SocketTransport(origin);
    let heard = 0;
    const sent = senderOf(transport, at).send([], TRACE, { answered: () => heard++ });
    sent.cancel();
    await sleep(50);
    expect(heard).toBe(0);
    transport.close();
  });

  it('is waited for by a burst: what has just been answered carries the next, and not each has its own', async () => {
    const at = `/s${path++}`;
    scripts.set(at, { pieces: [ok('x')], pauseMs: 0, stayOpen: true });
    const transport = new SocketTransport(origin);
    const sender = senderOf(transport, at);
    const before = connections;
    const answers = await Promise.all(Array.from({ length: 400 }, () => ask(sender)));
    expect(answers.every((answer) => answer !== 'silent' && answer.ok)).toBe(true);
    // Client and server share this process: by the time that an answer is there, some turns have opened theirs.
    expect(connections - before).toBeLessThan(380);
    transport.close();
  });

  it('answers HEAD, large bodies and pieces of one byte', async () => {
    const transport = new SocketTransport(origin);
    const [head, large, drops] = [`/s${path++}`, `/s${path++}`, `/s${path++}`];
    const text = 'x'.repeat(900_000);
    scripts.set(head, {
      pieces: [Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n')],
      pauseMs: 0,
      stayOpen: true,
    });
    scripts.set(large, { pieces: [ok(text)], pauseMs: 0, stayOpen: true });
    scripts.set(drops, { pieces: [...ok('drip')].map((byte) => Buffer.from([byte])), pauseMs: 1, stayOpen: true });
    expect(essence(await ask(senderOf(transport, head, 'HEAD')))).toEqual([200, '']);
    expect(essence(await ask(senderOf(transport, large)))).toEqual([200, text]);
    expect(essence(await ask(senderOf(transport, drops)))).toEqual([200, 'drip']);
    transport.close();
  });
});
