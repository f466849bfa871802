/** Time for the proxy, injected: monotonic ms and one-shot timers. */
export interface Timers {
  now(): number;
  /** Runs once, not before `delayMs` have passed. Returns the cancel, which may be called at any time. */
  after(delayMs: number, run: () => void): () => void;
}

export const realTimers: Timers = {
  now: () => performance.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, Math.max(0, Math.ceil(delayMs)));
    return () => clearTimeout(timer);
  },
};
