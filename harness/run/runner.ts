import { join } from 'node:path';
import { checkpoint } from '../core/checkpoint.ts';
import type { Clock } from '../core/clock.ts';
import { deadline } from '../core/deadline.ts';
import { asHarnessError, HarnessError, messageOf } from '../core/errors.ts';
import { identify } from '../core/process-identity.ts';
import { formatDuration } from '../core/units.ts';
import type { FaultDriver, Probe } from '../spi/fault.ts';
import type { JournalBody, JournalEvent, Phase } from '../spi/journal.ts';
import type { JsonObject } from '../spi/json.ts';
import type { LoadDriver, LoadWindow } from '../spi/load.ts';
import type { Environment, RuntimeDriver } from '../spi/runtime.ts';
import type { Timeline } from '../spi/timeline.ts';
import { AckLog } from './acks-file.ts';
import type { AppendFile, OpenAppend } from './append-file.ts';
import { type AuditContext, auditMarkers, auditStores } from './audit.ts';
import type { ProbeClient } from './fault-run.ts';
import { type FaultScheduleContext, runFaults } from './fault-schedule.ts';
import { makeFolder } from './folder.ts';
import { Guard } from './guard.ts';
import { Journal, type JournalListener } from './journal.ts';
import type { KeptStack } from './kept-stack.ts';
import { Ledger, readLedger } from './ledger.ts';
import { LoadControl, type LoadControlContext } from './load-control.ts';
import type { RunIndex } from './run-index.ts';
import { Sampler } from './sampler.ts';
import { Scope } from './scope.ts';
import { StackControl, type StackControlContext } from './stack-control.ts';
import { SteadyState } from './steady-state.ts';

const LEDGER = 'ledger.ndjson';
const SAMPLE_EVERY_MS = 5_000;
/** Between the last generator being ready and the first warm-up request. */
const LEAD_MS = 300;
const CANARY_DEADLINE_MS = 30_000;
const STOP_LOAD_DEADLINE_MS = 20_000;

/** Everything the runner is handed; it imports no concrete of its own. */
export interface RunDeps {
  clock: Clock;
  runtime: RuntimeDriver;
  load(name: string): LoadDriver;
  faultDriver(name: string): FaultDriver;
  probe(kind: string): Probe;
  startProbes(runId: string): Promise<ProbeClient & AsyncDisposable>;
  /** Starts what undoes effects at the end of their leases when this process does not. */
  startKeeper(runId: string, ledgerPath: string): Promise<AsyncDisposable>;
  index: RunIndex;
  openAppend: OpenAppend;
  marker(runId: string, shadow: boolean): string;
}

export interface RunOptions {
  runId: string;
  runDir: string;
  planText: string;
  argv: string[];
  versions: Record<string, string>;
  machine: JsonObject;
  injectFaults: boolean;
  /** Send only this stripe of the schedule; `index` from 1. */
  segment?: { index: number; of: number };
  /** Epoch ms of t = 0, for generators that begin together; default: as soon as all is ready. */
  startAtMs?: number;
  proxy: 'seawall' | 'toxiproxy';
  /** Leave the stack up at the end, unless the run failed. */
  keep?: Pick<KeptStack, 'planFile' | 'overrides'>;
  /** The kept stack that the run works on, whose lock this process holds. */
  on?: string;
  /** Values that no file of the run may hold. */
  secrets: readonly string[];
  listeners: JournalListener[];
}

export interface RunResult {
  /** What is still there and should not be; the run stays in the index then. */
  leftovers: string[];
  error: HarnessError | undefined;
}

type StopReason = 'guard' | 'interrupt' | 'failure' | 'steady-state' | 'leak';

/** Phases in order; those with `always` run also when the run was stopped, so that what is known gets judged. */
const PHASE_LIST: { phase: Phase; work: (run: Run) => Promise<void>; always?: (reason: StopReason) => boolean }[] = [
  { phase: 'up', work: (run) => run.up() },
  { phase: 'preflight', work: (run) => run.preflight() },
  { phase: 'warm-up', work: (run) => run.warmUp() },
  { phase: 'load', work: (run) => run.underLoad() },
  { phase: 'recovery', work: (run) => run.untilLoadEnds() },
  { phase: 'drain', work: (run) => run.drain(), always: () => true },
  { phase: 'audit', work: (run) => run.audit(), always: (reason) => reason === 'guard' || reason === 'steady-state' },
];

