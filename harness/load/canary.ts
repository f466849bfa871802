import { Chance } from '../core/random.ts';
import type { Ack, CanaryResult, LoadSpec } from '../spi/load.ts';
import { Agenda } from './agenda.ts';
import { type CompiledJourney, compileJourney, type JourneySurroundings } from './compiled-journey.ts';
import { Journey, type JourneyHost, type Result } from './journey.ts';
import { valuesOf } from './journey-values.ts';
import { mask } from './mask.ts';
import { drawTrace } from './trace.ts';
import type { Answer } from './transport.ts';

const BODY_SHOWN_MAX = 200;

/** Runs each journey of the mix once, one after the other, with the scenario's first numbers, which the load leaves out. */
export class Canary implements JourneyHost {
  readonly good: LoadSpec['scenario']['good'];
  readonly now: () => number;
  readonly #spec: LoadSpec;
  readonly #chance: Chance;
  readonly #agenda = new Agenda();
  readonly #waiting: CompiledJourney[];
  readonly #results: CanaryResult[] = [];
  #acks: string[] = [];
  #journey: Journey | undefined;
  #answer: Answer | undefined;

  constructor(options: { spec: LoadSpec; around: JourneySurroundings; now: () => number }) {
    const { scenario, seed } = options.spec;
    this.#spec = options.spec;
    this.now = options.now;
    this.good = scenario.good;
    this.#chance = new Chance(`${seed}/load/${scenario.name}`);
    this.#waiting = scenario.mix
      .filter(({ share }) => share > 0)
      .map(({ journey }) => compileJourney(journey, 0, scenario.journeys[journey]!, options.around));
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
    const index = this.#results.length;
    const number = (this.#spec.firstNumber ?? 0) + index;
    const values = valuesOf(compiled, { number, index, chance: this.#chance, users: this.#spec.users });
    if (values === undefined) {
      this.#results.push({ journey: compiled.name, good: false, acks: [], because: 'its feed has no row for it' });
      return;
    }
    this.#acks = [];
    this.#answer = undefined;
    this.#journey = new Journey(this, compiled, number, this.now(), values);
    this.#journey.wake();
  }

  wait(journey: Journey, untilMs: number): void {
    this.#agenda.add(untilMs, () => journey.wake());
  }

  opened(journey: Journey): void {
    const { step } = journey;
    this.#agenda.add(journey.deadlineMs, () => {
      if (this.#journey === journey && journey.listed && journey.step === step) journey.expire();
    });
    journey.listed = true;
  }

  closed(journey: Journey): void {
    journey.listed = false;
  }

  /** It goes through every step, whatever the conversion. */
  draw(): number {
    return 0;
  }

  trace(journey: Journey, step: number): Uint32Array {
    return drawTrace(this.#chance.seek(journey.number, step));
  }

  onSent(): void {}

  onStep(_journey: Journey, _result: Result, _endedMs: number, answer: Answer | undefined): void {
    this.#answer = answer;
  }

  onAck(_journey: Journey, ack: Pick<Ack, 'key' | 'outcome'>): void {
    if (ack.outcome === 'acked') this.#acks.push(ack.key);
  }

  onEnd(journey: Journey, result: Result, endedMs: number): void {
    const { name } = journey.compiled;
    const because = this.#because(journey, result, endedMs);
    this.#results.push({ journey: name, good: result === 'good', acks: this.#acks, because });
    this.#journey = undefined;
  }

  #because({ compiled, step, scheduledMs }: Journey, result: Result, endedMs: number): string {
    const tookMs = Math.round(endedMs - scheduledMs);
    const { steps } = compiled;
    if (result === 'good') return `${steps.length} of ${steps.length} steps good in ${tookMs} ms`;
    const { name, expect } = steps[step]!;
    const status = this.#answer?.status ?? null;
    const got = status === null ? 'no answer' : `status ${status}`;
    const text = this.#answer?.body ?? '';
    const body = text === '' ? '' : `: ${mask(text).slice(0, BODY_SHOWN_MAX)}`;
    return `step ${name}: ${result} after ${tookMs} ms (${got}, expected ${expect.join(' or ')})${body}`;
  }
}
