import type { Probe } from '../../spi/fault.ts';
import type { Json } from '../../spi/json.ts';
import { type LinkAddress, linkAddress, talk } from './link-talk.ts';

const ATTEMPTS = 20;
const CONNECT_MS = 500;

/** Every one of 20 new connections over the link is refused. */
export const linkRefused: Probe = {
  kind: 'link.refused',
  resolve: async (expectation, env) => linkAddress(expectation, env) as unknown as Json,
  measure: async (request, signal) => {
    const { address } = request as unknown as LinkAddress;
    const hear = (): boolean => true;
    const talks = await Promise.all(
      Array.from({ length: ATTEMPTS }, () =>
        talk(address, { withinMs: CONNECT_MS, signal, begin: (socket) => socket.end(), hear }),
      ),
    );
    const refused = talks.filter(({ end }) => end === 'refused').length;
    const because = `${refused} of ${ATTEMPTS} new connections were refused`;
    return { holds: refused === ATTEMPTS, value: refused / ATTEMPTS, unit: 'share', because };
  },
};
