import { type SqlSession, sqlState } from '../../harness/core/sql.ts';
import { act } from './actor.ts';
import { aborted, openLeased, pause, seatOf } from './sessions.ts';

/** So many are opened at once: each costs the server a process and a password's thousands of rounds. */
const AT_ONCE = 8;
const FULL_PAUSE_MS = 50;
const TROUBLE_PAUSE_MS = 250;

/** Holds every connection that its user can get, and takes what others let go. */
await act(async (args, signal, expiresAtMs) => {
  const most = Number(args.most);
  const held = new Set<SqlSession>();
  const openers = Array.from({ length: AT_ONCE }, open);
  await Promise.all([...openers, aborted(signal)]);
  await Promise.all([...held].map((session) => session.close()));

  async function open(): Promise<void> {
    while (!signal.aborted) {
      if (held.size >= most) await pause(TROUBLE_PAUSE_MS, signal);
      else await openOne();
    }
  }

  async function openOne(): Promise<void> {
    try {
      const session = await openLeased(seatOf(args), expiresAtMs);
      held.add(session);
      void session.ended.then(() => held.delete(session));
    } catch (thrown) {
      await pause(sqlState(thrown) === '53300' ? FULL_PAUSE_MS : TROUBLE_PAUSE_MS, signal);
    }
  }
});
