import { patternTokens, type Token } from './pattern-tokens.ts';

/** Longer patterns are programs, not patterns. */
const LENGTH_MAX = 300;
/** The most of a text that a pattern is ever shown. */
const SEARCHED_MAX = 64 * 1024;
/** The most that one is shown whose search may take the square of it: below half a second at worst, measured. */
const SQUARE_MAX = 16 * 1024;
/** Steps that a search may take at worst: a few squares of the longest text, which is seconds and not for ever. */
const STEPS_MAX = 4 * SEARCHED_MAX ** 2;
/** A search whose steps are no more than this times the text counts as one that is in proportion to it. */
const BOUNDED_MAX = 1000;

/**
 * Why a regular expression must not be run on answers of unknown servers, or undefined when it may. Refused is what
 * cannot be bounded (a repetition inside a repetition, back references, looking around) and what may take more than
 * STEPS_MAX: an estimate from above of what a backtracking matcher does with the worst text of SEARCHED_MAX characters.
 */
export function patternProblem(pattern: string): string | undefined {
  if (pattern === '') return 'an empty pattern matches everything';
  if (pattern.length > LENGTH_MAX) return `a pattern of ${pattern.length} characters; at most ${LENGTH_MAX} are read`;
  try {
    new RegExp(pattern);
  } catch (thrown) {
    return (thrown as SyntaxError).message.replace(/^Invalid regular expression: /, 'not a regular expression: ');
  }
  const tokens = patternTokens(pattern);
  return shapeProblem(tokens) ?? costProblem(tokens);
}

/** How many characters of a text a pattern without a problem may be shown. */
export function searchLimit(pattern: string): number {
  return costOf(patternTokens(pattern)).steps <= SEARCHED_MAX * BOUNDED_MAX ? SEARCHED_MAX : SQUARE_MAX;
}

function shapeProblem(tokens: readonly Token[]): string | undefined {
  for (const { kind, text, max, inside } of tokens) {
    if (/^\\[1-9k]/.test(text)) return `the back reference ${text} makes matching exponential`;
    if (/^\(\?<?[=!]$/.test(text)) return 'looking ahead or behind is not supported here';
    if (kind !== 'close' || max <= 1) continue;
    if (inside?.repeats === true) return 'a repetition inside a repetition makes matching exponential';
    if (inside?.alternatives === true) return 'alternatives inside a repetition can make matching exponential';
  }
  return undefined;
}

/** An estimate from above, and the repeat without end that has most to do with it. */
function costOf(tokens: readonly Token[]): { steps: number; widest: Token | undefined } {
  const anchored = tokens[0]?.text === '^' && !tokens.some(({ kind, depth }) => kind === 'alternative' && depth === 0);
  let steps = anchored ? 1 : SEARCHED_MAX;
  let lastLoose = -1;
  let widest: Token | undefined;
  tokens.forEach((token, index) => {
    if (token.max === token.min && token.max <= 1) return;
    const loose = isLoose(tokens, index);
    if (!loose && (token.max <= 1 || isSeparated(tokens, lastLoose, index) || endsAt(tokens, index))) return;
    // A repeat of at most one is a fork in two.
    steps *= Math.min(Math.max(token.max, 2), SEARCHED_MAX);
    if (loose) lastLoose = index;
    if (token.max === Number.POSITIVE_INFINITY) widest = token;
  });
  return { steps, widest };
}

function costProblem(tokens: readonly Token[]): string | undefined {
  const { steps, widest } = costOf(tokens);
  if (steps <= STEPS_MAX) return undefined;
  const what = widest === undefined ? 'its repetitions' : `${widest.shown} beside its other repetitions`;
  return `${what} can make a search take minutes; say how often at most, as in [^>]{0,200}, or what ends it, as in [^"]*"`;
}

/** Whether a repeat could stop in several places, since what comes after it may match what it matches. */
function isLoose(tokens: readonly Token[], index: number): boolean {
  const own = tokens[index]!;
  for (let next = index + 1; next < tokens.length; next++) {
    const token = tokens[next]!;
    if (token.kind === 'alternative') return true;
    if (token.kind === 'open' || token.kind === 'close') {
      if (token.inside?.alternatives === true && token.kind === 'open') return true;
      continue;
    }
    // A place has no width: a run ends there or it does not.
    if (token.kind === 'place') return false;
    if (mayShare(own, token)) return true;
    if (token.min > 0) return false;
  }
  return false;
}

/** Whether something that the repeat cannot match must come before it, so that runs from different starts do not overlap. */
function isSeparated(tokens: readonly Token[], after: number, index: number): boolean {
  return tokens
    .slice(after + 1, index)
    .some((token) => token.kind === 'atom' && token.min > 0 && token.certain && !mayShare(tokens[index]!, token));
}

/** Whether nothing comes after the token: then nothing can fail after it. */
function endsAt(tokens: readonly Token[], index: number): boolean {
  return tokens.slice(index + 1).every(({ kind, max }) => kind === 'close' && max <= 1);
}

const SAMPLES = ['a', 'Z', '0', '9', '_', ' ', '\n', '-', '"', '<', '>', '.', '/', ',', ':', '{', '}', "'", '=', 'é'];

/** Whether two tokens can match one character; judged by samples and what is written in them, groups count as anything. */
function mayShare(left: Token, right: Token): boolean {
  if (left.kind !== 'atom' || right.kind !== 'atom' || left.text === right.text) return true;
  const [a, b] = [new RegExp(`^(?:${left.text})$`), new RegExp(`^(?:${right.text})$`)];
  return [...SAMPLES, ...left.text, ...right.text].some((sample) => a.test(sample) && b.test(sample));
}
