import type { Effect, FaultDriver, Undo } from '../../harness/spi/fault.ts';
import type { JsonObject } from '../../harness/spi/json.ts';
import { FLAP_LINK } from '../actors/link-acts.ts';
import { actorDriver } from './actor.ts';
import { proxyDriver } from './proxy.ts';

const KIND = 'link.flapping';

/**
 * A helper makes a link silent and lets it be, in turn. Reverting ends the helper and sees to it that the link is whole,
 * whenever in its beat the helper was caught.
 */
export const flappingDriver: FaultDriver = {
  name: 'flapping',
  accepts: (effect, capabilities) => {
    if (effect.kind === KIND) return proxyDriver.accepts(silence(effect), capabilities);
    return undefined;
  },
  prepare: async (effect, env, ctx) => {
    const link = await proxyDriver.prepare(silence(effect), env, ctx);
    const to = 'link' in effect.on ? env.links.get(effect.on.link)!.to : '';
    const { upMs, downMs } = effect.args;
    const args = { upMs: upMs!, downMs: downMs!, undo: link as unknown as JsonObject };
    const helper = await actorDriver.prepare({ ...effect, kind: FLAP_LINK, on: { node: to }, args }, env, ctx);
    return { ...link, driver: 'flapping', state: { helper: asJson(helper), link: asJson(link) } };
  },
  apply: (undo, ctx) => actorDriver.apply(part(undo, 'helper'), ctx),
  revert: async (undo, ctx) => {
    await actorDriver.revert(part(undo, 'helper'), ctx);
    await proxyDriver.revert(part(undo, 'link'), ctx);
  },
};

function silence(effect: Effect): Effect {
  return { ...effect, kind: 'link.black-hole', args: { stream: 'both' } };
}

const asJson = (undo: Undo): JsonObject => undo as unknown as JsonObject;

function part(undo: Undo, name: 'helper' | 'link'): Undo {
  return undo.state[name] as unknown as Undo;
}
