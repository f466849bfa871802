import { DEPTH_MAX } from './secret-context.ts';
import type { TextMasker } from './text-masker.ts';

/** What an object or a list hands down to what stands in it. */
interface Level {
  /** The class that the key of the whole said, such as that of `address` for its street. */
  kind: string | undefined;
  /** What the sibling `name` or `key` of a `value` said, as in a list of headers. */
  told: string | undefined;
}

const TELLS = new Set(['name', 'key', 'field', 'header', 'label', 'param', 'code']);
const TOLD = new Set(['value', 'val', 'content', 'text']);

/**
 * Masks JSON by key and by value and keeps every other byte: order, spaces, long numbers, doubled keys. Reads what is cut
 * or not quite JSON as far as it goes; nesting costs no stack.
 */
export function maskJson(text: string, masker: TextMasker, depth: number, kind?: string): string {
  return new JsonRewriter(text, masker, depth, kind).run();
}

class JsonRewriter {
  readonly #text: string;
  readonly #masker: TextMasker;
  readonly #depth: number;
  readonly #levels: Level[];
  #out = '';
  #copied = 0;
  #key: string | undefined;

  constructor(text: string, masker: TextMasker, depth: number, kind: string | undefined) {
    this.#levels = [{ kind, told: undefined }];
    this.#text = text;
    this.#masker = masker;
    this.#depth = depth;
  }

  run(): string {
    const text = this.#text;
    for (let at = 0; at < text.length; ) {
      const sign = text[at]!;
      if (sign === '"') at = this.#string(at);
      else if (sign === '{' || sign === '[') at = this.#open(at);
      else if (sign === '}' || sign === ']') at = this.#close(at);
      else if (sign === ',' || sign === ':' || sign <= ' ') {
        if (sign === ',') this.#key = undefined;
        at += 1;
      } else at = this.#bare(at);
    }
    return this.#copied === 0 ? text : this.#out + text.slice(this.#copied);
  }

  #open(at: number): number {
    this.#levels.push({ kind: this.#kind(), told: undefined });
    this.#key = undefined;
    return at + 1;
  }

  #close(at: number): number {
    if (this.#levels.length > 1) this.#levels.pop();
    this.#key = undefined;
    return at + 1;
  }

  /** What the nearest key says, or else the one above. */
  #kind(): string | undefined {
    const level = this.#levels.at(-1)!;
    if (this.#key === undefined) return level.kind;
    if (level.told !== undefined && TOLD.has(this.#key.toLowerCase())) return level.told;
    return this.#masker.rules.classOf(this.#key) ?? level.kind;
  }

  #string(at: number): number {
    const end = endOfString(this.#text, at + 1);
    const written = this.#text.slice(at + 1, end);
    const value = written.includes('\\') ? unescaped(written) : written;
    let next = end + 1;
    while (next < this.#text.length && this.#text[next]! <= ' ') next += 1;
    if (this.#text[next] === ':') {
      this.#key = value;
      // A key may be a telephone number itself.
      this.#put(at + 1, end, value, this.#masker.text(value, this.#depth));
      return next + 1;
    }
    this.#put(at + 1, end, value, this.#masked(value));
    return end + 1;
  }

  #masked(value: string): string {
    const level = this.#levels.at(-1)!;
    const told =
      this.#key !== undefined && TELLS.has(this.#key.toLowerCase()) ? this.#masker.rules.classOf(value) : undefined;
    if (told !== undefined) {
      level.told = told;
      return value;
    }
    const kind = this.#kind();
    const below = Math.min(this.#depth + 1, DEPTH_MAX);
    if (kind === undefined) return this.#masker.body(value, below);
    const structured = this.#depth < DEPTH_MAX && /^\s*[[{]/.test(value);
    return structured ? maskJson(value, this.#masker, below, kind) : this.#masker.byKey(kind, value, below);
  }

  /** A number or a word; in a text that is not quite JSON anything up to the next sign. */
  #bare(at: number): number {
    let end = at;
    while (end < this.#text.length && !',{}[]"\n'.includes(this.#text[end]!)) end += 1;
    const written = this.#text.slice(at, end).trimEnd();
    const isNumber = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(written);
    if (!isNumber) this.#put(at, at + written.length, written, this.#masker.text(written, this.#depth));
    else if (/^\d+$/.test(written)) this.#number(at, written);
    return Math.max(end, at + 1);
  }

  #number(at: number, written: string): void {
    const kind = this.#kind();
    const numeric = kind === undefined || kind === 'name' || kind === 'address' || kind === 'random';
    const by = numeric ? this.#masker.text(written, this.#depth) : this.#masker.byKey(kind, written, this.#depth);
    // A pseudonym that is no number needs quotes.
    this.#put(at, at + written.length, written, by === written || /^\d+$/.test(by) ? by : `"${by}"`, false);
  }

  #put(start: number, end: number, value: string, by: string, quoted = true): void {
    if (value === by) return;
    this.#out += this.#text.slice(this.#copied, start) + (quoted ? JSON.stringify(by).slice(1, -1) : by);
    this.#copied = end;
  }
}

/** Where the closing quote stands; the end where the text was cut. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start);
  while (end >= 0) {
    let slashes = 0;
    while (text[end - 1 - slashes] === '\\' && end - 1 - slashes >= start) slashes += 1;
    if (slashes % 2 === 0) return end;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
}

function unescaped(written: string): string {
  try {
    return JSON.parse(`"${written}"`) as string;
  } catch {
    // Cut within an escape, or no JSON string at all: what can be read of it is.
    return written.replace(/\\u([0-9a-fA-F]{4})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
}
