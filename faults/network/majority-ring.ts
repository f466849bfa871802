/** Fewer cannot each see a majority that is not all. */
export const RING_MIN = 3;

/**
 * Nodes in a ring, of which each hears a majority, itself included, and no two the same: the ones around it. Where the
 * majority is even the view leans to what follows, and of two nodes one may hear the other and not be heard.
 * After Kingsbury's `majorities-ring` (Jepsen).
 */
export function majorityRing(nodes: readonly string[]): ReadonlyMap<string, ReadonlySet<string>> {
  const majority = Math.floor(nodes.length / 2) + 1;
  const before = Math.floor((majority - 1) / 2);
  return new Map(
    nodes.map((node, at) => {
      const around = Array.from({ length: majority }, (_, step) => {
        return nodes[(at - before + step + nodes.length) % nodes.length]!;
      });
      return [node, new Set(around)];
    }),
  );
}
