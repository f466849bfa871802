/**
 * Every code that Seawall can end with, in alphabetical order, with its meaning. The error reference in docs is
 * generated from this table, and a test fails when a code is used that is not here.
 */
export const ERROR_CODES = {
  ATTACH_FAILED: 'an address of an existing stack does not answer',
  BINARY_MISSING: 'a program that was asked for is not on this machine',
  DISK_FULL: 'a file of the run could not be written for want of space',
  ENGINE_MISSING: 'no container engine answers',
  FAULT_TARGET_EMPTY: 'a fault names a target that matches nothing',
  FAULT_UNSUPPORTED: 'this runtime cannot make this fault true',
  FEED_UNUSABLE: 'a feed is missing, is empty, or has a row that cannot be read',
  FILE_UNREADABLE: 'a file could not be read',
  HEAL_INCOMPLETE: 'something that a run did could not be undone',
  HOOK_UNUSABLE: 'a hook of the user’s cannot be used',
  HOST_NOT_ALLOWED: 'a target is outside loopback and the run’s own stack and the plan does not allow it',
  IMAGE_MISSING: 'a container image is neither here nor to be had',
  IMPORT_EMPTY: 'nothing that was imported holds a request',
  IMPORT_UNRECOGNISED: 'the format of an input could not be told',
  INTERNAL: 'a defect of Seawall itself',
  JOURNAL_BROKEN: 'a journal cannot be read',
  JOURNALS_DO_NOT_MERGE: 'the runs are not the segments of one',
  LOAD_GENERATOR_DIED: 'the load generator’s process ended before its work was done',
  LOAD_SCRIPT_BROKEN: 'a load script of the plan’s own does not run',
  LOAD_UNSUPPORTED: 'no load engine can run this scenario',
  NODE_DIED: 'a process of the stack ended before it was ready',
  NODE_NOT_READY: 'a process of the stack did not become ready in time',
  PLAN_INVALID: 'the plan or its stack is wrong',
  PORT_IN_USE: 'no free port could be bound',
  POSTGRES_MISSING: 'the local runtime found no PostgreSQL programs',
  PROBE_FAILED: 'the probe process could not measure',
  PROXY_FAILED: 'a fault proxy did not do what was asked',
  QUERY_FAILED: 'a store did not answer a query of the audit',
  RECORDING_BROKEN: 'a recording is damaged',
  RECORDING_EMPTY: 'a recording holds no request',
  RECORDING_FOREIGN: 'a file that was given as a recording is none',
  RECORDING_NEWER: 'a recording was written by a newer Seawall',
  RECORDING_TRUNCATED: 'a recording ends before it should',
  RUN_ALIVE: 'the run belongs to a living process',
  RUN_UNKNOWN: 'no such run',
  RUNTIME_UNSUPPORTED: 'the runtime cannot be used here',
  STACK_DIFFERS: 'the plan is about another stack than the one that is up',
  STACK_KEPT: 'what stands was kept on purpose',
  STACK_UNKNOWN: 'no such stack is up',
  START_TOO_LATE: 'the moment at which the load was to begin has passed',
  USAGE: 'the command line is wrong',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** What whoever asked can mend by asking differently: these end with exit code 3, wherever they come up. */
const ASKERS: ReadonlySet<string> = new Set<ErrorCode>([
  'FAULT_TARGET_EMPTY',
  'FAULT_UNSUPPORTED',
  'FEED_UNUSABLE',
  'HOOK_UNUSABLE',
  'HOST_NOT_ALLOWED',
  'IMPORT_UNRECOGNISED',
  'JOURNALS_DO_NOT_MERGE',
  'LOAD_SCRIPT_BROKEN',
  'LOAD_UNSUPPORTED',
  'PLAN_INVALID',
  'RUN_UNKNOWN',
  'STACK_DIFFERS',
  'STACK_KEPT',
  'STACK_UNKNOWN',
  'START_TOO_LATE',
  'USAGE',
]);

export function isAskersFault(code: string): boolean {
  return ASKERS.has(code);
}

/** An operation of the harness failed: what happened, to what, with the numbers, and the next thing to do. */
export class HarnessError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;

  constructor(code: ErrorCode, message: string, hint: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'HarnessError';
    this.code = code;
    this.hint = hint;
  }
}

/** Any thrown value as a HarnessError; what was not one is a defect of ours and says so. */
export function asHarnessError(thrown: unknown): HarnessError {
  if (thrown instanceof HarnessError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new HarnessError(
    'INTERNAL',
    message,
    'This is a defect of Seawall: please report it with the stack trace.',
    thrown,
  );
}

/** The text of any thrown value, with its causes. */
export function messageOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const own = thrown.message === '' ? thrown.name : thrown.message;
  return thrown.cause === undefined ? own : `${own}: ${messageOf(thrown.cause)}`;
}
