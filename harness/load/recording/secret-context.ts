import type { RuleSet } from './rule-set.ts';

/** What the finders of private values ask and tell while they look at one text. */
export interface SecretContext {
  readonly rules: RuleSet;
  /** How deep in encodings of encodings this text stands. */
  readonly depth: number;
  /** What stands for a value found by its own form; the value itself where it may stay. */
  replace(kind: string, written: string): string;
  /** What stands for a value whose key says its class. */
  byKey(kind: string, value: string, depth: number): string;
  /** A text without private values. */
  text(text: string, depth: number): string;
  /** The same for a whole body or value of any format. */
  body(text: string, depth: number): string;
}

/** Encodings within encodings are followed this deep. */
export const DEPTH_MAX = 6;
