import type { LoadSpec } from '../spi/load.ts';
import type { JourneySurroundings } from './compiled-journey.ts';
import type { EngineMaker } from './engine.ts';
import { Executor } from './executor.ts';

/** Gets ready all that a scenario's engine needs. `failed` hears of what goes wrong later. */
export async function openEngine(
  spec: LoadSpec,
  around: JourneySurroundings,
  options: { kinds: readonly string[]; failed: (thrown: unknown) => void },
): Promise<EngineMaker> {
  const { replay } = spec.scenario;
  if (replay === undefined) return (at) => new Executor({ ...around, ...at, spec });
  // Loaded only where there is one: most loads replay nothing.
  const { openReplay } = await import('./open-replay.ts');
  return openReplay(spec, replay, around, options);
}
