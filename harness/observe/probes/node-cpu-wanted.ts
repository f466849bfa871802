import { setTimeout as sleep } from 'node:timers/promises';
import { isInGroup } from '../../core/control-groups.ts';
import { threadTimes } from '../../core/thread-times.ts';
import type { Measurement, Probe } from '../../spi/fault.ts';
import type { Json } from '../../spi/json.ts';
import { type Helper, helperOf, processesOfHelper } from '../helper.ts';
import { pollUntil } from '../poll.ts';
import { nodeOf } from '../targets.ts';

const SPAN_MS = 600;
/** Within these the helper must have started its threads. */
const WITHIN_MS = 3000;
const TOLERANCE_RATIO = 0.15;

interface Request extends Helper {
  /** Whose control group the helper must be in; empty where nodes have none. */
  container: string;
  cores: number;
}

/**
 * What the helper beside a node had of the processor and waited for it, over 600 ms: `args.threads` × `args.share`
 * cores, ± 15 %. Waiting counts, since a machine that is full gives less than is asked for, and is fuller for being asked.
 */
export const nodeCpuWanted: Probe = {
  kind: 'node.cpu-wanted',
  resolve: async (expectation, env, undo) => {
    const { threads, share } = expectation.args;
    const { container } = nodeOf(expectation, env, undo).restartSpec();
    const group = typeof container === 'string' ? container : '';
    return { ...helperOf(expectation.kind, undo), container: group, cores: Number(threads) * Number(share) } as Json;
  },
  measure: (request, signal) => {
    const asked = request as unknown as Request;
    return pollUntil(WITHIN_MS, signal, () => look(asked, signal));
  },
};

async function look(asked: Request, signal: AbortSignal): Promise<Measurement> {
  const [helper] = processesOfHelper(asked);
  const nothing = (because: string): Measurement => ({ holds: false, value: 0, unit: 'cores', because });
  if (helper === undefined) return nothing('no helper runs');
  if (asked.container !== '' && !isInGroup(helper.pid, 'cpu', asked.container)) {
    return nothing('the helper is not in the control group of the node’s container');
  }
  const [before, startMs] = [threadTimes(helper.pid), performance.now()];
  await sleep(SPAN_MS, undefined, { signal });
  const [after, spanMs] = [threadTimes(helper.pid), performance.now() - startMs];
  const ran = (after.ranMs - before.ranMs) / spanMs;
  const value = two(ran + (after.waitedMs - before.waitedMs) / spanMs);
  const because = `beside the node ${value} cores were wanted and ${two(ran)} had, asked ${two(asked.cores)}`;
  return { holds: Math.abs(value - asked.cores) <= TOLERANCE_RATIO * asked.cores, value, unit: 'cores', because };
}

const two = (value: number): number => Math.round(value * 100) / 100;
