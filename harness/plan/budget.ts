import type { Effect } from '../spi/fault.ts';
import type { LinkSpec, NodeSpec, Topology } from '../spi/topology.ts';

/** Effects with which a node is gone while they hold. */
export const TAKES_NODE: readonly string[] = ['node.crash-looping', 'node.killed', 'node.paused', 'node.restarted'];
/** Effects with which nothing gets through a link, or no answer does. */
export const CUTS_LINK: readonly string[] = ['link.black-hole', 'link.down', 'link.packet-drop'];

/** Something that has several members so that it can lose some. */
export interface Claim {
  what: string;
  kind: 'store' | 'service' | 'idc';
  members: string[];
  /** Members that may be gone at one moment, at most: what the layout allows, whether or not the system makes it true. */
  survives: number;
}

/** How much of a claim a set of effects can take at one moment. */
export interface Taken {
  claim: Claim;
  taken: number;
}

/**
 * What a stack can claim to survive, from its layout alone: a store or a service all members but one, and all IDCs but
 * one. What stands at the edge claims nothing, since no fault may aim there.
 */
export function claimsOf(topology: Topology): Claim[] {
  const within = topology.nodes.filter(({ idc }) => !topology.edge.includes(idc));
  const claim = (what: string, kind: Claim['kind'], members: string[]): Claim => {
    return { what, kind, members, survives: members.length - 1 };
  };
  const groups = Map.groupBy(within, ({ of }) => of);
  const idcs = topology.idcs.filter((idc) => within.some((node) => node.idc === idc));
  return [
    ...(idcs.length === 0 ? [] : [claim('the IDCs', 'idc', idcs)]),
    ...[...groups].map(([of, nodes]) =>
      claim(
        of,
        nodes[0]!.kind,
        nodes.map(({ id }) => id),
      ),
    ),
  ];
}

/** At worst, what is gone of each claim while all of these effects hold; only where something is, IDCs first. */
export function takenBy(effects: readonly Effect[], entry: string, topology: Topology): Taken[] {
  const gone = goneNodes(effects, entry, topology);
  const roles = effects.flatMap(({ kind, on }) =>
    'store' in on && TAKES_NODE.includes(kind) ? [`${on.store}/${on.role}`] : [],
  );
  return claimsOf(topology).flatMap((claim): Taken[] => {
    const taken = claim.kind === 'idc' ? idcsGone(claim, gone, topology) : membersGone(claim, gone, roles);
    return taken === 0 ? [] : [{ claim, taken }];
  });
}

/** What a claim counts, in the plural. */
export function unitOf({ kind, what }: Claim): string {
  if (kind === 'idc') return 'IDCs';
  return `${kind === 'store' ? 'members' : 'nodes'} of ${what}`;
}

/** A role is another member than those that are gone by name, if there is one left: that is the worst. */
function membersGone({ what, members }: Claim, gone: ReadonlySet<string>, roles: readonly string[]): number {
  const byRole = new Set(roles.filter((role) => role.startsWith(`${what}/`))).size;
  return Math.min(members.length, members.filter((id) => gone.has(id)).length + byRole);
}

function idcsGone({ members }: Claim, gone: ReadonlySet<string>, topology: Topology): number {
  return members.filter((idc) => topology.nodes.every((node) => node.idc !== idc || gone.has(node.id))).length;
}

/**
 * Nodes that are dead, or that users cannot get through to any more because of cut links. Those that are out of reach only
 * because their callers are dead are still there.
 */
function goneNodes(effects: readonly Effect[], entry: string, topology: Topology): Set<string> {
  const taking = effects.filter(({ kind }) => TAKES_NODE.includes(kind));
  const dead = new Set(taking.flatMap(({ on }) => ('node' in on ? [on.node] : [])));
  const cutting = effects.filter(({ kind }) => CUTS_LINK.includes(kind));
  const cut = new Set(cutting.flatMap(({ on }) => ('link' in on ? [on.link] : [])));
  const before = reachable(entry, topology, new Set());
  const now = reachable(entry, topology, cut);
  return new Set([...dead, ...[...before].filter((id) => !now.has(id))]);
}

/** Nodes that a request from the edge, or to the entry service, can come to. */
function reachable(entry: string, { nodes, links, edge }: Topology, cut: ReadonlySet<string>): Set<string> {
  const first = nodes.filter(({ idc, of }) => edge.includes(idc) || of === entry);
  const found = new Set(first.map(({ id }: NodeSpec) => id));
  // Replication and control carry no request of a user's.
  const ways = links.filter(({ id, why, port }: LinkSpec) => why === 'call' && port !== 'control' && !cut.has(id));
  for (let grown = true; grown; ) {
    const next = ways.filter(({ from, to }) => found.has(from) && !found.has(to));
    for (const { to } of next) found.add(to);
    grown = next.length > 0;
  }
  return found;
}
