import { controlGroupsOf } from '../../core/control-groups.ts';
import { HarnessError } from '../../core/errors.ts';
import type { Expectation, Measurement, Probe, Undo } from '../../spi/fault.ts';
import type { Json } from '../../spi/json.ts';
import type { Environment } from '../../spi/runtime.ts';
import { type Burnt, burnIn } from '../burner.ts';
import { nodeOf } from '../targets.ts';

const SPAN_MS = 800;
/** The kernel deals a quota out in slices, and a period more or less falls into the span. */
const TOLERANCE_RATIO = 0.25;
const TOLERANCE_MIN_CORES = 0.03;

interface Request {
  runId: string;
  cpuFolder: string;
  cores: number;
}

/**
 * A program that never rests, put beside the node into its control group for 0.8 s, gets no more than `args.cores`
 * with it, and the group is held back. Of a quota above one core only the holding back can be seen by one thread: the
 * node's own use counts against it.
 */
export const nodeCpuCapped: Probe = {
  kind: 'node.cpu-capped',
  resolve: async (expectation, env, undo) => requestFor(expectation, env, undo),
  measure: async (request, signal) => {
    const { runId, cpuFolder, cores } = request as unknown as Request;
    const burnt = await burnIn(runId, cpuFolder, SPAN_MS, signal);
    const isBelow = burnt.cores <= cores + slack(cores);
    return measured(burnt, cores, isBelow && burnt.throttled > 0);
  },
};

/** The same program gets more than `args.cores` again, or is at least never held back by a quota. */
export const nodeCpuFree: Probe = {
  kind: 'node.cpu-free',
  resolve: async (expectation, env, undo) => requestFor(expectation, env, undo),
  measure: async (request, signal) => {
    const { runId, cpuFolder, cores } = request as unknown as Request;
    const burnt = await burnIn(runId, cpuFolder, SPAN_MS, signal);
    return measured(burnt, cores, burnt.throttled === 0 || burnt.cores > cores + slack(cores));
  },
};

const slack = (cores: number): number => Math.max(TOLERANCE_MIN_CORES, TOLERANCE_RATIO * cores);

function measured(burnt: Burnt, cores: number, holds: boolean): Measurement {
  const value = Math.round(burnt.cores * 100) / 100;
  const because = `a program that never rests got ${value} cores beside the node, which was held back ${burnt.throttled} times; the quota asked is ${cores}`;
  return { holds, value, unit: 'cores', because };
}

function requestFor(expectation: Expectation, env: Environment, undo: Undo | undefined): Json {
  const node = nodeOf(expectation, env, undo);
  const { container } = node.restartSpec();
  const groups = typeof container === 'string' ? controlGroupsOf(container) : undefined;
  if (groups === undefined || undo === undefined) {
    const hint = 'It needs a container that runs, and root on the Linux that its engine runs on.';
    throw new HarnessError(
      'PROBE_FAILED',
      `${expectation.kind}: the control group of ${node.spec.id} is not to be seen`,
      hint,
    );
  }
  const request: Request = {
    runId: undo.state.runId as string,
    cpuFolder: groups.cpu,
    cores: Number(expectation.args.cores),
  };
  return request as unknown as Json;
}
