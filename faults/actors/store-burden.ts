import type { SqlSession } from '../../harness/core/sql.ts';
import { act } from './actor.ts';
import { keepDoing, openLeased, pause, seatOf } from './sessions.ts';

/** Processor time and nothing else: rows are made and counted one by one, none is kept. */
const HEAVY = 'select count(*) from (select generate_series(1, 2000000000)) as n';
const RUNS = 5;
/** Above what was asked, since what is measured from outside varies. */
const MARGIN = 1.25;
const SETTLE_MS = 150;
const LOOK_EVERY_MS = 1000;

interface Request {
  sessions: number;
  factor: number;
  query: string;
  facts: { baselineMs: number };
}

/**
 * Heavy statements beside the application's, one more and one more until the judged one takes `factor` times as long as
 * it did before, at most `sessions` of them.
 */
await act(async (args, signal, expiresAtMs) => {
  const { sessions: most, factor, query, facts } = args as unknown as Request;
  const goalMs = facts.baselineMs * factor * MARGIN;
  const running = new Set<Promise<void>>();

  await keepDoing('judged query', signal, async () => {
    const judge = await openLeased(seatOf(args), expiresAtMs);
    try {
      while (!signal.aborted) await grow(judge);
    } finally {
      await judge.close();
    }
  });
  await Promise.all(running);

  async function grow(judge: SqlSession): Promise<void> {
    const slowEnough = running.size > 0 && (await medianMs(judge)) >= goalMs;
    if (slowEnough || running.size >= most) return pause(LOOK_EVERY_MS, signal);
    // One processor alone would need this many.
    const first = Math.max(1, Math.ceil(factor) - 1);
    const more = Math.min(running.size === 0 ? first : Math.max(1, running.size >> 1), most - running.size);
    for (let count = 0; count < more; count++) {
      const one = keepDoing('heavy query', signal, burn);
      running.add(one);
    }
    await pause(SETTLE_MS, signal);
  }

  async function medianMs({ client }: SqlSession): Promise<number> {
    const took: number[] = [];
    while (took.length < RUNS && !signal.aborted) {
      const begunMs = performance.now();
      await client.query(query);
      took.push(performance.now() - begunMs);
    }
    return took.toSorted((a, b) => a - b)[took.length >> 1] ?? 0;
  }

  async function burn(): Promise<void> {
    const session = await openLeased(seatOf(args), expiresAtMs);
    const end = (): void => void session.close();
    signal.addEventListener('abort', end, { once: true });
    try {
      await Promise.race([session.client.query(HEAVY), session.ended]);
    } finally {
      signal.removeEventListener('abort', end);
      await session.close();
    }
  }
});
