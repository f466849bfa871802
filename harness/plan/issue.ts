import { closest, distance } from 'fastest-levenshtein';

/** One thing that is wrong in a plan or a stack file. Lines and columns count from 1. */
export interface Issue {
  file: string;
  line: number;
  column: number;
  path: (string | number)[];
  code: IssueCode;
  message: string;
  expected?: string;
  hint?: string;
}

/** What kinds of mistakes there are, in alphabetical order. */
export const ISSUE_CODES = {
  BLAST_RADIUS: 'the faults can touch more than the guard allows',
  CHECK_UNKNOWN: 'no such check',
  EDGE_TARGET: 'a fault aims at where the users stand',
  FAULTS_OVERLAP: 'two faults act on the same thing at the same time',
  FAULT_BUDGET: 'the faults can take more at one moment than the stack can claim to survive',
  FAULT_PAST_END: 'a fault and its recovery do not fit into the load',
  FAULT_UNKNOWN: 'no such fault',
  FEED_TOO_SHORT: 'a feed has fewer rows than starts that need one each',
  FILE_UNREADABLE: 'a file that is named cannot be read',
  HOST_NOT_ALLOWED: 'a host outside loopback is not in allowHosts',
  KEY_TWICE: 'a key stands twice in one mapping',
  KEY_UNKNOWN: 'the language has no such key here',
  LIMIT: 'the file is larger or deeper than any plan is',
  NAME_TWICE: 'a name is used for two things',
  NO_DURATION: 'no scenario says how long the load lasts',
  REFERENCE_UNKNOWN: 'a name refers to nothing',
  SAMPLE_TOO_SMALL: 'the load is too short for a check to be able to pass',
  SHARES: 'the shares of a mix, or of regions, are not 100 %',
  TARGET: 'a fault does not take such a target',
  VALUE: 'a value is missing or wrong',
  VARIABLE_UNKNOWN: 'a variable is named that has no value',
  VARIABLE_UNUSED: 'a variable is set and used nowhere',
  YAML: 'the file is not YAML',
} as const;

export type IssueCode = keyof typeof ISSUE_CODES;

/** The candidate that was probably meant, when one is near enough to say so. */
export function didYouMean(word: string, candidates: readonly string[]): string | undefined {
  if (candidates.length === 0 || word === '') return undefined;
  const best = closest(word, [...candidates]);
  return distance(word, best) <= Math.max(1, Math.floor(Math.max(word.length, best.length) * 0.5)) ? best : undefined;
}

/** `file:line:col`, the line with a caret, what is expected and what was probably meant; several lines of text. */
export function formatIssue(issue: Issue, sourceText: string): string {
  const line = sourceText.split(/\r?\n/)[issue.line - 1] ?? '';
  const number = String(issue.line);
  const gutter = ' '.repeat(number.length);
  const from = Math.max(0, issue.column - 1 - 80);
  const shown = line.slice(from, from + 160);
  // Tabs are kept in the margin so that the caret stands under its character in any terminal.
  const margin = shown.slice(0, issue.column - 1 - from).replace(/[^\t]/g, ' ');
  const rows = [`${issue.file}:${issue.line}:${issue.column}: ${issue.message} [${issue.code}]`];
  if (line !== '') rows.push(` ${number} | ${shown}`, ` ${gutter} | ${margin}^`);
  if (issue.expected !== undefined) rows.push(` ${gutter} = expected ${issue.expected}`);
  if (issue.hint !== undefined) rows.push(` ${gutter} = ${issue.hint}`);
  return rows.join('\n');
}
