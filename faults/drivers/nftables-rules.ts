/** Which packets of a link are dropped. */
export interface PacketRules {
  /** Where the link is dialled, in the network that the rules are laid in. */
  port: number;
  /** What the caller sends. */
  upstream: boolean;
  /** What it is sent. */
  downstream: boolean;
  /** Chance of a packet to be dropped, in (0, 1]. */
  share: number;
}

const PARTS = 10_000;

/**
 * An nft script that makes a table which drops what `rules` say for `leaseMs`. The port stands in a set whose elements the
 * kernel itself takes out when their time is over: then the rules match nothing.
 */
export function packetTable(table: string, rules: PacketRules, leaseMs: number): string {
  const chance = rules.share >= 1 ? '' : ` numgen random mod ${PARTS} < ${Math.round(rules.share * PARTS)}`;
  const chain = (hook: string, side: string): string =>
    `chain ${hook} { type filter hook ${hook} priority filter; policy accept; tcp ${side} @lease${chance} counter drop; }`;
  return [
    `table inet ${table} {`,
    `set lease { type inet_service; flags timeout; elements = { ${rules.port} timeout ${Math.ceil(leaseMs / 1000)}s }; }`,
    ...(rules.upstream ? [chain('input', 'dport')] : []),
    ...(rules.downstream ? [chain('output', 'sport')] : []),
    '}',
  ].join('\n');
}

/** An nft script that removes a table; one that is not there is fine, also for an nft that knows no `destroy`. */
export function deleteTable(table: string): string {
  return `table inet ${table} {}\ndelete table inet ${table}`;
}
