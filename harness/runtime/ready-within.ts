import { deadline } from '../core/deadline.ts';

/** `work` until it is done, `diesBy` tells that it never will be, or `ms` are over; then `late` says what was seen. */
export async function readyWithin(
  ms: number,
  signal: AbortSignal,
  work: (signal: AbortSignal, lastSeen: (what: string) => void) => Promise<void>,
  diesBy: (died: (error: Error) => void) => () => void,
  late: (lastSeen: string) => Error,
): Promise<void> {
  const own = new AbortController();
  let seen = 'it was never asked';
  const unsubscribe = diesBy((error) => own.abort(error));
  const timer = deadline(ms);
  try {
    await work(AbortSignal.any([signal, own.signal, timer]), (what) => {
      seen = what;
    });
  } catch (thrown) {
    signal.throwIfAborted();
    own.signal.throwIfAborted();
    throw timer.aborted ? late(seen) : thrown;
  } finally {
    unsubscribe();
    own.abort();
  }
}
