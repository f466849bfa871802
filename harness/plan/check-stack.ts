import { isAbsolute, resolve } from 'node:path';
import type { z } from 'zod';
import type { JsonObject } from '../spi/json.ts';
import type { JourneyStep, ServiceSpec, Stack, StoreSpec } from '../spi/stack.ts';
import { isLoopback } from './hosts.ts';
import { isObject, type LoadedPlan, type LoadWorld, suggest } from './load.ts';
import { IssueBook } from './parts.ts';
import {
  PICKS,
  type RawService,
  type RawStep,
  type RawStore,
  serviceSchema,
  stackShape,
  storeSchema,
} from './stack-schema.ts';
import { layOut } from './topology.ts';

/** What a plan may refer to in its stack, known even where the stack itself is wrong. */
export interface StackNames {
  /** False when there is no stack that could be read: nothing is known to be missing then. */
  known: boolean;
  journeys: string[];
  invariants: string[];
  stores: string[];
  acks: string[];
  marked: boolean;
}

/** Where an issue makes it senseless to lay the stack out and look for a fault's target in it. */
const LAYOUT = new Set<string | number>(['idcs', 'edge', 'services', 'stores']);

/**
 * Checks a stack by itself and makes it what the runtime takes. There is a stack when its nodes and links are known,
 * which lets the plan's own mistakes be found beside those of the stack.
 */
export function checkStack(loaded: LoadedPlan, world: LoadWorld): { stack: Stack | undefined; names: StackNames } {
  const document = loaded.stack;
  if (document === undefined) return { stack: undefined, names: { ...namesOf({}), known: false } };
  const before = loaded.issues.length;
  const book = new IssueBook(document, loaded.issues);
  const raw = document.value as JsonObject;
  book.unknownKeys(stackShape, raw);
  const part = <K extends keyof typeof stackShape>(key: K) =>
    book.parse(stackShape[key] as unknown as z.ZodType<z.output<(typeof stackShape)[K]>>, raw[key], [key]);
  const services =
    raw.services === undefined ? {} : book.parseRecord(serviceSchema, stackShape.services, raw.services, ['services']);
  const stores =
    raw.stores === undefined ? {} : book.parseRecord(storeSchema, stackShape.stores, raw.stores, ['stores']);
  const journeys = part('journeys');
  const rest = {
    vars: part('vars') ?? {},
    idcs: part('idcs') ?? [],
    edge: part('edge') ?? [],
    entry: part('entry') ?? onlyService(raw) ?? '',
    users: part('users') ?? stackShape.users.parse(undefined),
    existing: part('existing') ?? {},
  };
  const invariants = part('invariants') ?? {};
  const acks = part('acks') ?? {};
  const marker = part('marker') ?? [];
  const paths = new StackPaths(loaded.stackFolder, world, book);
  const stack: Stack = {
    file: loaded.stackFile,
    ...rest,
    services: mapEntries(services, (name, service) => serviceOf(name, service, paths)),
    stores: mapEntries(stores, (name, store) => storeOf(name, store, paths)),
    journeys: mapEntries(journeys ?? {}, (_name, steps) => stepsOf(steps)),
    invariants: mapEntries(invariants, (name, { sql, expect }) => ({
      name,
      expect,
      sql: sql.map(({ store, sum }) => ({ store, query: sum })),
    })),
    acks: mapEntries(acks, (journey, ack) => ({ journey, ...ack })),
    marker,
  };
  checkReferences(stack, raw, book);
  const spoilt = loaded.issues
    .slice(before)
    .some(
      ({ path, code }) => code !== 'FILE_UNREADABLE' && LAYOUT.has((path[0] === 'stack' ? path[1] : path[0]) ?? ''),
    );
  return { stack: spoilt ? undefined : stack, names: namesOf(raw) };
}

function namesOf(raw: JsonObject): StackNames {
  const keys = (key: string): string[] => {
    const value = raw[key];
    return isObject(value) ? Object.keys(value) : [];
  };
  const marker = raw.marker;
  return {
    known: true,
    journeys: keys('journeys'),
    invariants: keys('invariants'),
    stores: keys('stores'),
    acks: keys('acks'),
    marked: Array.isArray(marker) && marker.length > 0,
  };
}

/** Paths in a stack are relative to its file; what they name must be there. */
class StackPaths {
  #folder: string;
  #world: LoadWorld;
  #book: IssueBook;

