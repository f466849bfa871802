import type { LoadSpec } from '../spi/load.ts';
import { classOfK6Error } from './k6-failure.ts';
import type { SampleResult, SampleWindows } from './sample-windows.ts';

/** One line of k6's JSON output. */
interface Point {
  type: string;
  metric: string;
  data: { time: string; value: number; tags?: Record<string, string> };
}

/** Which of k6's parts of a request's time come before `http_req_duration`. */
const BEFORE = new Set(['http_req_blocked', 'http_req_connecting', 'http_req_tls_handshaking']);
const OURS = new Set([...BEFORE, 'http_req_duration', 'http_req_failed', 'dropped_iterations']);
const METRIC = '"metric":"';

interface Request {
  endedMs: number;
  tookMs: number;
  tags: Record<string, string>;
}

/**
 * Makes samples of what k6 says (`--out json`) of a user's own script: each HTTP request is a journey of one step, which is
 * named by the request's `name` where the script gives one, else by its group, else by its method. Its service time is all
 * of it, waiting for a connection included. k6 tells the parts of a request one after the other and `http_req_failed` last.
 */
export class K6Samples {
  readonly #spec: LoadSpec;
  readonly #windows: SampleWindows;
  readonly #originMs: number;
  #request: Request | undefined;

  constructor(spec: LoadSpec, windows: SampleWindows, originMs: number) {
    this.#spec = spec;
    this.#windows = windows;
    this.#originMs = originMs;
  }

  line(text: string): void {
    // Most lines are of metrics that are not asked for; to parse them all would be most of the work.
    const at = text.indexOf(METRIC) + METRIC.length;
    const metric = text.slice(at, text.indexOf('"', at));
    if (!OURS.has(metric)) return;
    const { type, data } = JSON.parse(text) as Point;
    if (type !== 'Point') return;
    const atMs = Date.parse(data.time) + fractionMs(data.time) - this.#originMs;
    if (metric === 'dropped_iterations') for (let n = 0; n < data.value; n++) this.#windows.dropScripted(atMs);
    else if (metric === 'http_req_duration')
      this.#request = { endedMs: atMs, tookMs: data.value, tags: data.tags ?? {} };
    else if (this.#request === undefined) return;
    else if (BEFORE.has(metric)) this.#request.tookMs += data.value;
    else this.#end(this.#request, data.value !== 0);
  }

  #end({ endedMs, tookMs, tags }: Request, isFailed: boolean): void {
    this.#request = undefined;
    const sentMs = endedMs - tookMs;
    const status = Number(tags.status ?? 0);
    const result = this.#resultOf(tags, isFailed, status, tookMs);
    this.#windows.scripted(stepOf(tags), { sentMs, endedMs, result, status: status === 0 ? null : status });
  }

  #resultOf(tags: Record<string, string>, isFailed: boolean, status: number, tookMs: number): SampleResult {
    const { good } = this.#spec.scenario;
    if (status === 0) return classOfK6Error(Number(tags.error_code ?? 1000), tags.error ?? '');
    if (tookMs > good.withinMs) return 'timeout';
    if (!isFailed) return 'good';
    return good.shed === 'excluded' && (status === 429 || status === 503) ? 'excluded' : 'status';
  }
}

/** k6 names a request by its URL unless the script names it, and URLs may hold anything. */
function stepOf({ name, group, method }: Record<string, string>): string {
  if (name !== undefined && name !== '' && !name.includes('://')) return name;
  if (group !== undefined && group !== '') return group.replace(/^::/, '');
  return method ?? 'request';
}

/** `Date.parse` keeps milliseconds; k6 tells nanoseconds. */
function fractionMs(time: string): number {
  const digits = /\.(\d+)/.exec(time)?.[1] ?? '';
  return digits.length <= 3 ? 0 : Number(`0.${digits.slice(3)}`);
}
