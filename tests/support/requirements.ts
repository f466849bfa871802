import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { TestContext } from 'vitest';
import { engineVersion } from '../../ci/engine.ts';
import { imageMapFile } from '../../ci/images.ts';
import { type FoundBinary, findBinary } from '../../harness/core/binaries.ts';
import { messageOf } from '../../harness/core/errors.ts';
import { findK6 } from '../../harness/load/k6-binary.ts';

/** Something that a test needs of the machine: what it is, or why it is not there. */
export type Requirement<T> = { ok: true; value: T } | { ok: false; reason: string };

/** The container engine's version, and the images that stand in for the stacks' names. */
export async function containerEngine(): Promise<Requirement<{ version: string; imageMap: string }>> {
  const version = await engineVersion();
  if (version === undefined) return { ok: false, reason: 'no container engine answers' };
  const imageMap = process.env.SEAWALL_IMAGES ?? imageMapFile();
  if (existsSync(imageMap)) return { ok: true, value: { version, imageMap } };
  return { ok: false, reason: `no image map at ${imageMap}: node ci/images.ts makes one` };
}

/** The local tag that stands for an image's name. */
export function imageNamed(imageMap: string, name: string): string {
  const map = JSON.parse(readFileSync(imageMap, 'utf8')) as Record<string, string>;
  const tag = map[name];
  if (tag === undefined) throw new Error(`${imageMap} has no ${name}: node ci/images.ts builds it`);
  return tag;
}

/** The real Toxiproxy. */
export function toxiproxy(): Requirement<FoundBinary> {
  const found = findBinary('toxiproxy');
  if (found !== undefined) return { ok: true, value: found };
  return { ok: false, reason: 'no toxiproxy-server here: seawall doctor --fix builds it with Go' };
}

/** The real k6, of a version that the driver knows. */
export function k6(): Requirement<FoundBinary> {
  try {
    return { ok: true, value: findK6() };
  } catch (thrown) {
    return { ok: false, reason: `${messageOf(thrown)}: seawall doctor --fix builds it with Go` };
  }
}

/** Path of a Chromium that can be driven: `SEAWALL_CHROMIUM`, else one on PATH. */
export function chromium(): Requirement<string> {
  const named = process.env.SEAWALL_CHROMIUM;
  if (named) {
    return isProgram(named)
      ? { ok: true, value: named }
      : { ok: false, reason: `SEAWALL_CHROMIUM: no program ${named}` };
  }
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin'].filter((folder) => folder !== '');
  const path = folders
    .flatMap((folder) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(folder, name)))
    .find(isProgram);
  return path === undefined ? { ok: false, reason: 'no Chromium on this machine' } : { ok: true, value: path };
}

/**
 * Gives the value of a requirement, or skips the test with the reason. `npm test` prints the reasons and counts a skip
 * without one as a failure.
 */
export function requireOrSkip<T>(context: Pick<TestContext, 'skip'>, requirement: Requirement<T>): T {
  if (requirement.ok) return requirement.value;
  return context.skip(requirement.reason);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Not there or not executable: no program for us.
    return false;
  }
}
