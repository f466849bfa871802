import { readFileSync } from 'node:fs';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import type { JsonObject } from '../spi/json.ts';

/** What the figures of a report were measured on. */
export function describeMachine(): JsonObject {
  const cores = cpus();
  return {
    cores: cores.length,
    cpu: cores[0]?.model ?? 'unknown',
    memoryBytes: totalmem(),
    platform: `${platform()} ${arch()} ${release()}`,
    sharedWithSystemUnderTest: true,
  };
}

/** The version in the package's own manifest, wherever this file was emitted to. */
export function ownVersion(): string {
  for (const up of ['../../package.json', '../../../package.json']) {
    try {
      const manifest = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')) as {
        name?: string;
        version?: string;
      };
      if (manifest.name === 'seawall' && manifest.version !== undefined) return manifest.version;
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
    }
  }
  return 'unknown';
}
