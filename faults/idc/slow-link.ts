import { z } from 'zod';
import { HarnessError } from '../../harness/core/errors.ts';
import { durationMs, zodSchema } from '../../harness/core/zod-schema.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import type { Topology } from '../../harness/spi/topology.ts';
import { slowed } from '../effects.ts';
import { findLinks, notTaken } from '../targets.ts';

/** A longer wait cannot be told from silence by a probe that has five seconds. */
const DELAY_MAX_MS = 4000;

const params = z
  .strictObject({
    delay: durationMs().refine((ms) => ms >= 1 && ms <= DELAY_MAX_MS, 'expected 1ms to 4s; beyond, use idc.isolation'),
    jitter: durationMs().prefault('0ms'),
  })
  .refine(({ delay, jitter }) => jitter <= delay, { path: ['jitter'], message: 'expected at most the delay' });

type SlowLinkParams = z.output<typeof params>;

/** Every round trip between the IDCs takes `delay` longer, whichever side asks, half of it each way. */
export const idcSlowLink: Fault<SlowLinkParams> = {
  kind: 'idc.slow-link',
  summary: 'Slows the line between two data centres: every round trip over it, whichever side asks, takes longer.',
  params: zodSchema<SlowLinkParams>(params),
  targets: ['link'],
  effects: ({ delay, jitter }, target, topology) => {
    if (!('link' in target)) throw notTaken('idc.slow-link', target);
    const { from, to } = target.link;
    for (const name of [...from, ...to]) if (!topology.idcs.includes(name)) throw noIdc(name, topology);
    const links = [...findLinks(from, to, topology), ...findLinks(to, from, topology)];
    const between = new Map(links.filter((link) => idcOf(link.from) !== idcOf(link.to)).map((link) => [link.id, link]));
    if (between.size === 0) throw noLine(from, to);
    return [...between.values()].map((link) => slowed(link, { delayMs: delay, jitterMs: jitter, stream: 'both' }));

    function idcOf(node: string): string | undefined {
      return topology.nodes.find(({ id }) => id === node)?.idc;
    }
  },
};

function noIdc(name: string, { idcs }: Topology): HarnessError {
  const hint = `The IDCs are ${idcs.join(', ')}; network.latency takes services and nodes.`;
  return new HarnessError('FAULT_TARGET_EMPTY', `idc.slow-link is between IDCs, and ${name} is none`, hint);
}

function noLine(from: readonly string[], to: readonly string[]): HarnessError {
  const message = `no link leads between ${from.join(', ')} and ${to.join(', ')}, one way or the other`;
  return new HarnessError('FAULT_TARGET_EMPTY', message, '`seawall explain` lists the links.');
}
