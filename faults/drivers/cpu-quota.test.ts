import { expect, test } from 'vitest';
import { quotas } from './cpu-quota.ts';

test('who had no quota gets one in each period, and none again', () => {
  expect(quotas(0.2, { NanoCpus: 0, CpuQuota: 0, CpuPeriod: 0 })).toEqual({
    change: { CpuPeriod: 100_000, CpuQuota: 20_000 },
    before: { CpuPeriod: 100_000, CpuQuota: -1 },
  });
});

test('who had a quota gets exactly that again, in the terms it was given in', () => {
  expect(quotas(0.5, { CpuQuota: 150_000, CpuPeriod: 50_000 })).toEqual({
    change: { CpuPeriod: 50_000, CpuQuota: 25_000 },
    before: { CpuPeriod: 50_000, CpuQuota: 150_000 },
  });
  expect(quotas(0.5, { NanoCpus: 2e9, CpuQuota: 0 })).toEqual({
    change: { NanoCpus: 5e8 },
    before: { NanoCpus: 2e9 },
  });
});

test('never asks for less than the kernel takes', () => {
  expect(quotas(0.001, {}).change.CpuQuota).toBe(1000);
});
