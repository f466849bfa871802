import { once } from 'node:events';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { act } from './actor.ts';
import { joinContainer } from './container-group.ts';

/** Busy and idle time alternate within this: short beside what a caller waits, long beside the scheduler's turns. */
const PERIOD_MS = 50;

interface Share {
  /** Part of each period that a thread wants the processor for, above 0 and at most 1. */
  share: number;
}

/** Wants the processor for its share of each period, until the thread is ended. */
function burn({ share }: Share): never {
  const idle = new Int32Array(new SharedArrayBuffer(4));
  // On a grid: who wakes late has not rested more than was asked.
  for (let periodEndMs = performance.now(); ; ) {
    periodEndMs = Math.max(periodEndMs + PERIOD_MS, performance.now());
    const busyUntilMs = periodEndMs - PERIOD_MS * (1 - share);
    while (performance.now() < busyUntilMs);
    const idleMs = periodEndMs - performance.now();
    if (idleMs > 0) Atomics.wait(idle, 0, 0, idleMs);
  }
}

if (!isMainThread) burn(workerData as Share);

/** Keeps `threads` busy, each for its `share`; in a container's control group where `container` names one. */
await act(async (args, signal) => {
  const over = typeof args.container === 'string' ? joinContainer(args.container, 'cpu', signal) : signal;
  const workerData: Share = { share: Number(args.share) };
  const workers = Array.from({ length: Number(args.threads) }, () => new Worker(import.meta.filename, { workerData }));
  try {
    if (!over.aborted) await once(over, 'abort');
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
});
