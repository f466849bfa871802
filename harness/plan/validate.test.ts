import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CATALOGUE } from '../../tests/support/plan-catalogue.ts';
import type { Plan } from '../spi/plan.ts';
import type { LoadWorld } from './load.ts';
import { maskSecrets, secretsOf } from './secrets.ts';
import { validatePlan } from './validate.ts';

const STACK = `
vars: { colour: blue, shape: round }
idcs: [hz-a, hz-b, edge]
edge: [edge]
entry: shop
services:
  shop:
    run: { local: node ./shop.ts }
    in: { hz-a: 1, hz-b: 1 }
    port: 8080
    ready: { http: /ready, within: 5s }
    env: { COLOUR: "\${colour}", SHAPE: "\${shape}", TOKEN: "\${env:TOKEN}" }
journeys:
  browse: [{ GET: /items }]
  buy: [{ POST: /orders, body: { id: "{marker}-{n}" }, expect: [200, 201], take: { id: /id } }, { GET: "/orders/{id}", think: 1s }]
`;

const PLAN = `
plan: sample
hypothesis: It stays up.
stack: stack.yaml
vars: { peak: 50/s, colour: red }
load:
  - scenario: sale
    executor: ramping-arrival-rate
    warmUp: 3s
    stages: [{ to: "\${peak}", over: 10s }, { hold: 20s }, { to: 0/s, over: 2s }]
    mix: { browse: 70%, buy: 30% }
    good: { within: 1s, journeyWithin: 3s, shed: excluded }
    shadow: true
  - { scenario: real-users, executor: constant-arrival-rate, rate: 90/m, mix: { browse: 100% }, good: { within: 1s } }
steadyState: { for: 10s, good: 99.9%, p99: 300ms }
faults:
  - { name: dark, at: 5s, for: 5s, inject: idc.blackout, target: { idc: hz-a } }
guard: { blastRadius: { idcs: 1 }, abortWhen: [{ of: real-users, bad: 5%, over: 10s }] }
verify:
  - availability: { of: sale, target: 99% }
  - recovery: { of: sale, rto: 5s }
  - availability: { of: real-users, target: 99%, advisory: true }
`;

function world(files: Record<string, string>, environment: Record<string, string> = { TOKEN: 'hush-hush' }): LoadWorld {
  return {
    environment,
    exists: (file) => file in files || file.endsWith('.ts'),
    read: (file) => {
      const text = files[file];
      if (text === undefined) throw new Error(`ENOENT: ${file}`);
      return text;
    },
  };
}

const validate = (plan: string, overrides: Record<string, string> = {}, stack = STACK) =>
  validatePlan('/p/plan.yaml', overrides, CATALOGUE, world({ '/p/plan.yaml': plan, '/p/stack.yaml': stack }));

function valid(plan: string, overrides: Record<string, string> = {}): { plan: Plan; warnings: string[] } {
  const result = validate(plan, overrides);
  if ('issues' in result) throw new Error(result.issues.map(({ message }) => message).join('\n'));
  return {
    plan: result.plan,
    warnings: result.warnings.map(({ code, message, hint }) => `${code} ${message} ${hint}`),
  };
}

function issues(plan: string, overrides: Record<string, string> = {}): string[] {
  const result = validate(plan, overrides);
  return 'issues' in result ? result.issues.map(({ code, message }) => `${code} ${message}`) : [];
}

