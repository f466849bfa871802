import { ownProgram } from '../core/own-program.ts';
import type { LoadDriver } from '../spi/load.ts';
import { GENERATOR_FLAGS, type GeneratorProgram, startGenerator } from './generator-job.ts';

const PROGRAM: GeneratorProgram = {
  name: 'load generator',
  path: ownProgram('./main', import.meta.url),
  args: [],
  readyMs: 15_000,
};
/** What Node is told to run as a generator. */
export const GENERATOR_PROGRAM: readonly string[] = [...GENERATOR_FLAGS, PROGRAM.path];

/**
 * Our own engine in a process of its own. `tag` makes the headers of shadow requests from the run id; `{trace}` and
 * `{span}` in them are drawn per request.
 */
export function nativeDriver(options: { tag: (runId: string) => Record<string, string> }): LoadDriver {
  return {
    name: 'native',
    detect: () => Promise.resolve({ ok: true }),
    accepts: () => ({ ok: true }),
    start: (spec, sink, signal) => {
      const tag = spec.scenario.shadow ? options.tag(spec.runId) : {};
      return startGenerator(PROGRAM, spec, tag, sink, signal);
    },
  };
}
