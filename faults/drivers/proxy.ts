import { connect } from 'node:net';
import { type ICreateToxicBody, Toxiproxy } from 'toxiproxy-node-client';
import { deadline, within } from '../../harness/core/deadline.ts';
import { HarnessError, messageOf } from '../../harness/core/errors.ts';
import type { Effect, FaultDriver, Undo } from '../../harness/spi/fault.ts';
import type { JsonObject } from '../../harness/spi/json.ts';
import type { Capabilities, Link, Support } from '../../harness/spi/runtime.ts';

/** The client has no deadlines of its own. */
const CALL_MS = 5000;
const DAY_MS = 86_400_000;

type ToxicBody = ICreateToxicBody<JsonObject>;
type Planned = Pick<ToxicBody, 'type' | 'stream' | 'attributes'>;

/** What `undo.state` holds. */
interface ProxyState {
  api: string;
  proxy: string;
  /** Ours, in the order they are added. */
  toxics: ToxicBody[];
  /** `link.down`: the listener is closed meanwhile. */
  disable: boolean;
  /** What stood there before. */
  before: { enabled: boolean; toxics: JsonObject[] };
}

type Stream = 'upstream' | 'downstream';
const STREAMS: readonly Stream[] = ['upstream', 'downstream'];
const KINDS = [
  'link.latency',
  'link.black-hole',
  'link.bandwidth',
  'link.slicer',
  'link.reset',
  'link.timeout',
  'link.limit-data',
  'link.slow-close',
  'link.down',
];

/** Where the real Toxiproxy means something else than ours, by effect. */
const TOXIPROXY_NOTES: Readonly<Record<string, string>> = {
  'link.black-hole':
    'Toxiproxy dials the upstream for every new connection: where that is refused, a new connection over a black-holed link to a dead node is closed instead of held; connections that were there before stay silent',
  'link.reset':
    'Toxiproxy resets a connection only once something was sent over it, and ends those that were there before by a FIN',
  'link.slicer':
    'Toxiproxy halves what it slices until a piece is small enough: pieces are up to half as large as asked',
  'link.timeout':
    'Toxiproxy counts the time from the last byte that was sent, not from the beginning of the connection',
};
let made = 0;

/** Link effects by a proxy that speaks Toxiproxy's API: ours or the real one. */
export const proxyDriver: FaultDriver = {
  name: 'proxy',
  accepts,
  prepare: async (effect, env, ctx) => {
    const link = linkOf(effect, env.links);
    const client = new Toxiproxy(link.proxy.api);
    const found = await call(`look at ${link.id}`, () =>
      client.api.get<{ enabled: boolean; toxics: JsonObject[] }>(urlOf(link.proxy.api, link.proxy.name)),
    );
    const toxics = toxicsFor(effect, link.proxy.engine).map((toxic): ToxicBody => {
      made += 1;
      return { ...toxic, toxicity: 1, name: `seawall-${ctx.runId}-${made}` };
    });
    const { enabled, toxics: before } = found.data;
    const state = { api: link.proxy.api, proxy: link.proxy.name, toxics, disable: effect.kind === 'link.down' };
    return {
      driver: 'proxy',
      owner: env.owner,
      on: { link: link.id },
      state: { ...state, before: { enabled, toxics: before } } as unknown as JsonObject,
    };
  },
  apply: async (undo) => {
    const { api, proxy, toxics, disable } = stateOf(undo);
    for (const toxic of toxics) await add(api, proxy, toxic);
    if (disable) await setEnabled(api, proxy, false);
  },
  revert: async (undo) => {
    const { api, proxy, toxics, disable, before } = stateOf(undo);
    // The last one added goes first: it is what closes the connections that lost bytes.
    for (const toxic of toxics.toReversed()) {
      await unlessGone(api, () =>
        call(`remove ${toxic.name}`, () => new Toxiproxy(api).api.delete(urlOf(api, proxy, toxic.name))),
      );
    }
    if (disable && before.enabled) await unlessGone(api, () => setEnabled(api, proxy, true));
  },
};

function accepts(effect: Effect, { powers, proxy }: Capabilities): Support | undefined {
  if (!KINDS.includes(effect.kind)) {
    return undefined;
  }
  if (!powers.includes('link.toxics')) {
    const hint = 'Use a runtime that stands the stack up itself: local or containers.';
    return { ok: false, reason: 'the links of this runtime go through no fault proxy', hint };
  }
  const note = proxy?.engine === 'toxiproxy' ? TOXIPROXY_NOTES[effect.kind] : undefined;
  return note === undefined ? { ok: true } : { ok: true, note };
}

