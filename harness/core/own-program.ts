import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Path of a program of ours that is started as a process, e.g. `ownProgram('../proxy/main', import.meta.url)`: with the
 * ending of the asking file, since sources are `.ts` and the published package is `.js`.
 */
export function ownProgram(path: string, askedFrom: string): string {
  return fileURLToPath(new URL(`${path}${extname(askedFrom)}`, askedFrom));
}
