import { randomUUID } from 'node:crypto';
import { HarnessError } from '../../harness/core/errors.ts';
import type { Effect, FaultDriver, Undo } from '../../harness/spi/fault.ts';
import type { JsonObject } from '../../harness/spi/json.ts';
import type { Capabilities, Link, Support } from '../../harness/spi/runtime.ts';
import { type NftPlace, runNft } from './nftables-container.ts';
import { deleteTable, type PacketRules, packetTable } from './nftables-rules.ts';

const KINDS = ['link.loss', 'link.packet-drop'];

/** What `undo.state` holds. */
interface NftState {
  place: NftPlace;
  table: string;
  rules: PacketRules;
  /** Epoch ms at which the kernel lets go of the rules by itself. */
  expiresAtMs: number;
}

/**
 * Link effects on packets: rules in a table of our own, at the link's port in the network of its fault proxy, where they
 * meet this link alone. The kernel forgets them when the lease is over, whoever may be dead by then.
 */
export const nftablesDriver: FaultDriver = {
  name: 'nftables',
  accepts,
  prepare: async (effect, env, ctx) => {
    const link = 'link' in effect.on ? env.links.get(effect.on.link) : undefined;
    const { container, port, image } = packetsOf(effect, link);
    const { stream, share } = effect.args;
    const state: NftState = {
      place: { container, image, runId: ctx.runId },
      table: `seawall_${ctx.runId.replaceAll(/[^A-Za-z0-9]/g, '_')}_${randomUUID().slice(0, 8)}`,
      rules: {
        port,
        upstream: stream !== 'downstream',
        downstream: stream !== 'upstream',
        share: effect.kind === 'link.loss' ? Number(share) : 1,
      },
      expiresAtMs: ctx.expiresAtMs,
    };
    return { driver: 'nftables', owner: env.owner, on: { link: link!.id }, state: state as unknown as JsonObject };
  },
  apply: async (undo, ctx) => {
    const { place, table, rules, expiresAtMs } = stateOf(undo);
    const leaseMs = expiresAtMs - Date.now();
    if (leaseMs <= 0) {
      const hint = 'Make the fault shorter, or look why it took so long to prepare.';
      throw new HarnessError('PROXY_FAILED', `the lease of ${table} was over before its rules were laid`, hint);
    }
    await runNft(place, packetTable(table, rules, leaseMs), ctx.signal);
  },
  revert: async (undo, ctx) => {
    const { place, table } = stateOf(undo);
    await runNft(place, deleteTable(table), ctx.signal);
  },
};

function accepts(effect: Effect, { runtime, powers }: Capabilities): Support | undefined {
  if (!KINDS.includes(effect.kind)) {
    return undefined;
  }
  if (powers.includes('link.packets')) {
    const note =
      'packets are dropped between the caller and its fault proxy, which goes on to hold the connection behind';
    return { ok: true, note };
  }
  if (runtime === 'containers') {
    const hint = 'Build it (`node ci/images.ts nftables`), or let SEAWALL_IMAGES map the name to one that has nft.';
    return { ok: false, reason: 'packet faults need the image seawall-nftables, which is not here', hint };
  }
  const hint = 'Use `--runtime containers`, or a fault on bytes: network.black-hole, network.latency, network.slicer.';
  return { ok: false, reason: 'packet faults need nftables in a container’s network', hint };
}

function packetsOf(effect: Effect, link: Link | undefined): NonNullable<Link['packets']> {
  if (link?.packets !== undefined) return link.packets;
  const what = JSON.stringify(effect.on);
  if (link === undefined) {
    const hint = '`seawall explain` lists the links.';
    throw new HarnessError('FAULT_TARGET_EMPTY', `${what} is no link of this environment`, hint);
  }
  const hint = 'Use `--runtime containers`.';
  throw new HarnessError('FAULT_UNSUPPORTED', `packet rules cannot be laid at ${what} in this runtime`, hint);
}

function stateOf(undo: Undo): NftState {
  return undo.state as unknown as NftState;
}
