import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Histogram } from '../core/histogram.ts';
import { WINDOW_BYTES, WindowCells } from './window-cells.ts';

it('gives what was counted, through shared memory, and is empty when cleared', () => {
  const latencies = fc.array(fc.double({ min: 0, max: 100_000, noNaN: true }), { maxLength: 40 });
  const buffer = new SharedArrayBuffer(WINDOW_BYTES);
  fc.assert(
    fc.property(latencies, latencies, (intended, service) => {
      const sender = new WindowCells(buffer);
      const expected = { intended: new Histogram(), service: new Histogram() };
      intended.forEach((ms, index) => {
        sender.latency(ms, service[index]);
        expected.intended.record(ms * 1000);
        if (service[index] !== undefined) expected.service.record(service[index] * 1000);
      });
      for (let times = 0; times < 3; times++) sender.good();
      sender.bad('tls', 17);
      sender.bad('timeout', -4.26);
      sender.inFlight(9);
      sender.inFlight(4);
      for (const ms of intended) sender.sent(ms);
      const reader = new WindowCells(buffer);
      const row = reader.row('sale', { journey: 'pay' }, 2000);
      expect(row).toMatchObject({
        good: 3,
        bad: { tls: 1, timeout: 1 },
        firstBadMs: -4.3,
        lastBadMs: 17,
        inFlightMax: 9,
        sent: intended.length,
      });
      expect([row.fromIntended, row.service]).toEqual([expected.intended.encode(), expected.service.encode()]);
      expect(row.latenessP99Ms).toBeCloseTo(expected.intended.quantile(0.99) / 1000, 1);
      reader.clear();
      expect(new Uint8Array(buffer).every((byte) => byte === 0)).toBe(true);
    }),
    { numRuns: 30 },
  );
});
