import { HarnessError, messageOf } from '../core/errors.ts';
import type { Address, Environment, Node, RuntimeContext, RuntimeDriver } from '../spi/runtime.ts';
import type { Stack } from '../spi/stack.ts';
import type { NodeSpec, Topology } from '../spi/topology.ts';
import { ask } from './http-ask.ts';

const ANSWER_MS = 5000;

/** Attaches to what already runs: load and checks, no power over anything, nothing to remove. */
export const existingRuntime: RuntimeDriver = {
  name: 'existing',
  detect: async () => ({
    ok: true,
    capabilities: { runtime: 'existing', powers: [], proxy: undefined, versions: { node: process.version } },
  }),
  up: attach,
  reap: async () => [],
};

async function attach(stack: Stack, topology: Topology, ctx: RuntimeContext): Promise<Environment> {
  const named = Object.entries(stack.existing).map(([name, url]) => ({ name, url: new URL(url) }));
  const silent = (await Promise.all(named.map(({ name, url }) => reasonOfSilence(name, url, ctx.signal)))).filter(
    (reason) => reason !== undefined,
  );
  if (silent.length > 0) {
    throw new HarnessError('ATTACH_FAILED', silent.join('; '), 'Start what is to be tested, or correct `existing`.');
  }
  const addresses = new Map<string, Address>();
  const nodes = new Map<string, Node>();
  for (const { name, url } of named) {
    for (const spec of specsOf(name, topology)) {
      addresses.set(spec.id, addressOf(url));
      nodes.set(spec.id, { spec, restartSpec: () => ({ runtime: 'existing', url: url.href }) });
    }
  }
  ctx.progress(`attached to ${named.map(({ name, url }) => `${name} at ${url.origin}`).join(', ')}`);
  return {
    ...{ runtime: 'existing', owner: 'foreign', nodes, links: new Map(), entryUrl: entryUrl(stack) },
    endpoint: (node, port) => known(addresses, node, port),
    onUnexpectedExit: () => () => undefined,
    inventory: () => [],
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** Any answer at all will do: what is a good one, only the journeys know. */
async function reasonOfSilence(name: string, url: URL, signal: AbortSignal): Promise<string | undefined> {
  try {
    await ask(url, AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]));
    return undefined;
  } catch (thrown) {
    signal.throwIfAborted();
    return `${name} at ${url.href} does not answer: ${messageOf(thrown)}`;
  }
}

function specsOf(name: string, topology: Topology): NodeSpec[] {
  const laidOut = topology.nodes.filter((node) => node.of === name);
  return laidOut.length > 0 ? laidOut : [{ id: name, kind: 'service', of: name, idc: 'existing', ports: ['http'] }];
}

function addressOf(url: URL): Address {
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port };
}

/** As written, for a path in it belongs to every request. */
function entryUrl(stack: Stack): string {
  const url = stack.existing[stack.entry];
  if (url !== undefined) return url.replace(/\/$/, '');
  throw new HarnessError('PLAN_INVALID', `the entry ${stack.entry} has no URL in \`existing\``, 'Name one.');
}

function known(addresses: ReadonlyMap<string, Address>, node: string, port: string): Address {
  const address = port === 'http' ? addresses.get(node) : undefined;
  if (address !== undefined) return address;
  throw new HarnessError('INTERNAL', `${node} has no ${port} port`, 'Please report it.');
}
