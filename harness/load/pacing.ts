import { availableParallelism } from 'node:os';

/** Who shares a machine of this many cores with a spinning thread has enough left. */
const CORES_FOR_SPIN = 4;

export type Pacing = 'timer' | 'spin';

/**
 * Which pacer a generator with so many sending threads uses: spinning takes a core of its own for each thread, so it is
 * chosen where the machine has that to spare, or where `SEAWALL_PACER=spin` says that the generator has been given one.
 * `SEAWALL_PACER=timer` never spins.
 */
export function pacingOf(
  threads: number,
  asked: string | undefined = process.env.SEAWALL_PACER,
  cores: number = availableParallelism(),
): Pacing {
  if (asked === 'timer' || asked === 'spin') return asked;
  return cores >= Math.max(CORES_FOR_SPIN, 2 * threads + 2) ? 'spin' : 'timer';
}
