import { expect, it } from 'vitest';
import type { LoadSpec } from '../spi/load.ts';
import { K6Samples } from './k6-samples.ts';
import { SampleWindows } from './sample-windows.ts';

const ORIGIN_MS = Date.parse('2026-11-11T00:00:00.000Z');
const spec = {
  scenario: {
    name: 'mine',
    mix: [{ journey: 'script', share: 1 }],
    journeys: { script: [] },
    script: '/my.js',
    good: { withinMs: 200, journeyWithinMs: undefined, shed: 'excluded' },
  },
} as unknown as LoadSpec;

function read(lines: readonly string[]): ReturnType<SampleWindows['output']> & { samples: SampleWindows } {
  const windows = new SampleWindows(spec);
  const samples = new K6Samples(spec, windows, ORIGIN_MS);
  for (const line of lines) samples.line(line);
  return { ...windows.output(Number.POSITIVE_INFINITY), samples: windows };
}

/** One request as k6 tells it, ended at this second of the run. */
function request(time: string, parts: Record<string, number>, tags: Record<string, string>): string[] {
  const point = (metric: string, value: number): string =>
    JSON.stringify({ metric, type: 'Point', data: { time: `2026-11-11T00:00:${time}Z`, value, tags } });
  const order = [
    'http_reqs',
    'http_req_duration',
    'http_req_blocked',
    'http_req_connecting',
    'http_req_tls_handshaking',
  ];
  return [...order, 'http_req_waiting', 'http_req_failed'].map((metric) => point(metric, parts[metric] ?? 0));
}

it('counts each request in the second of its send, with all that it waited for', () => {
  const { windows, samples } = read(
    request(
      '01.050400',
      { http_req_duration: 50.3, http_req_blocked: 2, http_req_connecting: 1 },
      { name: 'look', status: '200' },
    ),
  );
  expect(samples.summary).toMatchObject({ scheduled: 1, sent: 1, good: 1, bad: 0 });
  expect(windows.map(({ journey, step, fromMs }) => [journey, step, fromMs])).toEqual([
    ['script', undefined, 0],
    ['script', 'look', 0],
  ]);
});

it('tells good, late, refused, unexpected and shed ones apart', () => {
  const { windows } = read([
    ...request('00.300', { http_req_duration: 250 }, { name: 'late', status: '200' }),
    ...request('00.300', { http_req_failed: 1 }, { name: 'none', status: '0', error_code: '1212' }),
    ...request('00.300', { http_req_failed: 1 }, { name: 'wrong', status: '500', error_code: '1500' }),
    ...request('00.300', { http_req_failed: 1 }, { name: 'shed', status: '503', error_code: '1503' }),
    ...request(
      '00.300',
      {},
      { name: 'http://127.0.0.1/a?b=1', url: 'http://127.0.0.1/a?b=1', status: '200', group: '::cart' },
    ),
  ]);
  const of = (step: string): unknown => {
    const { good, bad, excluded } = windows.find((row) => row.step === step)!;
    return { good, bad, excluded };
  };
  expect(of('late')).toEqual({ good: 0, bad: { timeout: 1 }, excluded: 0 });
  expect(of('none')).toEqual({ good: 0, bad: { refused: 1 }, excluded: 0 });
  expect(of('wrong')).toEqual({ good: 0, bad: { status: 1 }, excluded: 0 });
  expect(of('shed')).toEqual({ good: 0, bad: {}, excluded: 1 });
  expect(of('cart')).toEqual({ good: 1, bad: {}, excluded: 0 });
});

it('counts what k6 itself left out as dropped and bad', () => {
  const data = { time: '2026-11-11T00:00:02.5Z', value: 1, tags: {} };
  const { windows } = read([JSON.stringify({ metric: 'dropped_iterations', type: 'Point', data })]);
  expect(windows[0]).toMatchObject({ fromMs: 2000, scheduled: 1, droppedCap: 1, bad: { dropped: 1 } });
});

it('gives rows of their own to at most 14 names, and counts the rest together', () => {
  const { windows } = read(
    Array.from({ length: 40 }, (_, index) => request('00.300', {}, { name: `n${index}`, status: '200' })).flat(),
  );
  expect(windows).toHaveLength(1 + 13 + 1);
  expect(windows.find((row) => row.step === 'other')).toMatchObject({ journey: 'other', good: 27 });
});