describe('a plan that is right', () => {
  it('has its units resolved and its references joined', () => {
    const { plan } = valid(PLAN);
    expect(plan.load[0]).toMatchObject({
      name: 'sale',
      segments: [
        { fromRate: 0, toRate: 50, durationMs: 10_000 },
        { fromRate: 50, toRate: 50, durationMs: 20_000 },
        { fromRate: 50, toRate: 0, durationMs: 2000 },
      ],
      warmUpRate: 50,
      warmUpMs: 3000,
      good: { withinMs: 1000, journeyWithinMs: 3000, shed: 'excluded' },
      shadow: true,
      inFlightMax: 1000,
    });
    expect(plan.load[0]!.journeys.buy!.map(({ name, think }) => [name, think.fromMs])).toEqual([
      ['POST /orders', 0],
      ['GET /orders/{id}', 1000],
    ]);
    expect(plan.faults).toEqual([
      { name: 'dark', kind: 'idc.blackout', atMs: 5000, forMs: 5000, target: { idc: 'hz-a' }, params: {} },
    ]);
    expect(plan.guard).toEqual({
      blastRadius: { idcs: 1 },
      abortWhen: [{ of: 'real-users', badRatio: 0.05, overMs: 10_000 }],
    });
    expect(plan.verify.map(({ check, advisory }) => [check, advisory])).toEqual([
      ['availability', false],
      ['recovery', false],
      ['availability', true],
    ]);
    expect(plan.steadyState).toEqual({ forMs: 10_000, goodRatio: 0.999, p99Ms: 300 });
    expect(plan.recoveryWindowMs).toBe(15_000);
  });

  it('lets a scenario that says no length last as long as the longest, and warm up as long', () => {
    expect(valid(PLAN).plan.load[1]).toMatchObject({
      segments: [{ fromRate: 1.5, toRate: 1.5, durationMs: 32_000 }],
      warmUpMs: 3000,
    });
  });

  it('makes paths in the stack absolute and keeps names that are no paths', () => {
    expect(valid(PLAN).plan.stack.services.shop!.run.local).toBe('node /p/shop.ts');
  });

  it('takes `guard: none`, and `none` for either half', () => {
    const { plan } = valid(PLAN.replace(/^guard: .*$/m, 'guard: { blastRadius: none, abortWhen: none }'));
    expect(plan.guard).toEqual({ blastRadius: undefined, abortWhen: [] });
    expect(valid(PLAN.replace(/^guard: .*$/m, 'guard: none')).plan.guard).toEqual(plan.guard);
  });

  it('warns of a check that cannot pass for want of starts, and says how much longer would do', () => {
    const { warnings } = valid(PLAN.replace('{ to: 0/s, over: 2s }', '{ hold: 2s }'));
    expect(warnings).toEqual([
      'SAMPLE_TOO_SMALL real-users starts 48 journeys, and availability cannot pass with fewer than 299 168s more at its last rate would do',
    ]);
  });
});

describe('variables', () => {
  it('come from --set, then the plan, then the stack', () => {
    const env = (overrides: Record<string, string>) => valid(PLAN, overrides).plan.stack.services.shop!.env;
    expect(env({})).toMatchObject({ COLOUR: 'red', SHAPE: 'round' });
    expect(env({ colour: 'green', shape: '7' })).toMatchObject({ COLOUR: 'green', SHAPE: '7' });
    expect(valid(PLAN, { peak: '5/s' }).plan.load[0]!.warmUpRate).toBe(5);
  });

  it('that nobody knows are an issue, with the one that was meant', () => {
    const result = validate(PLAN, { peek: '5/s' });
    expect(result).toMatchObject({ issues: [{ code: 'VARIABLE_UNKNOWN', line: 5, hint: 'did you mean "peak"?' }] });
  });

  it('from the environment are remembered as secrets', () => {
    const { plan } = valid(PLAN);
    expect(plan.stack.services.shop!.env.TOKEN).toBe('hush-hush');
    expect(secretsOf({ ...plan, seed: 2 })).toEqual(['hush-hush']);
  });

  it('from the environment are never printed, escaped or not, longest first', () => {
    expect(issues(PLAN.replace('idc: hz-a', `idc: "\${env:TOKEN}"`))).toEqual([
      'REFERENCE_UNKNOWN there is no IDC "***"',
    ]);
    expect(maskSecrets('a "b\\"cd" ab"cd abcde 5', ['b"cd', 'abcd', 'abcde', '5'])).toBe('a "***" a*** *** 5');
  });

  it('that are never used are a warning', () => {
    expect(valid(PLAN.replace('colour: red', 'color: red')).warnings[0]).toMatch(/^VARIABLE_UNUSED the variable color/);
  });

  it('keep their type where they stand alone', () => {
    expect(valid(PLAN.replace('vars: {', `seed: "\${dice}"\nvars: { dice: 42,`)).plan.seed).toBe(42);
    expect(valid(PLAN.replace('vars: {', `seed: "\${dice}"\nvars: { dice: 42,`), { dice: '7' }).plan.seed).toBe(7);
  });
});

describe('hosts', () => {
  const existing = (url: string) => STACK.replace(/^services:[\s\S]*?(?=^journeys)/m, `existing: { shop: "${url}" }\n`);
  const bare = PLAN.replace(/^faults:\n.*\n/m, '').replace(', colour: red', '');
  const codes = (url: string, plan = bare) => {
    const result = validate(plan, {}, existing(url));
    return 'issues' in result ? result.issues.map(({ code }) => code) : [];
  };

  it('on loopback need no word', () => {
    for (const url of ['http://127.0.0.1:80', 'http://127.9.9.9', 'http://[::1]:80', 'http://localhost:80']) {
      expect(codes(url)).toEqual([]);
    }
  });

  it('elsewhere need one, whatever they look like', () => {
    for (const url of [
      'http://10.0.0.1',
      'http://shop.example.com',
      'http://127.0.0.1.example.com',
      'http://localhost.example.com',
    ]) {
      expect(codes(url)).toEqual(['HOST_NOT_ALLOWED']);
    }
    expect(codes('http://shop.example.com', `${bare}allowHosts: [shop.example.com]\n`)).toEqual([]);
  });
});

