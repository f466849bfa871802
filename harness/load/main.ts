import { messageOf } from '../core/errors.ts';
import { Generator } from './generator.ts';
import { openChannel, say } from './generator-channel.ts';

/** The load generator's process. */
const generator = new Generator(say, fail);
openChannel((message) => {
  try {
    generator.hear(message);
  } catch (thrown) {
    fail(thrown);
  }
}, fail);

function fail(thrown: unknown): void {
  const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  process.stderr.write(`${text}\n`);
  void say({ type: 'failed', message: messageOf(thrown) }).then(() => process.exit(1));
}
