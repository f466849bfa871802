import { connect, type Socket } from 'node:net';
import type { Probe } from '../../spi/fault.ts';
import type { Json } from '../../spi/json.ts';
import type { Address } from '../../spi/runtime.ts';
import type { PortName } from '../../spi/topology.ts';
import { requestFor } from '../exchange.ts';
import { nodeOf } from '../targets.ts';
import { mainPort } from './answers.ts';
import { answersNow } from './node-frozen.ts';

/** So many connections more than may be answered are tried. */
const BEYOND = 6;
/** Descriptors that the node lets go meanwhile can be used again. */
const SLACK = 2;
const ANSWER_MS = 600;

interface Request {
  address: Address;
  port: PortName;
  leave: number;
}

/** Of connections that are made one after the other and kept, no more than `args.leave` (and 2) get an answer. */
export const nodeTakesNoMore: Probe = {
  kind: 'node.takes-no-more',
  resolve: async (expectation, env, undo) => {
    const node = nodeOf(expectation, env, undo);
    const port = mainPort(node);
    const address = env.endpoint(node.spec.id, port, 'tool');
    await answersNow(node.spec.id, address, port);
    return { address, port, leave: Number(expectation.args.leave) } as unknown as Json;
  },
  measure: async (request, signal) => {
    const { address, port, leave } = request as unknown as Request;
    const tried = leave + BEYOND;
    const sockets: Socket[] = [];
    try {
      const answers = await Promise.all(Array.from({ length: tried }, () => answered(address, port, sockets, signal)));
      const value = answers.filter(Boolean).length;
      const because = `of ${tried} connections held at once ${value} were answered, asked at most ${leave} and ${SLACK} that others may have let go`;
      return { holds: value <= leave + SLACK, value, unit: 'connections', because };
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  },
};

/** Whether a byte came back; the connection is kept by whoever holds the list. */
function answered(address: Address, port: PortName, sockets: Socket[], signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...address, noDelay: true });
    sockets.push(socket);
    const aborted = (): void => reject(signal.reason);
    const settle = (got: boolean): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
      resolve(got);
    };
    const timer = setTimeout(() => settle(false), ANSWER_MS);
    signal.addEventListener('abort', aborted, { once: true });
    socket.once('connect', () => socket.write(requestFor(port, address, 'keep-alive')));
    socket.once('data', () => settle(true));
    socket.once('end', () => settle(false));
    socket.on('error', () => settle(false));
  });
}
