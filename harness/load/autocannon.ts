import type { LoadDriver } from '../spi/load.ts';
import type { Scenario } from '../spi/plan.ts';
import type { Support } from '../spi/runtime.ts';
import { foreignProgram } from './foreign-program.ts';
import { startGenerator } from './generator-job.ts';

const NATIVE = 'say `engine: native`, or leave `engine` out';
const NOTE =
  'autocannon is for saturation: each of its connections waits for its answer before it asks again, so latency is ' +
  'service time and a slow system is asked less; its own correction of latency is off, since it halves what it measures; ' +
  'all connections go from the beginning, without a ramp, and none gives up on an answer before 1 s';

/** autocannon in a process of its own. `tag` makes the headers of shadow requests from the run id. */
export function autocannonDriver(options: { tag: (runId: string) => Record<string, string> }): LoadDriver {
  return {
    name: 'autocannon',
    detect: () => Promise.resolve({ ok: true }),
    accepts,
    start: (spec, sink, signal) => {
      const tag = spec.scenario.shadow ? options.tag(spec.runId) : {};
      return startGenerator(foreignProgram('autocannon'), spec, tag, sink, signal);
    },
  };
}

function accepts(scenario: Scenario): Support {
  const { executor, journeys, mix } = scenario;
  if (executor !== 'constant-vus') {
    const reason = `autocannon keeps a number of connections busy and knows no ${executor}`;
    return { ok: false, reason, hint: `use \`executor: constant-vus\`, or ${NATIVE}` };
  }
  if (Object.keys(scenario.feeds ?? {}).length > 0) {
    return { ok: false, reason: 'feeds are not handed to autocannon', hint: NATIVE };
  }
  const long = mix.find(({ journey }) => (journeys[journey] ?? []).length !== 1);
  if (long === undefined) return { ok: true, note: NOTE };
  const steps = (journeys[long.journey] ?? []).length;
  const reason = `autocannon sends single requests, and the journey ${long.journey} has ${steps} steps`;
  return { ok: false, reason, hint: `use journeys of one step, or ${NATIVE}` };
}