  constructor(folder: string, world: LoadWorld, book: IssueBook) {
    this.#folder = folder;
    this.#world = world;
    this.#book = book;
  }

  file(named: string, path: (string | number)[]): string {
    const absolute = resolve(this.#folder, named);
    if (this.#world.exists(absolute)) return absolute;
    // What is published holds JavaScript where the repository holds TypeScript.
    const emitted = absolute.replace(/\.([cm]?)ts$/, '.$1js');
    if (emitted !== absolute && this.#world.exists(emitted)) return emitted;
    this.#book.add(path, 'FILE_UNREADABLE', `there is no file ${named}`);
    return absolute;
  }

  /**
   * A command line with its relative paths made absolute, in double quotes where they hold blanks: whatever starts with
   * `./` or `../`, and scripts for Node.
   */
  command(line: string, path: (string | number)[]): string {
    return line.trim().replace(/(^|\s)([^\s"']+)(?=\s|$)/g, (whole, before: string, word: string, at: number) => {
      const isScript = at > 0 && /\.[cm]?[jt]s$/.test(word) && !isAbsolute(word);
      if (!isScript && !/^\.\.?\//.test(word)) return whole;
      const file = this.file(word, path);
      return `${before}${/\s/.test(file) ? `"${file}"` : file}`;
    });
  }
}

function runOf(run: RawService['run'], paths: StackPaths, path: (string | number)[]): ServiceSpec['run'] {
  return {
    args: run.args,
    ...(run.local === undefined ? {} : { local: paths.command(run.local, [...path, 'local']) }),
    ...(run.image === undefined ? {} : { image: run.image }),
  };
}

function serviceOf(name: string, raw: RawService, paths: StackPaths): ServiceSpec {
  return {
    name,
    run: runOf(raw.run, paths, ['services', name, 'run']),
    in: raw.in,
    port: raw.port,
    ready: { http: raw.ready.http, withinMs: raw.ready.within },
    calls: Object.entries(raw.calls).map(([env, { peer, pick }]) => ({
      env,
      peer,
      pick: pick as ServiceSpec['calls'][number]['pick'],
    })),
    env: raw.env,
  };
}

function storeOf(name: string, raw: RawStore, paths: StackPaths): StoreSpec {
  const { supervisor } = raw;
  return {
    name,
    engine: raw.engine,
    primary: raw.primary,
    standby: raw.standby,
    init:
      raw.init === undefined
        ? undefined
        : isAbsolute(raw.init)
          ? raw.init
          : paths.file(raw.init, ['stores', name, 'init']),
    shadow: raw.shadow,
    database: raw.database ?? name.replaceAll('-', '_'),
    user: raw.user,
    password: raw.password,
    image: raw.image,
    supervisor:
      supervisor === undefined
        ? undefined
        : {
            run: runOf(supervisor.run, paths, ['stores', name, 'supervisor', 'run']),
            port: supervisor.port,
            env: supervisor.env,
            readyWithinMs: supervisor.within,
          },
  };
}

function stepsOf(raw: readonly RawStep[]): JourneyStep[] {
  const seen = new Map<string, number>();
  return raw.map((step) => {
    const name = step.name ?? `${step.method} ${step.path}`;
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    return {
      name: times === 1 ? name : `${name} #${times}`,
      method: step.method,
      path: step.path,
      headers: step.headers,
      body: step.body as JourneyStep['body'],
      expect: step.expect,
      take: step.take,
      checks: step.check,
      ack: step.ack,
      think: step.think,
      conversion: step.continue ?? 1,
    };
  });
}

function checkReferences(stack: Stack, raw: JsonObject, book: IssueBook): void {
  const rawServices = isObject(raw.services) ? Object.keys(raw.services) : [];
  const rawStores = isObject(raw.stores) ? Object.keys(raw.stores) : [];
  const existing = Object.keys(stack.existing);
  if (rawServices.length + existing.length === 0) {
    const expected = 'services to run, or existing ones with their base URLs';
    book.add(['services'], 'VALUE', 'the stack has no service', { expected });
  }
  const refer = (
    name: string,
    known: readonly string[],
    what: string,
    path: (string | number)[],
    at?: 'key',
  ): boolean => {
    if (known.includes(name)) return true;
    const more = { ...suggest(name, known), ...(at === undefined ? {} : { at }) };
    book.add(path, 'REFERENCE_UNKNOWN', `there is no ${what} "${name}"`, more);
    return false;
  };
  if (raw.entry === undefined && stack.entry === '') {
    book.add(['entry'], 'VALUE', '"entry" is missing', { expected: 'the service that users call' });
  }
  if (stack.entry !== '') refer(stack.entry, [...rawServices, ...existing], 'service', ['entry']);
  stack.edge.forEach((idc, index) => void refer(idc, stack.idcs, 'IDC', ['edge', index]));
  for (const service of Object.values(stack.services))
    checkService(service, stack, rawServices, rawStores, refer, book);
  for (const store of Object.values(stack.stores)) checkStore(store, stack, refer, book);
  for (const [name, { sql }] of Object.entries(stack.invariants)) {
    sql.forEach(
      ({ store }, index) => void refer(store, rawStores, 'store', ['invariants', name, 'sql', index, 'store']),
    );
  }
  stack.marker.forEach(({ store }, index) => void refer(store, rawStores, 'store', ['marker', index, 'store']));
  for (const [journey, { store }] of Object.entries(stack.acks)) {
    refer(store, rawStores, 'store', ['acks', journey, 'store']);
    const known = refer(journey, Object.keys(stack.journeys), 'journey', ['acks', journey], 'key');
    if (known && !stack.journeys[journey]!.some((step) => step.ack !== undefined)) {
      book.add(['acks', journey], 'REFERENCE_UNKNOWN', `no step of the journey ${journey} has an \`ack\``, {
        at: 'key',
      });
    }
  }
  for (const [name, steps] of Object.entries(stack.journeys)) checkPlaceholders(name, steps, book);
  checkFirstSteps(raw, book);
  checkNames(stack, rawServices, rawStores, book);
  checkUsers(stack, book);
}

type Refer = (name: string, known: readonly string[], what: string, path: (string | number)[], at?: 'key') => boolean;

function checkService(
  service: ServiceSpec,
  stack: Stack,
  rawServices: readonly string[],
  rawStores: readonly string[],
  refer: Refer,
  book: IssueBook,
): void {
  const path = ['services', service.name];
  const idcs = Object.keys(service.in);
  if (idcs.length === 0) book.add([...path, 'in'], 'VALUE', `the service ${service.name} stands in no IDC`);
  for (const idc of idcs) refer(idc, stack.idcs, 'IDC', [...path, 'in', idc], 'key');
  for (const { env, peer, pick } of service.calls) {
    const at = [...path, 'calls', env];
    if (!refer(peer, [...rawServices, ...rawStores], 'service or store', at)) continue;
    const isStore = rawStores.includes(peer);
    const legal: readonly string[] = isStore ? ['primary', 'control'] : PICKS.slice(0, 3);
    if (!legal.includes(pick)) {
      const what = isStore ? 'store' : 'service';
      const more = suggest(pick, legal);
      book.add(at, 'REFERENCE_UNKNOWN', `"${pick}" cannot be said of a ${what}`, more);
      continue;
    }
    if (pick === 'control' && stack.stores[peer] !== undefined && stack.stores[peer].supervisor === undefined) {
      book.add(at, 'REFERENCE_UNKNOWN', `the store ${peer} has no supervisor, so there is nothing to control`);
    }
    const without = idcs.filter(
      (idc) => stack.services[peer] !== undefined && stack.services[peer].in[idc] === undefined,
    );
    if (pick === 'sameIdc' && without.length > 0) {
      const message = `${peer} has no node in ${without.join(', ')}, where ${service.name} calls it`;
      book.add(at, 'REFERENCE_UNKNOWN', message, { expected: `a node of ${peer} in each IDC of ${service.name}` });
    }
  }
}

function checkStore(store: StoreSpec, stack: Stack, refer: Refer, book: IssueBook): void {
  const path = ['stores', store.name];
  refer(store.primary, stack.idcs, 'IDC', [...path, 'primary']);
  if (store.standby === undefined) return;
  refer(store.standby, stack.idcs, 'IDC', [...path, 'standby']);
  if (store.standby === store.primary) {
    book.add([...path, 'standby'], 'VALUE', 'primary and standby stand in the same IDC', { expected: 'another IDC' });
  }
  if (store.supervisor === undefined) {
    const expected = 'a `supervisor` that replicates and changes roles, or no `standby`';
    book.add([...path, 'standby'], 'VALUE', 'a standby needs a supervisor of the stack’s own', { expected });
  }
}

const BUILT_IN = ['run', 'marker', 'n', 'user', 'uuid'];
const PLACEHOLDER = /\{([A-Za-z_]\w*)\}/g;

function checkPlaceholders(journey: string, steps: readonly JourneyStep[], book: IssueBook): void {
  const known = [...BUILT_IN];
  steps.forEach((step, index) => {
    const own = [...known, ...Object.keys(step.take)];
    const parts: [string, unknown, readonly string[]][] = [
      [step.method, step.path, known],
      ['headers', step.headers, known],
      ['body', step.body, known],
      ['ack', step.ack, own],
    ];
    for (const [key, value, allowed] of parts) {
      for (const [, name] of JSON.stringify(value ?? null).matchAll(PLACEHOLDER)) {
        if (allowed.includes(name!)) continue;
        const message = `{${name}} has no value here: no earlier step takes it`;
        book.add(['journeys', journey, index, key], 'REFERENCE_UNKNOWN', message, suggest(name!, allowed));
      }
    }
    step.checks.forEach(({ equals }, at) => {
      if (equals === undefined || equals.match(PLACEHOLDER) === null) return;
      const message = '`equals` is compared as it is written: nothing is filled in there';
      book.add(['journeys', journey, index, 'check', at, 'equals'], 'VALUE', message);
    });
    known.push(...Object.keys(step.take));
  });
}

/** Nobody came through a step before the first one. */
function checkFirstSteps(raw: JsonObject, book: IssueBook): void {
  for (const [name, steps] of Object.entries(isObject(raw.journeys) ? raw.journeys : {})) {
    const first = Array.isArray(steps) ? steps[0] : undefined;
    if (!isObject(first) || first.continue === undefined) continue;
    const message = 'the first step has none before it to go on from';
    const hint = 'what share of the starts a journey has is said in a plan’s `mix`';
    book.add(['journeys', name, 0, 'continue'], 'VALUE', message, { hint, at: 'key' });
  }
}

/** The service that users call where there is only one to call. */
function onlyService(raw: JsonObject): string | undefined {
  const all = [raw.services, raw.existing].flatMap((part) => (isObject(part) ? Object.keys(part) : []));
  return all.length === 1 ? all[0] : undefined;
}

/** Nodes, services, stores and IDCs share one namespace, since a target may name any of them. */
function checkNames(stack: Stack, services: readonly string[], stores: readonly string[], book: IssueBook): void {
  const owner = new Map<string, string>();
  const claim = (name: string, what: string, path: (string | number)[], at: 'key' | 'value'): void => {
    const other = owner.get(name);
    if (other === undefined) owner.set(name, what);
    else book.add(path, 'NAME_TWICE', `"${name}" is the name of ${other} already`, { at });
  };
  stack.idcs.forEach((idc, index) => {
    claim(idc, 'an IDC', ['idcs', index], 'value');
  });
  for (const name of services) claim(name, 'a service', ['services', name], 'key');
  for (const name of stores) claim(name, 'a store', ['stores', name], 'key');
  for (const name of Object.keys(stack.existing)) claim(name, 'an existing service', ['existing', name], 'key');
  for (const node of layOut(stack).nodes) {
    claim(node.id, `a node of ${node.of}`, [node.kind === 'service' ? 'services' : 'stores', node.of], 'key');
  }
}

function checkUsers({ users: { real, shadow } }: Stack, book: IssueBook): void {
  if (real.from > shadow.to || shadow.from > real.to) return;
  book.add(['users', 'shadow'], 'VALUE', 'shadow users and real users overlap', {
    expected: `ids outside ${real.from}-${real.to}`,
  });
}

/** Existing services outside loopback that the plan does not allow by name. */
export function checkHosts(stack: Stack, allowHosts: readonly string[], book: IssueBook): void {
  for (const [name, address] of Object.entries(stack.existing)) {
    const host = new URL(address).hostname;
    if (isLoopback(host) || allowHosts.includes(host)) continue;
    const message = `${host} is neither loopback nor allowed by the plan`;
    book.add(['existing', name], 'HOST_NOT_ALLOWED', message, {
      hint: `if you mean it, say \`allowHosts: [${host}]\` in the plan`,
    });
  }
}

function mapEntries<A, B>(entries: Record<string, A>, map: (name: string, value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(entries).map(([name, value]) => [name, map(name, value)]));
}
