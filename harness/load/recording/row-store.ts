import { ByteWriter } from './byte-buffer.ts';
import type { Recorded } from './recorded.ts';
import { writeRow } from './recorded-row.ts';

const SLAB_BYTES = 1024 * 1024;
/** A row is called by its slab and its number in it, in one number. */
const MOST_ROWS = 65_536;

interface Slab {
  bytes: ByteWriter;
  /** Where each row ends. */
  ends: number[];
  /** Rows that were not yet taken. */
  live: number;
}

/**
 * Holds requests while they wait for their place, as the bytes they will be in the file: nothing of them stays on the
 * collector's hands. Slabs whose rows were all taken are used again.
 */
export class RowStore {
  readonly #slabs = new Map<number, Slab>();
  readonly #spare: Slab[] = [];
  #current = newSlab();
  #number = 0;
  /** Held now. */
  bytes = 0;

  constructor() {
    this.#slabs.set(0, this.#current);
  }

  add(request: Recorded): number {
    writeRow(this.open(), request);
    return this.close();
  }

  /** Where the next row's bytes go; `close` ends it. */
  open(): ByteWriter {
    return this.#roomy().bytes;
  }

  /** Ends the row that was opened. */
  close(): number {
    const slab = this.#current;
    const end = slab.bytes.length;
    const row = slab.ends.length;
    this.bytes += end - (row === 0 ? 0 : slab.ends[row - 1]!);
    slab.live++;
    slab.ends.push(end);
    return this.#number * MOST_ROWS + row;
  }

  /** Appends the row, behind its length, and forgets it. */
  take(row: number, out: ByteWriter): void {
    const number = Math.floor(row / MOST_ROWS);
    const slab = this.#slabs.get(number)!;
    const index = row % MOST_ROWS;
    const start = index === 0 ? 0 : slab.ends[index - 1]!;
    const end = slab.ends[index]!;
    out.varint(end - start);
    out.appendFrom(slab.bytes, start, end);
    this.bytes -= end - start;
    if (--slab.live > 0 || slab === this.#current) return;
    this.#slabs.delete(number);
    this.#recycle(slab);
  }

  #roomy(): Slab {
    const slab = this.#current;
    if (slab.bytes.length < SLAB_BYTES && slab.ends.length < MOST_ROWS) return slab;
    if (slab.live === 0) {
      this.#slabs.delete(this.#number);
      this.#recycle(slab);
    }
    this.#current = this.#spare.pop() ?? newSlab();
    this.#slabs.set(++this.#number, this.#current);
    return this.#current;
  }

  #recycle(slab: Slab): void {
    // One that had to grow for a large body is not worth keeping.
    if (slab.bytes.length > 2 * SLAB_BYTES) return;
    slab.bytes.clear();
    slab.ends.length = 0;
    this.#spare.push(slab);
  }
}

function newSlab(): Slab {
  return { bytes: new ByteWriter(SLAB_BYTES + 64 * 1024), ends: [], live: 0 };
}
