import type { JsonObject } from './json.ts';

/** A stack file, parsed and with `${vars}` filled in. Paths in it are absolute by now. */
export interface Stack {
  /** Absolute path of the stack file; `existing` stacks have none. */
  file: string | undefined;
  /** Values that `${name}` in the stack takes when the plan sets none. */
  vars: Record<string, string>;
  idcs: string[];
  /** IDCs that are never in a blast radius by default: where users stand. */
  edge: string[];
  /** The service that users call; its first node is the load's target. */
  entry: string;
  services: Record<string, ServiceSpec>;
  stores: Record<string, StoreSpec>;
  journeys: Record<string, JourneyStep[]>;
  invariants: Record<string, InvariantSpec>;
  acks: Record<string, AckSpec>;
  marker: MarkerSpec[];
  /** Where the user ids come from; shadow users and real users never overlap. */
  users: { real: { from: number; to: number }; shadow: { from: number; to: number } };
  /** For the existing runtime: service name → base URL. Empty otherwise. */
  existing: Record<string, string>;
}

export interface RunSpec {
  /** A command line for the local runtime; a leading `node` is the Node that runs Seawall. */
  local?: string;
  /** Image name for the containers runtime, before the image map. */
  image?: string;
  args: string[];
}

export interface ServiceSpec {
  name: string;
  run: RunSpec;
  /** IDC → number of nodes. */
  in: Record<string, number>;
  port: number;
  ready: { http: string; withinMs: number };
  calls: CallSpec[];
  env: Record<string, string>;
}

/** One `calls` entry: an environment variable and the peer whose proxied address it receives. */
export interface CallSpec {
  env: string;
  peer: string;
  /**
   * `sameIdc`: URL of the peer in the caller's own IDC. `any`: URL of the peer's first node.
   * `eachIdc`: `idc=url,idc=url` for every node of the peer. `primary`: a store, see StoreSpec.
   * `control`: the supervisors of a store, `node=url,node=url`.
   */
  pick: 'sameIdc' | 'any' | 'eachIdc' | 'primary' | 'control';
}

/**
 * A database. Callers with `pick: primary` receive `postgres://user:password@h1:p1,h2:p2/db` (every member, each through
 * its own proxied link, in the order of `MEMBERS`) and, when there is more than one member, `<ENV>_MEMBERS=id,id`.
 */
export interface StoreSpec {
  name: string;
  engine: 'postgres';
  primary: string;
  standby: string | undefined;
  /** Absolute path of the SQL run once on the first primary. */
  init: string | undefined;
  shadow: { schema: string } | undefined;
  database: string;
  user: string;
  password: string;
  image: string;
  /** A program of the stack's own that runs and changes the roles of the database beside it. */
  supervisor: { run: RunSpec; port: number; env: Record<string, string>; readyWithinMs: number } | undefined;
}

/** One request of a journey; strings may hold `{placeholders}`. */
export interface JourneyStep {
  name: string;
  method: string;
  path: string;
  headers: Record<string, string>;
  body: JsonObject | string | undefined;
  /** Statuses that are good. */
  expect: number[];
  /** Placeholder name → where in the answer its value stands; a good answer has them all. */
  take: Record<string, TakeSpec>;
  /** What else must hold of a good answer. */
  checks: AnswerCheck[];
  /** Key whose acknowledgement this step's good answer is. */
  ack: string | undefined;
  /** Pause before this step, drawn evenly from this range by the journey's own chance. */
  think: { fromMs: number; toMs: number };
  /** Of the journeys that came through the step before, the share that goes on to this one; the others end there, good. */
  conversion: number;
}

/** Where a value stands in an answer: JSON pointer, first match of a regular expression (its first group if it has one), header, cookie. */
export type TakeSpec = { json: string } | { regex: string } | { header: string } | { cookie: string };

/** With only `of`: it is there. `equals` compares as text. */
export interface AnswerCheck {
  of: TakeSpec;
  equals?: string;
  matches?: string;
}

export interface InvariantSpec {
  name: string;
  /** Each yields one number; with `expect: equal` all are equal, with `zero` each is 0. */
  sql: { store: string; query: string }[];
  expect: 'equal' | 'zero';
}

/** Which rows answer for a journey's acknowledged keys: `key` selects one text column. */
export interface AckSpec {
  journey: string;
  store: string;
  /** May use `{schema}`: the shadow schema for shadow scenarios, `public` for others. */
  key: string;
}

/** Leaks both ways: `real` finds marked rows where real data lives, `shadow` unmarked rows where shadow data lives. */
export interface MarkerSpec {
  store: string;
  real: string;
  shadow: string;
}
