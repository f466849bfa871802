import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { HarnessError, messageOf } from '../core/errors.ts';
import { maskRulesType } from '../load/recording/mask-rules.ts';
import { createMasker, type Masker } from '../load/recording/masker.ts';
import { type MaskRules, NO_RULES } from '../load/recording/rule-set.ts';
import { readDocument } from '../plan/document.ts';
import type { Issue } from '../plan/issue.ts';
import { IssueBook } from '../plan/parts.ts';
import { PlanIssues } from './plan-options.ts';

/** What every verb that masks accepts. */
export interface MaskCommandOptions {
  /** A file of rules beside the built-in ones. */
  mask?: string;
  /** A text, or `env:NAME`: recordings made with the same one share their pseudonyms. */
  maskKey?: string;
}

const KEY_SHORT = 16;

/** The user's own rules; every issue of their file at once. */
export function readMaskRules(file: string | undefined): MaskRules {
  if (file === undefined) return NO_RULES;
  const path = resolve(file);
  const { document, issues } = readDocument(path, readText(file));
  if (document === undefined) throw new PlanIssues(issues);
  const found: Issue[] = [...issues];
  // An empty file is an empty set of rules.
  const rules = new IssueBook(document, found).parse(maskRulesType, document.value ?? {}, []);
  if (rules === undefined || found.length > 0) throw new PlanIssues(found);
  return rules;
}

/** The masker that a command line asks for. */
export function maskerOf({ mask, maskKey }: MaskCommandOptions): Masker {
  return createMasker({ rules: readMaskRules(mask), key: keyOf(maskKey) });
}

function keyOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const name = /^env:(.+)$/.exec(text)?.[1];
  const key = name === undefined ? text : process.env[name];
  if (key === undefined || key === '') {
    const hint = 'Give a text that nobody guesses, or env:NAME of a variable that holds one.';
    throw new HarnessError('USAGE', name === undefined ? '--mask-key is empty' : `--mask-key ${text}: not set`, hint);
  }
  if (key.length < KEY_SHORT)
    process.stderr.write(
      `--mask-key is shorter than ${KEY_SHORT} characters: who guesses it can test guesses of values\n`,
    );
  return key;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    const hint = 'Give the path of a YAML file of mask rules, or leave --mask away for the built-in ones.';
    throw new HarnessError('FILE_UNREADABLE', `${file}: ${messageOf(thrown)}`, hint, thrown);
  }
}
