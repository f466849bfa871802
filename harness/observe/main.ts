import { messageOf } from '../core/errors.ts';
import type { FromProbe, ToProbe } from './messages.ts';
import { PROBES } from './probe.ts';

/**
 * The probe process: measures what the tool asks, several at a time, over sockets of its own, so that neither the
 * tool's load nor its connections to the fault proxies can colour what is seen. Ends with the tool.
 */
const running = new Map<number, AbortController>();

function send(message: FromProbe): void {
  // The channel may close while a measurement runs: then nobody is left who wants it.
  if (process.connected) process.send?.(message);
}

async function measure(message: Extract<ToProbe, { kind: string }>): Promise<void> {
  const { id, kind, request } = message;
  const controller = new AbortController();
  running.set(id, controller);
  try {
    const probe = PROBES.get(kind);
    if (probe === undefined) throw new TypeError(`there is no probe ${kind}`);
    send({ id, measured: await probe.measure(request, controller.signal) });
  } catch (thrown) {
    send({ id, failed: messageOf(thrown) });
  } finally {
    running.delete(id);
  }
}

process.on('message', (message: ToProbe) => {
  if ('abort' in message) running.get(message.id)?.abort(new Error('the tool no longer waits'));
  else void measure(message);
});
process.on('disconnect', () => process.exit(0));
send({ ready: true });
