import { AccessLogParser } from './access-log.ts';
import type { Piece } from './byte-cache.ts';
import type { LineFormat } from './line-format.ts';
import type { LineRows } from './line-rows.ts';
import { LineSplitter, LONGEST_LINE_BYTES } from './line-splitter.ts';
import type { SessionRule } from './session-rule.ts';
import type { SourceSink } from './source-reader.ts';

/**
 * Makes requests of an access log. Empty lines and nginx's and Apache's comments are nothing; all else counts. Lines that
 * `rows` takes become rows at once.
 */
export class LogReader {
  readonly #sink: SourceSink;
  readonly #parser: AccessLogParser;
  readonly #lines: LineSplitter;
  readonly #rows: LineRows | undefined;
  #number = 0;

  constructor(sink: SourceSink, format: LineFormat, rule: SessionRule, rows?: LineRows) {
    this.#sink = sink;
    this.#rows = rows;
    this.#parser = new AccessLogParser(format, rule);
    this.#lines = new LineSplitter({
      take: (piece, from) => this.#take(piece, from),
      line: (text, ascii) => this.#line(text, ascii),
      tooLong: () => {
        this.#number++;
        sink.malformed(this.#number, `a line of more than ${LONGEST_LINE_BYTES / 1024} KB`, Buffer.alloc(0));
      },
    });
  }

  push(piece: Buffer): void {
    this.#lines.push(piece);
  }

  end(): void {
    this.#lines.end();
  }

  #take(piece: Piece, from: number): number {
    if (this.#rows === undefined) return -1;
    const next = this.#rows.line(piece, from, piece.bytes.length);
    if (next !== -1) this.#number++;
    return next;
  }

  #line(text: string, ascii: boolean): void {
    this.#number++;
    if (text === '' || text.startsWith('#')) return;
    const request = this.#parser.parse(text, ascii);
    if (typeof request === 'string') {
      this.#sink.malformed(this.#number, request, Buffer.from(text.slice(0, 1024), 'latin1'));
    } else {
      this.#sink.request(request, this.#parser.wholeSecond, this.#parser.endStamped);
    }
  }
}