describe('faults against each other', () => {
  const withFaults = (...lines: string[]) =>
    PLAN.replace(/^ {2}- \{ name: dark.*$/m, lines.map((line) => `  - ${line}`).join('\n')).replace(
      'hold: 20s',
      'hold: 90s',
    );

  it('may follow at the very moment the other one ends', () => {
    const one = '{ name: one, at: 5s, for: 5s, inject: process.kill, target: { service: shop, idc: hz-a } }';
    const two = one.replace('one', 'two').replace('at: 5s', 'at: 10s');
    expect(issues(withFaults(one, two))).toEqual([]);
    expect(issues(withFaults(one, two.replace('10s', '9s')))).toEqual([
      'FAULTS_OVERLAP two acts on shop-hz-a while one still does',
    ]);
  });

  it('count against the guard only while they are held together', () => {
    const one = '{ name: one, at: 5s, for: 5s, inject: process.kill, target: { service: shop, idc: hz-a } }';
    const two = '{ name: two, at: 9s, for: 5s, inject: process.kill, target: { service: shop, idc: hz-b } }';
    expect(issues(withFaults(one, two))).toEqual([
      'BLAST_RADIUS one and two together can touch 2 idcs, the guard allows 1',
      'FAULT_BUDGET one and two together can take both IDCs at one moment: with 2 the stack can claim to survive the loss of 1 at most',
    ]);
    expect(issues(withFaults(one, two.replace('at: 9s', 'at: 20s')))).toEqual([]);
  });
});

/** Text that is nearly a plan: one with parts cut out, doubled, replaced by rubbish. */
const nearlyPlans = fc
  .array(
    fc.tuple(
      fc.nat(PLAN.length),
      fc.nat(12),
      fc.oneof(
        fc.string({ maxLength: 6 }),
        fc.constantFrom(
          '{',
          '}',
          '[',
          ']',
          ': ',
          '\n',
          '  ',
          '- ',
          '&a ',
          '*a',
          '${',
          '!!',
          '|',
          '"',
          '0',
          'null',
          '~',
          '.nan',
        ),
      ),
    ),
    { maxLength: 4 },
  )
  .map((edits) => edits.reduce((text, [at, length, put]) => text.slice(0, at) + put + text.slice(at + length), PLAN));

describe('whatever a file holds', () => {
  let checked = 0;
  const check = (text: string): void => {
    checked += 1;
    const result = validate(text);
    if (!('issues' in result)) return;
    expect(result.issues.length).toBeGreaterThan(0);
    for (const { file, line, column, message } of result.issues) {
      const lines = (file.endsWith('stack.yaml') ? STACK : text).split('\n');
      expect(line).toBeGreaterThanOrEqual(1);
      expect(line).toBeLessThanOrEqual(lines.length);
      expect(column).toBeGreaterThanOrEqual(1);
      expect(column).toBeLessThanOrEqual(lines[line - 1]!.length + 1);
      expect(message).not.toBe('');
    }
  };

  it('nothing is thrown, and every issue has a place in its file', () => {
    fc.assert(fc.property(nearlyPlans, check), { numRuns: 300, seed: 7 });
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), check), { numRuns: 200, seed: 7 });
    fc.assert(fc.property(fc.json({ maxDepth: 4 }), check), { numRuns: 100, seed: 7 });
    expect(checked).toBeGreaterThanOrEqual(600);
  });

  it('brackets without end and a file without end are refused', () => {
    expect(issues('['.repeat(200_000))[0]).toMatch(/^LIMIT|^YAML/);
    expect(issues('x'.repeat(1_000_001))).toEqual(['LIMIT the file is larger than 1000 KB']);
    expect(issues(`plan: ${'['.repeat(60)}${']'.repeat(60)}`)[0]).toMatch(/^LIMIT deeper than 40 levels/);
  });

  it('an anchor that holds itself is refused', () => {
    expect(issues('plan: &a [*a]')[0]).toMatch(/^LIMIT|^YAML/);
  });

  it('a key of the prototype is refused', () => {
    expect(issues(`${PLAN}__proto__: { polluted: true }\n`)).toEqual(['VALUE a key must be a plain word']);
  });
});
