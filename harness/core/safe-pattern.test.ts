import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { patternProblem, searchLimit } from './safe-pattern.ts';

describe('patternProblem', () => {
  it.each([
    'token="([^"]+)"',
    '"id":\\s*"([^"]+)"',
    '<input[^>]*value="([^"]*)"',
    '<input[^>]{0,200}name="csrf"[^>]{0,200}value="([^"]*)"',
    '\\s*=\\s*(\\w+)',
    '(\\w+)@(\\w+)\\.com',
    'Bearer (.+)$',
    'order-(\\d+)',
    '(?:v1|v2)/items',
    '(\\d+,)?x',
    '^ok$',
    '^.*a.*b$',
    '[a-f0-9]{8,64}',
    '(?<id>\\w+)-\\d+',
    '\\(\\d+\\)',
    '.*',
  ])('%s is read', (pattern) => {
    expect(patternProblem(pattern)).toBeUndefined();
  });

  it.each([
    ['(a+)+$', 'a repetition inside a repetition'],
    ['((a+)x)*', 'a repetition inside a repetition'],
    ['(?:(?:ab*)?c){2,9}', 'a repetition inside a repetition'],
    ['(a|aa)*$', 'alternatives inside a repetition'],
    ['(a)\\1', 'the back reference \\1'],
    ['(?<x>a)\\k<x>', 'the back reference \\k'],
    ['(?=a)b', 'looking ahead'],
    ['(?<!a)b', 'looking ahead'],
    ['\\d+\\d+x', '\\d+ beside its other repetitions can make a search take minutes'],
    ['(\\w+)[a-z]*x', 'can make a search take minutes'],
    ['a.*a.*b', '.* beside its other repetitions'],
    ['^.*a.*a.*b', 'can make a search take minutes'],
    ['<input[^>]*name="csrf"[^>]*value="([^"]*)"', 'as in [^>]{0,200}'],
    [`${'a?'.repeat(40)}${'a'.repeat(40)}`, 'its repetitions can make a search take minutes'],
    ['[^>]{0,999}a[^>]{0,999}b', 'can make a search take minutes'],
    ['(', 'not a regular expression'],
    ['', 'an empty pattern'],
    ['x'.repeat(301), 'a pattern of 301 characters'],
  ])('%s is refused', (pattern, because) => {
    expect(patternProblem(pattern)).toContain(because);
  });

  it('is shown less where its search may take a square', () => {
    const limits = ['token="([^"]+)"', 'order-(\\d+)', 'a.*b', '\\w+@'].map(searchLimit);
    expect(limits).toEqual([65_536, 65_536, 16_384, 16_384]);
  });

  it('what is read comes to an end on texts made to hurt it', () => {
    const atom = fc.constantFrom('a', 'b', '.', '[^b]', '\\w', '\\d', '1', '"', '(a)', '(?:ab)');
    const quantifier = fc.constantFrom('', '', '*', '+', '?', '{0,9}', '{2,}');
    const piece = fc.tuple(atom, quantifier).map(([one, many]) => one + many);
    const patterns = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join(''));
    const texts = ['a', '1', 'ab', 'a1"', '""'].map((part) => `${part.repeat(3000 / part.length)}~`);
    let read = 0;
    const slow: string[] = [];
    fc.assert(
      fc.property(patterns, (pattern) => {
        if (patternProblem(pattern) !== undefined) return;
        read++;
        const compiled = new RegExp(pattern);
        const from = performance.now();
        for (const text of texts) compiled.test(text);
        // At 3,000 characters a square is 9 million steps and a cube 27 milliards: nobody confuses the two.
        if (performance.now() - from > 5000) slow.push(pattern);
      }),
      { numRuns: 300, seed: 1 },
    );
    expect(slow).toEqual([]);
    expect(read).toBeGreaterThan(50);
  });
});
