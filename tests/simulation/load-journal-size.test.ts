import { expect, it } from 'vitest';
import { seeded } from '../../harness/core/random.ts';
import type { JournalEvent } from '../../harness/spi/journal.ts';
import { ok, simulate, specOf, stepOf } from './load-world.ts';

const SECONDS = 12;
const LIMIT_BYTES = 50e6;

it('an hour at 1,000/s with 12 labels journals under 50 MB', () => {
  const names = ['browse', 'order', 'pay', 'refund'];
  const journeys = Object.fromEntries(names.map((name) => [name, [stepOf('create'), stepOf('confirm')]]));
  const mix = names.map((journey) => ({ journey, share: 0.25 }));
  const random = seeded('service times');
  const { windows } = simulate(specOf(1000, SECONDS, { mix, journeys }), () => {
    // Log-normal around 12 ms, with a p99 near 60 ms: as broad as a healthy system's gets.
    const normal = Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
    return { afterMs: 12 * Math.exp(0.7 * normal), answer: ok() };
  });
  expect(new Set(windows.map((row) => `${row.journey}/${row.step ?? ''}`)).size).toBe(12);
  const bytes = windows
    .map(
      (row): JournalEvent => ({
        seq: 100_000,
        atMs: 1_800_000_000_000.25,
        tMs: 1_234_567.25,
        type: 'load.window',
        row,
      }),
    )
    .reduce((sum, event) => sum + JSON.stringify(event).length + 1, 0);
  const hourBytes = (bytes / SECONDS) * 3600;
  expect(hourBytes).toBeLessThan(LIMIT_BYTES);
});
