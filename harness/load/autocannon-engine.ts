import { systemClock } from '../core/clock.ts';
import { curveDuration } from '../core/rate-curve.ts';
import type { Ack, CanaryResult, LoadHealth, LoadSpec, LoadSummary } from '../spi/load.ts';
import type { JourneyStep } from '../spi/stack.ts';
import { type AutocannonAnswer, AutocannonRun } from './autocannon-run.ts';
import { type Checker, compileCheck, compileTake, LazyJson, type Taker } from './extract.ts';
import { classOf } from './failure-class.ts';
import type { ForeignEngine } from './foreign-engine.ts';
import { shareOf } from './k6-plan.ts';
import { mask } from './mask.ts';
import { mixCycle } from './mix-cycle.ts';
import { keyOf, type PlainRequest, plainRequest } from './plain-request.ts';
import { ProcessMeter } from './process-meter.ts';
import { type OpenJourney, type SampleOutput, type SampleResult, SampleWindows } from './sample-windows.ts';
import { chanceRoot, startValues, traceOf } from './start-values.ts';

const FAILURE_BODY_MAX = 2048;
const BODY_SHOWN_MAX = 200;
const WATCH_MS = 20;

/** One request, made up but not sent, or on its way. */
interface Ask {
  journey: number;
  step: JourneyStep;
  values: Map<string, string | number | boolean>;
  request: PlainRequest;
  sentMs: number;
  open: OpenJourney | undefined;
}

/** A scenario of single requests by autocannon, within this process: every answer becomes a sample. */
export class AutocannonEngine implements ForeignEngine {
  readonly ended: Promise<void>;
  readonly #spec: LoadSpec;
  readonly #tag: Record<string, string>;
  readonly #root: string;
  readonly #windows: SampleWindows;
  readonly #cycle: readonly number[];
  readonly #over = Promise.withResolvers<void>();
  readonly #meter = new ProcessMeter();
  readonly #answers = new Map<JourneyStep, CompiledAnswer>();
  #originMs = 0;
  #started = 0;
  #stopAtMs = Number.POSITIVE_INFINITY;
  #isOver = false;
  #run: AutocannonRun<Ask> | undefined;

  constructor(spec: LoadSpec, tag: Record<string, string>) {
    this.#spec = spec;
    this.#tag = tag;
    this.#root = chanceRoot(spec);
    this.#windows = new SampleWindows(spec);
    this.#cycle = mixCycle(spec.scenario.mix.map(({ share }) => share));
    this.ended = this.#over.promise;
  }

  async prepare(): Promise<void> {}

