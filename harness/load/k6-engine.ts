import { systemClock } from '../core/clock.ts';
import type { Ack, CanaryResult, LoadHealth, LoadSpec, LoadSummary } from '../spi/load.ts';
import type { ForeignEngine } from './foreign-engine.ts';
import { findK6 } from './k6-binary.ts';
import { writeK6Data } from './k6-data.ts';
import { type K6Plan, planK6 } from './k6-plan.ts';
import { type K6Options, K6Process } from './k6-process.ts';
import { K6_LINE, K6Reader } from './k6-reader.ts';
import { compileK6Canary, compileK6Script } from './k6-script.ts';
import { mask } from './mask.ts';
import { ProcessMeter } from './process-meter.ts';
import { type SampleOutput, SampleWindows } from './sample-windows.ts';

const BODY_SHOWN_MAX = 200;
/** A request to k6’s API and what k6 does before its first start take about so long. */
const RESUME_AHEAD_MS = 2;

/** A scenario as a script of ours in k6: one k6 that waits with its users made, and one for the canary. */
export class K6Engine implements ForeignEngine {
  readonly ended: Promise<void>;
  readonly #spec: LoadSpec;
  readonly #tag: Record<string, string>;
  readonly #plan: K6Plan;
  readonly #binary: string;
  readonly #windows: SampleWindows;
  readonly #over = Promise.withResolvers<void>();
  #meter = new ProcessMeter();
  #k6: K6Process | undefined;
  #reader: K6Reader | undefined;
  #originMs = 0;
  #stopped = false;
  #isOver = false;

  constructor(spec: LoadSpec, tag: Record<string, string>) {
    this.#spec = spec;
    this.#tag = tag;
    this.#plan = planK6(spec);
    this.#binary = findK6().path;
    this.#windows = new SampleWindows(spec);
    this.ended = this.#over.promise;
  }

  async prepare(): Promise<void> {
    await using data = await writeK6Data(this.#spec, this.#plan.phases.at(-1)!.dues, this.#plan.beginsMs);
    const text = compileK6Script(this.#spec, this.#tag, this.#plan, data);
    const k6 = await this.#start(text, true, (line) => {
      if (!line.startsWith(K6_LINE)) k6.note(line);
      else this.#reader?.line(line.slice(K6_LINE.length));
    });
    this.#k6 = k6;
    this.#meter = new ProcessMeter(k6.pid);
    k6.ended.then(
      () => this.#finish(),
      (thrown: unknown) => this.#over.reject(thrown),
    );
    await k6.untilPaused();
  }

  async canary(): Promise<CanaryResult[]> {
    const lines: string[] = [];
    await using data = await writeK6Data(this.#spec);
    const text = compileK6Canary(this.#spec, this.#tag, data);
    const k6 = await this.#start(text, false, (line) => {
      if (line.startsWith(K6_LINE)) lines.push(line.slice(K6_LINE.length));
      else k6.note(line);
    });
    await k6.ended;
    return canaryResults(this.#spec, lines);
  }

  begin(originMs: number): void {
    this.#originMs = originMs;
    this.#reader = new K6Reader(this.#spec, this.#plan, this.#windows, originMs);
    const waitMs = originMs + this.#plan.beginsMs - RESUME_AHEAD_MS - systemClock.now();
    setTimeout(() => {
      if (!this.#stopped) this.#k6?.resume().catch((thrown: unknown) => this.#over.reject(thrown));
    }, waitMs);
  }

  stop(): void {
    this.#stopped = true;
    this.#k6?.stop();
  }

  output(): SampleOutput {
    const nowMs = this.#nowMs();
    this.#reader?.tick(nowMs);
    return this.#windows.output(this.#isOver ? Number.POSITIVE_INFINITY : nowMs);
  }

  summary(): LoadSummary {
    const dryMs = this.#reader?.dryMs;
    return { ...this.#windows.summary, ...(dryMs === undefined ? {} : { dryAtMs: Math.round(dryMs) }) };
  }

  health(): LoadHealth {
    return this.#meter.read(this.#spec.scenario.name, this.#nowMs(), this.#windows.inFlight);
  }

  #finish(): void {
    this.#reader?.finish(this.#nowMs(), !this.#stopped);
    this.#isOver = true;
    this.#over.resolve();
  }

  #nowMs(): number {
    return systemClock.now() - this.#originMs;
  }

  #start(text: string, paused: boolean, onLog: K6Options['onLog']): Promise<K6Process> {
    const { runId } = this.#spec;
    return K6Process.start({ binary: this.#binary, runId, script: { text }, flags: [], paused, onLog });
  }
}

type StepLine = [
  string,
  string,
  number,
  number,
  number,
  number,
  number,
  string,
  number,
  number,
  ...(string | number)[],
];

/** One result a journey, from what the canary's script told: its last step decides. */
export function canaryResults(spec: LoadSpec, lines: readonly string[]): CanaryResult[] {
  const { scenario } = spec;
  const told = lines.map((line) => JSON.parse(line) as StepLine);
  const asked = scenario.mix.filter(({ share }) => share > 0);
  return asked.map(({ journey }, index) => {
    const steps = scenario.journeys[journey]!;
    const own = told.filter(([, , i]) => i === index);
    const began = own.find(([kind]) => kind === 'b');
    const last = own.filter(([kind]) => kind === 's').at(-1);
    const left = own.find(([kind]) => kind === 'l');
    const acks = own.flatMap((line) => (line[0] === 's' && line[11] === 'acked' ? [keyOf(line)] : []));
    if (last === undefined) return { journey, good: false, acks, because: 'k6 told nothing of it' };
    const [, , , step, , , ended, result, status] = last;
    const tookMs = Math.round((ended - Number(began?.[4] ?? ended)) / 1000);
    const good = result === 'good' && (last[9] === 1 || left !== undefined);
    if (good) return { journey, good, acks, because: `${step + 1} of ${steps.length} steps good in ${tookMs} ms` };
    const { name, expect } = steps[step]!;
    const answer = status === 0 ? `no answer: ${String(last[15] ?? '')}` : `status ${status}`;
    const body =
      last[13] === undefined || last[13] === '' ? '' : `: ${mask(String(last[13])).slice(0, BODY_SHOWN_MAX)}`;
    const because = `step ${name}: ${result} after ${tookMs} ms (${answer}, expected ${expect.join(' or ')})${body}`;
    return { journey, good, acks, because };
  });
}

const keyOf = (line: StepLine): Ack['key'] => String(line[10]);
