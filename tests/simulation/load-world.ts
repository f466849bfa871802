import { Agenda } from '../../harness/load/agenda.ts';
import { Executor } from '../../harness/load/executor.ts';
import type { FeedRows } from '../../harness/load/feed.ts';
import { fill } from '../../harness/load/template.ts';
import type { Answer, Transport } from '../../harness/load/transport.ts';
import type { Ack, LoadSpec, LoadWindow, StepFailure } from '../../harness/spi/load.ts';
import type { JourneyStep } from '../../harness/spi/stack.ts';

/** A request as the scripted system sees it. */
export interface HttpRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string | undefined;
}

/** What the scripted system does with a request; `afterMs` undefined: it never answers. */
export interface Reply {
  afterMs: number | undefined;
  answer: Answer;
}

export interface Outcome {
  executor: Executor;
  windows: LoadWindow[];
  acks: Ack[];
  failures: StepFailure[];
  requests: (HttpRequest & { sentMs: number })[];
  /** Virtual time at which the drain was over. */
  endedMs: number;
}

const TICK_MS = 1;
const OUTPUT_MS = 200;

export const ok = (status = 200, body = '{"id":"x"}'): Answer => ({ ok: true, status, body, cut: false, headers: [] });

/**
 * Runs a whole load on virtual time against a scripted system, with the tool's own executor. `frozen` are spans in which
 * the generator's process does nothing at all: no tick, and no answer is taken in.
 */
export function simulate(
  spec: LoadSpec,
  reply: (request: HttpRequest, sentMs: number, index: number) => Reply,
  frozen: readonly { fromMs: number; toMs: number }[] = [],
  more: { feeds?: ReadonlyMap<string, FeedRows>; onAnswer?: () => void } = {},
): Outcome {
  const world = new Agenda();
  const requests: Outcome['requests'] = [];
  let nowMs = -spec.steadyMs - spec.scenario.warmUpMs;
  const thawed = (ms: number): number => frozen.find((span) => ms >= span.fromMs && ms < span.toMs)?.toMs ?? ms;
  const transport: Transport = {
    compile: ({ method, path, headers, body }) => ({
      writesTrace: false,
      send(values, _trace, receiver) {
        const sentMs = nowMs;
        const request = {
          method,
          path: fill(path, values),
          headers: Object.fromEntries(headers.map(([name, value]) => [name, fill(value, values)])),
          body: body === undefined ? undefined : fill(body, values),
        };
        requests.push({ ...request, sentMs });
        const { afterMs, answer } = reply(request, sentMs, requests.length - 1);
        let wanted = true;
        const atMs = afterMs === undefined ? undefined : thawed(sentMs + afterMs);
        if (atMs !== undefined) {
          world.add(atMs, () => {
            nowMs = Math.max(nowMs, atMs);
            more.onAnswer?.();
            if (wanted) receiver.answered(answer);
          });
        }
        return {
          cancel: () => {
            wanted = false;
          },
        };
      },
    }),
    close: () => {},
  };
  const executor = new Executor({ spec, tag: {}, feeds: more.feeds ?? new Map(), transport, now: () => nowMs });
  const all = { windows: [] as LoadWindow[], acks: [] as Ack[], failures: [] as StepFailure[] };
  const gather = (): void => {
    const { windows, acks, failures } = executor.output();
    for (const { label, fromMs, cells } of windows) {
      all.windows.push(cells.row(spec.scenario.name, executor.labels[label]!, fromMs));
      cells.clear();
      executor.release(cells);
    }
    all.acks.push(...acks);
    all.failures.push(...failures);
  };
  for (let tickMs = nowMs; !executor.done; tickMs += TICK_MS) {
    world.runUntil(tickMs);
    nowMs = tickMs;
    if (thawed(tickMs) === tickMs) executor.tick();
    if (tickMs % OUTPUT_MS === 0) gather();
  }
  gather();
  return { executor, ...all, requests, endedMs: nowMs };
}

export function stepOf(name: string, extra: Partial<JourneyStep> = {}): JourneyStep {
  const path = `/${name}`;
  const none = {
    headers: {},
    body: undefined,
    take: {},
    checks: [],
    ack: undefined,
    think: { fromMs: 0, toMs: 0 },
    conversion: 1,
  };
  return { name, method: 'GET', path, expect: [200], ...none, ...extra };
}

export function specOf(rate: number, seconds: number, extra: Partial<LoadSpec['scenario']> = {}): LoadSpec {
  return {
    runId: 'r1',
    scenario: {
      name: 'sale',
      executor: 'constant-arrival-rate',
      engine: 'native',
      segments: [{ fromRate: rate, toRate: rate, durationMs: seconds * 1000 }],
      warmUpRate: rate,
      warmUpMs: 0,
      mix: [{ journey: 'browse', share: 1 }],
      journeys: { browse: [stepOf('items')] },
      good: { withinMs: 1000, journeyWithinMs: undefined, shed: 'bad' },
      shadow: true,
      inFlightMax: 100_000,
      ...extra,
    },
    target: 'http://127.0.0.1:1',
    seed: 1,
    marker: 'sw00000000',
    users: { from: 1, to: 1000 },
    steadyMs: 0,
    drainMs: 20_000,
  };
}

export const journeysOf = (windows: readonly LoadWindow[]): LoadWindow[] =>
  windows.filter((row) => row.step === undefined);

export function sumOf(
  rows: readonly LoadWindow[],
  field: 'scheduled' | 'sent' | 'good' | 'excluded' | 'droppedLate' | 'droppedCap' | 'abandoned',
): number {
  return rows.reduce((sum, row) => sum + row[field], 0);
}

export function badOf(rows: readonly LoadWindow[]): number {
  return rows.reduce((sum, row) => sum + Object.values(row.bad).reduce((bad, count) => bad + count, 0), 0);
}
