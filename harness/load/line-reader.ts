const NEWLINE = 0x0a;

/** Cuts a stream of bytes into lines, whatever the pieces that it comes in. */
export class LineReader {
  readonly #onLine: (line: string) => void;
  #rest: Buffer[] = [];

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  add(chunk: Buffer): void {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      this.#rest.push(chunk.subarray(from, at));
      this.end();
      from = at + 1;
    }
    if (from < chunk.length) this.#rest.push(chunk.subarray(from));
  }

  /** What came after the last newline is a line, too. */
  end(): void {
    const line = this.#rest.length === 1 ? this.#rest[0]!.toString() : Buffer.concat(this.#rest).toString();
    this.#rest = [];
    if (line !== '') this.#onLine(line);
  }
}
