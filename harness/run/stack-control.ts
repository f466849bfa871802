import type { Clock } from '../core/clock.ts';
import { deadline } from '../core/deadline.ts';
import type { JournalBody } from '../spi/journal.ts';
import type { Environment, RuntimeDriver } from '../spi/runtime.ts';
import type { Timeline } from '../spi/timeline.ts';
import { type KeptStack, keepStack } from './kept-stack.ts';
import type { Ledger } from './ledger.ts';
import type { Scope } from './scope.ts';

const TAKE_DOWN_DEADLINE_MS = 45_000;

export interface StackControlContext {
  runId: string;
  runDir: string;
  planText: string;
  timeline: Timeline;
  runtime: RuntimeDriver;
  proxy: 'seawall' | 'toxiproxy';
  /** Where the plan's text came from, when the stack is to stay up at the end. */
  keep: Pick<KeptStack, 'planFile' | 'overrides'> | undefined;
  clock: Clock;
  ledger: Ledger;
  scope: Scope;
  /** Aborted: the standing up ends. */
  stop: AbortSignal;
  /** Asked at the end: a run that failed keeps nothing. */
  failed(): boolean;
  emit(body: JournalBody): void;
  onNodeExit(node: string, why: string): void;
}

/** A run's stack: stood up, watched, and at the end taken down or let go. */
export class StackControl {
  readonly #ctx: StackControlContext;
  #kept = false;

  constructor(ctx: StackControlContext) {
    this.#ctx = ctx;
  }

  /** Whether the stack was let go: then it outlives the run. */
  get kept(): boolean {
    return this.#kept;
  }

  /** Resolves when every node is ready; from its first step on, the scope takes back what it does. */
  async up(): Promise<Environment> {
    const { runId, runDir, timeline, runtime, proxy, clock, ledger, scope, stop, emit } = this.#ctx;
    const startedMs = clock.now();
    const { plan, topology } = timeline;
    scope.defer('sweep for what is left', TAKE_DOWN_DEADLINE_MS, () => this.#sweep());
    const env = await runtime.up(plan.stack, topology, {
      runId,
      runDir,
      signal: stop,
      record: async (resource) => ledger.write({ type: 'resource', resource }),
      progress: (message) => emit({ type: 'stack.progress', message }),
      proxy,
      seed: timeline.seed,
    });
    scope.defer('take the stack down', TAKE_DOWN_DEADLINE_MS, () => this.#letGo(env));
    const unsubscribe = env.onUnexpectedExit((node, why) => this.#ctx.onNodeExit(node, why));
    scope.defer('stop watching the nodes', 1_000, async () => unsubscribe());
    emit({
      type: 'stack.up',
      ms: Math.round(clock.now() - startedMs),
      nodes: topology.nodes.map(({ id, of, idc }) => ({ id, of, idc })),
      links: env.links.size,
      notes: timeline.notes,
    });
    return env;
  }

  async #letGo(env: Environment): Promise<void> {
    const { keep, runId, runDir, proxy, planText, timeline } = this.#ctx;
    if (keep === undefined || this.#ctx.failed()) return env[Symbol.asyncDispose]();
    const { runtime, seed, topology, plan } = timeline;
    await keepStack(env, {
      stackId: runId,
      runDir,
      runtime,
      proxy,
      seed,
      planText,
      stack: plan.stack,
      topology,
      ...keep,
    });
    this.#kept = true;
  }

  /** Whatever the orderly way down missed, found from outside: by the run's flag and labels. */
  async #sweep(): Promise<void> {
    if (this.#kept) return;
    const { runtime, runId, emit } = this.#ctx;
    const removed = await runtime.reap(runId, [], deadline(TAKE_DOWN_DEADLINE_MS));
    for (const what of removed) emit({ type: 'log', level: 'warn', message: `swept up: ${what}` });
  }
}