/** One run, from an empty folder to a closed journal. `execute` never throws; `interrupt` ends it early, healing. */
export class Run {
  readonly #timeline: Timeline;
  readonly #deps: RunDeps;
  readonly #options: RunOptions;
  readonly #journal: Journal;
  readonly #ledger: Ledger;
  readonly #acks: AckLog;
  readonly #failures: AppendFile;
  readonly #scope = new Scope();
  readonly #stop = new AbortController();
  readonly #guard: Guard;
  readonly #steady: SteadyState;
  readonly #load: LoadControl;
  readonly #stack: StackControl;
  readonly #touched = new Set<string>();
  #reason: StopReason | undefined;
  #error: HarnessError | undefined;
  #env: Environment | undefined;
  #probes: ProbeClient | undefined;
  #originMs = 0;

  constructor(timeline: Timeline, deps: RunDeps, options: RunOptions) {
    this.#timeline = timeline;
    this.#deps = deps;
    this.#options = options;
    makeFolder(options.runDir, options.planText);
    const open = (name: string): AppendFile => deps.openAppend(join(options.runDir, name));
    deps.index.add({
      runId: options.runId,
      runDir: options.runDir,
      runtime: timeline.runtime,
      startedAt: new Date(deps.clock.now()).toISOString(),
      ...(options.on === undefined ? {} : { on: options.on }),
    });
    this.#ledger = new Ledger(open(LEDGER));
    this.#journal = new Journal(open('journal.ndjson'), deps.clock, options.secrets);
    this.#acks = new AckLog(open('acks.bin'));
    this.#failures = open('failures.ndjson');
    this.#load = new LoadControl(this.#loadContext());
    this.#stack = new StackControl(this.#stackContext());
    this.#guard = new Guard(timeline.plan.guard);
    this.#steady = new SteadyState(timeline.plan.steadyState);
    for (const listener of options.listeners) this.#journal.subscribe(listener);
    this.#journal.onFailure((failure) => this.#fail(failure));
  }

