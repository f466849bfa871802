import { HarnessError } from '../../core/errors.ts';
import { headerOf } from '../flat-headers.ts';
import { HarEntries, MOST_ENTRY_BYTES } from './har-entries.ts';
import { MOST_ANSWER_BODY_BYTES, MOST_BODY_BYTES, textOf } from './http-message.ts';
import type { Recorded } from './recorded.ts';
import { withTarget } from './request-line.ts';
import { type SessionRule, sessionByHeaders } from './session-rule.ts';
import type { SourceSink } from './source-reader.ts';

/** The parts of a HAR 1.2 entry that matter here; whatever writes HARs leaves some out. */
interface HarEntry {
  startedDateTime?: unknown;
  time?: unknown;
  request?: {
    method?: unknown;
    url?: unknown;
    headers?: unknown;
    postData?: { text?: unknown; params?: unknown; encoding?: unknown; mimeType?: unknown };
  };
  response?: {
    status?: unknown;
    headers?: unknown;
    content?: { text?: unknown; encoding?: unknown };
  };
}

/** Makes requests of a HAR 1.2 file. Its requests are one session, but for those with the cookie or header of a rule. */
export class HarReader {
  readonly #sink: SourceSink;
  readonly #rule: SessionRule;
  readonly #name: string;
  readonly #session: string;
  readonly #entries: HarEntries;
  #number = 0;

  constructor(sink: SourceSink, rule: SessionRule, name: string, fileNumber: number) {
    this.#sink = sink;
    this.#rule = rule;
    this.#name = name;
    this.#session = `har ${fileNumber}`;
    this.#entries = new HarEntries({
      entry: (json) => this.#entry(json),
      tooLarge: (start) => {
        this.#number++;
        sink.malformed(this.#number, `an entry of more than ${MOST_ENTRY_BYTES / 1024 / 1024} MB`, start);
      },
    });
  }

  push(piece: Buffer): void {
    this.#entries.push(piece);
  }

  end(): void {
    if (!this.#entries.found) {
      const hint = 'A HAR is an object `log` with an array `entries`; give --from if it is something else.';
      throw new HarnessError('IMPORT_UNRECOGNISED', `${this.#name} has no log.entries`, hint);
    }
    if (this.#entries.complete) return;
    const where = this.#entries.cutOff ? 'within an entry' : 'before the end of log.entries';
    this.#sink.malformed(this.#number + 1, `the file ends ${where}`, Buffer.alloc(0));
  }

  #entry(json: Buffer): void {
    this.#number++;
    const entry = parse(json);
    const request = entry === undefined ? 'the entry is not JSON' : this.#requestOf(entry);
    if (typeof request === 'string') this.#sink.malformed(this.#number, request, json);
    else this.#sink.request(request, false, false);
  }

  /** The request, or why there is none. */
  #requestOf(entry: HarEntry): Recorded | string {
    const { request, response } = entry;
    const atMs = typeof entry.startedDateTime === 'string' ? Date.parse(entry.startedDateTime) : Number.NaN;
    if (!(atMs >= 0)) return 'startedDateTime is not a time';
    if (typeof request?.url !== 'string' || typeof request.method !== 'string') return 'no method and url';
    if (!/^https?:\/\//i.test(request.url)) return 'the address is not http or https';
    const line = withTarget(request.method.toUpperCase(), latin1Of(request.url.replace(/#.*$/s, '')));
    if (line.problem !== undefined) return line.problem;
    const headers = headersOf(request.headers);
    const authority = headerOf(headers, 'host') === undefined ? line.host : undefined;
    if (authority !== undefined) headers.unshift('host', authority);
    const status = typeof response?.status === 'number' && response.status >= 100 ? response.status : undefined;
    return {
      atMs,
      session: (this.#rule.by === 'ip+ua' ? undefined : sessionByHeaders(this.#rule, headers)) ?? this.#session,
      method: line.method,
      path: line.path,
      headers,
      body: this.#bodyOf(request.postData),
      status,
      tookMs: typeof entry.time === 'number' && entry.time >= 0 ? Math.round(entry.time * 1000) / 1000 : undefined,
      answerHeaders: headersOf(response?.headers),
      answerBody: this.#text(response?.content?.text, response?.content?.encoding, MOST_ANSWER_BODY_BYTES),
    };
  }

  #bodyOf(post: NonNullable<HarEntry['request']>['postData']): string | undefined {
    const text = this.#text(post?.text, post?.encoding, MOST_BODY_BYTES);
    if (text !== undefined || !Array.isArray(post?.params) || post.params.length === 0) return text;
    const fields = post.params.filter(isPair).map(({ name, value }): [string, string] => [name, value]);
    // A form with files cannot be made again from its fields.
    if (fields.length < post.params.length || /multipart/i.test(String(post.mimeType))) {
      this.#sink.bodyLeftOut();
      return undefined;
    }
    return new URLSearchParams(fields).toString();
  }

  #text(text: unknown, encoding: unknown, most: number): string | undefined {
    if (typeof text !== 'string' || text === '') return undefined;
    const plain = encoding === 'base64' ? textOf(Buffer.from(text, 'base64')) : text;
    if (plain !== undefined && plain.length <= most) return plain.toWellFormed();
    this.#sink.bodyLeftOut();
    return undefined;
  }
}

function parse(json: Buffer): HarEntry | undefined {
  try {
    return JSON.parse(json.toString()) as HarEntry;
  } catch {
    // Told to the user by the caller, as a malformed entry.
    return undefined;
  }
}

/** HTTP/2's own (`:path` and so on) say nothing that the address does not. */
function headersOf(list: unknown): string[] {
  const headers: string[] = [];
  for (const pair of Array.isArray(list) ? list : []) {
    if (isPair(pair) && !pair.name.startsWith(':')) {
      headers.push(pair.name.toLowerCase().toWellFormed(), pair.value.toWellFormed());
    }
  }
  return headers;
}

function isPair(value: unknown): value is { name: string; value: string } {
  if (typeof value !== 'object' || value === null) return false;
  const { name, value: text } = value as Record<string, unknown>;
  return typeof name === 'string' && typeof text === 'string';
}

/** One char a byte, as request lines are. */
function latin1Of(text: string): string {
  return Buffer.from(text).toString('latin1');
}
