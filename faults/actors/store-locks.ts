import { act } from './actor.ts';
import { aborted, keepDoing, openLeased, seatOf } from './sessions.ts';

/**
 * Holds locks: one session for each, so that two of ours can never wait for each other in a circle with one of the
 * application's. A lock that is lost (the server restarted) is taken again.
 */
await act(async (args, signal, expiresAtMs) => {
  const locks = args.locks as string[];
  await Promise.all(locks.map((lock) => keepDoing(lock, signal, () => hold(lock))));

  async function hold(lock: string): Promise<void> {
    const session = await openLeased(seatOf(args), expiresAtMs);
    try {
      const gone = Promise.race([aborted(signal), session.ended]);
      await Promise.race([take(), gone]);
      await gone;
    } finally {
      await session.close();
    }

    async function take(): Promise<void> {
      await session.client.query('begin');
      await session.client.query(lock);
    }
  }
});
