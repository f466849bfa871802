import { HarnessError } from '../../core/errors.ts';
import type { FormatField, LineFormat } from './line-format.ts';

const QUOTE = '"';
const ESCAPES: Record<LineFormat['escapes'], string> = { hex: '\\', json: '\\', hash: '#', none: '' };
/** Roles whose values are free text. */
const WORDS: ReadonlySet<string> = new Set(['header', 'answerHeader', 'cookie', 'body', 'request']);

/** Finds where the fields of a line start and end. Compiled once from a format; a scan allocates nothing. */
export class LineScanner {
  readonly fields: readonly FormatField[];
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** 1 where the field has escapes that must be undone. */
  readonly escaped: Uint8Array;
  readonly #lead: string;
  /** What follows each field; empty after the last: it reaches to the end of the line. */
  readonly #after: string[] = [];
  readonly #first: string[];
  /** How much of it is passed over: none where it is the slash that the next field begins with. */
  readonly #consumed: number[] = [];
  /** Addresses and hosts: with a space in one, the line is of a format that has more before it. */
  readonly #isWord: Uint8Array;
  readonly #escape: string;
  /** A backslash takes the character behind it along, and a quote within a quoted field is always escaped. */
  readonly #backslash: boolean;
  readonly #syslog: boolean;
  /** Whether a last field that no quotes end may have spaces: else what follows it is no part of the format. */
  readonly #lastHasWords: boolean;

  constructor(format: LineFormat) {
    const fields: FormatField[] = [];
    let lead = '';
    for (const part of format.parts) {
      if (typeof part !== 'string') {
        if (fields.length > this.#after.length) this.#follow(format, fields.at(-1)!, part);
        fields.push(part);
      } else if (fields.length === 0) lead = part;
      else this.#end(part, part.length);
    }
    if (fields.length > this.#after.length) this.#end('', 0);
    this.fields = fields;
    this.#lead = lead;
    this.#first = this.#after.map((after) => after.slice(0, 1));
    this.starts = new Int32Array(fields.length);
    this.ends = new Int32Array(fields.length);
    this.escaped = new Uint8Array(fields.length);
    this.#isWord = Uint8Array.from(fields, ({ role }) => (role.is === 'address' || role.is === 'host' ? 1 : 0));
    this.#escape = ESCAPES[format.escapes];
    this.#backslash = this.#escape === '\\';
    this.#syslog = format.syslog;
    this.#lastHasWords = WORDS.has(fields.at(-1)?.role.is ?? 'skip');
  }

  /** What a format became, for who finds the fields in another way. */
  get shape() {
    return {
      lead: this.#lead,
      after: this.#after,
      consumed: this.#consumed,
      isWord: this.#isWord,
      escape: this.#escape,
      backslash: this.#backslash,
      syslog: this.#syslog,
      lastHasWords: this.#lastHasWords,
    };
  }

  /** -1 when the line has the format's shape, else the field where it parts from it (their count: behind the last). */
  scan(line: string): number {
    let at = this.#syslog ? afterSyslog(line) : 0;
    if (!line.startsWith(this.#lead, at)) return 0;
    at += this.#lead.length;
    const plain = this.#escape === '' || line.indexOf(this.#escape) === -1;
    const last = this.fields.length - 1;
    for (let field = 0; field <= last; field++) {
      this.escaped[field] = 0;
      const stop =
        field === last
          ? this.#last(line, at, plain)
          : plain
            ? this.#plain(line, at, field)
            : this.#any(line, at, field);
      if (stop === -1 || (this.#isWord[field] === 1 && hasSpace(line, at, stop))) return field;
      this.starts[field] = at;
      this.ends[field] = stop;
      at = stop + this.#consumed[field]!;
    }
    return at === line.length ? -1 : last + 1;
  }

  /** Where a field ends: before the first place of what follows it. Of a line without escapes. */
  #plain(line: string, at: number, field: number): number {
    const after = this.#after[field]!;
    const first = this.#first[field]!;
    let stop = line.indexOf(first, at);
    if (after.length === 1) return stop;
    while (stop !== -1 && !line.startsWith(after, stop)) {
      if (first === QUOTE && this.#backslash) return -1;
      stop = line.indexOf(first, stop + 1);
    }
    return stop;
  }

  /** The same for a line with escapes. */
  #any(line: string, at: number, field: number): number {
    const after = this.#after[field]!;
    const strict = this.#first[field] === QUOTE && this.#backslash;
    for (let here = at; here < line.length; here++) {
      if (line[here] === this.#escape) {
        this.escaped[field] = 1;
        if (this.#backslash) here++;
      } else if (line.startsWith(after, here)) return here;
      else if (strict && line[here] === QUOTE) return -1;
    }
    return -1;
  }

  /** The last field ends where the line does, less what follows it. */
  #last(line: string, at: number, plain: boolean): number {
    const field = this.fields.length - 1;
    const after = this.#after[field]!;
    const stop = line.length - after.length;
    if (stop < at || !line.endsWith(after)) return -1;
    if (after === '') {
      if (!this.#lastHasWords && line.indexOf(' ', at) !== -1) return -1;
    } else if (this.#backslash && this.#first[field] === QUOTE) {
      return (plain ? line.indexOf(QUOTE, at) : this.#any(line, at, field)) === stop ? stop : -1;
    }
    if (!plain && line.indexOf(this.#escape, at) !== -1) this.escaped[field] = 1;
    return stop;
  }

  #end(after: string, consumed: number): void {
    this.#after.push(after);
    this.#consumed.push(consumed);
  }

  /** A path begins with a slash, which nothing before it has; else two fields side by side cannot be told apart. */
  #follow(format: LineFormat, field: FormatField, next: FormatField): void {
    if (next.role.is === 'path' || next.role.is === 'decodedPath') {
      this.#end('/', 0);
      return;
    }
    const message = `nothing stands between ${field.name} and ${next.name}: no line can be split there`;
    throw new HarnessError('USAGE', message, `Put a space or quotes between them in the ${format.from} format.`);
  }
}

function hasSpace(line: string, start: number, end: number): boolean {
  const space = line.indexOf(' ', start);
  return space !== -1 && space < end;
}

/** Where the client's address begins in a line of HAProxy's: the word before ` [dd/`. */
function afterSyslog(line: string): number {
  for (let at = line.indexOf(' ['); at !== -1; at = line.indexOf(' [', at + 1)) {
    if (line[at + 4] === '/') return line.lastIndexOf(' ', at - 1) + 1;
  }
  return 0;
}
