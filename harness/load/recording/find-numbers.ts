import { isResidentId, passesLuhn } from './check-digits.ts';
import type { SecretContext } from './secret-context.ts';
import type { TextEdits } from './text-edits.ts';

const MOBILE = /^1[3-9]\d{9}$/;
const SEPARATED = 2;
const GROUPS_MAX = 8;
const CARD = { shortest: 13, longest: 19, first: /^[2-69]/ } as const;

/** Digits that stand together. */
interface Group {
  start: number;
  end: number;
  digits: string;
}

/** Cards, telephone and identity numbers in one run or in groups, from left to right; the longest first. */
export function findNumbers(text: string, edits: TextEdits, context: SecretContext): void {
  for (const groups of runsOfGroups(text)) {
    for (let from = 0; from < groups.length; ) {
      const found = longestAt(text, groups, from, context);
      if (found === undefined) {
        from += 1;
        continue;
      }
      const { start, end, kind, count } = found;
      const written = text.slice(start, end);
      if (edits.isFree(start, end) && !context.rules.keeps(written)) {
        const by = context.replace(kind, written);
        if (by !== written) edits.add(start, end, by);
      }
      from += count;
    }
  }
}

interface Found {
  start: number;
  end: number;
  kind: 'card' | 'phone' | 'id';
  /** Groups taken. */
  count: number;
}

const GROUP = /\d+/g;

/** Groups of digits with at most two of ` -.()/` between them. */
function* runsOfGroups(text: string): Generator<Group[], void, undefined> {
  let run: Group[] = [];
  let size = 0;
  for (const match of text.matchAll(GROUP)) {
    const group = { start: match.index, end: match.index + match[0].length, digits: match[0] };
    const last = run.at(-1);
    if (last !== undefined && !(group.start - last.end <= SEPARATED && isGap(text, last.end, group.start))) {
      if (size >= 7) yield run;
      run = [];
      size = 0;
    }
    run.push(group);
    size += group.digits.length;
  }
  if (size >= 7) yield run;
}

function isGap(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (!' -.()'.includes(text[at]!)) return false;
  return true;
}

function longestAt(text: string, groups: readonly Group[], from: number, context: SecretContext): Found | undefined {
  const has = (kind: string): boolean => context.rules.has(kind);
  const window = groups.slice(from, from + GROUPS_MAX);
  return (
    (has('card') ? card(text, window) : undefined) ??
    (has('id') ? residentId(text, window) : undefined) ??
    (has('phone') ? phone(text, window) : undefined)
  );
}

function card(text: string, window: readonly Group[]): Found | undefined {
  const [first] = window;
  if (first === undefined || !CARD.first.test(first.digits) || isFraction(text, first.start)) return undefined;
  let digits = '';
  let best: Found | undefined;
  for (const [index, group] of window.entries()) {
    // Dates and times have groups of two; a card's groups are of four or more, but for the last.
    if (index === 1 && first.digits.length < 4) break;
    if (index > 1 && window[index - 1]!.digits.length < 3) break;
    if (index > 0 && !sameGap(text, window, index)) break;
    digits += group.digits;
    if (digits.length > CARD.longest) break;
    if (digits.length >= CARD.shortest && passesLuhn(digits))
      best = { start: first.start, end: group.end, kind: 'card', count: index + 1 };
  }
  return best;
}

/** One space or one dash between all groups. */
function sameGap(text: string, window: readonly Group[], index: number): boolean {
  const gap = text.slice(window[index - 1]!.end, window[index]!.start);
  return (gap === ' ' || gap === '-') && gap === text.slice(window[0]!.end, window[1]!.start);
}

/** `0.4111111111111111` is a number between 0 and 1. */
function isFraction(text: string, start: number): boolean {
  return text.startsWith('0.', start - 2) && !/\d/.test(text[start - 3] ?? ' ');
}

