import { HarnessError } from '../core/errors.ts';
import { LOAD_DRIVERS } from '../registry.ts';
import type { Timeline } from '../spi/timeline.ts';
import { byName } from './wiring.ts';

const DETECT_DEADLINE_MS = 20_000;

/**
 * Asks the load engines of a timeline whether they are here, before anything is started. Returns what they are, by name,
 * for those that are programs of others. Throws BINARY_MISSING for one that is not.
 */
export async function detectEngines(timeline: Pick<Timeline, 'scenarios'>): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of new Set(timeline.scenarios.map(({ driver }) => driver))) {
    const support = await byName(LOAD_DRIVERS, name, 'load driver').detect(AbortSignal.timeout(DETECT_DEADLINE_MS));
    if (!support.ok) throw new HarnessError('BINARY_MISSING', `engine ${name}: ${support.reason}`, support.hint);
    if (support.note !== undefined) found[name] = support.note;
  }
  return found;
}
