import { mask } from '../mask.ts';

const MOST_SHOWN = 20;
const LONGEST_SHOWN = 200;

/** A line, entry or payload that no request could be made of. */
export interface Malformed {
  source: string;
  /** The number of the line, entry or payload in its source, from 1. */
  number: number;
  reason: string;
  /** Masked, at most 200 characters. */
  text: string;
}

/** Counts what was malformed, by reason, and keeps the first 20. */
export class MalformedBook {
  readonly shown: Malformed[] = [];
  readonly reasons = new Map<string, number>();
  count = 0;

  add(source: string, number: number, reason: string, bytes: Buffer): void {
    this.count++;
    this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + 1);
    if (this.shown.length >= MOST_SHOWN) return;
    this.shown.push({ source, number, reason, text: shorten(bytes) });
  }
}

/** Masked before it is cut: a cut could hide from a rule what it looks for. */
function shorten(bytes: Buffer): string {
  // Control characters could do things to a terminal.
  const text = mask(bytes.subarray(0, 4 * LONGEST_SHOWN).toString('utf8')).replaceAll(/\p{Cc}/gu, '·');
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN - 1)}…` : text;
}
