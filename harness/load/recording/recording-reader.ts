import { type FileHandle, open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { crc32, type ZstdOptions, zstdDecompress } from 'node:zlib';
import type { Recorded } from './recorded.ts';
import { BlockDecoder } from './recording-block.ts';
import { guarded, readEnds, unreadable } from './recording-ends.ts';
import {
  BLOCK_HEAD_BYTES,
  type BlockEntry,
  broken,
  cutOff,
  decodeBlockHead,
  MOST_RAW_BYTES,
  type RecordingOrigin,
  type RecordingSummary,
} from './recording-format.ts';
import { decodeSessions, type StoredSessions, sessionHash } from './session-table.ts';

const decompress = promisify<Buffer, ZstdOptions, Buffer>(zstdDecompress);

export interface ReadOptions {
  /** From the first request at or after this time, epoch ms; undefined: from the start. */
  fromMs?: number;
  /** Only the sessions that fall to part `index` (from 0) of `of`; a session is never split. */
  stripe?: { index: number; of: number };
}

/** A recording that is open for reading. Reads may go on side by side; `close` it when done. */
export interface Recording extends AsyncDisposable {
  readonly path: string;
  readonly version: number;
  readonly origin: RecordingOrigin;
  /** Undefined only for one that was cut off and opened with `salvage`. */
  readonly summary: RecordingSummary | undefined;
  /** Only for one that was cut off: what was found to be lost. */
  readonly lost: { bytes: number } | undefined;
  readonly bytes: number;
  readonly blocks: readonly BlockEntry[];
  readonly sessions: StoredSessions | undefined;
  /** Requests in order of time; memory is bounded by two blocks, and no call works longer than one request's decoding. */
  read(options?: ReadOptions): AsyncGenerator<Recorded, void, undefined>;
  close(): Promise<void>;
}

/**
 * Opens a recording. One that is empty, cut off, damaged, of a newer version or no recording at all is refused with its
 * own code; with `salvage` the whole blocks of one that was cut off can be read.
 */
export async function openRecording(path: string, options: { salvage?: boolean } = {}): Promise<Recording> {
  const file = await open(path, 'r').catch((thrown: unknown) => {
    throw unreadable(path, thrown);
  });
  try {
    return await look(path, file, options.salvage === true);
  } catch (thrown) {
    await file.close();
    throw thrown;
  }
}

async function look(path: string, file: FileHandle, salvage: boolean): Promise<Recording> {
  const { version, origin, bytes, firstOffset, tail } = readEnds(path, file.fd);
  if (tail === undefined) {
    const { blocks, end } = await walk(file, firstOffset, bytes);
    if (!salvage) throw cutOff(path, `${requestsOf(blocks)} requests are whole, the last ${bytes - end} bytes are not`);
    const found = { blocks, summary: undefined, sessions: undefined, lost: { bytes: bytes - end } };
    return new OpenRecording(path, file, { version, origin, bytes, ...found });
  }
  const { summary, blocks, sessions } = tail;
  const table = guarded(path, () => decodeSessions(sessions));
  return new OpenRecording(path, file, {
    version,
    origin,
    bytes,
    summary,
    blocks,
    sessions: table,
    lost: undefined,
  });
}

/** The whole blocks of a file without an index, and where they end. */
async function walk(file: FileHandle, from: number, size: number): Promise<{ blocks: BlockEntry[]; end: number }> {
  const blocks: BlockEntry[] = [];
  let end = from;
  for (;;) {
    const block = decodeBlockHead(await bytesAt(file, end, Math.min(BLOCK_HEAD_BYTES, size - end)), end);
    if (block === undefined || end + BLOCK_HEAD_BYTES + block.storedBytes > size) return { blocks, end };
    blocks.push(block);
    end += BLOCK_HEAD_BYTES + block.storedBytes;
  }
}

type Found = Pick<Recording, 'version' | 'origin' | 'summary' | 'lost' | 'bytes' | 'blocks' | 'sessions'>;

class OpenRecording implements Recording {
  readonly path: string;
  readonly version: number;
  readonly origin: RecordingOrigin;
  readonly summary: RecordingSummary | undefined;
  readonly lost: { bytes: number } | undefined;
  readonly bytes: number;
  readonly blocks: readonly BlockEntry[];
  readonly sessions: StoredSessions | undefined;
  readonly #file: FileHandle;
  /** How many requests lie before each block. */
  readonly #before: number[] = [];

  constructor(path: string, file: FileHandle, found: Found) {
    this.path = path;
    this.#file = file;
    this.version = found.version;
    this.origin = found.origin;
    this.summary = found.summary;
    this.lost = found.lost;
    this.bytes = found.bytes;
    this.blocks = found.blocks;
    this.sessions = found.sessions;
    let before = 0;
    for (const block of this.blocks) {
      this.#before.push(before);
      before += block.count;
    }
  }

  async *read(options: ReadOptions = {}): AsyncGenerator<Recorded, void, undefined> {
    const fromMs = options.fromMs ?? Number.NEGATIVE_INFINITY;
    const first = firstBlockAt(this.blocks, fromMs * 1000);
    let coming = this.#load(first);
    for (let at = first; at < this.blocks.length; at++) {
      const decoder = await coming;
      // The next block is read and decompressed, on another thread, while this one is used.
      coming = this.#load(at + 1);
      if (decoder === undefined) return;
      const mine = stripeFilter(options.stripe, this.#before[at]!);
      let read = 0;
      for (; !decoder.done; read++) {
        const request = guarded(this.path, () => decoder.next(mine));
        if (request !== undefined && request.atMs >= fromMs) yield request;
      }
      const { offset, count } = this.blocks[at]!;
      if (read !== count) throw broken(this.path, `the block at byte ${offset} holds ${read} of ${count} requests`);
    }
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Never rejects before it is awaited: a reader that stops early leaves the last one unawaited. */
  #load(at: number): Promise<BlockDecoder | undefined> {
    const block = this.blocks[at];
    const loaded = block === undefined ? Promise.resolve(undefined) : this.#decode(block);
    loaded.catch(() => undefined);
    return loaded;
  }

  async #decode(block: BlockEntry): Promise<BlockDecoder> {
    const where = `the block at byte ${block.offset}`;
    const stored = await bytesAt(this.#file, block.offset + BLOCK_HEAD_BYTES, block.storedBytes);
    if (stored.length < block.storedBytes) throw broken(this.path, `${where} is not whole`);
    if (crc32(stored) !== block.crc) throw broken(this.path, `${where} does not match its checksum`);
    const raw = await decompress(stored, { maxOutputLength: MOST_RAW_BYTES }).catch((thrown: unknown) => {
      throw broken(this.path, `${where} cannot be decompressed`, thrown);
    });
    return new BlockDecoder(raw);
  }
}

/** The first block that has requests at or after a time. */
function firstBlockAt(blocks: readonly BlockEntry[], fromMicros: number): number {
  let low = 0;
  let high = blocks.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (blocks[middle]!.lastMicros < fromMicros) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Sessions by their hash; a request without one is a session of its own, by its number in the recording. */
function stripeFilter(stripe: ReadOptions['stripe'], before: number): (session: string | undefined) => boolean {
  if (stripe === undefined) return () => true;
  const { index, of } = stripe;
  let number = before - 1;
  return (session) => {
    number++;
    return (session === undefined ? number : sessionHash(session)) % of === index;
  };
}

function requestsOf(blocks: readonly BlockEntry[]): number {
  return blocks.reduce((sum, block) => sum + block.count, 0);
}

async function bytesAt(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}
