import { HarnessError } from '../core/errors.ts';
import type { LoadDriver } from '../spi/load.ts';
import type { Scenario } from '../spi/plan.ts';
import type { Support } from '../spi/runtime.ts';
import { foreignProgram } from './foreign-program.ts';
import { startGenerator } from './generator-job.ts';
import { findK6 } from './k6-binary.ts';

const NATIVE = 'say `engine: native`, or leave `engine` out';
/** What k6 does otherwise than the native engine, for `explain` and the report. */
const OPEN_NOTE =
  'k6 sends nothing late: a start that finds no free user is left out, counted as dropped at the cap and bad in the second ' +
  'in which it was due; k6 sends again by itself what a kept connection lost before an answer began, and each of its users ' +
  'has a connection of its own';
const USERS_NOTE =
  'k6’s users wait for their answers, so latency is service time: a slow system is asked less, which its percentiles do not show';
const REPLAY_REASON =
  'a replay learns ids and tokens from its answers as it goes, and may be signed by a module for Node: k6 can do neither';
const POISSON_NOTE =
  'k6 has no Poisson arrivals: its users take the starts of the schedule one after the other and wait for the time of each';
const FEED_NOTE =
  'rows are dealt as by the native engine; those that are drawn come by the same weights, though other ones';
const STOP_NOTE = 'a k6 that is stopped early cuts off what is on its way, and that is counted as unfinished';
const SCRIPT_NOTE =
  'the script’s own options say what is sent; each HTTP request of it is one sample, good when k6 expected its response ' +
  'and it came within `good.within` of its send; latency is service time; it ends with the plan’s load at the latest, and ' +
  'what is on its way then is not counted; k6 itself refuses to connect to any address ' +
  'but loopback and the target, which the script finds in `__ENV.SEAWALL_TARGET`';

/** The real k6, in a process of ours around it. `tag` makes the headers of shadow requests from the run id. */
export function k6Driver(options: { tag: (runId: string) => Record<string, string> }): LoadDriver {
  return {
    name: 'k6',
    detect: () => Promise.resolve(detect()),
    accepts,
    start: async (spec, sink, signal) => {
      // Said here, where the run can tell it, and not by a process that dies of it.
      findK6();
      if (spec.stripe !== undefined && spec.scenario.script !== undefined) {
        const reason = `${spec.scenario.name}: a script’s own load cannot be cut into stripes`;
        throw new HarnessError('LOAD_UNSUPPORTED', reason, 'Run it whole, or describe the journeys in the stack.');
      }
      const tag = spec.scenario.shadow ? options.tag(spec.runId) : {};
      return startGenerator(foreignProgram('k6'), spec, tag, sink, signal);
    },
  };
}

function detect(): Support {
  try {
    const { version, path } = findK6();
    return { ok: true, note: `${version} at ${path}` };
  } catch (thrown) {
    if (!(thrown instanceof HarnessError)) throw thrown;
    return { ok: false, reason: thrown.message, hint: thrown.hint };
  }
}

function accepts(scenario: Scenario): Support {
  if (scenario.script !== undefined) return acceptsScript(scenario);
  const { executor } = scenario;
  if (executor === 'replay') return { ok: false, reason: REPLAY_REASON, hint: NATIVE };
  const isOpen = executor !== 'constant-vus' && executor !== 'ramping-vus';
  const notes = [
    isOpen ? OPEN_NOTE : USERS_NOTE,
    ...(executor === 'poisson' ? [POISSON_NOTE] : []),
    ...(Object.keys(scenario.feeds ?? {}).length > 0 ? [FEED_NOTE] : []),
    STOP_NOTE,
  ];
  return { ok: true, note: notes.join('; ') };
}

function acceptsScript(scenario: Scenario): Support {
  if (!scenario.shadow) return { ok: true, note: SCRIPT_NOTE };
  return {
    ok: false,
    reason: 'a script’s own requests cannot be marked as shadow traffic from outside',
    hint: 'set `shadow: false`, or describe the journeys in the stack',
  };
}
