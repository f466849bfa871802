import type { JsonObject } from './json.ts';
import type { Stack } from './stack.ts';
import type { NodeSpec, PortName, Topology } from './topology.ts';

export type Support = { ok: true; note?: string } | { ok: false; reason: string; hint: string };

export interface Address {
  host: string;
  port: number;
}

/** What a runtime can do here and now; `compile` asks nothing else. */
export interface Capabilities {
  runtime: string;
  /** e.g. `node.kill`, `node.start`, `node.pause`, `link.toxics`, `link.blackhole-silent`, `store.query`. */
  powers: string[];
  proxy: { engine: 'seawall' | 'toxiproxy'; version: string } | undefined;
  /** Versions worth a line in the report. */
  versions: Record<string, string>;
}

export type Detected = { ok: true; capabilities: Capabilities } | { ok: false; reason: string; hint: string };

/** Stands a stack up and takes it down. A driver is in the registry only when it passes the conformance suite. */
export interface RuntimeDriver {
  name: string;
  detect(signal: AbortSignal): Promise<Detected>;
  /** Resolves when every node is ready; on failure everything started is gone again and the error says why. */
  up(stack: Stack, topology: Topology, ctx: RuntimeContext): Promise<Environment>;
  /**
   * A stack that was kept, from any process: an environment whose end removes nothing. `state` is what `keep` returned,
   * and `ctx` is that of the run that stood the stack up: its id, its folder, its proxy and seed.
   */
  attach?(stack: Stack, topology: Topology, state: JsonObject, ctx: RuntimeContext): Promise<Environment>;
  /**
   * From any process: removes all that a run started, recorded or not (run id in argv, labels, names), whatever its
   * state. Idempotent. Returns what it removed, in words.
   */
  reap(runId: string, resources: Resource[], signal: AbortSignal): Promise<string[]>;
}

export interface RuntimeContext {
  runId: string;
  /** The run's folder; node output goes to `logs/<node>.log` in it. */
  runDir: string;
  signal: AbortSignal;
  /** Fsyncs the resource to the ledger; awaited BEFORE the thing is made. */
  record(resource: Resource): Promise<void>;
  /** One line for the live view and the journal. */
  progress(message: string): void;
  proxy: 'seawall' | 'toxiproxy';
  /** The run's: what is left to chance on the links follows from it (Toxiproxy does not let itself be seeded). */
  seed: number;
}

/** Something a run made that must not outlive it. `process` entries carry pid and start time once known. */
export interface Resource {
  kind: 'process' | 'directory' | 'container' | 'network' | 'port';
  id: string;
  detail: JsonObject;
}

export interface Environment extends AsyncDisposable {
  runtime: string;
  /** `run`: stood up by this run and gone with it. `foreign`: was there before and stays. */
  owner: 'run' | 'foreign';
  nodes: ReadonlyMap<string, Node>;
  links: ReadonlyMap<string, Link>;
  /** Where a node's port is reached directly, no proxy between. */
  endpoint(node: string, port: PortName, seenFrom: 'tool' | 'generator'): Address;
  /** Base URL of the entry service for the load generator. */
  entryUrl: string;
  /** Calls back when a node ends that nobody asked to end. Returns the unsubscribe. */
  onUnexpectedExit(listener: (node: string, why: string) => void): () => void;
  /** pids (local) or container ids, for the resource sampler and the tests' look from outside. */
  inventory(): Resource[];
  /** Lets go: everything goes on without this process, and disposing removes nothing any more. Returns what `attach` needs. */
  keep?(): Promise<JsonObject>;
}

/** A running instance. A missing power means unsupported. */
export interface Node {
  spec: NodeSpec;
  /** Everything a cold process needs to start this node again; plain JSON. */
  restartSpec(): JsonObject;
  life?: NodeLife;
  store?: NodeStore;
}

export interface NodeLife {
  /** SIGKILL to the whole node; resolves when it is gone. */
  kill(signal: AbortSignal): Promise<void>;
  /** Starts it again on the same addresses; resolves when the process runs, not when it is ready. No-op when alive. */
  start(signal: AbortSignal): Promise<void>;
  alive(): Promise<boolean>;
}

export interface NodeStore {
  engine: 'postgres';
  role(signal: AbortSignal): Promise<'primary' | 'standby' | 'unknown'>;
  /** Read-only query over a connection of the harness's own. Rows as objects. */
  query(text: string, limits: { timeoutMs: number; rowsMax: number }): Promise<JsonObject[]>;
  /** With what the probe process opens connections of its own, to the node's direct `sql` address. */
  access?: { user: string; password: string; database: string };
}

/** A directed edge, dialled through its own proxy address for the whole run. */
export interface Link {
  id: string;
  from: string;
  to: string;
  /** What the caller dials, as the tool can reach it. */
  listen: Address;
  proxy: { engine: 'seawall' | 'toxiproxy'; api: string; name: string };
  /**
   * Where packet rules meet this link alone: a container's network, the port in it, and an image whose entrypoint is nft.
   * Absent where the runtime has none; `link.packets` says whether they can be laid.
   */
  packets?: { container: string; port: number; image: string };
}
