import type { Probe } from '../../spi/fault.ts';
import type { Json } from '../../spi/json.ts';
import type { Address } from '../../spi/runtime.ts';
import type { PortName } from '../../spi/topology.ts';
import { exchange, portOfLink } from '../exchange.ts';
import { linkOf } from '../targets.ts';

const SILENCE_MS = 400;

interface Request {
  link: Address;
  port: PortName;
  /** Toxiproxy ends new connections to an upstream that refuses; no answer must do there. */
  endIsSilence: boolean;
}

/** A request over the link gets neither byte nor FIN nor RST for 400 ms, and the connection is not refused. */
export const linkSilent: Probe = {
  kind: 'link.silent',
  resolve: async (expectation, env) => {
    const link = linkOf(expectation, env);
    const endIsSilence = link.proxy.engine === 'toxiproxy';
    return { link: link.listen, port: portOfLink(link.id), endIsSilence } as unknown as Json;
  },
  measure: async (request, signal) => {
    const { link, port, endIsSilence } = request as unknown as Request;
    const { outcome, ms } = await exchange(link, port, SILENCE_MS, signal);
    const value = Math.round(ms);
    const common = { value, unit: 'ms' };
    if (outcome === 'silence') return { ...common, holds: true, because: `nothing came within ${SILENCE_MS} ms` };
    if (outcome === 'end' && endIsSilence) {
      const because = `no answer; Toxiproxy ended the new connection after ${value} ms, since its upstream refuses`;
      return { ...common, holds: true, because };
    }
    const what = { byte: 'an answer', end: 'the connection’s end', refused: 'a refusal' }[outcome];
    return { ...common, holds: false, because: `${what} came after ${value} ms, where silence was asked` };
  },
};
