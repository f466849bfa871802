/**
 * The least that k6 can be asked to do: one GET an iteration, bodies thrown away. Closed model by default; with
 * BENCH_RATE the open one. Prints its own summary as JSON.
 */
import http from 'k6/http';

const { BENCH_URL, BENCH_SECONDS, BENCH_USERS, BENCH_RATE } = __ENV;

const closed = {
  executor: 'constant-vus',
  vus: Number(BENCH_USERS),
  duration: `${BENCH_SECONDS}s`,
  gracefulStop: '1s',
};
const open = {
  executor: 'constant-arrival-rate',
  rate: Number(BENCH_RATE),
  timeUnit: '1s',
  duration: `${BENCH_SECONDS}s`,
  preAllocatedVUs: Number(BENCH_USERS),
  maxVUs: Number(BENCH_USERS),
  gracefulStop: '30s',
};

export const options = {
  scenarios: { bench: BENCH_RATE ? open : closed },
  discardResponseBodies: true,
  summaryTrendStats: ['min', 'p(50)', 'p(75)', 'p(90)', 'p(95)', 'p(99)', 'p(99.9)', 'p(99.99)', 'max', 'count'],
};

export default function () {
  http.get(BENCH_URL);
}

export function handleSummary(data) {
  return { stdout: `${JSON.stringify(data)}\n` };
}
