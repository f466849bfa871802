import { connect } from 'node:net';
import { HarnessError } from '../../core/errors.ts';
import type { Probe } from '../../spi/fault.ts';
import type { Json } from '../../spi/json.ts';
import type { Address } from '../../spi/runtime.ts';
import type { PortName } from '../../spi/topology.ts';
import { exchange } from '../exchange.ts';
import { nodeOf } from '../targets.ts';
import { mainPort } from './answers.ts';

const SILENCE_MS = 400;
const BASELINE_MS = 1500;

/**
 * The node itself, past every proxy, lets a connection be made and answers nothing for 400 ms: a dead one refuses or
 * ends it, and one that is cut off lets none be made. It must have answered before.
 */
export const nodeFrozen: Probe = {
  kind: 'node.frozen',
  resolve: async (expectation, env, undo) => {
    const node = nodeOf(expectation, env, undo);
    const port = mainPort(node);
    const address = env.endpoint(node.spec.id, port, 'tool');
    await answersNow(node.spec.id, address, port);
    return { address, port } as unknown as Json;
  },
  measure: async (request, signal) => {
    const { address, port } = request as unknown as { address: Address; port: PortName };
    const [{ outcome, ms }, made] = await Promise.all([
      exchange(address, port, SILENCE_MS, signal),
      connects(address, SILENCE_MS),
    ]);
    const value = Math.round(ms);
    const what = { byte: 'it answered', end: 'it ended the connection', refused: 'it refused', silence: 'no answer' };
    const because = `${what[outcome]} within ${value} ms, and ${made ? 'a' : 'no'} connection was made, asked straight at the node`;
    return { holds: outcome === 'silence' && made, value, unit: 'ms', because };
  },
};

/** What does not answer before a fault cannot be seen to stop. Throws PROBE_FAILED. */
export async function answersNow(id: string, address: Address, port: PortName): Promise<void> {
  const { outcome } = await exchange(address, port, BASELINE_MS, AbortSignal.timeout(2 * BASELINE_MS));
  if (outcome === 'byte') return;
  const hint = 'Look whether it is up: a fault on what does not answer proves nothing.';
  throw new HarnessError('PROBE_FAILED', `before the fault ${id} did not answer: ${outcome}`, hint);
}

function connects(address: Address, withinMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ ...address });
    const settle = (made: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(made);
    };
    const timer = setTimeout(() => settle(false), withinMs);
    socket.once('connect', () => settle(true));
    socket.on('error', () => settle(false));
  });
}
