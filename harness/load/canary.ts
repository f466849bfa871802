import type { Ack, CanaryResult, LoadSpec } from '../spi/load.ts';
import { Agenda } from './agenda.ts';
import { builtIns, type CompiledJourney, compileJourney } from './compiled-journey.ts';
import { identityOf } from './executor.ts';
import { Journey, type JourneyHost, type JourneyOutcome } from './journey.ts';
import { mask } from './mask.ts';
import { RequestTag } from './request-tag.ts';
import type { Transport } from './transport.ts';

const BODY_SHOWN_MAX = 200;

/** Runs each journey of the mix once, one after the other, with the scenario's first numbers, which the load leaves out. */
export class Canary implements JourneyHost {
  readonly transport: Transport;
  readonly good: LoadSpec['scenario']['good'];
  readonly tag: RequestTag;
  readonly now: () => number;
  readonly #spec: LoadSpec;
  readonly #agenda = new Agenda();
  readonly #waiting: CompiledJourney[];
  readonly #results: CanaryResult[] = [];
  #acks: string[] = [];
  #journey: Journey | undefined;

  constructor(options: { spec: LoadSpec; tag: Record<string, string>; transport: Transport; now: () => number }) {
    const { scenario } = options.spec;
    this.#spec = options.spec;
    this.transport = options.transport;
    this.now = options.now;
    this.good = scenario.good;
    this.tag = new RequestTag(options.tag);
    this.#waiting = scenario.mix
      .filter(({ share }) => share > 0)
      .map(({ journey }) => compileJourney(journey, scenario.journeys[journey]!));
  }

  /** One result a journey once all have ended. */
  get results(): CanaryResult[] | undefined {
    return this.#waiting.length === 0 && this.#journey === undefined ? this.#results : undefined;
  }

  /** Call it every millisecond or so until there are results. */
  tick(): void {
    this.#agenda.runUntil(this.now());
    if (this.#journey !== undefined) return;
    const compiled = this.#waiting.shift();
    if (compiled === undefined) return;
    const start = builtIns(identityOf(this.#spec), (this.#spec.firstNumber ?? 0) + this.#results.length);
    this.#acks = [];
    this.#journey = new Journey(this, compiled, this.now(), start);
    this.#journey.begin();
  }

  at(ms: number, run: () => void): void {
    this.#agenda.add(ms, run);
  }

  onSent(): void {}

  onStep(): void {}

  onAck(_journey: Journey, ack: Pick<Ack, 'key' | 'outcome'>): void {
    if (ack.outcome === 'acked') this.#acks.push(ack.key);
  }

  onEnd(journey: Journey, outcome: JourneyOutcome): void {
    const { name } = journey.compiled;
    const good = outcome.result === 'good';
    this.#results.push({ journey: name, good, acks: this.#acks, because: because(journey.compiled, outcome) });
    this.#journey = undefined;
  }
}

function because({ steps }: CompiledJourney, { result, scheduledMs, endedMs, lastStep }: JourneyOutcome): string {
  const tookMs = Math.round(endedMs - scheduledMs);
  if (result === 'good') return `${steps.length} of ${steps.length} steps good in ${tookMs} ms`;
  const { name, expect } = steps[lastStep.step]!;
  const status = lastStep.status === null ? 'no answer' : `status ${lastStep.status}`;
  const body =
    lastStep.body === null || lastStep.body === '' ? '' : `: ${mask(lastStep.body).slice(0, BODY_SHOWN_MAX)}`;
  return `step ${name}: ${result} after ${tookMs} ms (${status}, expected ${expect.join(' or ')})${body}`;
}
