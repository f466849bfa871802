import { type FoundBinary, findBinary, K6_VERSION } from '../core/binaries.ts';
import { HarnessError } from '../core/errors.ts';

/** The major version whose script API and flags the driver is written for. */
const MAJOR = '2';

/**
 * The k6 to use: `SEAWALL_K6`, PATH, the cache. One on PATH that is too old gives way to one in the cache; one that is
 * named never does. Throws BINARY_MISSING with what was found where there is none of version 2.
 */
export function findK6(env: NodeJS.ProcessEnv = process.env): FoundBinary {
  const found = findBinary('k6', env);
  if (found !== undefined && isKnown(found)) return found;
  const cached = found?.from === 'PATH' ? findBinary('k6', { ...env, PATH: '' }) : undefined;
  if (cached !== undefined && isKnown(cached)) return cached;
  const hint = `\`seawall doctor --fix\` builds k6 ${K6_VERSION} with Go; or name one of version ${MAJOR} in SEAWALL_K6.`;
  if (found === undefined) throw new HarnessError('BINARY_MISSING', 'there is no k6 on this machine', hint);
  const what = `${found.path} is k6 ${found.version}, and Seawall drives k6 ${MAJOR}.x`;
  throw new HarnessError('BINARY_MISSING', what, hint);
}

const isKnown = ({ version }: FoundBinary): boolean => version.startsWith(`${MAJOR}.`);
