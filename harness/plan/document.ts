import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  parseDocument,
  type Document as YamlDocument,
} from 'yaml';
import type { Json, JsonObject } from '../spi/json.ts';
import type { Issue, IssueCode } from './issue.ts';

/** Generous for anything a person writes, far below what could hurt the tool. */
const LIMITS = { bytes: 1_000_000, nodes: 50_000, depth: 40, aliases: 200 } as const;

export type Path = readonly (string | number)[];

/** A YAML text as plain JSON that still knows where each of its values and keys stands. */
export class PlanDocument {
  readonly file: string;
  readonly text: string;
  value: Json;
  #offsets: Map<string, { key: number; value: number }>;
  #lines: LineIndex;
  #prefix: Path;

  constructor(source: {
    file: string;
    text: string;
    value: Json;
    offsets: Map<string, { key: number; value: number }>;
    lines: LineIndex;
    prefix?: Path;
  }) {
    this.file = source.file;
    this.text = source.text;
    this.value = source.value;
    this.#offsets = source.offsets;
    this.#lines = source.lines;
    this.#prefix = source.prefix ?? [];
  }

  /** The part of this document below `path`, as a document of its own with the same file and positions. */
  below(path: Path, value: Json): PlanDocument {
    const whole = { file: this.file, text: this.text, offsets: this.#offsets, lines: this.#lines };
    return new PlanDocument({ ...whole, value, prefix: [...this.#prefix, ...path] });
  }

  /** An issue at a path, or at its nearest ancestor that stands in the file. `at: key` points to the key. */
  issue(
    path: Path,
    code: IssueCode,
    message: string,
    more: { expected?: string | undefined; hint?: string | undefined; at?: 'key' | 'value' } = {},
  ): Issue {
    const full = [...this.#prefix, ...path];
    const { line, column } = this.#position(full, more.at ?? 'value');
    return {
      file: this.file,
      line,
      column,
      path: full,
      code,
      message,
      ...(more.expected === undefined ? {} : { expected: more.expected }),
      ...(more.hint === undefined ? {} : { hint: more.hint }),
    };
  }

  #position(path: Path, at: 'key' | 'value'): { line: number; column: number } {
    for (let length = path.length; length >= 0; length--) {
      const found = this.#offsets.get(JSON.stringify(path.slice(0, length)));
      if (found === undefined) continue;
      // What is missing is told at the key of what should have held it.
      return this.#lines.at(length === path.length && at === 'value' ? found.value : found.key);
    }
    return { line: 1, column: 1 };
  }
}

/** Parses one YAML text; never throws. Issues make the value unusable, except where only single keys are wrong. */
export function readDocument(file: string, text: string): { document: PlanDocument | undefined; issues: Issue[] } {
  const lines = new LineIndex(text);
  const at = (offset: number, code: IssueCode, message: string): Issue => ({
    file,
    ...lines.at(offset),
    path: [],
    code,
    message,
  });
  if (Buffer.byteLength(text) > LIMITS.bytes) {
    return { document: undefined, issues: [at(0, 'LIMIT', `the file is larger than ${LIMITS.bytes / 1000} KB`)] };
  }
  const parsed = parseSafely(text);
  if (parsed === undefined) return { document: undefined, issues: [at(0, 'LIMIT', 'the file is nested too deeply')] };
  const broken = [...parsed.errors, ...parsed.warnings].map((error) =>
    at(error.pos[0], error.code === 'DUPLICATE_KEY' ? 'KEY_TWICE' : 'YAML', plainMessage(error.message)),
  );
  if (broken.length > 0) return { document: undefined, issues: firstOfEachLine(broken) };
  const walker = new Walker(parsed, at);
  const value = walker.walk(parsed.contents, [], 0);
  if (walker.issues.length > 0) return { document: undefined, issues: walker.issues };
  return { document: new PlanDocument({ file, text, value, offsets: walker.offsets, lines }), issues: [] };
}

function parseSafely(text: string): YamlDocument.Parsed | undefined {
  try {
    return parseDocument(text, { version: '1.2', schema: 'core', prettyErrors: false, logLevel: 'silent' });
  } catch (thrown) {
    // The parser recurses: brackets by the thousand overflow its stack.
    if (thrown instanceof RangeError) return undefined;
    throw thrown;
  }
}

/** From the parser's tree to JSON with positions, counting what aliases unfold to. */
class Walker {
  readonly offsets = new Map<string, { key: number; value: number }>();
  readonly issues: Issue[] = [];
  #document: YamlDocument;
  #at: (offset: number, code: IssueCode, message: string) => Issue;
  #nodes = 0;
  #aliases = 0;

  constructor(document: YamlDocument, at: (offset: number, code: IssueCode, message: string) => Issue) {
    this.#document = document;
    this.#at = at;
  }

  walk(node: Node | null, path: Path, depth: number, keyOffset?: number): Json {
    const offset = node?.range?.[0] ?? keyOffset ?? 0;
    this.offsets.set(JSON.stringify(path), { key: keyOffset ?? offset, value: offset });
    this.#nodes += 1;
    if (depth > LIMITS.depth || this.#nodes > LIMITS.nodes) {
      if (this.issues.length === 0) {
        const what = depth > LIMITS.depth ? `deeper than ${LIMITS.depth} levels` : `more than ${LIMITS.nodes} values`;
        this.issues.push(this.#at(offset, 'LIMIT', `${what}, aliases unfolded`));
      }
      return null;
    }
    if (node === null) return null;
    if (isAlias(node)) return this.#alias(node, path, depth, keyOffset ?? offset);
    if (isScalar(node)) return this.#scalar(node.value, offset);
    if (isSeq(node))
      return node.items.map((item, index) => this.walk(item as Node | null, [...path, index], depth + 1));
    return isMap(node) ? this.#map(node.items, path, depth) : null;
  }

  #alias(node: Alias, path: Path, depth: number, offset: number): Json {
    this.#aliases += 1;
    // Each look-up reads the whole tree: many of them would be slow long before they are large.
    if (this.#aliases <= LIMITS.aliases)
      return this.walk(node.resolve(this.#document) ?? null, path, depth + 1, offset);
    if (this.issues.length === 0) this.issues.push(this.#at(offset, 'LIMIT', `more than ${LIMITS.aliases} aliases`));
    return null;
  }

  #map(items: readonly { key: unknown; value: unknown }[], path: Path, depth: number): JsonObject {
    const result: JsonObject = {};
    for (const { key, value } of items) {
      const offset = (key as Node | null)?.range?.[0] ?? 0;
      const name = isScalar(key) ? keyText(key.value) : undefined;
      if (name === undefined || name === '__proto__') {
        this.issues.push(this.#at(offset, 'VALUE', 'a key must be a plain word'));
        continue;
      }
      result[name] = this.walk(value as Node | null, [...path, name], depth + 1, offset);
    }
    return result;
  }

  #scalar(value: unknown, offset: number): Json {
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    this.issues.push(this.#at(offset, 'VALUE', `a ${typeof value} of this kind is not a value that a plan can hold`));
    return null;
  }
}

/** Keys that YAML reads as numbers or truth values are meant as the words they are. */
function keyText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

/** Where lines begin. The parser's own counter skips line breaks while it recovers from an error. */
class LineIndex {
  #starts: number[];
  #length: number;

  constructor(text: string) {
    this.#starts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
    this.#length = text.length;
  }

  /** Line and column, from 1, of an offset. */
  at(offset: number): { line: number; column: number } {
    const inside = Math.max(0, Math.min(offset, this.#length));
    let low = 0;
    let high = this.#starts.length;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.#starts[middle]! <= inside) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: inside - this.#starts[low]! + 1 };
  }
}

/** After its first error on a line the parser mostly complains about its own recovery. */
function firstOfEachLine(issues: readonly Issue[]): Issue[] {
  return [...new Map(issues.toReversed().map((issue) => [issue.line, issue])).values()].toReversed();
}

function plainMessage(message: string): string {
  return (message.split('\n')[0] ?? message).replace(/ at line \d+, column \d+:?$/, '');
}