/** The toxics that make an effect true, in the order they are added. */
function toxicsFor(effect: Effect, engine: Link['proxy']['engine']): Planned[] {
  const { stream } = effect.args;
  const streams: readonly Stream[] = stream === 'upstream' || stream === 'downstream' ? [stream] : STREAMS;
  const number = (name: string): number => Math.round(Number(effect.args[name]));
  const each = (type: Planned['type'], attributes: JsonObject): Planned[] =>
    streams.map((one) => ({ type, stream: one, attributes }));
  switch (effect.kind) {
    case 'link.latency':
      return streams.map((one, index) => ({
        type: 'latency',
        stream: one,
        attributes: {
          latency: share(number('delayMs'), streams.length, index),
          jitter: share(number('jitterMs'), streams.length, index),
        },
      }));
    case 'link.bandwidth':
      return each('bandwidth', { rate: number('rateKBps') });
    case 'link.slicer': {
      const delay = Math.round(Number(effect.args.delayMs) * 1000);
      return each('slicer', { average_size: number('sizeBytes'), size_variation: number('variationBytes'), delay });
    }
    case 'link.reset':
      // One is enough: it ends both ways. The caller's side is the one that always sends something.
      return [{ type: 'reset_peer', stream: 'upstream', attributes: { timeout: number('afterMs') } }];
    case 'link.timeout':
      return each('timeout', { timeout: number('afterMs') });
    case 'link.limit-data':
      return each('limit_data', { bytes: number('bytes') });
    case 'link.slow-close':
      return each('slow_close', { delay: number('delayMs') });
    case 'link.black-hole':
      return streams.flatMap((one) => blackHole(one, engine));
    default:
      return [];
  }
}

/**
 * Toxiproxy's `timeout: 0` passes the end of a connection on: an upstream that dies behind it is seen by the client.
 * A `slow_close` before it holds that end back; it must go after the `timeout`, whose removal closes the connection.
 */
function blackHole(stream: Stream, engine: Link['proxy']['engine']): Planned[] {
  const silence: Planned = { type: 'timeout', stream, attributes: { timeout: 0 } };
  return engine === 'seawall' ? [silence] : [{ type: 'slow_close', stream, attributes: { delay: DAY_MS } }, silence];
}

/** Whole ms that sum to the total over all parts. */
function share(total: number, parts: number, index: number): number {
  const whole = Math.round(total);
  return Math.floor(whole / parts) + (index < whole % parts ? 1 : 0);
}

function linkOf(effect: Effect, links: ReadonlyMap<string, Link>): Link {
  const link = 'link' in effect.on ? links.get(effect.on.link) : undefined;
  if (link !== undefined) return link;
  throw new HarnessError(
    'FAULT_TARGET_EMPTY',
    `${JSON.stringify(effect.on)} is no link of this environment`,
    '`seawall explain` lists the links.',
  );
}

function stateOf(undo: Undo): ProxyState {
  return undo.state as unknown as ProxyState;
}

function urlOf(api: string, proxy: string, toxic?: string): string {
  const base = `${api}/proxies/${encodeURIComponent(proxy)}`;
  return toxic === undefined ? base : `${base}/toxics/${encodeURIComponent(toxic)}`;
}

async function add(api: string, proxy: string, toxic: ToxicBody): Promise<void> {
  try {
    await call(`add ${toxic.name}`, () => new Toxiproxy(api).api.post(`${urlOf(api, proxy)}/toxics`, toxic));
  } catch (thrown) {
    // The name is ours alone: it is there because an earlier try got through.
    if (statusOf(thrown) !== 409) throw thrown;
  }
}

async function setEnabled(api: string, proxy: string, enabled: boolean): Promise<void> {
  await call(`set ${proxy} ${enabled ? 'up' : 'down'}`, () =>
    new Toxiproxy(api).api.post(urlOf(api, proxy), { enabled }),
  );
}

/** A toxic, a proxy or a whole proxy program that is gone needs no undoing. */
async function unlessGone(api: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    if (statusOf(thrown) === 404 || (await isRefused(api))) return;
    throw thrown;
  }
}

async function call<T>(what: string, work: () => Promise<T>): Promise<T> {
  const hint = 'Its log is in the run’s logs.';
  const late = (): HarnessError =>
    new HarnessError('PROXY_FAILED', `${what}: the proxy did not answer within ${CALL_MS / 1000} s`, hint);
  try {
    return await within(CALL_MS, work(), late);
  } catch (thrown) {
    if (thrown instanceof HarnessError) throw thrown;
    throw new HarnessError('PROXY_FAILED', `${what}: ${messageOf(thrown)}`, hint, thrown);
  }
}

/** The client tells a status in words only. */
function statusOf(thrown: unknown): number | undefined {
  const match = /status code (\d{3})/.exec(messageOf(thrown));
  return match === null ? undefined : Number(match[1]);
}

/** The client hides why a call failed; whether anybody listens can be asked. */
async function isRefused(api: string): Promise<boolean> {
  const { hostname, port } = new URL(api);
  const socket = connect(Number(port), hostname);
  try {
    return await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(false));
      socket.once('error', () => resolve(true));
      deadline(CALL_MS).addEventListener('abort', () => resolve(false), { once: true });
    });
  } finally {
    socket.destroy();
  }
}
