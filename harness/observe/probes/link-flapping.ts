import { setTimeout as sleep } from 'node:timers/promises';
import type { Measurement, Probe } from '../../spi/fault.ts';
import type { Json } from '../../spi/json.ts';
import { pollUntil } from '../poll.ts';
import { type LinkAddress, linkAddress, smallRequest, talk } from './link-talk.ts';

/** A new connection so often; one that has no answer by then was begun while the link was silent. */
const EVERY_MS = 40;
const ANSWER_MS = 150;
/** Whole periods that are watched. */
const PERIODS = 2;
/** Until the first silence, and until a link is steady. */
const FIRST_MS = 2000;
const GONE_MS = 10_000;
const TOLERANCE_RATIO = 0.25;

interface Request {
  to: LinkAddress;
  upMs: number;
  downMs: number;
  gone: boolean;
  withinMs: number;
}

/**
 * From its first silence on, over two periods, the link is silent for `args.downMs` and answers for `upMs`, again and
 * again: the share of time that it is silent is as asked ± a quarter of the smaller part, and it goes both ways at least
 * twice. `gone: true`: it answers throughout a period.
 */
export const linkFlapping: Probe = {
  kind: 'link.flapping',
  resolve: async (expectation, env) => {
    const { upMs, downMs, gone = false, withinMs = GONE_MS } = expectation.args;
    return { to: linkAddress(expectation, env), upMs, downMs, gone, withinMs } as unknown as Json;
  },
  measure: async (request, signal) => {
    const asked = request as unknown as Request;
    return asked.gone ? pollUntil(asked.withinMs, signal, () => steady(asked, signal)) : flapping(asked, signal);
  },
};

async function steady({ to, upMs, downMs }: Request, signal: AbortSignal): Promise<Measurement> {
  const looks = await watch(to, upMs + downMs, signal);
  const silent = looks.filter((answered) => !answered).length;
  const because = `${silent} of ${looks.length} new connections in ${upMs + downMs} ms had no answer`;
  return { holds: silent === 0, value: silent / looks.length, unit: 'share', because };
}

async function flapping({ to, upMs, downMs }: Request, signal: AbortSignal): Promise<Measurement> {
  const end = performance.now() + FIRST_MS;
  // The helper that does it takes a moment to start.
  while ((await look(to, signal)) && performance.now() < end) await sleep(EVERY_MS / 4, undefined, { signal });
  const looks = await watch(to, PERIODS * (upMs + downMs), signal);
  const silent = looks.filter((answered) => !answered).length;
  const turns = looks.slice(1).filter((answered, index) => answered !== looks[index]).length;
  const [share, asked] = [silent / looks.length, downMs / (upMs + downMs)];
  const tolerance = TOLERANCE_RATIO * Math.min(asked, 1 - asked) + 2 / looks.length;
  const holds = Math.abs(share - asked) <= tolerance && turns >= 2 * PERIODS - 1 && turns <= 2 * PERIODS + 1;
  const percent = (value: number): string => `${Math.round(value * 100)} %`;
  const because = `silent ${percent(share)} of the time with ${turns} turns in ${PERIODS} periods, asked ${percent(asked)} ± ${percent(tolerance)}`;
  return { holds, value: share, unit: 'share', because };
}

/** Whether the link answered, look by look, in the order they began. */
async function watch(to: LinkAddress, forMs: number, signal: AbortSignal): Promise<boolean[]> {
  const looks: Promise<boolean>[] = [];
  const startedAtMs = performance.now();
  for (let next = startedAtMs; next - startedAtMs < forMs; next += EVERY_MS) {
    await sleep(Math.max(0, next - performance.now()), undefined, { signal });
    looks.push(look(to, signal));
  }
  return Promise.all(looks);
}

async function look(to: LinkAddress, signal: AbortSignal): Promise<boolean> {
  const seen = await talk(to.address, {
    withinMs: ANSWER_MS,
    signal,
    begin: (socket) => socket.write(smallRequest(to)),
    hear: () => true,
  });
  return seen.bytes > 0;
}
