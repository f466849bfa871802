/**
 * Builds the container images that stacks name, for machines that no registry answers, and writes the map from the
 * names in the stacks to what was built. Tagged by the content of what went in: what is there already is not built.
 *
 *   node ci/images.ts [name…]
 */
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buildToxiproxy, cacheFolder, findBinary, TOXIPROXY_VERSION } from '../harness/core/binaries.ts';
import { HarnessError } from '../harness/core/errors.ts';
import { engineVersion } from './engine.ts';
import { filesBelow, type ImageInput, packageFiles, packagesImportedBy } from './image-inputs.ts';
import { must, runCommand } from './run-command.ts';

const ROOT = dirname(import.meta.dirname);
const RECIPES = join(ROOT, 'fixtures', 'images');
const SERVICES = join(ROOT, 'fixtures', 'services');
const BASE = 'debian:trixie-slim';
const BUILD_MS = 600_000;

interface Image {
  /** Names in stacks that this image stands for. */
  standsFor: string[];
  /** What the recipe's BASE is: an image of a registry, or one of ours. */
  base: { outside: string } | { ours: ImageName } | undefined;
  /** What goes into the build beside the recipe's own folder. */
  inputs(): Promise<ImageInput[]>;
}

const IMAGE_NAMES = ['postgres', 'toxiproxy', 'nftables', 'seawall-shop', 'seawall-shop-postgres'] as const;
export type ImageName = (typeof IMAGE_NAMES)[number];

const IMAGES: Record<ImageName, Image> = {
  postgres: {
    standsFor: ['postgres', 'postgres:17'],
    base: { outside: BASE },
    inputs: async () => [],
  },
  toxiproxy: {
    standsFor: ['ghcr.io/shopify/toxiproxy', `ghcr.io/shopify/toxiproxy:${TOXIPROXY_VERSION}`],
    base: undefined,
    inputs: async () => [{ to: 'toxiproxy-server', from: await staticToxiproxy() }],
  },
  nftables: { standsFor: ['seawall-nftables'], base: { outside: BASE }, inputs: async () => [] },
  'seawall-shop': { standsFor: ['seawall-shop'], base: { outside: BASE }, inputs: shopInputs },
  'seawall-shop-postgres': { standsFor: ['seawall-shop-postgres'], base: { ours: 'postgres' }, inputs: shopInputs },
};

/** Where the image map lies unless the caller says otherwise. */
export const imageMapFile = (): string => join(cacheFolder(), 'image-map.json');

/** Builds what is not there yet. Returns the map from the names in stacks to the tags here. */
export async function buildImages(names: readonly ImageName[] = IMAGE_NAMES): Promise<Record<string, string>> {
  if ((await engineVersion()) === undefined) {
    throw new HarnessError('ENGINE_MISSING', 'no container engine answers', 'Start one: node ci/engine.ts start');
  }
  const map: Record<string, string> = {};
  for (const name of names) {
    const tag = await buildImage(name);
    for (const official of IMAGES[name].standsFor) map[official] = tag;
  }
  return map;
}

