import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttp, request as requestOf } from 'node:http';
import { createSecureServer } from 'node:http2';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { nativeDriver } from '../../harness/load/native.ts';
import { shadowHeaders } from '../../harness/shadow/tag.ts';
import { badByClass, getStep, loadSpec, runLoad } from '../support/load-run.ts';
import { type Requirement, requireOrSkip } from '../support/requirements.ts';

const driver = nativeDriver({ tag: shadowHeaders });

interface Certificate {
  folder: string;
  cert: Buffer;
  key: Buffer;
}

/** A certificate for 127.0.0.1 and localhost that nobody has signed but itself. */
function selfSigned(): Requirement<Certificate> {
  const folder = mkdtempSync(join(tmpdir(), 'seawall-tls-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const name = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  try {
    execFileSync('openssl', ['req', '-x509', ...kind, '-keyout', key, '-out', cert, ...name], { stdio: 'ignore' });
  } catch {
    return { ok: false, reason: 'there is no openssl here to make a certificate with' };
  }
  return { ok: true, value: { folder, cert: readFileSync(cert), key: readFileSync(key) } };
}

let certificate: Requirement<Certificate>;
const servers: Server[] = [];
const sockets = new Set<Socket>();

beforeAll(() => {
  certificate = selfSigned();
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  delete process.env.NODE_EXTRA_CA_CERTS;
});

afterAll(() => {
  if (certificate.ok) rmSync(certificate.value.folder, { recursive: true, force: true });
});

/** Listens on a free port of loopback; gives it. */
async function listen(server: Server): Promise<number> {
  servers.push(server);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

describe('over TLS', () => {
  it('is good with a certificate that is trusted, on few connections', async (context) => {
    const { cert, key, folder } = requireOrSkip(context, certificate);
    let connections = 0;
    const server = createHttps({ cert, key }, (_request, response) => response.end('secure'));
    server.on('secureConnection', () => connections++);
    const port = await listen(server);
    process.env.NODE_EXTRA_CA_CERTS = join(folder, 'cert.pem');
    const { summary, windows } = await runLoad(driver, loadSpec(`https://localhost:${port}`));
    expect([summary.good, badByClass(windows)]).toEqual([50, {}]);
    expect(connections).toBeLessThan(20);
  });

  it('is bad by the certificate that nobody trusts', async (context) => {
    const { cert, key } = requireOrSkip(context, certificate);
    const port = await listen(createHttps({ cert, key }, (_request, response) => response.end('secure')));
    const { windows } = await runLoad(driver, loadSpec(`https://127.0.0.1:${port}`));
    expect(badByClass(windows)).toEqual({ tls: 50 });
  });

  it('is bad by the protocol where the other side does not speak it', async () => {
    const port = await listen(createHttp((_request, response) => response.end('plain')));
    const { windows } = await runLoad(driver, loadSpec(`https://127.0.0.1:${port}`));
    expect(badByClass(windows)).toEqual({ tls: 50 });
  });

  it('speaks HTTP/2 where the plan says so', async (context) => {
    const { cert, key, folder } = requireOrSkip(context, certificate);
    const versions = new Set<string>();
    const server = createSecureServer({ cert, key, allowHTTP1: false }, (request, response) => {
      versions.add(request.httpVersion);
      response.setHeader('x-id', '7');
      response.end(JSON.stringify({ trace: request.headers.traceparent !== undefined }));
    });
    const port = await listen(server as unknown as Server);
    process.env.NODE_EXTRA_CA_CERTS = join(folder, 'cert.pem');
    const look = getStep('/look', {
      take: { id: { header: 'x-id' } },
      checks: [{ of: { json: '/trace' }, equals: 'true' }],
    });
    const journeys = { browse: [look, getStep('/see/{id}')] };
    const spec = loadSpec(`https://localhost:${port}`, { http: { version: 2, proxy: undefined }, journeys });
    const { summary, windows } = await runLoad(driver, spec);
    expect([summary.good, badByClass(windows)]).toEqual([50, {}]);
    expect([...versions]).toEqual(['2.0']);
  });
});

it('goes through a proxy where the plan names one', async () => {
  const port = await listen(createHttp((_request, response) => response.end('behind')));
  let forwarded = 0;
  const proxy = createHttp((request, response) => {
    forwarded++;
    // A plain request comes in absolute form (RFC 9112 §3.2.2).
    const { pathname } = new URL(request.url!);
    const onward = requestOf({ host: '127.0.0.1', port, path: pathname, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    onward.end();
  });
  const proxyPort = await listen(proxy);
  const http = { version: 1 as const, proxy: `http://127.0.0.1:${proxyPort}` };
  const { summary, windows } = await runLoad(driver, loadSpec(`http://127.0.0.1:${port}`, { http }));
  expect([summary.good, badByClass(windows)]).toEqual([50, {}]);
  expect(forwarded).toBe(50);
});

describe('a target that is not well', () => {
  it('whose name nobody knows is bad by DNS', async () => {
    const { windows } = await runLoad(driver, loadSpec('http://nobody.invalid:80', { ms: 400 }));
    expect(badByClass(windows)).toEqual({ dns: 20 });
  });

  it('that takes connections and says nothing is bad by timeout, without one connection too many', async () => {
    let opened = 0;
    const port = await listen(createTcp(() => opened++));
    const good = { withinMs: 300, journeyWithinMs: undefined, shed: 'bad' as const };
    const { windows, summary } = await runLoad(driver, loadSpec(`http://127.0.0.1:${port}`, { good }));
    expect(badByClass(windows)).toEqual({ timeout: 50 });
    expect([summary.sent, opened]).toEqual([50, 50]);
  });

  it('that resets every connection is bad by it', async () => {
    const port = await listen(createTcp((socket) => socket.on('data', () => socket.resetAndDestroy())));
    const { windows } = await runLoad(driver, loadSpec(`http://127.0.0.1:${port}`));
    expect(badByClass(windows)).toEqual({ reset: 50 });
  });

  it('that is beyond the generator’s means makes no start vanish: what was not sent in time is counted', async () => {
    const port = await listen(createHttp((_request, response) => response.end('x')));
    const good = { withinMs: 200, journeyWithinMs: undefined, shed: 'bad' as const };
    const spec = loadSpec(`http://127.0.0.1:${port}`, { rate: 400_000, ms: 700, good, inFlightMax: 200 });
    const { summary, windows } = await runLoad(driver, spec);
    const rows = windows.filter((row) => row.step === undefined);
    const sum = (pick: (row: (typeof rows)[number]) => number): number =>
      rows.reduce((total, row) => total + pick(row), 0);
    expect(summary.scheduled).toBe(280_000);
    expect(
      sum((row) => row.good + row.droppedLate + Object.values(row.bad).reduce((all, count) => all + count, 0)),
    ).toBe(280_000);
    expect(sum((row) => row.sent)).toBeLessThan(280_000);
  });
});

it('sends from several threads what one would send, each start once', async () => {
  const seen: string[] = [];
  const port = await listen(
    createHttp((request, response) => {
      seen.push(request.url!);
      response.end('x');
    }),
  );
  const journeys = { browse: [getStep('/n/{n}/{user}')] };
  const one = await runLoad(driver, loadSpec(`http://127.0.0.1:${port}`, { journeys, rate: 200 }));
  const alone = seen.splice(0).sort();
  const three = await runLoad(driver, loadSpec(`http://127.0.0.1:${port}`, { journeys, rate: 200, threads: 3 }));
  expect(seen.sort()).toEqual(alone);
  expect([three.summary.good, one.summary.good]).toEqual([200, 200]);
});

it('has as many users as asked, none of them with two requests open', async () => {
  let open = 0;
  let most = 0;
  const port = await listen(
    createHttp((_request, response) => {
      most = Math.max(most, ++open);
      setTimeout(() => {
        open--;
        response.end('x');
      }, 20);
    }),
  );
  const spec = loadSpec(`http://127.0.0.1:${port}`, { executor: 'constant-vus', rate: 16 });
  const { summary, windows } = await runLoad(driver, spec);
  expect(most).toBe(16);
  expect(badByClass(windows)).toEqual({});
  // 16 users for 1 s of at least 20 ms each.
  expect(summary.good).toBeGreaterThan(200);
  expect(summary.good).toBeLessThanOrEqual(16 * 50);
});
