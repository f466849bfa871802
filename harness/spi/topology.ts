/** A stack laid out: every node that will run and every directed link between them. Pure data, from `plan/topology`. */
export interface Topology {
  idcs: string[];
  edge: string[];
  nodes: NodeSpec[];
  links: LinkSpec[];
}

/** Ports by their role: `http` of a service, `sql` and `control` of a store's node. */
export type PortName = 'http' | 'sql' | 'control';

export interface NodeSpec {
  /** `payment-hz-a`, with `-2` and so on when an IDC has several. */
  id: string;
  kind: 'service' | 'store';
  /** Name of the service or store it belongs to. */
  of: string;
  idc: string;
  ports: PortName[];
  /** For store nodes: the role it has when the stack first comes up. */
  firstRole?: 'primary' | 'standby';
}

export interface LinkSpec {
  /** `payment-hz-a>order-hz-a`, with `:sql` or `:control` appended for those ports. */
  id: string;
  from: string;
  to: string;
  port: PortName;
  /** `call`: from a `calls` entry; `replication`: standby → primary, laid in both directions. */
  why: 'call' | 'replication';
}