/** Builds one image and what it stands on; returns its tag. */
async function buildImage(name: ImageName): Promise<string> {
  const image = IMAGES[name];
  const base = await baseTag(image);
  const recipe = filesBelow(join(RECIPES, name), '');
  const inputs = [...recipe, ...(await image.inputs())].sort((a, b) => (a.to < b.to ? -1 : 1));
  const tag = `seawall/${name}:${contentHash(inputs, base)}`;
  if (await isHere(tag)) return tag;
  const started = performance.now();
  const context = mkdtempSync(join(tmpdir(), 'seawall-image-'));
  try {
    for (const input of inputs) place(input, context);
    const args = ['build', '--quiet', '--tag', tag, ...(base === undefined ? [] : ['--build-arg', `BASE=${base}`])];
    // The classic builder: it takes a base that only the local engine has, and Debian's engine has no other.
    await must('docker', [...args, context], {
      env: { ...process.env, DOCKER_BUILDKIT: '0' },
      timeoutMs: BUILD_MS,
    });
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
  console.error(`${tag} built in ${seconds(started)}`);
  return tag;
}

async function baseTag(image: Image): Promise<string | undefined> {
  if (image.base === undefined) return undefined;
  if ('ours' in image.base) return buildImage(image.base.ours);
  await provideBase(image.base.outside);
  return image.base.outside;
}

/** The Debian base: here already, pulled, or made from Debian's own packages where no registry answers. */
async function provideBase(tag: string): Promise<void> {
  if (await isHere(tag)) return;
  const pulled = await runCommand('docker', ['pull', '--quiet', tag], { timeoutMs: 60_000 });
  if (pulled.code === 0) return;
  if (process.getuid?.() !== 0) {
    throw new HarnessError(
      'IMAGE_MISSING',
      `${tag} is not here and no registry gave it: ${pulled.stderr.trim()}`,
      'Load it by hand with docker load, or run this as root on Debian, where debootstrap makes it.',
    );
  }
  const started = performance.now();
  mkdirSync(cacheFolder(), { recursive: true });
  // Not in the temporary folder, which may be mounted without devices or programs.
  const folder = mkdtempSync(join(cacheFolder(), 'debootstrap-'));
  try {
    const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` };
    const args = ['--variant=minbase', '--include=ca-certificates', 'trixie', folder];
    await must('debootstrap', args, { env, timeoutMs: BUILD_MS });
    const script = `set -o pipefail; tar -C "$1" -c . | docker import - "$2"`;
    await must('bash', ['-c', script, 'import', folder, tag], { timeoutMs: BUILD_MS });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.error(`${tag} made by debootstrap in ${seconds(started)}`);
}

async function isHere(tag: string): Promise<boolean> {
  const asked = await runCommand('docker', ['image', 'inspect', '--format', '{{.Id}}', tag], { timeoutMs: 10_000 });
  return asked.code === 0;
}

/** 12 hex digits that change with any byte of what goes in. */
function contentHash(inputs: readonly ImageInput[], base: string | undefined): string {
  const hash = createHash('sha256').update(base ?? 'scratch');
  for (const input of inputs) {
    const content = 'text' in input ? Buffer.from(input.text) : readFileSync(input.from);
    hash.update(`\0${input.to}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex').slice(0, 12);
}

function place(input: ImageInput, context: string): void {
  const to = join(context, input.to);
  mkdirSync(dirname(to), { recursive: true });
  if ('text' in input) writeFileSync(to, input.text);
  else copyFileSync(input.from, to);
}

/** Only the one that we build ourselves is known to be static; what lies on PATH may need libraries of the host. */
async function staticToxiproxy(): Promise<string> {
  const own = findBinary('toxiproxy', { ...process.env, PATH: '', SEAWALL_TOXIPROXY: '' });
  return own?.version === TOXIPROXY_VERSION ? own.path : buildToxiproxy(AbortSignal.timeout(BUILD_MS));
}

/** The shop's sources with the packages that they import and no more, and the Node that npm carries. */
async function shopInputs(): Promise<ImageInput[]> {
  const sources = filesBelow(SERVICES, 'app/services').filter((file) => !file.to.endsWith('.test.ts'));
  if (sources.length === 0) throw new HarnessError('FILE_UNREADABLE', `no sources in ${SERVICES}`, 'Restore them.');
  const packages = packageFiles(ROOT, packagesImportedBy(sources), 'app/node_modules');
  const manifest = { to: 'app/package.json', text: '{ "private": true, "type": "module" }\n' };
  return [...sources, ...packages, manifest, { to: 'node', from: await carriedNode() }];
}

async function carriedNode(): Promise<string> {
  if (process.platform !== 'linux') {
    throw new HarnessError(
      'IMAGE_MISSING',
      'the shop’s image takes its Node from this machine, which is not Linux',
      'Build the images on Linux, or use the local runtime: --runtime local',
    );
  }
  const printed = await must(process.execPath, [join(ROOT, 'ci', 'bootstrap.mjs'), 'carried-node'], {
    timeoutMs: 120_000,
  });
  return printed.trim();
}

const seconds = (started: number): string => `${((performance.now() - started) / 1000).toFixed(1)} s`;

function isImageName(name: string): name is ImageName {
  return (IMAGE_NAMES as readonly string[]).includes(name);
}

async function main(args: string[]): Promise<void> {
  const unknown = args.filter((name) => !isImageName(name));
  if (unknown.length > 0) {
    throw new HarnessError('USAGE', `no image named ${unknown.join(', ')}`, `There are: ${IMAGE_NAMES.join(', ')}.`);
  }
  const built = await buildImages(args.length === 0 ? IMAGE_NAMES : args.filter(isImageName));
  const file = imageMapFile();
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>) : {};
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ ...before, ...built }, null, 2)}\n`);
  console.log(file);
}

if (import.meta.main) {
  try {
    await main(process.argv.slice(2));
  } catch (thrown) {
    if (!(thrown instanceof HarnessError)) throw thrown;
    console.error(`${thrown.code}: ${thrown.message}\n${thrown.hint}`);
    process.exitCode = thrown.code === 'USAGE' ? 3 : 4;
  }
}
