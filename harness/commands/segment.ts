import { HarnessError } from '../core/errors.ts';

/** What `--segment` and `--start-at` say. */
export interface SegmentOptions {
  segment?: string;
  startAt?: string;
}

const HINT = 'For example, on the second of five machines: --segment 2/5 --start-at 2026-11-11T00:00:00Z';

/** Reads the two options; `runtime` is where the stack runs. Throws USAGE. */
export function parseSegment(
  { segment, startAt }: SegmentOptions,
  runtime: string,
): { segment?: { index: number; of: number }; startAtMs?: number } {
  const at = startAt === undefined ? undefined : momentFrom(startAt);
  const part = segment === undefined ? undefined : partFrom(segment);
  if (part !== undefined && runtime !== 'existing') {
    const message = `--segment shares one load out among generators, but on the runtime ${runtime} each would have a stack of its own`;
    throw new HarnessError(
      'USAGE',
      message,
      'Stand the stack up once, and name it in a plan with `stack: { existing: … }`.',
    );
  }
  if (part !== undefined && part.of > 1 && at === undefined) {
    const message = 'generators that share one load have to begin at the same moment';
    throw new HarnessError('USAGE', `--segment ${segment} without --start-at: ${message}`, HINT);
  }
  return { ...(part === undefined ? {} : { segment: part }), ...(at === undefined ? {} : { startAtMs: at }) };
}

function partFrom(text: string): { index: number; of: number } {
  const [, index, of] = /^(\d{1,4})\/(\d{1,4})$/.exec(text) ?? [];
  const part = { index: Number(index), of: Number(of) };
  if (part.index >= 1 && part.index <= part.of) return part;
  throw new HarnessError('USAGE', `--segment ${text} is not one of several, as in 2/5`, HINT);
}

function momentFrom(text: string): number {
  const ms = /^\d{10}(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text);
  if (Number.isFinite(ms)) return ms;
  throw new HarnessError('USAGE', `--start-at ${text} is neither a time as in ISO 8601 nor seconds since 1970`, HINT);
}
