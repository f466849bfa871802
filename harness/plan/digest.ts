import { createHash } from 'node:crypto';
import { dirname, relative } from 'node:path';
import type { Json } from '../spi/json.ts';
import type { Plan } from '../spi/plan.ts';
import { maskSecrets } from './secrets.ts';

/** JSON with sorted keys and nothing undefined: equal values give equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(sorted(value as Json));
}

/** sha-256 of the canonical JSON of a value, with this machine's paths made relative to the plan and secrets hidden. */
export function digestOf(value: unknown, plan: Plan, secrets: readonly string[]): string {
  const folder = dirname(plan.file);
  const paths = pathsOf(plan).toSorted((a, b) => b.length - a.length);
  const portable = mapText(value as Json, (text) => {
    const shown = paths.reduce((at, path) => at.replaceAll(path, relative(folder, path)), text);
    return maskSecrets(shown, secrets);
  });
  return createHash('sha256').update(canonicalJson(portable)).digest('hex');
}

/** What stands for a file's contents in a plan. */
export const contentsOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function pathsOf({ file, stack, load }: Plan): string[] {
  const stores = Object.values(stack.stores);
  const commands = [
    ...Object.values(stack.services).map(({ run }) => run),
    ...stores.map(({ supervisor }) => supervisor?.run),
  ];
  const named = commands.flatMap((run) =>
    [...(run?.local ?? '').matchAll(/"([^"]*)"|(\S+)/g)].map(([, a, b]) => a ?? b),
  );
  const feeds = load
    .flatMap(({ feeds = {} }) => Object.values(feeds))
    .map(({ source }) => {
      if ('csv' in source) return source.csv;
      return 'jsonLines' in source ? source.jsonLines : undefined;
    });
  const scripts = load.flatMap(({ script, replay }) => [script, replay?.recording, replay?.sign]);
  return [file, stack.file, ...stores.map(({ init }) => init), ...named, ...feeds, ...scripts].filter(
    (path): path is string => path?.startsWith('/') === true && path.length > 1,
  );
}

function sorted(value: Json | undefined): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value ?? null;
  const keys = Object.keys(value).filter((key) => value[key] !== undefined);
  return Object.fromEntries(keys.toSorted().map((key) => [key, sorted(value[key])]));
}

function mapText(value: Json | undefined, map: (text: string) => string): Json {
  if (typeof value === 'string') return map(value);
  if (Array.isArray(value)) return value.map((item) => mapText(item, map));
  if (typeof value !== 'object' || value === null) return value ?? null;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) => (item === undefined ? [] : [[key, mapText(item, map)]])),
  );
}
