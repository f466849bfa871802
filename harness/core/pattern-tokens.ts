/** What a group, or the whole pattern, has in it. */
export interface GroupFacts {
  repeats: boolean;
  alternatives: boolean;
}

/** A piece of a regular expression: one atom with its quantifier, or a sign that holds others together. */
export interface Token {
  kind: 'atom' | 'place' | 'open' | 'close' | 'alternative';
  text: string;
  /** As it is written, with its quantifier. */
  shown: string;
  /** How often it may come; of a closing bracket, how often its group may. */
  min: number;
  max: number;
  /** Groups around it. */
  depth: number;
  /** Of an opening or closing bracket: what its group holds. */
  inside?: GroupFacts;
  /** False where a match may go round it: among alternatives, or in a group that need not be there. */
  certain: boolean;
}

const ATOM = /^(?:\\[\s\S]|\[(?:\\[\s\S]|[^\]\\])*\]|\(\?(?::|<?[=!]|<[^>]*>)|[\s\S])/;
const QUANTIFIER = /^(?:[*+?]|\{(\d+)(,(\d*))?\})\??/;

/** Cuts up a pattern that is known to be well formed. */
export function patternTokens(pattern: string): Token[] {
  const tokens: Token[] = [];
  const open: { at: number; facts: GroupFacts }[] = [{ at: -1, facts: { repeats: false, alternatives: false } }];
  for (let at = 0; at < pattern.length; ) {
    const [text] = ATOM.exec(pattern.slice(at))!;
    at += text.length;
    const depth = open.length - 1;
    if (text.startsWith('(')) {
      const facts = { repeats: false, alternatives: false };
      open.push({ at: tokens.length, facts });
      tokens.push({ kind: 'open', text, shown: text, min: 1, max: 1, depth, inside: facts, certain: true });
      continue;
    }
    if (text === '|') {
      open.at(-1)!.facts.alternatives = true;
      tokens.push({ kind: 'alternative', text, shown: text, min: 1, max: 1, depth, certain: false });
      continue;
    }
    const { min, max, length } = quantifierAt(pattern.slice(at));
    const shown = text + pattern.slice(at, at + length);
    at += length;
    const group = text === ')' ? open.pop()! : undefined;
    const around = open.at(-1)!.facts;
    around.repeats ||= max > 1 || group?.facts.repeats === true;
    around.alternatives ||= group?.facts.alternatives === true;
    const kind = group === undefined ? (/^(?:[$^]|\\[bB])$/.test(text) ? 'place' : 'atom') : 'close';
    tokens.push({
      kind,
      text,
      shown,
      min,
      max,
      depth: open.length - 1,
      ...(group && { inside: group.facts }),
      certain: true,
    });
    if (group !== undefined && (min === 0 || group.facts.alternatives)) {
      for (const token of tokens.slice(group.at)) token.certain = false;
    }
  }
  if (open[0]!.facts.alternatives && tokens.some(({ kind, depth }) => kind === 'alternative' && depth === 0)) {
    for (const token of tokens) token.certain = false;
  }
  return tokens;
}

function quantifierAt(rest: string): { min: number; max: number; length: number } {
  const found = QUANTIFIER.exec(rest);
  if (found === null) return { min: 1, max: 1, length: 0 };
  const { length } = found[0];
  const sign = found[0][0];
  if (sign === '?') return { min: 0, max: 1, length };
  if (sign === '*') return { min: 0, max: Number.POSITIVE_INFINITY, length };
  if (sign === '+') return { min: 1, max: Number.POSITIVE_INFINITY, length };
  const min = Number(found[1]);
  if (found[2] === undefined) return { min, max: min, length };
  return { min, max: found[3] === '' ? Number.POSITIVE_INFINITY : Number(found[3]), length };
}
