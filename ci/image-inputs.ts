import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { HarnessError } from '../harness/core/errors.ts';

/** One file of a build: where it goes, relative to the build's folder, and where it comes from. */
export type ImageInput = { to: string; from: string } | { to: string; text: string };
type FileInput = Extract<ImageInput, { from: string }>;

interface LockEntry {
  version?: string;
  dependencies?: Record<string, string>;
}

/** Every file below a folder, to be placed below `to`. */
export function filesBelow(folder: string, to: string): FileInput[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ to: join(to, path.slice(folder.length + 1)), from: path }));
}

/** Names of the npm packages that sources import. Throws when a source reaches outside the folders that are packed. */
export function packagesImportedBy(sources: readonly FileInput[]): string[] {
  const packed = new Set(sources.map((source) => source.to));
  const names = new Set<string>();
  for (const source of sources.filter((file) => /\.[jt]s$/.test(file.to))) {
    for (const [, from] of readFileSync(source.from, 'utf8').matchAll(/^(?:import|export)\b[^;]*?from '([^']+)'/gm)) {
      if (from!.startsWith('node:')) continue;
      if (!from!.startsWith('.')) names.add(packageName(from!));
      else if (!packed.has(normalize(join(dirname(source.to), from!)))) throw outside(source.from, from!);
    }
  }
  return [...names].sort();
}

/** The files of packages and of all that these depend on, from node_modules as the lock file says. */
export function packageFiles(root: string, names: readonly string[], to: string): FileInput[] {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockEntry>;
  };
  const paths = new Set<string>();
  const visit = (name: string, from: string): void => {
    const path = resolveInTree(name, from, lock.packages);
    // Optional ones that are not installed here are not in the image either.
    if (path === undefined || paths.has(path) || !existsSync(join(root, path))) return;
    paths.add(path);
    for (const dependency of Object.keys(lock.packages[path]?.dependencies ?? {})) visit(dependency, path);
  };
  for (const name of names) visit(name, '');
  return [...paths].sort().flatMap((path) => filesOf(root, path, to));
}

/** A package's own files; packages nested in it are visited by themselves. */
function filesOf(root: string, path: string, to: string): FileInput[] {
  const target = join(to, path.slice('node_modules/'.length));
  return filesBelow(join(root, path), target).filter(
    (file) => !file.to.slice(target.length).includes('/node_modules/'),
  );
}

/** Node's own rule: the nearest node_modules on the way up. */
function resolveInTree(name: string, from: string, packages: Record<string, LockEntry>): string | undefined {
  const levels = from === '' ? [] : from.split('/node_modules/');
  for (let depth = levels.length; depth >= 0; depth--) {
    const path = [...levels.slice(0, depth), ''].join('/node_modules/');
    const candidate = depth === 0 ? `node_modules/${name}` : `${path}${name}`;
    if (candidate in packages) return candidate;
  }
  return undefined;
}

function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function outside(file: string, specifier: string): HarnessError {
  return new HarnessError(
    'IMAGE_MISSING',
    `${file} imports ${specifier}, which is not packed with the shop`,
    'What the shop needs stands in fixtures/services or comes from an npm package.',
  );
}