function residentId(text: string, window: readonly Group[]): Found | undefined {
  const first = window[0]!;
  for (const [length, count] of [
    [first.digits.length, 1],
    [18, 3],
  ] as const) {
    const taken = window.slice(0, count);
    if (taken.length < count || (count === 3 && !isGroupedId(taken))) continue;
    const { end } = taken.at(-1)!;
    const digits = taken.map((group) => group.digits).join('');
    const withX = digits.length === 17 && /[Xx]/.test(text[end] ?? '') && !/\d/.test(text[end + 1] ?? '');
    const id = withX ? `${digits}X` : digits;
    if (id.length <= Math.max(length, 18) && isResidentId(id))
      return { start: first.start, end: withX ? end + 1 : end, kind: 'id', count };
  }
  return undefined;
}

/** Region, birthday, number and check. */
function isGroupedId(groups: readonly Group[]): boolean {
  const [region, birthday, rest] = groups.map((group) => group.digits.length);
  return region === 6 && birthday === 8 && (rest === 4 || rest === 3);
}

function phone(text: string, window: readonly Group[]): Found | undefined {
  const first = window[0]!;
  if (text[first.start - 1] === '+' || text.startsWith('+(', first.start - 2)) {
    const found = international(window);
    if (found !== undefined)
      return { ...found, start: text[first.start - 1] === '+' ? first.start - 1 : first.start - 2 };
  }
  return mobile(window) ?? landline(text, window) ?? american(text, window);
}

/** What follows a plus: 8 to 15 digits (E.164), as many groups as fit. */
function international(window: readonly Group[]): Found | undefined {
  if (window[0]!.digits.startsWith('0')) return undefined;
  let digits = 0;
  let best: Found | undefined;
  for (const [index, group] of window.entries()) {
    digits += group.digits.length;
    if (digits > 15) break;
    if (digits >= 8) best = { start: 0, end: group.end, kind: 'phone', count: index + 1 };
  }
  return best;
}

/** Eleven digits from 13 to 19, in up to four groups, with or without 86 or 0086 before them. */
function mobile(window: readonly Group[]): Found | undefined {
  let digits = '';
  for (const [index, group] of window.slice(0, 5).entries()) {
    digits += group.digits;
    if (digits.length > 15) return undefined;
    const shape = window.slice(0, index + 1).map((one) => one.digits.length);
    const national = digits.replace(/^(?:00)?86(?=1[3-9]\d{9}$)/, '');
    if (!MOBILE.test(national)) continue;
    if (index > 0 && !isMobileShape(shape)) continue;
    return { start: window[0]!.start, end: group.end, kind: 'phone', count: index + 1 };
  }
  return undefined;
}

/** As people group a mobile number; a leading country code may stand alone. */
function isMobileShape(shape: readonly number[]): boolean {
  const national = shape[0] === 2 || (shape[0] === 4 && shape.length === 2) ? shape.slice(1) : shape;
  return ['11', '3,4,4', '4,4,3', '3,8', '7,4', '3,3,5', '3,5,3', '5,6', '4,7'].includes(national.join(','));
}

/** `0571-88886666`: a Chinese area code and seven or eight digits. */
function landline(text: string, window: readonly Group[]): Found | undefined {
  const [area, number] = window;
  if (number === undefined || !/^0[1-9]\d{1,2}$/.test(area!.digits) || !/^[1-9]\d{6,7}$/.test(number.digits))
    return undefined;
  if (text.slice(area!.end, number.start) === '.') return undefined;
  return { start: area!.start, end: number.end, kind: 'phone', count: 2 };
}

/** `(415) 555-0123`, `415-555-0123`. */
function american(text: string, window: readonly Group[]): Found | undefined {
  const [area, exchange, line] = window;
  if (line === undefined || line.digits.length !== 4) return undefined;
  if (!/^[2-9]\d\d$/.test(area!.digits) || !/^[2-9]\d\d$/.test(exchange!.digits)) return undefined;
  const gap = text.slice(area!.end, exchange!.start);
  if (gap === ' ' || gap === '' || (gap !== '-' && gap !== '.' && !gap.startsWith(')'))) return undefined;
  return { start: area!.start, end: line.end, kind: 'phone', count: 3 };
}
