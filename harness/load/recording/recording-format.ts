import { constants, crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { HarnessError } from '../../core/errors.ts';
import { ByteReader, ByteWriter } from './byte-buffer.ts';

/**
 * A recording (`.swr`), all numbers little endian:
 *
 *   head     "SEAWALLR" u16 version, u32 length of the origin, the origin as JSON
 *   blocks   "BLK1" u32 stored bytes, u32 raw bytes, u32 records, f64 first µs, f64 last µs, u32 crc32, stored bytes
 *   tail     "TAIL" u32 stored bytes, u32 raw bytes, u32 crc32, stored bytes: the summary, the index, the sessions
 *   end      f64 offset of the tail, "SEAWALLE"
 *
 * Blocks are in order of time and never overlap. Stored bytes are compressed by zstd. A file without an end was cut
 * off: its blocks can be walked from the first on.
 */
export const RECORDING_VERSION = 1;

const MAGIC = Buffer.from('SEAWALLR');
const END_MAGIC = Buffer.from('SEAWALLE');
const BLOCK_MAGIC = 0x314b4c42;
const TAIL_MAGIC = 0x4c494154;

export const HEAD_BYTES = MAGIC.length + 6;
export const BLOCK_HEAD_BYTES = 36;
export const TAIL_HEAD_BYTES = 16;
export const END_BYTES = 8 + END_MAGIC.length;
/** No block and no tail is larger; a length above it is damage, and nothing is allocated for it. */
export const MOST_RAW_BYTES = 512 * 1024 * 1024;
const MOST_ORIGIN_BYTES = 1024 * 1024;

/** Where a recording comes from, known before its first request. */
export interface RecordingOrigin {
  /** `nginx`, `har`, … or `proxy`. */
  format: string;
  /** Names of the inputs, without their folders. */
  inputs: string[];
  /** How the session of a request was found. */
  session: string;
}

/** What was met on the way into a recording; counts of zero mean it did not happen. */
export interface ImportNotes {
  /** Units (lines, entries, payloads) that no request could be made of. */
  malformed: number;
  /** Further remarks, each a sentence. */
  remarks: string[];
  /** Requests that came with whole seconds only and were spread evenly over theirs. */
  spread: number;
  /** Bodies that were left out because they are not text or too large. */
  bodiesLeftOut: number;
}

export const NO_NOTES: ImportNotes = { malformed: 0, remarks: [], spread: 0, bodiesLeftOut: 0 };

/** Totals of a whole recording; times in epoch ms. */
export interface RecordingSummary extends ImportNotes {
  requests: number;
  firstMs: number;
  lastMs: number;
  /** Sessions seen; exact unless `sessionsEstimated`. */
  sessions: number;
  sessionsEstimated: boolean;
  withoutSession: number;
  methods: Record<string, number>;
  /** `2xx` and so on; `none`: the source tells no status. */
  statuses: Record<string, number>;
  bodies: number;
  bodyBytes: number;
  answerBodies: number;
  /** The busiest whole second: when it starts and how many requests it has. */
  peak: { atMs: number; requests: number };
  /** Requests that came after the reorder window had passed theirs, and by how much at most: they stand too late. */
  late: number;
  lateByMs: number;
  reorder: { windowMs: number; windowRequests: number };
}

export interface BlockEntry {
  offset: number;
  storedBytes: number;
  rawBytes: number;
  count: number;
  firstMicros: number;
  lastMicros: number;
  crc: number;
}

export function encodeHead(origin: RecordingOrigin): Buffer {
  const json = Buffer.from(JSON.stringify(origin));
  const head = Buffer.alloc(HEAD_BYTES);
  MAGIC.copy(head);
  head.writeUInt16LE(RECORDING_VERSION, MAGIC.length);
  head.writeUInt32LE(json.length, MAGIC.length + 2);
  return Buffer.concat([head, json]);
}

/** The length of the origin behind a head. Throws when the file is no recording, or one of a newer Seawall. */
export function decodeHead(head: Buffer, path: string): { version: number; originBytes: number } {
  if (head.length === 0) {
    const hint = 'Import it again: seawall import IN -o OUT.swr';
    throw new HarnessError('RECORDING_EMPTY', `${path} has no bytes`, hint);
  }
  if (!head.subarray(0, MAGIC.length).equals(MAGIC.subarray(0, head.length)) || head.length < 2) {
    const hint = 'Make one with `seawall import IN -o OUT.swr` or `seawall record`.';
    throw new HarnessError('RECORDING_FOREIGN', `${path} does not begin as a recording does`, hint);
  }
  if (head.length < HEAD_BYTES) throw cutOff(path, `it ends after ${head.length} bytes, within its head`);
  const version = head.readUInt16LE(MAGIC.length);
  if (version > RECORDING_VERSION || version === 0) {
    const hint = 'Use the Seawall that wrote it, or a newer one.';
    const known = `this Seawall reads up to version ${RECORDING_VERSION}`;
    throw new HarnessError('RECORDING_NEWER', `${path} has version ${version}; ${known}`, hint);
  }
  const originBytes = head.readUInt32LE(MAGIC.length + 2);
  if (originBytes > MOST_ORIGIN_BYTES) throw broken(path, `its head claims an origin of ${originBytes} bytes`);
  return { version, originBytes };
}

export function encodeBlockHead(block: Omit<BlockEntry, 'offset'>): Buffer {
  const head = Buffer.alloc(BLOCK_HEAD_BYTES);
  head.writeUInt32LE(BLOCK_MAGIC, 0);
  head.writeUInt32LE(block.storedBytes, 4);
  head.writeUInt32LE(block.rawBytes, 8);
  head.writeUInt32LE(block.count, 12);
  head.writeDoubleLE(block.firstMicros, 16);
  head.writeDoubleLE(block.lastMicros, 24);
  head.writeUInt32LE(block.crc, 32);
  return head;
}

/** Undefined: no block begins here. */
export function decodeBlockHead(head: Buffer, offset: number): BlockEntry | undefined {
  if (head.length < BLOCK_HEAD_BYTES || head.readUInt32LE(0) !== BLOCK_MAGIC) return undefined;
  return {
    offset,
    storedBytes: head.readUInt32LE(4),
    rawBytes: head.readUInt32LE(8),
    count: head.readUInt32LE(12),
    firstMicros: head.readDoubleLE(16),
    lastMicros: head.readDoubleLE(24),
    crc: head.readUInt32LE(32),
  };
}

/** The tail and the end, for a file whose blocks end at `offset`. */
export function encodeTail(
  offset: number,
  summary: RecordingSummary,
  blocks: readonly BlockEntry[],
  sessions: Buffer,
): Buffer {
  const raw = new ByteWriter();
  const json = Buffer.from(JSON.stringify(summary));
  raw.varint(json.length);
  raw.append(json);
  raw.varint(blocks.length);
  let before = 0;
  for (const block of blocks) {
    raw.varint(block.storedBytes);
    raw.varint(block.rawBytes);
    raw.varint(block.count);
    raw.varint(block.firstMicros - before);
    raw.varint(block.lastMicros - block.firstMicros);
    raw.varint(block.crc);
    before = block.firstMicros;
  }
  raw.append(sessions);
  const stored = zstdCompressSync(raw.bytes, { params: { [constants.ZSTD_c_compressionLevel]: 3 } });
  const head = Buffer.alloc(TAIL_HEAD_BYTES);
  head.writeUInt32LE(TAIL_MAGIC, 0);
  head.writeUInt32LE(stored.length, 4);
  head.writeUInt32LE(raw.length, 8);
  head.writeUInt32LE(crc32(stored), 12);
  const end = Buffer.alloc(END_BYTES);
  end.writeDoubleLE(offset, 0);
  END_MAGIC.copy(end, 8);
  return Buffer.concat([head, stored, end]);
}

/** Where the tail begins; undefined: these bytes are not the end of a recording. */
export function decodeEnd(end: Buffer): number | undefined {
  if (end.length !== END_BYTES || !end.subarray(8).equals(END_MAGIC)) return undefined;
  const offset = end.readDoubleLE(0);
  return Number.isSafeInteger(offset) ? offset : undefined;
}

/** From the bytes between the tail's offset and the end. Throws when they are damaged. */
export function decodeTail(
  bytes: Buffer,
  firstOffset: number,
  path: string,
): { summary: RecordingSummary; blocks: BlockEntry[]; sessions: Buffer } {
  const stored = bytes.subarray(TAIL_HEAD_BYTES);
  const sound =
    bytes.length > TAIL_HEAD_BYTES &&
    bytes.readUInt32LE(0) === TAIL_MAGIC &&
    bytes.readUInt32LE(4) === stored.length &&
    bytes.readUInt32LE(12) === crc32(stored);
  if (!sound) throw broken(path, 'its index does not match its checksum');
  const reader = new ByteReader(zstdDecompressSync(stored, { maxOutputLength: MOST_RAW_BYTES }));
  const summary = JSON.parse(reader.take(reader.varint()).toString()) as RecordingSummary;
  const blocks: BlockEntry[] = [];
  let offset = firstOffset;
  let before = 0;
  for (let left = reader.varint(); left > 0; left--) {
    const [storedBytes, rawBytes, count] = [reader.varint(), reader.varint(), reader.varint()];
    const firstMicros = before + reader.varint();
    const lastMicros = firstMicros + reader.varint();
    blocks.push({ offset, storedBytes, rawBytes, count, firstMicros, lastMicros, crc: reader.varint() });
    offset += BLOCK_HEAD_BYTES + storedBytes;
    before = firstMicros;
  }
  return { summary, blocks, sessions: reader.take(reader.left) };
}

export function cutOff(path: string, how: string): HarnessError {
  const hint = 'See what is left with `seawall inspect FILE`; `--salvage OUT.swr` makes a recording of that.';
  return new HarnessError('RECORDING_TRUNCATED', `${path} is cut off: ${how}`, hint);
}

export function broken(path: string, how: string, cause?: unknown): HarnessError {
  const hint = 'Copy it again from where it came from, or import it again.';
  return new HarnessError('RECORDING_BROKEN', `${path} is damaged: ${how}`, hint, cause);
}