  async canary(): Promise<CanaryResult[]> {
    const { scenario, firstNumber = 0 } = this.#spec;
    const results: CanaryResult[] = [];
    const asked = scenario.mix.flatMap(({ share, journey }, index) => (share > 0 ? [{ journey, index }] : []));
    for (const { journey, index } of asked) {
      const number = firstNumber + results.length;
      results.push(await this.#canaryOf(journey, this.#ask(index, number)));
    }
    return results;
  }

  begin(originMs: number): void {
    this.#originMs = originMs;
    const { scenario, steadyMs, drainMs, stripe = { index: 0, of: 1 } } = this.#spec;
    const connections = shareOf(scenario.segments[0]!.fromRate, stripe);
    this.#stopAtMs = Math.min(this.#stopAtMs, curveDuration(scenario.segments));
    const first = (this.#spec.firstNumber ?? 0) + scenario.mix.length;
    const next = (): Ask => {
      const number = stripe.index + this.#started++ * stripe.of;
      return this.#ask(this.#cycle[number % this.#cycle.length]!, first + number);
    };
    const waitMs = -scenario.warmUpMs - steadyMs - this.#nowMs();
    setTimeout(() => {
      if (this.#isOver || connections === 0) return;
      this.#run = new AutocannonRun(this.#spec, connections, {
        next,
        sent: (ask) => this.#sent(ask),
        settled: (ask, how) => this.#settled(ask, how),
        isOver: () => this.#nowMs() >= this.#stopAtMs,
        failed: (failure) => this.#over.reject(failure),
      });
    }, waitMs);
    const watch = setInterval(() => {
      const overMs = this.#nowMs() - this.#stopAtMs;
      if (overMs < 0 || (overMs < drainMs && this.#windows.inFlight > 0)) return;
      clearInterval(watch);
      this.#finish();
    }, WATCH_MS);
  }

  stop(): void {
    this.#stopAtMs = Math.min(this.#stopAtMs, this.#originMs === 0 ? Number.NEGATIVE_INFINITY : this.#nowMs());
    if (this.#originMs === 0) this.#finish();
  }

  output(): SampleOutput {
    return this.#windows.output(this.#isOver ? Number.POSITIVE_INFINITY : this.#nowMs());
  }

  summary(): LoadSummary {
    return this.#windows.summary;
  }

  health(): LoadHealth {
    return this.#meter.read(this.#spec.scenario.name, this.#nowMs(), this.#windows.inFlight);
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#run?.end();
    for (const open of [...this.#windows.open]) open.cutOff(this.#nowMs());
    this.#over.resolve();
  }

  #nowMs(): number {
    return systemClock.now() - this.#originMs;
  }

  #ask(journey: number, number: number): Ask {
    const { scenario, runId, marker, users } = this.#spec;
    const step = scenario.journeys[scenario.mix[journey]!.journey]![0]!;
    const values = new Map<string, string | number | boolean>([
      ...startValues(this.#root, number, users),
      ['run', runId],
      ['marker', marker],
    ]);
    const drawn = new Map<string, string>(Object.entries(traceOf(this.#root, number, 0)));
    return { journey, step, values, request: plainRequest(step, values, this.#tag, drawn), sentMs: 0, open: undefined };
  }

  #sent(ask: Ask): void {
    const sentMs = this.#nowMs();
    ask.sentMs = sentMs;
    ask.open = this.#windows.begin({ journey: ask.journey, keyMs: sentMs, intendedMs: sentMs, sentMs });
  }

  #settled(ask: Ask, how: AutocannonAnswer | Error): void {
    const { open, sentMs, step, request } = ask;
    if (open === undefined) return;
    const endedMs = this.#nowMs();
    const judged = this.#judge(ask, how, endedMs - sentMs);
    const key = step.ack === undefined ? undefined : keyOf(step.ack, ask.values);
    if (key !== undefined) {
      const answeredMs = judged.status === null ? null : endedMs;
      open.ack({ key, sentMs, answeredMs, outcome: outcomeOf(step, judged.status) }, this.#spec.scenario.name);
    }
    const traceparent = request.headers.traceparent ?? '';
    open.step({ step: 0, intendedMs: sentMs, sentMs, endedMs, ...judged, traceparent, last: true });
  }

  #judge({ step, values }: Ask, how: AutocannonAnswer | Error, elapsedMs: number): Judged {
    if (how instanceof Error) return { result: classOf(how), status: null, body: null };
    const { good } = this.#spec.scenario;
    const { status, body } = how;
    const shown = { status, body: body.slice(0, FAILURE_BODY_MAX) };
    if (elapsedMs > good.withinMs) return { result: 'timeout', ...shown };
    if (!step.expect.includes(status)) {
      const isShed = good.shed === 'excluded' && (status === 429 || status === 503);
      return { result: isShed ? 'excluded' : 'status', ...shown };
    }
    const json = new LazyJson(how);
    const { takes, checks } = this.#compiled(step);
    for (const { name, take } of takes) {
      const value = take(how, json);
      if (value === undefined) return { result: 'body', ...shown };
      values.set(name, value);
    }
    return { result: checks.every((check) => check(how, json)) ? 'good' : 'body', ...shown };
  }

  #compiled(step: JourneyStep): CompiledAnswer {
    const known = this.#answers.get(step);
    if (known !== undefined) return known;
    const takes = Object.entries(step.take).map(([name, spec]) => ({ name, take: compileTake(spec) }));
    const compiled = { takes, checks: step.checks.map(compileCheck) };
    this.#answers.set(step, compiled);
    return compiled;
  }

  #canaryOf(journey: string, ask: Ask): Promise<CanaryResult> {
    const { promise, resolve, reject } = Promise.withResolvers<CanaryResult>();
    let isOver = false;
    const run = new AutocannonRun(this.#spec, 1, {
      next: () => ask,
      sent: () => {
        ask.sentMs = this.#nowMs();
      },
      settled: (_ask, how) => {
        isOver = true;
        run.end();
        resolve(this.#canaryResult(journey, ask, how));
      },
      isOver: () => isOver,
      failed: reject,
    });
    return promise;
  }

  #canaryResult(journey: string, ask: Ask, how: AutocannonAnswer | Error): CanaryResult {
    const tookMs = Math.round(this.#nowMs() - ask.sentMs);
    const { result, status, body } = this.#judge(ask, how, tookMs);
    const { name, expect, ack } = ask.step;
    const key = ack === undefined ? undefined : keyOf(ack, ask.values);
    const acks = key !== undefined && outcomeOf(ask.step, status) === 'acked' ? [key] : [];
    if (result === 'good') return { journey, good: true, acks, because: `1 of 1 steps good in ${tookMs} ms` };
    const answer = how instanceof Error ? `no answer: ${how.message}` : `status ${status}`;
    const shown = body === null || body === '' ? '' : `: ${mask(body).slice(0, BODY_SHOWN_MAX)}`;
    const because = `step ${name}: ${result} after ${tookMs} ms (${answer}, expected ${expect.join(' or ')})${shown}`;
    return { journey, good: false, acks, because };
  }
}

/** What a step wants of its answer. */
interface CompiledAnswer {
  takes: { name: string; take: Taker }[];
  checks: Checker[];
}

interface Judged {
  result: SampleResult;
  status: number | null;
  body: string | null;
}

/** An expected status says yes; only a definite 4xx says no, and 408 says only that the server stopped waiting. */
function outcomeOf(step: JourneyStep, status: number | null): Ack['outcome'] {
  if (status === null) return 'unknown';
  if (step.expect.includes(status)) return 'acked';
  return status >= 400 && status < 500 && status !== 408 ? 'refused' : 'unknown';
}
