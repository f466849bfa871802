import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvTable, generatedTable, jsonLinesTable, type Table, TableError } from './table.ts';

const bytes = (text: string) => Buffer.from(text, 'utf8');
const rows = (table: Table) => Array.from({ length: table.count }, (_, index) => table.row(index));
const failure = (read: () => Table): string => {
  try {
    read();
  } catch (thrown) {
    if (thrown instanceof TableError) return `${thrown.line}: ${thrown.message}`;
    throw thrown;
  }
  return 'none';
};

describe('csvTable', () => {
  it('reads quotes, both kinds of line breaks, a byte order mark, empty lines and a last line without a break', () => {
    const table = csvTable(bytes('\ufeffid,name\r\n1,"Li, ""A"""\r\n\r\n2,"two\nlines"\n3,plain'));
    expect(table.columns).toEqual(['id', 'name']);
    expect(rows(table)).toEqual([
      ['1', 'Li, "A"'],
      ['2', 'two\nlines'],
      ['3', 'plain'],
    ]);
  });

  it('takes a bare carriage return for a line break, with quotes and without', () => {
    expect(rows(csvTable(bytes('a,b\r1,2\r\n3,4\n5,6')))).toEqual([
      ['1', '2'],
      ['3', '4'],
      ['5', '6'],
    ]);
    expect(rows(csvTable(bytes('a,b\r"1",2\r3,4')))).toEqual([
      ['1', '2'],
      ['3', '4'],
    ]);
    expect(rows(csvTable(bytes('a,b\r\n1,2\r\n3,4\r\n')))).toEqual([
      ['1', '2'],
      ['3', '4'],
    ]);
  });

  it('reads back whatever was written', () => {
    const cell = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('"', ',', '\n', '\r\n', '""', 'a"b', ''));
    const table = fc.array(fc.array(cell, { minLength: 2, maxLength: 2 }), { maxLength: 20 });
    const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
    fc.assert(
      fc.property(table, fc.constantFrom('\n', '\r\n'), (cells, lineBreak) => {
        const text = [['a', 'b'], ...cells].map((row) => row.map(quoted).join(',')).join(lineBreak);
        expect(rows(csvTable(bytes(text)))).toEqual(cells);
      }),
      { numRuns: 300, seed: 4 },
    );
  });

  it('knows the line of what is wrong', () => {
    expect(failure(() => csvTable(bytes('')))).toBe('1: there is no header line');
    expect(failure(() => csvTable(bytes('a,b\n1,2\n3\n')))).toBe('3: 1 field where the header has 2');
    expect(failure(() => csvTable(bytes('a,b\n"x\ny",2\n1,2,3\n')))).toBe('4: 3 fields where the header has 2');
    expect(failure(() => csvTable(bytes('a,b\n1,x"y"\n')))).toBe('2: a quote stands inside a field that is not quoted');
    expect(failure(() => csvTable(bytes('a,b\n1,"x"y\n')))).toBe('2: there is text after a closing quote');
    expect(failure(() => csvTable(bytes('a,b\n1,"x\n\n')))).toBe('2: a quote is never closed');
    expect(failure(() => csvTable(bytes('a,a\n')))).toBe('1: two columns are called "a"');
    expect(failure(() => csvTable(bytes('a,\n')))).toBe('1: column 2 of the header has no name');
    expect(failure(() => csvTable(Buffer.from([0x61, 0x0a, 0x62, 0x0a, 0xff, 0x0a])))).toBe(
      '3: this is not UTF-8 text',
    );
  });

  it('never hangs and throws nothing else, whatever the bytes', () => {
    let read = 0;
    const check = (given: Uint8Array): void => {
      read++;
      expect(failure(() => csvTable(given))).toMatch(/^none$|^\d+: /);
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), check), { numRuns: 300, seed: 6 });
    const nearly = fc.array(fc.constantFrom('"', ',', '\n', '\r', 'a'), { maxLength: 30 });
    fc.assert(
      fc.property(nearly, (parts) => check(bytes(`a\n${parts.join('')}`))),
      { numRuns: 500, seed: 6 },
    );
    expect(read).toBe(800);
  });

  it('keeps a million rows in little more than their bytes', () => {
    const text = Buffer.from(`id,phone\n${Array.from({ length: 1_000_000 }, (_, n) => `${n},1380000${n}\n`).join('')}`);
    const before = process.memoryUsage();
    const table = csvTable(text);
    const after = process.memoryUsage();
    expect(table.count).toBe(1_000_000);
    expect(table.row(999_999)).toEqual(['999999', '1380000999999']);
    const grown = after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers;
    // 8 bytes a row are kept, and twice that is held for a moment while the list grows.
    expect(grown).toBeLessThan(80_000_000);
  });
});

describe('jsonLinesTable', () => {
  it('reads plain values with their types', () => {
    const table = jsonLinesTable(bytes('{"id":1,"vip":true,"tags":["x"]}\n\n{"vip":false,"id":2,"more":1}\r\n'));
    expect(table.columns).toEqual(['id', 'vip']);
    expect(rows(table)).toEqual([
      [1, true],
      [2, false],
    ]);
  });

  it('knows the line of what is wrong', () => {
    expect(failure(() => jsonLinesTable(bytes('{"a":1}\n[1]')))).toBe('2: a row is one JSON object');
    expect(failure(() => jsonLinesTable(bytes('{"a":1}\n{"a"')))).toMatch(/^2: not JSON: /);
    expect(failure(() => jsonLinesTable(bytes('{"a":1}\n\n{"a":null}')))).toBe(
      '3: "a" is missing, or is no text, number or truth value',
    );
    expect(failure(() => jsonLinesTable(bytes('{"toString":1}\n{"a":1}')))).toContain('"toString" is missing');
    expect(jsonLinesTable(bytes('\n\n')).count).toBe(0);
  });
});

describe('generatedTable', () => {
  it('fills in the number of the row', () => {
    const table = generatedTable({ id: 'u-{row}', mail: 'u{row}@example.com' }, 2);
    expect(table.columns).toEqual(['id', 'mail']);
    expect(rows(table)).toEqual([
      ['u-1', 'u1@example.com'],
      ['u-2', 'u2@example.com'],
    ]);
  });
});
