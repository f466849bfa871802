import { ownProgram } from '../core/own-program.ts';
import type { LoadDriver } from '../spi/load.ts';
import type { Scenario } from '../spi/plan.ts';
import type { Support } from '../spi/runtime.ts';
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
    accepts,
    start: (spec, sink, signal) => {
      const tag = spec.scenario.shadow ? options.tag(spec.runId) : {};
      return startGenerator(PROGRAM, spec, tag, sink, signal);
    },
  };
}

const REGIONS_NOTE =
  'each region is a proxy in front of the system, through which its users go: its round trip comes on top of the generator’s own, connecting is not delayed, a bandwidth is each connection’s, a refused connection shows as reset, and every second one GET over it and one past it show whether it still takes what was asked for';

function accepts({ regions }: Scenario): Support {
  if (regions === undefined) return { ok: true };
  const lossy = regions.filter(({ lossRatio }) => lossRatio > 0).map(({ name }) => name);
  if (lossy.length === 0) return { ok: true, note: REGIONS_NOTE };
  return {
    ok: false,
    reason: `${lossy.join(', ')} cannot lose packets: what stands in front of the system is a proxy of bytes, and the kernels on both its sides send again whatever gets lost before it sees it`,
    hint: 'leave `loss` out, and say what it costs its users as `rtt`, `jitter` and `bandwidth`',
  };
}
