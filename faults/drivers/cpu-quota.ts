import { HarnessError } from '../../harness/core/errors.ts';
import type { Effect, FaultDriver, Undo } from '../../harness/spi/fault.ts';
import type { JsonObject } from '../../harness/spi/json.ts';
import type { Capabilities, Support } from '../../harness/spi/runtime.ts';
import { inspectContainer, updateContainer } from './container.ts';
import { containerOf } from './node-means.ts';
import { nodeOf } from './node-of.ts';

/** The kernel's own default. */
const PERIOD_US = 100_000;
/** The kernel takes none below 1 ms in a period. */
const QUOTA_MIN_US = 1000;
const NO_QUOTA = -1;

/** What `undo.state` holds: the engine's own fields, as they are sent to it. */
interface QuotaState {
  /** Whose run it is: what measures it marks its own processes with that. */
  runId: string;
  container: string;
  change: Record<string, number>;
  before: Record<string, number>;
}

/** What a container may have of the processor, changed while it runs; the quota that it had is put back. */
export const cpuQuotaDriver: FaultDriver = {
  name: 'cpu-quota',
  accepts,
  prepare: async (effect, env, ctx) => {
    const node = await nodeOf(effect, env, ctx.signal);
    const container = containerOf(node.restartSpec());
    const found = await inspectContainer(container, ctx.signal);
    if (found === undefined) {
      const hint = 'Look whether somebody removed it: the run’s own stack has it until the end.';
      throw new HarnessError('FAULT_TARGET_EMPTY', `the container of ${node.spec.id} is gone`, hint);
    }
    const state: QuotaState = { runId: ctx.runId, container, ...quotas(Number(effect.args.cores), found.HostConfig) };
    const { owner } = env;
    return { driver: 'cpu-quota', owner, on: { node: node.spec.id }, state: state as unknown as JsonObject };
  },
  apply: (undo, ctx) => update(undo, 'change', ctx.signal),
  revert: (undo, ctx) => update(undo, 'before', ctx.signal),
};

/**
 * The engine takes a quota either as a share of cores or as a time in each period, never both, and reads 0 as "leave it":
 * whoever had the one gets the other in its terms, and "none" is -1.
 */
export function quotas(
  cores: number,
  had: { NanoCpus?: number | undefined; CpuQuota?: number | undefined; CpuPeriod?: number | undefined },
): Pick<QuotaState, 'change' | 'before'> {
  if (had.NanoCpus) {
    const nanoCpus = Math.max(1e7, Math.round(cores * 1e9));
    return { change: { NanoCpus: nanoCpus }, before: { NanoCpus: had.NanoCpus } };
  }
  const period = had.CpuPeriod || PERIOD_US;
  const quota = Math.max(QUOTA_MIN_US, Math.round(cores * period));
  return {
    change: { CpuPeriod: period, CpuQuota: quota },
    before: { CpuPeriod: period, CpuQuota: had.CpuQuota || NO_QUOTA },
  };
}

async function update(undo: Undo, which: 'change' | 'before', signal: AbortSignal): Promise<void> {
  const state = undo.state as unknown as QuotaState;
  await updateContainer(state.container, state[which], signal);
}

function accepts(effect: Effect, { runtime, powers }: Capabilities): Support | undefined {
  if (effect.kind !== 'node.cpu-capped') {
    return undefined;
  }
  const hint = 'Use the containers runtime, as root on the Linux that its engine runs on; host.cpu works everywhere.';
  if (runtime !== 'containers')
    return { ok: false, reason: 'only containers have a processor quota of their own', hint };
  if (powers.includes('node.groups')) return { ok: true };
  return {
    ok: false,
    reason: 'the control groups of the containers are out of reach, so nobody could measure it',
    hint,
  };
}
