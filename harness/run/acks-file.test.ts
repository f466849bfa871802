import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Ack } from '../spi/load.ts';
import { decodeAcks, encodeAck } from './acks-file.ts';

const ack: fc.Arbitrary<Ack> = fc.record({
  key: fc.string({ maxLength: 40 }),
  scenario: fc.string({ maxLength: 10 }),
  journey: fc.string({ maxLength: 10 }),
  sentMs: fc.integer(),
  answeredMs: fc.option(fc.integer(), { nil: null }),
  outcome: fc.constantFrom('acked' as const, 'refused' as const, 'unknown' as const),
});

describe('acks.bin', () => {
  it('gives back every record', () => {
    fc.assert(
      fc.property(fc.array(ack), (acks) => {
        expect(decodeAcks(Buffer.concat(acks.map(encodeAck)))).toEqual(acks);
      }),
    );
  });

  it('gives back every whole record of a file cut anywhere', () => {
    fc.assert(
      fc.property(fc.array(ack, { minLength: 1 }), fc.nat(), (acks, cut) => {
        const bytes = Buffer.concat(acks.map(encodeAck));
        const whole = decodeAcks(bytes.subarray(0, cut % bytes.length));
        expect(whole).toEqual(acks.slice(0, whole.length));
        expect(whole.length).toBeLessThan(acks.length);
      }),
    );
  });
});
