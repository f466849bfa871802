import { expect, test } from 'vitest';
import { z } from 'zod';
import { durationMs, percentage, ratePerSecond, sizeBytes, zodSchema } from './zod-schema.ts';

const schema = zodSchema(
  z.strictObject({ delay: durationMs(), jitter: durationMs().prefault('0ms'), stream: z.enum(['both', 'upstream']) }),
);

test('parses quantities to plain numbers and fills defaults', () => {
  expect(schema.parse({ delay: '1.5s', stream: 'both' })).toEqual({
    ok: true,
    value: { delay: 1500, jitter: 0, stream: 'both' },
  });
  expect(zodSchema(z.tuple([ratePerSecond(), percentage(), sizeBytes()])).parse(['2k/s', '99.99%', '64KB'])).toEqual({
    ok: true,
    value: [2000, 0.9999, 64_000],
  });
});

test('reports every issue at once, unknown keys by name with what is known', () => {
  const parsed = schema.parse({ delay: 100, stream: 'sideways', dealy: 1 });
  expect(parsed.ok).toBe(false);
  if (parsed.ok) return;
  expect(parsed.issues.map(({ path }) => path)).toEqual([['delay'], ['stream'], ['dealy']]);
  expect(parsed.issues[0]!.message).toBe(
    'expected a duration with its unit (ms, s, m, h), as in 150ms or 2s: a number alone has no unit',
  );
  expect(parsed.issues[1]!.expected).toBe('one of both, upstream');
  expect(parsed.issues[2]).toEqual({
    path: ['dealy'],
    message: 'unknown key "dealy"',
    expected: 'one of delay, jitter, stream',
  });
});

test('a missing key is said to be missing', () => {
  const parsed = schema.parse({ stream: 'both' });
  expect(parsed).toMatchObject({ ok: false, issues: [{ path: ['delay'], message: '"delay" is missing' }] });
});

test('the JSON Schema describes what is written, not what it becomes', () => {
  const json = schema.json() as { properties: Record<string, { type: string; pattern?: string }>; required: string[] };
  expect(json.properties.delay).toMatchObject({ type: 'string' });
  expect(json.properties.delay!.pattern).toContain('ms|s|m|h');
  expect(json.required).toEqual(['delay', 'stream']);
});

test('a percentage beyond 100 % is an issue, not a ratio above one', () => {
  expect(zodSchema(percentage()).parse('250%')).toMatchObject({ ok: false });
});
