import { createHash } from 'node:crypto';
import { findEngine, RUN_LABEL } from '../../harness/runtime/container-engine.ts';
import { tar } from '../../harness/runtime/tar.ts';
import { containerEngine, imageNamed, type Requirement } from './requirements.ts';
import { TINY_IMAGE, TINY_SERVICE } from './tiny-stack.ts';

/** An image of ours that has Node. */
const BASE = 'seawall-shop';

/** Makes the tiny stack runnable in containers; the value is its image. */
export async function prepareContainers(): Promise<Requirement<string>> {
  const found = await containerEngine();
  if (!found.ok) return found;
  process.env.SEAWALL_IMAGES ??= found.value.imageMap;
  const engine = await findEngine();
  const base = imageNamed(found.value.imageMap, BASE);
  const recipe = `FROM ${base}\nCOPY node.mjs /node.mjs\nENTRYPOINT ["node", "/node.mjs"]\n`;
  const tag = `seawall/tiny-service:${createHash('sha256').update(recipe).update(TINY_SERVICE).digest('hex').slice(0, 12)}`;
  const context = tar([
    { path: 'Dockerfile', content: Buffer.from(recipe) },
    { path: 'node.mjs', content: Buffer.from(TINY_SERVICE) },
  ]);
  const answer = await engine.docker.buildImage(context as unknown as NodeJS.ReadableStream, { t: tag });
  await new Promise<void>((resolve, reject) => {
    engine.docker.modem.followProgress(answer, (failed) => (failed === null ? resolve() : reject(failed)));
  });
  process.env[TINY_IMAGE] = tag;
  return { ok: true, value: tag };
}

/** Names of a run's containers and networks. */
export async function containersOf(runId: string): Promise<string[]> {
  const { docker } = await findEngine();
  const filters = JSON.stringify({ label: [`${RUN_LABEL}=${runId}`] });
  const containers = await docker.listContainers({ all: true, filters });
  const networks = await docker.listNetworks({ filters });
  return [...containers.flatMap(({ Names }) => Names), ...networks.map(({ Name }) => Name)];
}
