import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LineReader } from './line-reader.ts';

it('reads the same lines whatever the pieces', () => {
  const lines = fc.array(
    fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\n') && text !== ''),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(lines, fc.array(fc.nat(30), { maxLength: 20 }), fc.boolean(), (expected, cuts, isEnded) => {
      const bytes = Buffer.from(expected.join('\n') + (isEnded ? '\n' : ''));
      const read: string[] = [];
      const reader = new LineReader((line) => read.push(line));
      let from = 0;
      for (const length of cuts) {
        reader.add(bytes.subarray(from, from + length));
        from += length;
      }
      reader.add(bytes.subarray(from));
      reader.end();
      expect(read).toEqual(expected);
    }),
  );
});
