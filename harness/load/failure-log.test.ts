import { expect, it } from 'vitest';
import type { StepFailure } from '../spi/load.ts';
import { FailureLog } from './failure-log.ts';

const failure = (extra: Partial<StepFailure>): StepFailure => ({
  ...{ scenario: 's', journey: 'j', step: 'a', intendedMs: 0, sentMs: 0, endedMs: 1, class: 'status', status: 500 },
  ...{ body: null, traceparent: '' },
  ...extra,
});

it('keeps at most 10,000, leaves room for every class, and counts the rest', () => {
  const log = new FailureLog();
  for (let index = 0; index < 20_000; index++) log.add(failure({ class: 'timeout' }));
  for (let index = 0; index < 10; index++) log.add(failure({ class: 'reset' }));
  const kept = log.take();
  expect(kept).toHaveLength(4010);
  expect(log.omitted).toBe(16_000);
  for (let index = 0; index < 20_000; index++) log.add(failure({ class: index % 2 === 0 ? 'status' : 'body' }));
  expect(log.take()).toHaveLength(5990);
  expect(log.omitted).toBe(16_000 + 14_010);
});

it('masks bodies before it cuts them', () => {
  const log = new FailureLog();
  log.add(failure({ body: `${'x '.repeat(245)}password=hunter2hunter2hunter2 ${'y'.repeat(1000)}` }));
  const [{ body }] = log.take() as [StepFailure];
  expect(body).toHaveLength(500);
  expect(body).not.toContain('hunter2');
});
