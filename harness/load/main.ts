import { messageOf } from '../core/errors.ts';
import { Generator } from './generator.ts';
import type { FromGenerator, ToGenerator } from './messages.ts';
import { watchParent } from './parent-watch.ts';

/**
 * The load generator's process. It does nothing by itself: the tool speaks to it over its channel, and when that
 * closes, for whatever reason, it ends at once.
 */
function main(): void {
  if (process.send === undefined || !process.connected) {
    process.stderr.write('the load generator is started by seawall, not by hand\n');
    process.exit(3);
  }
  process.on('disconnect', () => process.exit(0));
  // Ctrl-C and a stop are the tool's to handle, which heals first and then stops us.
  process.on('SIGINT', () => {});
  watchParent(fail);
  const generator = new Generator(say, fail);
  process.on('message', (message: ToGenerator) => {
    try {
      generator.hear(message);
    } catch (thrown) {
      fail(thrown);
    }
  });
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
}

/** Resolves when the message has left the process, so that nobody says more than is being heard. */
function say(message: FromGenerator): Promise<void> {
  return new Promise((resolve) => {
    // A channel that is gone ends the process by `disconnect`; there is nobody left to tell.
    process.send?.(message, () => resolve());
  });
}

function fail(thrown: unknown): void {
  const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  process.stderr.write(`${text}\n`);
  void say({ type: 'failed', message: messageOf(thrown) }).then(() => process.exit(1));
}

main();
