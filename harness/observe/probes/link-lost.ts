import { lowerBound, upperBound } from '../../core/binomial.ts';
import { formatPercent } from '../../core/units.ts';
import type { Probe } from '../../spi/fault.ts';
import type { Json } from '../../spi/json.ts';
import { pollUntil } from '../poll.ts';
import { type LinkAddress, linkAddress, smallRequest, talk } from './link-talk.ts';

/** A handshake whose packet got lost is tried again by the kernel after a second; one that did not takes no time. */
const HANDSHAKE_MS = 300;
/** What is behind the link sets the pace: each attempt waits for its answer, or so long. */
const ANSWER_MS = 250;
const AT_ONCE = 16;
/** So many losses are expected in a sample; a loss of half the size is then told from the one asked. */
const LOSSES_EXPECTED = 30;
const ATTEMPTS_MIN = 120;
const ATTEMPTS_MAX = 1000;
/** One-sided, each way: one good fault of 500 is taken for none and tried again. */
const CONFIDENCE = 0.999;
const WITHIN_MS = 2500;
const HEAL_WITHIN_MS = 10_000;

interface Request {
  to: LinkAddress;
  /** Share of handshakes that lose a packet. */
  share: number;
  attempts: number;
  gone: boolean;
  withinMs: number;
}

/**
 * The share of handshakes over the link that lose a packet, within exact binomial bounds of `args.share`, the chance of one
 * packet; `args.ways` packets of a handshake are at risk. `gone: true`: none is lost any more.
 */
export const linkLost: Probe = {
  kind: 'link.lost',
  resolve: async (expectation, env) => {
    const { share, ways, gone = false } = expectation.args;
    const { withinMs = gone === true ? HEAL_WITHIN_MS : WITHIN_MS } = expectation.args;
    const lost = 1 - (1 - Number(share)) ** Number(ways);
    const attempts = Math.min(ATTEMPTS_MAX, Math.max(ATTEMPTS_MIN, Math.ceil(LOSSES_EXPECTED / lost)));
    return { to: linkAddress(expectation, env), share: lost, attempts, gone, withinMs } as unknown as Json;
  },
  measure: (request, signal) => {
    const { to, share, attempts, gone, withinMs } = request as unknown as Request;
    return pollUntil(withinMs, signal, async () => {
      const lost = await lostOf(to, attempts, signal);
      const [low, high] = [lowerBound(lost, attempts, CONFIDENCE), upperBound(lost, attempts, CONFIDENCE)];
      const holds = gone ? high < share && lost <= attempts * share * 0.1 : lost > 0 && low <= share && share <= high;
      const range = `${formatPercent(low, 1)} to ${formatPercent(high, 1)} at 99.9 %`;
      const because = `${lost} of ${attempts} handshakes lost a packet (${range}), asked ${formatPercent(share, 2)}`;
      return { holds, value: lost / attempts, unit: 'share', because };
    });
  },
};

/** Handshakes that were not over in time, of `attempts` with a few at once. */
async function lostOf(to: LinkAddress, attempts: number, signal: AbortSignal): Promise<number> {
  let [started, lost] = [0, 0];
  const worker = async (): Promise<void> => {
    while (started < attempts) {
      started += 1;
      if (!(await shakesHands(to, signal))) lost += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return lost;
}

async function shakesHands(to: LinkAddress, signal: AbortSignal): Promise<boolean> {
  const seen = await talk(to.address, {
    withinMs: HANDSHAKE_MS + ANSWER_MS,
    connectMs: HANDSHAKE_MS,
    signal,
    begin: (socket) => socket.write(smallRequest(to)),
    hear: () => true,
  });
  return seen.connected;
}
