import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { HarnessError, messageOf } from '../../core/errors.ts';
import type { ByteWriter } from './byte-buffer.ts';
import type { Recorded } from './recorded.ts';
import { toMicros } from './recorded-row.ts';
import { BlockEncoder } from './recording-block.ts';
import {
  BLOCK_HEAD_BYTES,
  type BlockEntry,
  encodeBlockHead,
  encodeHead,
  encodeTail,
  type ImportNotes,
  type RecordingOrigin,
  type RecordingSummary,
} from './recording-format.ts';
import { RequestTotals, TimeTotals } from './recording-totals.ts';
import { RowStore } from './row-store.ts';
import { encodeSessions, SessionTable } from './session-table.ts';
import { REORDER_WINDOW_MS, REORDER_WINDOW_REQUESTS, TimeOrder } from './time-order.ts';

const BLOCK_REQUESTS = 4096;
const BLOCK_RAW_BYTES = 2 * 1024 * 1024;
/** More bytes than this are not held for the sake of order. */
const MOST_HELD_BYTES = 64 * 1024 * 1024;

/**
 * Writes a recording, streaming: memory is bounded by the reorder window and one block. Requests come MASKED, nearly in
 * order of time (see time-order.ts). Until `close` returns, the file is one that was cut off.
 */
export class RecordingWriter {
  readonly #path: string;
  readonly #fd: number;
  readonly #rows = new RowStore();
  readonly #order = new TimeOrder((atMs, row) => this.#write(atMs, row));
  readonly #block = new BlockEncoder();
  readonly #blocks: BlockEntry[] = [];
  readonly #sessions = new SessionTable();
  readonly #totals = new RequestTotals();
  readonly #times = new TimeTotals();
  #offset = 0;
  #blockFirstMs = 0;
  #lastMs = 0;
  #closed = false;

  constructor(path: string, origin: RecordingOrigin) {
    this.#path = path;
    this.#fd = guarded(path, () => openSync(path, 'w'));
    this.#append(encodeHead(origin));
  }

  add(request: Recorded): void {
    this.place(request.atMs, this.keep(request));
  }

  /** Keeps a request whose time is yet to be found, as a row to `place`. */
  keep(request: Recorded): number {
    this.#sessions.add(request.session, request.atMs);
    this.#totals.add(request);
    return this.#rows.add(request);
  }

  /** Where a row's bytes go whose writer knows what `writeRow` makes of it; `keepOpened` ends it. */
  open(): ByteWriter {
    return this.#rows.open();
  }

  /**
   * What `keep` is for the row that was opened: a request without bodies, MASKED as all are. The session is what
   * `sessionKey` makes of it.
   */
  keepOpened(session: number | undefined, atMs: number, method: string, status: number | undefined): number {
    if (session === undefined) this.#sessions.without++;
    else this.#sessions.addKey(session, atMs);
    this.#totals.addBare(method, status);
    return this.#rows.close();
  }

  /** Gives a kept row its time. */
  place(atMs: number, row: number): void {
    this.#order.add(atMs, row);
    while (this.#rows.bytes > MOST_HELD_BYTES && this.#order.held > 0) this.#order.giveOldest();
  }

  /** Writes what can no longer be preceded, given that no source will bring requests from before `fromMs` in order. */
  settle(fromMs?: number): void {
    this.#order.settle(fromMs);
  }

  /** Puts everything held so far into the file, as a recorder does now and then: a crash loses only what came since. */
  flush(): void {
    this.#order.finish();
    this.#endBlock();
  }

  /** Ends the file: index, sessions, summary; on the disk when it returns. */
  close(notes: ImportNotes): RecordingSummary {
    this.flush();
    const { late, lateByMs } = this.#order;
    const summary: RecordingSummary = {
      ...this.#totals.summary(),
      ...this.#times.summary(),
      ...notes,
      sessions: this.#sessions.sessions,
      sessionsEstimated: this.#sessions.oneOf > 1,
      withoutSession: this.#sessions.without,
      late,
      lateByMs,
      reorder: { windowMs: REORDER_WINDOW_MS, windowRequests: REORDER_WINDOW_REQUESTS },
    };
    this.#append(encodeTail(this.#offset, summary, this.#blocks, encodeSessions(this.#sessions)));
    guarded(this.#path, () => fsyncSync(this.#fd));
    this.abandon();
    return summary;
  }

  /** Closes the file as it is; cut off, before `close` has ended it. */
  abandon(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#fd);
  }

  #write(atMs: number, row: number): void {
    if (this.#block.count === 0) this.#blockFirstMs = atMs;
    this.#lastMs = atMs;
    this.#block.add(atMs, this.#rows, row);
    this.#times.add(atMs);
    if (this.#block.count >= BLOCK_REQUESTS || this.#block.rawBytes >= BLOCK_RAW_BYTES) this.#endBlock();
  }

  #endBlock(): void {
    const count = this.#block.count;
    if (count === 0) return;
    const { stored, rawLength } = this.#block.take();
    const block = {
      offset: this.#offset,
      storedBytes: stored.length,
      rawBytes: rawLength,
      count,
      firstMicros: toMicros(this.#blockFirstMs),
      lastMicros: toMicros(this.#lastMs),
      crc: crc32(stored),
    };
    this.#append(encodeBlockHead(block));
    this.#append(stored);
    this.#blocks.push(block);
    if (this.#offset !== block.offset + BLOCK_HEAD_BYTES + stored.length) throw new Error('a block lies elsewhere');
  }

  #append(bytes: Uint8Array): void {
    guarded(this.#path, () => {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.#fd, bytes, done);
    });
    this.#offset += bytes.length;
  }
}

function guarded<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code;
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      const hint = 'Free some space or write the recording elsewhere with -o.';
      throw new HarnessError('DISK_FULL', `${path} cannot grow: ${code}`, hint, thrown);
    }
    const hint = 'Check that the folder exists and may be written to.';
    throw new HarnessError('FILE_UNREADABLE', `${path} cannot be written: ${messageOf(thrown)}`, hint, thrown);
  }
}
