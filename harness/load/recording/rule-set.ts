import { linearPattern } from './linear-pattern.ts';
import { BUILT_IN_KEYS, classByEnding, type KeyClass, normalKey, type SecretClass } from './secret-keys.ts';

/** The most characters of a key that are looked at; of a longer one its end. */
export const KEY_MAX = 128;

/** A user's rules as their file says them: what is private beside the built-in rules, and what is not. */
export interface MaskRules {
  /** More keys, by class; a class that is not built in is masked as a token is. */
  readonly keys: Readonly<Record<string, readonly string[]>>;
  /** What is private wherever it stands. */
  readonly patterns: readonly { readonly class: string; readonly matches: string }[];
  readonly keep: { readonly keys: readonly string[]; readonly values: readonly string[] };
  /** Classes that are not masked. */
  readonly off: readonly SecretClass[];
  /** Whether IP addresses are private. */
  readonly ip: boolean;
}

export const NO_RULES: MaskRules = { keys: {}, patterns: [], keep: { keys: [], values: [] }, off: [], ip: false };

/** The built-in rules and a user's own, ready to be asked. */
export interface RuleSet {
  /** What a key says about its value. */
  classOf(key: string): KeyClass | (string & {}) | undefined;
  /** Whether a key's value stays as it is, whatever it looks like. */
  keepsKey(key: string): boolean;
  /** Whether a class is masked at all. */
  has(kind: string): boolean;
  keeps(value: string): boolean;
  readonly patterns: readonly { readonly class: string; readonly matches: RegExp }[];
}

const KNOWN_KEYS_MAX = 4096;

export function ruleSet(rules: MaskRules): RuleSet {
  const off = new Set<string>([...rules.off, ...(rules.ip ? [] : ['ip'])]);
  const keys = new Map<string, string>(BUILT_IN_KEYS);
  for (const [kind, more] of Object.entries(rules.keys)) for (const key of more) keys.set(normalKey(key), kind);
  const kept = new Set(rules.keep.keys.map(normalKey));
  const values = new Set(rules.keep.values);
  const judge = (key: string): string | undefined => {
    const normal = normalKey(key);
    if (normal === '' || kept.has(normal)) return undefined;
    // Of user[name] and order.receiver the last word decides, where the whole says nothing.
    const last = normalKey(key.replace(/\]+$/, '').replace(/^.*[.[]/, ''));
    const kind = keys.get(normal) ?? classByEnding(normal) ?? keys.get(last);
    if (kept.has(last)) return undefined;
    return kind === undefined || off.has(kind === 'random' ? 'token' : kind) ? undefined : kind;
  };
  // Keys come again and again; one that somebody makes up for each request must not fill the memory.
  const known = new Map<string, string | undefined>();
  return {
    classOf: (key) => {
      if (key.length > KEY_MAX) return judge(key.slice(-KEY_MAX));
      const before = known.get(key);
      if (before !== undefined || known.has(key)) return before;
      const kind = judge(key);
      if (known.size >= KNOWN_KEYS_MAX) known.clear();
      known.set(` ${key}`.slice(1), kind);
      return kind;
    },
    keepsKey: (key) => kept.size > 0 && kept.has(normalKey(key)),
    has: (kind) => !off.has(kind),
    keeps: (value) => values.size > 0 && values.has(value),
    patterns: rules.patterns
      .filter((one) => !off.has(one.class))
      .map((one) => ({ class: one.class, matches: compiled(one.matches) })),
  };
}

function compiled(text: string): RegExp {
  const made = linearPattern(text);
  if (made instanceof RegExp) return made;
  throw new TypeError(made.problem);
}