  /** Heals at once, stops the load, takes the stack down. Safe to call at any time, more than once. */
  interrupt(by: string): void {
    if (this.#reason !== undefined) return;
    this.#emit({ type: 'interrupted', by });
    this.#halt('interrupt');
  }

  async execute(): Promise<RunResult> {
    this.#open();
    for (const { phase, work, always } of PHASE_LIST) {
      if (this.#reason !== undefined && !(always?.(this.#reason) ?? false)) continue;
      await this.#inPhase(phase, () => work(this));
    }
    const leftovers: string[] = [];
    await this.#inPhase('down', async () => {
      leftovers.push(...(await this.#scope.unwind()));
    });
    return this.#close(leftovers);
  }

  async up(): Promise<void> {
    this.#env = await this.#stack.up();
  }

  async preflight(): Promise<void> {
    const { runId } = this.#options;
    const probes = await this.#deps.startProbes(runId);
    this.#probes = probes;
    this.#scope.defer('end the probe process', 5_000, async () => probes[Symbol.asyncDispose]());
    if (this.#options.injectFaults && this.#timeline.faults.length > 0) await this.#startKeeper();
    this.#scope.defer('kill the load', 1_000, async () => this.#load.kill());
    this.#scope.defer('end the load', STOP_LOAD_DEADLINE_MS, () => this.#load.end(true));
    await this.#load.start(this.#env!.entryUrl, this.#stop.signal);
    await this.#load.canaries(deadline(CANARY_DEADLINE_MS, this.#stop.signal));
    if (!this.#timeline.plan.load.some((scenario) => scenario.shadow)) return;
    const leaks = await auditMarkers(this.#auditContext(), 0);
    if (leaks === 0) return;
    this.#log('error', `${leaks} rows of the canaries lie on the wrong side: no load is sent`);
    this.#halt('leak');
  }

  async warmUp(): Promise<void> {
    const { steadyState } = this.#timeline.plan;
    const soonestMs = Math.round(this.#deps.clock.now() + LEAD_MS + this.#timeline.warmUpMs + steadyState.forMs);
    const { startAtMs } = this.#options;
    if (startAtMs !== undefined && startAtMs < soonestMs) throw startedTooLate(soonestMs - startAtMs);
    this.#originMs = startAtMs ?? soonestMs;
    this.#emit({ type: 'load.origin', originMs: this.#originMs });
    this.#load.begin(this.#originMs);
    void this.#sampleLoop();
    await this.#until(0);
  }

  /** From t = 0 until the last fault is healed. */
  async underLoad(): Promise<void> {
    const withinMs = Math.max(...this.#timeline.plan.load.map((scenario) => scenario.good.withinMs));
    await this.#until(withinMs + 700);
    if (this.#stop.signal.aborted) return;
    const verdicts = this.#timeline.scenarios.map(({ name }) => this.#steady.judge(name));
    for (const verdict of verdicts) this.#emit(verdict);
    if (verdicts.some((verdict) => !verdict.met)) return this.#halt('steady-state');
    if (!this.#options.injectFaults || this.#timeline.faults.length === 0) return;
    await runFaults(this.#timeline.faults, this.#faultContext());
  }

  async untilLoadEnds(): Promise<void> {
    await this.#until(this.#timeline.loadMs);
  }

  /** Waits for every answer that may still come; a load that was stopped sends nothing new. */
  async drain(): Promise<void> {
    await this.#load.end(this.#reason !== undefined);
  }

  async audit(): Promise<void> {
    await auditStores(this.#auditContext(), this.#acks.all);
  }

  async #startKeeper(): Promise<void> {
    const { runId, runDir } = this.#options;
    const keeper = await this.#deps.startKeeper(runId, join(runDir, LEDGER));
    this.#scope.defer('end the keeper of leases', 1_000, async () => keeper[Symbol.asyncDispose]());
  }

  #open(): void {
    const { runId, planText, versions, machine, argv, injectFaults, segment } = this.#options;
    const owner = identify(process.pid);
    if (owner === undefined) throw new HarnessError('INTERNAL', 'this process cannot identify itself', 'Report this.');
    this.#ledger.write({ type: 'opened', runId, runtime: this.#timeline.runtime, owner, atMs: this.#deps.clock.now() });
    this.#emit({
      type: 'run.opened',
      version: 1,
      runId,
      marker: this.#deps.marker(runId, true),
      planText,
      timeline: this.#timeline,
      versions,
      machine,
      argv,
      injectFaults,
      ...(segment === undefined ? {} : { segment }),
    });
  }

  async #inPhase(phase: Phase, work: () => Promise<void>): Promise<void> {
    const startedMs = this.#deps.clock.now();
    this.#emit({ type: 'phase.opened', phase });
    checkpoint(`phase:${phase}`);
    try {
      await work();
    } catch (thrown) {
      // An abort is how an interrupted phase ends: the reason is journalled already.
      if (this.#reason === undefined) this.#fail(asHarnessError(thrown));
    }
    this.#emit({ type: 'phase.closed', phase, ms: Math.round(this.#deps.clock.now() - startedMs) });
  }

  #faultContext(): FaultScheduleContext {
    return {
      runId: this.#options.runId,
      logs: join(this.#options.runDir, 'logs'),
      clock: this.#deps.clock,
      journal: this.#journal,
      ledger: this.#ledger,
      env: this.#env!,
      driver: (name) => this.#deps.faultDriver(name),
      probe: (kind) => this.#deps.probe(kind),
      probes: this.#probes!,
      stop: this.#stop.signal,
      stopReason: () => (this.#reason === 'guard' || this.#reason === 'interrupt' ? this.#reason : 'failure'),
      until: (tMs) => this.#until(tMs),
      goodRatio: this.#timeline.plan.steadyState.goodRatio,
      onTouch: (nodes) => {
        for (const node of nodes) this.#touched.add(node);
      },
    };
  }

  #stackContext(): StackControlContext {
    const { runId, runDir, planText, proxy, keep } = this.#options;
    return {
      ...{ runId, runDir, planText, proxy, keep },
      timeline: this.#timeline,
      runtime: this.#deps.runtime,
      clock: this.#deps.clock,
      ledger: this.#ledger,
      scope: this.#scope,
      stop: this.#stop.signal,
      failed: () => this.#reason === 'failure',
      emit: (body) => void this.#emit(body),
      onNodeExit: (node, why) => this.#emit({ type: 'node.exited', node, why, expected: this.#touched.has(node) }),
    };
  }

  #loadContext(): LoadControlContext {
    const { runId, segment } = this.#options;
    return {
      runId,
      timeline: this.#timeline,
      segment,
      driver: (name) => this.#deps.load(name),
      marker: (shadow) => this.#deps.marker(runId, shadow),
      acks: this.#acks,
      failures: this.#failures,
      emit: (body) => void this.#emit(body),
      onWindow: (row) => this.#watch(row),
      onFailure: (error) => this.#fail(error),
    };
  }

  /** What the guard and the steady state make of a row. */
  #watch(row: LoadWindow): void {
    this.#steady.see(row);
    const trip = this.#guard.see(row);
    if (trip === undefined || this.#reason !== undefined) return;
    this.#emit({ type: 'guard.tripped', ...trip });
    this.#halt('guard');
  }

  async #sampleLoop(): Promise<void> {
    const sampler = new Sampler();
    const proxies = this.#env!.inventory()
      .filter((resource) => resource.kind === 'process' && String(resource.id).startsWith('proxy'))
      .map((resource) => Number(resource.detail.pid));
    for (let atMs = 0; atMs < this.#timeline.loadMs && !this.#stop.signal.aborted; atMs += SAMPLE_EVERY_MS) {
      await this.#until(atMs);
      this.#emit(sampler.sample(this.#load.pids, proxies));
    }
  }

  /** Sleeps to a time after t = 0, or returns at once when the run is stopped. */
  async #until(tMs: number): Promise<void> {
    if (this.#stop.signal.aborted) return;
    try {
      await this.#deps.clock.sleep(this.#originMs + tMs - this.#deps.clock.now(), this.#stop.signal);
    } catch (thrown) {
      if (!this.#stop.signal.aborted) throw thrown;
    }
  }

  #auditContext(): AuditContext {
    return {
      env: this.#env!,
      plan: this.#timeline.plan,
      clock: this.#deps.clock,
      marker: this.#deps.marker(this.#options.runId, true),
      emit: (body) => void this.#emit(body),
    };
  }

  #halt(reason: StopReason): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#stop.abort(new Error(`the run was stopped: ${reason}`));
  }

  #fail(error: HarnessError): void {
    if (this.#error === undefined) {
      this.#error = error;
      this.#emit({ type: 'error', code: error.code, message: messageOf(error), hint: error.hint });
    }
    this.#halt('failure');
  }

  #close(unwound: string[]): RunResult {
    const { runId, runDir } = this.#options;
    const { undos } = readLedger(join(runDir, LEDGER));
    const debt = undos.filter(({ undo }) => undo.owner === 'foreign' || this.#stack.kept);
    const leftovers = [...unwound, ...debt.map(({ id }) => `${id} is not undone`)];
    for (const what of leftovers) this.#emit({ type: 'leftover', what, hint: `seawall heal ${runId}` });
    const outcomes = {
      guard: 'aborted',
      interrupt: 'interrupted',
      failure: 'failed',
      'steady-state': 'completed',
      leak: 'completed',
    } as const;
    const files = { failures: String(this.#load.failureCount), acks: String(this.#acks.all.length) };
    this.#emit({
      type: 'run.closed',
      outcome: this.#reason === undefined ? 'completed' : outcomes[this.#reason],
      files,
    });
    if (leftovers.length === 0) {
      this.#ledger.write({ type: 'closed' });
      if (this.#stack.kept) this.#deps.index.keep(runId);
      else this.#deps.index.remove(runId);
    }
    this.#journal.close();
    this.#ledger.close();
    this.#acks.close();
    this.#failures.close();
    return { leftovers, error: this.#error };
  }

  #emit(body: JournalBody): JournalEvent {
    return this.#journal.append(body);
  }

  #log(level: 'info' | 'warn' | 'error', message: string): void {
    this.#emit({ type: 'log', level, message });
  }
}

function startedTooLate(lateMs: number): HarnessError {
  return new HarnessError(
    'START_TOO_LATE',
    `t = 0 was to be ${formatDuration(lateMs)} sooner than warm-up and steady state allow from now on`,
    'Give a later --start-at: preparation, warm-up and steady state come before it.',
  );
}
