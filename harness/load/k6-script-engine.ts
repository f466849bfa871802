import { lookup } from 'node:dns/promises';
import { dirname } from 'node:path';
import { systemClock } from '../core/clock.ts';
import { curveDuration } from '../core/rate-curve.ts';
import type { CanaryResult, LoadHealth, LoadSpec, LoadSummary } from '../spi/load.ts';
import { rangesExcept } from './address-ranges.ts';
import type { ForeignEngine } from './foreign-engine.ts';
import { findK6 } from './k6-binary.ts';
import { K6Process } from './k6-process.ts';
import { K6Samples } from './k6-samples.ts';
import { ProcessMeter } from './process-meter.ts';
import { type SampleOutput, SampleWindows } from './sample-windows.ts';

const LOOPBACK = ['127.0.0.0/8', '::1', '::ffff:127.0.0.0/104'];

/**
 * A user's own script in k6, from the beginning of the steady state, or of the warm-up where there is one, to its own end,
 * at the latest to that of the plan's load. It finds the target in `SEAWALL_TARGET` and the run in `SEAWALL_RUN`.
 */
export class K6ScriptEngine implements ForeignEngine {
  readonly ended: Promise<void>;
  readonly #spec: LoadSpec;
  readonly #script: string;
  readonly #binary: string;
  readonly #windows: SampleWindows;
  readonly #over = Promise.withResolvers<void>();
  #meter = new ProcessMeter();
  #k6: K6Process | undefined;
  #samples: K6Samples | undefined;
  #originMs = 0;
  #stopped = false;
  #isOver = false;

  constructor(spec: LoadSpec) {
    this.#spec = spec;
    this.#script = spec.scenario.script ?? '';
    this.#binary = findK6().path;
    this.#windows = new SampleWindows(spec);
    this.ended = this.#over.promise;
  }

  async prepare(): Promise<void> {
    const { runId, target, marker } = this.#spec;
    const refused = rangesExcept([...LOOPBACK, ...(await addressesOf(new URL(target).hostname))]);
    const known = { SEAWALL_TARGET: target.replace(/\/$/, ''), SEAWALL_RUN: runId, SEAWALL_MARKER: marker };
    const k6 = await K6Process.start({
      binary: this.#binary,
      runId,
      script: { file: this.#script },
      cwd: dirname(this.#script),
      flags: [
        ...Object.entries(known).flatMap(([name, value]) => ['-e', `${name}=${value}`]),
        ...refused.flatMap((range) => ['--blacklist-ip', range]),
        '--system-tags=name,group,method,status,error,error_code,expected_response',
        '--out=json=-',
      ],
      paused: true,
      onLog: (line) => k6.note(line),
      onOutput: (line) => {
        if (line.startsWith('{')) this.#samples?.line(line);
      },
    });
    this.#k6 = k6;
    this.#meter = new ProcessMeter(k6.pid);
    k6.ended.then(
      () => this.#finish(),
      (thrown: unknown) => this.#over.reject(thrown),
    );
    await k6.untilPaused();
  }

  /** What a script does is not known beforehand, and part of it cannot be run alone. */
  canary(): Promise<CanaryResult[]> {
    return Promise.resolve([]);
  }

  begin(originMs: number): void {
    this.#originMs = originMs;
    this.#samples = new K6Samples(this.#spec, this.#windows, originMs);
    const { scenario, steadyMs, drainMs } = this.#spec;
    const fail = (thrown: unknown): void => this.#over.reject(thrown);
    setTimeout(
      () => {
        if (!this.#stopped) this.#k6?.resume().catch(fail);
      },
      -scenario.warmUpMs - steadyMs - this.#nowMs(),
    );
    const end = setTimeout(() => this.#k6?.stop(), curveDuration(scenario.segments) + drainMs - this.#nowMs());
    void this.ended.then(
      () => clearTimeout(end),
      () => clearTimeout(end),
    );
  }

  stop(): void {
    this.#stopped = true;
    this.#k6?.stop();
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
    this.#isOver = true;
    this.#over.resolve();
  }

  #nowMs(): number {
    return systemClock.now() - this.#originMs;
  }
}

/** The plan has allowed this host, or it is the run's own; nothing else is reached. */
async function addressesOf(hostname: string): Promise<string[]> {
  const host = hostname.replace(/^\[|\]$/g, '');
  return (await lookup(host, { all: true })).map(({ address }) => address);
}
