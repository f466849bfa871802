import type { Target } from '../spi/plan.ts';
import type { Topology } from '../spi/topology.ts';
import type { Path } from './document.ts';
import { suggest } from './load.ts';
import type { IssueBook } from './parts.ts';

export const shapeOf = (target: Target): 'idc' | 'service' | 'node' | 'store' | 'link' => {
  if ('store' in target) return 'store';
  if ('service' in target) return 'service';
  if ('node' in target) return 'node';
  return 'link' in target ? 'link' : 'idc';
};

/** Every name of a target exists, and none of it stands where the users do. */
export function checkTarget(target: Target, topology: Topology, path: Path, book: IssueBook): boolean {
  const services = namesOf('service', topology);
  const stores = namesOf('store', topology);
  const nodes = topology.nodes.map(({ id }) => id);
  const refer = (name: string, known: readonly string[], what: string, at: Path): boolean => {
    if (known.includes(name)) return true;
    book.add([...path, ...at], 'REFERENCE_UNKNOWN', `there is no ${what} "${name}"`, suggest(name, known));
    return false;
  };
  if ('link' in target) {
    const any = [...new Set([...topology.idcs, ...services, ...stores, ...nodes])];
    const ends = (['from', 'to'] as const).flatMap((end) =>
      target.link[end].map((name, index) => {
        const listed = Array.isArray(valueOfEnd(book, path, end)) ? ['link', end, index] : ['link', end];
        return refer(name, any, 'node, service, store or IDC', listed);
      }),
    );
    return ends.every(Boolean);
  }
  let found = true;
  if ('store' in target) found = refer(target.store, stores, 'store', ['store']);
  if ('service' in target) found = refer(target.service, services, 'service', ['service']);
  if ('node' in target) found = refer(target.node, nodes, 'node', ['node']);
  if ('idc' in target && target.idc !== undefined) found = refer(target.idc, topology.idcs, 'IDC', ['idc']) && found;
  if (!found) return false;
  return checkAim(target, topology, path, book);
}

function valueOfEnd(book: IssueBook, path: Path, end: 'from' | 'to'): unknown {
  return [...path, 'link', end].reduce<unknown>(
    (at, part) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[part] : undefined),
    book.document.value,
  );
}

function checkAim(
  target: Exclude<Target, { link: unknown }>,
  topology: Topology,
  path: Path,
  book: IssueBook,
): boolean {
  const hit = topology.nodes.filter((node) => {
    if ('node' in target) return node.id === target.node;
    if ('store' in target) return node.of === target.store;
    if ('service' in target) return node.of === target.service && (target.idc === undefined || node.idc === target.idc);
    return node.idc === target.idc;
  });
  if (hit.length === 0) {
    book.add(path, 'TARGET', 'this target matches nothing');
    return false;
  }
  if ('store' in target && target.role === 'standby' && !hit.some(({ firstRole }) => firstRole === 'standby')) {
    book.add([...path, 'role'], 'TARGET', `the store ${target.store} has no standby`);
    return false;
  }
  const edge = hit.filter((node) => topology.edge.includes(node.idc));
  if (edge.length === 0) return true;
  const message = `${edge.map(({ id }) => id).join(', ')} stands at the edge, where the users are: never a target`;
  book.add(path, 'EDGE_TARGET', message, { hint: 'what is not the users’ own belongs outside `edge` in the stack' });
  return false;
}

function namesOf(kind: 'service' | 'store', topology: Topology): string[] {
  return [...new Set(topology.nodes.filter((node) => node.kind === kind).map(({ of }) => of))];
}
