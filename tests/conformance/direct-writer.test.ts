import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { bindingOf, DirectWriter } from '../../harness/load/direct-writer.ts';

/** More than any socket's buffers hold. */
const LARGE_BYTES = 32 * 1024 * 1024;
const PAUSED_MS = 100;

const servers: Server[] = [];
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

/** A connected pair: the side that writes, and the side that reads nothing until it is resumed. */
async function pair(): Promise<{ writer: Socket; reader: Socket }> {
  const server = createServer({ pauseOnConnect: true });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const writer = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' });
  sockets.push(writer);
  await once(writer, 'connect');
  const [reader] = (await accepted) as [Socket];
  sockets.push(reader);
  return { writer, reader };
}

/** Everything that the reader gets until the writer's end. */
async function readAll(reader: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  reader.on('data', (chunk: Buffer) => chunks.push(chunk));
  reader.resume();
  await once(reader, 'end');
  return Buffer.concat(chunks);
}

const bytes = Buffer.from(Array.from({ length: 300 }, (_, index) => index % 256));
const latin = 'GET /caf\u00e9 HTTP/1.1\r\n\r\n';
const utf = '{"name":"\u676d\u5dde \u{1f6d2}"}';

describe('writing beneath the stream', () => {
  it('is there on this Node', async () => {
    const { writer } = await pair();
    expect(DirectWriter.over(writer)).toBeDefined();
  });

  it('puts the same bytes on the wire as the stream does', async () => {
    const [direct, stream] = [await pair(), await pair()];
    const by = DirectWriter.over(direct.writer)!;
    by.writeBytes(bytes);
    by.writeText(latin, 'latin1');
    by.writeText(utf, 'utf8');
    by.writeBytes(bytes);
    stream.writer.write(bytes);
    stream.writer.write(latin, 'latin1');
    stream.writer.write(utf, 'utf8');
    stream.writer.write(bytes);
    expect(by.pending).toBe(false);
    direct.writer.end();
    stream.writer.end();
    const [got, expected] = await Promise.all([readAll(direct.reader), readAll(stream.reader)]);
    expect(got.equals(expected)).toBe(true);
    expect(got.length).toBe(Buffer.concat([bytes, Buffer.from(latin, 'latin1'), Buffer.from(utf), bytes]).length);
  });

  it('goes on with what the kernel does not take at once, in order, and is pending until then', async () => {
    const { writer, reader } = await pair();
    const by = DirectWriter.over(writer)!;
    const large = Buffer.alloc(LARGE_BYTES, bytes);
    by.writeBytes(large);
    expect(by.pending).toBe(true);
    // The request before is still libuv's: this one needs another.
    by.writeText(latin, 'latin1');
    by.writeText(utf.repeat(50_000), 'utf8');
    const reading = readAll(reader);
    while (by.pending) await new Promise((resolve) => setTimeout(resolve, 10));
    by.writeBytes(bytes);
    expect(by.pending).toBe(false);
    writer.end();
    const expected = Buffer.concat([large, Buffer.from(latin, 'latin1'), Buffer.from(utf.repeat(50_000)), bytes]);
    expect((await reading).equals(expected)).toBe(true);
  });

  it('lets a socket be destroyed in the middle of a write', async () => {
    const { writer } = await pair();
    const by = DirectWriter.over(writer)!;
    by.writeBytes(Buffer.alloc(LARGE_BYTES));
    expect(by.pending).toBe(true);
    writer.destroy();
    await once(writer, 'close');
    expect(by.pending).toBe(false);
    // Its handle is gone: nothing is written, and nothing thrown.
    by.writeBytes(bytes);
    expect(by.pending).toBe(false);
  });

  it('destroys the socket with the error of a write that fails', async () => {
    const { writer, reader } = await pair();
    const by = DirectWriter.over(writer)!;
    const failed = new Promise<NodeJS.ErrnoException>((resolve) => writer.once('error', resolve));
    reader.resetAndDestroy();
    await new Promise((resolve) => setTimeout(resolve, PAUSED_MS));
    if (!writer.destroyed) by.writeBytes(bytes);
    expect(['EPIPE', 'ECONNRESET']).toContain((await failed).code);
    expect(writer.destroyed).toBe(true);
  });
});

describe('a Node that has no such thing', () => {
  it.each([
    ['no binding', {}],
    [
      'a closed door',
      {
        binding: () => {
          throw new Error('closed');
        },
      },
    ],
    ['another shape', { binding: () => ({ WriteWrap: class {} }) }],
  ])('gives none: %s', async (_name, from) => {
    expect(bindingOf(from)).toBeUndefined();
    const { writer } = await pair();
    // Null stands for none: undefined would be this Node's own.
    expect(DirectWriter.over(writer, bindingOf(from) ?? null)).toBeUndefined();
  });
});
