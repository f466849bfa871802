import { describe, expect, it } from 'vitest';
import { parsePeer } from './peer-output.ts';

const WRK = `Running 2s test @ http://127.0.0.1:40185/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     9.02ms   21.20ms 133.61ms   90.52%
    Req/Sec    21.80k     9.69k   36.69k    66.67%
  Latency Distribution
     50%  717.00us
     75%    5.34ms
     90%   26.26ms
     99%    1.04s
  41915 requests in 2.01s, 6.64MB read
  Socket errors: connect 0, read 3, write 0, timeout 64
  Non-2xx or 3xx responses: 2
Requests/sec:  20890.11
Transfer/sec:      3.31MB
`;

const HEY = `
Summary:
  Total:	1.0023 secs
  Slowest:	0.0674 secs
  Requests/sec:	9527.1830

Response time histogram:
  0.000 [1]	|
  0.007 [6126]	|■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■

Latency distribution:
  10% in 0.0013 secs
  50% in 0.0051 secs
  99% in 0.0351 secs

Status code distribution:
  [200]	9540 responses
  [503]	9 responses

Error distribution:
  [4]	Get "http://127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused
`;

const AUTOCANNON = JSON.stringify({
  url: 'http://127.0.0.1:40185/',
  errors: 1,
  non2xx: 2,
  latency: { average: 8.63, min: 1, max: 90, p2_5: 2, p50: 6, p97_5: 27, p99: 42, p99_9: 88, totalCount: 7154 },
  requests: { average: 7154, total: 7154, p50: 7155, sent: 7218 },
});

const K6 = JSON.stringify({
  metrics: {
    'http_req_duration{expected_response:true}': { values: { 'p(50)': 0.1 } },
    http_req_duration: {
      type: 'trend',
      values: { min: 0.25, 'p(50)': 0.398027, 'p(99)': 5.8, 'p(99.9)': 6.1, count: 21 },
    },
    http_reqs: { values: { count: 21, rate: 20.97 } },
    http_req_failed: { type: 'rate', values: { rate: 0.095, passes: 2, fails: 19 } },
    dropped_iterations: { values: { count: 138, rate: 11.5 } },
  },
});

describe('what peers say of their own runs', () => {
  it('wrk: units of each percentile, errors of sockets and statuses', () => {
    const report = parsePeer('wrk', WRK)!;
    expect(report).toMatchObject({ requests: 41_915, errors: 69 });
    expect(report.percentilesMs['50']).toBeCloseTo(0.717);
    expect(report.percentilesMs).toMatchObject({ 75: 5.34, 90: 26.26, 99: 1040 });
  });

  it('hey: seconds, and every answer that was not 2xx is an error', () => {
    const report = parsePeer('hey', HEY)!;
    expect(report).toMatchObject({ requests: 9549, errors: 13 });
    expect(report.percentilesMs['99']).toBeCloseTo(35.1);
  });

  it('autocannon: the last line of JSON, p97_5 is the 97.5th', () => {
    const report = parsePeer('autocannon', `some line\n${AUTOCANNON}\n`)!;
    expect(report).toEqual({
      requests: 7154,
      errors: 3,
      percentilesMs: { '2.5': 2, '50': 6, '97.5': 27, '99': 42, '99.9': 88 },
    });
  });

  it('k6: all requests, not the expected ones only, and what it dropped', () => {
    const report = parsePeer('k6', `${K6}\n`)!;
    expect(report).toEqual({
      requests: 21,
      errors: 2,
      percentilesMs: { '50': 0.398027, '99': 5.8, '99.9': 6.1 },
      dropped: 138,
    });
  });

  it('the raw loop tells a count, and vegeta, whose results go nowhere, nothing', () => {
    expect(parsePeer('raw loop', '14226\n')?.requests).toBe(14_226);
    expect(parsePeer('vegeta', '')).toBeUndefined();
  });

  it.each(['wrk', 'hey', 'autocannon', 'k6'])('%s: anything else is an error that shows it', (peer) => {
    expect(() => parsePeer(peer, 'segmentation fault')).toThrow(/something else than expected: segmentation fault/);
  });
});
