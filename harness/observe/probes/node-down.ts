import type { Probe } from '../../spi/fault.ts';
import type { Json } from '../../spi/json.ts';
import type { Address } from '../../spi/runtime.ts';
import type { PortName } from '../../spi/topology.ts';
import { exchange } from '../exchange.ts';
import { nodeOf } from '../targets.ts';
import { mainPort } from './answers.ts';

const ANSWER_MS = 1000;

/**
 * The node itself, past every proxy, takes no connection, or one that ends at once. Silence alone is no death: a frozen
 * process looks like that too.
 */
export const nodeDown: Probe = {
  kind: 'node.down',
  resolve: async (expectation, env, undo) => {
    const node = nodeOf(expectation, env, undo);
    const port = mainPort(node);
    return { address: env.endpoint(node.spec.id, port, 'tool'), port } as unknown as Json;
  },
  measure: async (request, signal) => {
    const { address, port } = request as unknown as { address: Address; port: PortName };
    const { outcome, ms } = await exchange(address, port, ANSWER_MS, signal);
    const value = Math.round(ms);
    const what = { byte: 'it answered', end: 'the connection ended', refused: 'refused', silence: 'silence' }[outcome];
    const holds = outcome === 'end' || outcome === 'refused';
    return { holds, value, unit: 'ms', because: `${what} after ${value} ms, asked straight at the node` };
  },
};
