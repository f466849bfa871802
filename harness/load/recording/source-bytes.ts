import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { HarnessError, messageOf } from '../../core/errors.ts';

const PIECE_BYTES = 1024 * 1024;
const SNIFF_BYTES = 64 * 1024;
const MOST_UNPACKED_BYTES = 256 * 1024;

/** An input as bytes, already unpacked. */
export interface SourceBytes {
  /** For people: the path, or `stdin`. */
  name: string;
  /** The first bytes, at most 64 KB or so; they come again in `pieces`. */
  start: Buffer;
  /** Each is good until the next is asked for: the bytes may be used again. */
  pieces: AsyncIterable<Buffer>;
}

/** Opens an input (`-` is stdin), unpacking what begins as gzip does. Throws FILE_UNREADABLE, also while it is read. */
export async function openSource(path: string, pieceBytes = PIECE_BYTES): Promise<SourceBytes> {
  const name = path === '-' ? 'stdin' : path;
  const raw: AsyncIterable<Buffer> = path === '-' ? process.stdin : filePieces(path, pieceBytes);
  return sourceOf(name, raw, pieceBytes);
}

/** The same from any stream of bytes. */
export async function sourceOf(
  name: string,
  raw: AsyncIterable<Buffer>,
  pieceBytes = PIECE_BYTES,
): Promise<SourceBytes> {
  const outer = await peek(named(name, raw), 2);
  if (!isGzip(outer.start)) return { name, ...(await peek(outer.pieces, SNIFF_BYTES)) };
  const unpacked = unzip(outer.pieces, Math.min(pieceBytes, MOST_UNPACKED_BYTES));
  return { name, ...(await peek(named(name, unpacked), SNIFF_BYTES)) };
}

/** A file through two buffers, one filled while the other is used: new ones each time would keep the collector busy. */
async function* filePieces(path: string, pieceBytes: number): AsyncGenerator<Buffer, void, undefined> {
  const file = await open(path, 'r');
  let coming: ReturnType<typeof file.read<Buffer>> | undefined;
  try {
    let used = Buffer.allocUnsafe(pieceBytes);
    let free = Buffer.allocUnsafe(pieceBytes);
    coming = file.read(used, 0, pieceBytes, null);
    for (;;) {
      const { bytesRead } = await coming;
      if (bytesRead === 0) return;
      coming = file.read(free, 0, pieceBytes, null);
      // It is awaited in the next turn, or, when nobody wants more, below.
      coming.catch(() => undefined);
      yield used.subarray(0, bytesRead);
      [used, free] = [free, used];
    }
  } finally {
    await coming?.catch(() => undefined);
    await file.close();
  }
}

function isGzip(start: Buffer): boolean {
  return start.length >= 2 && start[0] === 0x1f && start[1] === 0x8b;
}

function unzip(pieces: AsyncIterable<Buffer>, chunkSize: number): Readable {
  const gunzip = createGunzip({ chunkSize });
  // A stream holds pieces while it fetches more: each is its own copy.
  const from = Readable.from(copies(pieces));
  from.on('error', (error) => gunzip.destroy(error));
  from.pipe(gunzip);
  return gunzip;
}

async function* named(name: string, pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* pieces;
  } catch (thrown) {
    if (thrown instanceof HarnessError) throw thrown;
    const hint = 'Check the path and its permissions; a .gz file that was cut off must be packed again.';
    throw new HarnessError('FILE_UNREADABLE', `${name}: ${messageOf(thrown)}`, hint, thrown);
  }
}

async function* copies(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  for await (const piece of pieces) yield Buffer.from(piece);
}

/** Reads until `length` bytes are there or the end came, and gives all pieces from the first on. */
async function peek(
  pieces: AsyncIterable<Buffer>,
  length: number,
): Promise<{ start: Buffer; pieces: AsyncGenerator<Buffer, void, undefined> }> {
  const iterator = pieces[Symbol.asyncIterator]();
  const seen: Buffer[] = [];
  let bytes = 0;
  while (bytes < length) {
    const { value, done } = await iterator.next();
    if (done === true) break;
    seen.push(Buffer.from(value));
    bytes += value.length;
  }
  const start = Buffer.concat(seen);
  return { start: start.subarray(0, Math.max(length, SNIFF_BYTES)), pieces: again(start, iterator) };
}

async function* again(start: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  try {
    if (start.length > 0) yield start;
    for (;;) {
      const { value, done } = await rest.next();
      if (done === true) return;
      yield value;
    }
  } finally {
    await rest.return?.();
  }
}
