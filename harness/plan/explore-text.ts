import { isMap, isScalar, isSeq, parseDocument, type YAMLMap } from 'yaml';
import { formatDuration } from '../core/units.ts';
import type { Schedule } from './explore-space.ts';

/** How a plan is turned into one that tries a schedule. */
export interface TrialText {
  name: string;
  hypothesis: string;
  schedule: Schedule;
  /** All scenarios of the plan. */
  scenarios: readonly string[];
  /** Within this of the last heal users are served again; ms. */
  convergeMs: number;
  /** Of the load, so that no recovery can be too late to be told; ms. */
  loadMs: number;
  /** What `--set` said: the text needs it no more. */
  overrides: Readonly<Record<string, string>>;
  /** Whether a path in the text is a file's, and what it is to be called instead. */
  rename?(path: string): string | undefined;
}

/** What is seen after the last fault beyond the bound: the five good seconds themselves, and what bite and heal take. */
const WATCH_MORE_MS = 8000;

/** How long a run must go on after the last fault, ms. */
export const watchMs = (convergeMs: number): number => convergeMs + WATCH_MORE_MS;

/**
 * The plan with the faults of a schedule in place of its own, as YAML that stands alone. It asks what a system must keep
 * whatever happens: the plan's integrity, isolation, lost writes and availability under the faults, and convergence after
 * them. Latency, traffic and the time to recover from single faults are about the plan's own faults and are left out.
 */
export function trialText(planText: string, trial: TrialText): string {
  const document = parseDocument(planText);
  document.set('plan', trial.name);
  document.set('hypothesis', trial.hypothesis);
  for (const [name, value] of Object.entries(trial.overrides)) document.setIn(['vars', name], value);
  const faults = trial.schedule.map(({ atMs, forMs, name, inject, target, with: params }) => ({
    ...{ name, at: exact(atMs), for: exact(forMs), inject, target },
    ...(Object.keys(params).length === 0 ? {} : { with: params }),
  }));
  document.set('faults', document.createNode([]));
  const written = document.get('faults');
  if (isSeq(written)) {
    written.flow = false;
    written.items = faults.map((fault) => document.createNode(fault, { flow: true }));
  }
  document.set('recovery', document.createNode({ window: formatDuration(watchMs(trial.convergeMs)) }));
  const verify = document.get('verify');
  const asked = isSeq(verify) ? verify.items.filter((item): item is YAMLMap => isMap(item)) : [];
  const kept = asked.filter((item) => safetyOnly(item, trial.loadMs));
  const bounds = trial.scenarios.map((of) =>
    document.createNode({ convergence: { of, within: formatDuration(trial.convergeMs) } }, { flow: true }),
  );
  document.set('verify', document.createNode([]));
  const list = document.get('verify');
  if (isSeq(list)) {
    list.flow = false;
    list.items = [...kept, ...bounds];
  }
  if (trial.rename !== undefined) renamePaths(document.contents, trial.rename);
  // What stands above the original, its schema’s path among it, is not about this one.
  document.commentBefore = null;
  const first = isMap(document.contents) ? document.contents.items[0]?.key : undefined;
  if (isScalar(first)) first.commentBefore = null;
  return document.toString();
}

/** A time that reads back as it is: 32.7 s are no whole number of ms to a computer. */
const exact = (ms: number): string => (ms % 1000 === 0 ? formatDuration(ms) : `${ms}ms`);

/** Whether the check stays; of a recovery only its lost writes do. */
function safetyOnly(item: YAMLMap, loadMs: number): boolean {
  if (['integrity', 'isolation', 'availability'].some((kind) => item.has(kind))) return true;
  const recovery = item.get('recovery');
  if (!isMap(recovery) || !recovery.has('rpo')) return false;
  // The check wants one; of the whole load's length it never decides.
  recovery.set('rto', formatDuration(loadMs));
  return true;
}

function renamePaths(node: unknown, rename: (path: string) => string | undefined): void {
  if (isSeq(node)) for (const item of node.items) renamePaths(item, rename);
  if (isMap(node)) for (const { value } of node.items) renamePaths(value, rename);
  if (typeof node !== 'object' || node === null || !('value' in node) || typeof node.value !== 'string') return;
  node.value = rename(node.value) ?? node.value;
}
