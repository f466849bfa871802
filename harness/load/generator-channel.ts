import type { FromGenerator, ToGenerator } from './messages.ts';
import { watchParent } from './parent-watch.ts';

/**
 * Makes this process a generator's: it does nothing by itself, the tool speaks to it over its channel, and when that closes,
 * for whatever reason, it ends at once.
 */
export function openChannel(hear: (message: ToGenerator) => void, fail: (thrown: unknown) => void): void {
  if (process.send === undefined || !process.connected) {
    process.stderr.write('the load generator is started by seawall, not by hand\n');
    process.exit(3);
  }
  process.on('disconnect', () => process.exit(0));
  // Ctrl-C and a stop are the tool's to handle, which heals first and then stops us.
  process.on('SIGINT', () => {});
  watchParent(fail);
  process.on('message', hear);
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
}

/** Resolves when the message has left the process, so that nobody says more than is being heard. */
export function say(message: FromGenerator): Promise<void> {
  return new Promise((resolve) => {
    // A channel that is gone ends the process by `disconnect`; there is nobody left to tell.
    process.send?.(message, () => resolve());
  });
}
