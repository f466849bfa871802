import { readFileSync } from 'node:fs';
import type Docker from 'dockerode';
import { HarnessError, messageOf } from '../core/errors.ts';
import { unless } from './container-engine.ts';

/** The real thing; the image map may put a local one in its place. */
export const TOXIPROXY_IMAGE = 'ghcr.io/shopify/toxiproxy:2.12.0';

/** nft and nothing else: its recipe is in fixtures/images. Packet faults are not offered where it is not there. */
export const NFTABLES_IMAGE = 'seawall-nftables';

/** Image names of stacks → what stands in for them here, from the file that SEAWALL_IMAGES names. */
export type ImageMap = Readonly<Record<string, string>>;

export function imageMap(): ImageMap {
  const file = process.env.SEAWALL_IMAGES;
  if (file === undefined || file === '') return {};
  try {
    const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof parsed === 'object' && parsed !== null) return parsed as ImageMap;
    throw new Error('it is no JSON object');
  } catch (thrown) {
    const hint = 'SEAWALL_IMAGES names a JSON file { "image in the stack": "image here" }; correct or unset it.';
    throw new HarnessError('FILE_UNREADABLE', `the image map ${file} is unusable: ${messageOf(thrown)}`, hint, thrown);
  }
}

/** The name to run for the packet rules' image. */
export function nftablesImage(): string {
  return imageMap()[NFTABLES_IMAGE] ?? NFTABLES_IMAGE;
}

/** Whether the engine has an image, without asking any registry. */
export async function hasImage(docker: Docker, image: string): Promise<boolean> {
  return (await unless([404], docker.getImage(image).inspect())) !== undefined;
}

/** Makes sure that the engine has an image, pulling it where it has not. Returns the name to run. */
export async function provideImage(
  docker: Docker,
  map: ImageMap,
  name: string,
  progress: (message: string) => void,
): Promise<string> {
  const image = map[name] ?? name;
  if ((await unless([404], docker.getImage(image).inspect())) !== undefined) return image;
  progress(`pulling ${image}`);
  try {
    const answer = await docker.pull(image.includes(':') || image.includes('@') ? image : `${image}:latest`);
    await new Promise<void>((resolve, reject) => {
      docker.modem.followProgress(answer, (failed) => (failed === null ? resolve() : reject(failed)));
    });
    return image;
  } catch (thrown) {
    const hint = 'Load or build it, or let SEAWALL_IMAGES map the name to an image that is here.';
    throw new HarnessError('IMAGE_MISSING', `${image} is not here and was not to be had: ${messageOf(thrown)}`, hint);
  }
}
