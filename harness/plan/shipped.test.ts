import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CATALOGUE } from '../../tests/support/plan-catalogue.ts';
import { countStarts } from '../core/rate-curve.ts';
import type { Plan } from '../spi/plan.ts';
import { formatIssue } from './issue.ts';
import { planJsonSchema } from './schema.ts';
import { validatePlan } from './validate.ts';

const FOLDER = resolve(import.meta.dirname, '../../plans');
const files = globSync('*.yaml', { cwd: FOLDER }).toSorted();
const OF_THE_SHOP = files.filter((file) => readFileSync(join(FOLDER, file), 'utf8').includes('stacks/shop.yaml'));

function load(file: string, overrides: Record<string, string> = {}): { plan: Plan; warnings: string[] } {
  const path = join(FOLDER, file);
  const result = validatePlan(path, overrides, CATALOGUE);
  if ('issues' in result) {
    throw new Error(result.issues.map((issue) => formatIssue(issue, readFileSync(issue.file, 'utf8'))).join('\n'));
  }
  return { plan: result.plan, warnings: result.warnings.map(({ message }) => message) };
}

describe('every plan that is shipped', () => {
  it('is there', () => {
    for (const name of ['quickstart', 'lose-a-data-centre', 'database-failover', 'steady-state']) {
      expect(files).toContain(`${name}.yaml`);
    }
  });

  it.each(files)(
    '%s is valid without a warning, bears its file’s name, and opens with schema and hypothesis',
    (file) => {
      const { plan, warnings } = load(file);
      expect(warnings).toEqual([]);
      expect(`${plan.name}.yaml`).toBe(file);
      const [schema, hypothesis] = readFileSync(plan.file, 'utf8').split('\n');
      expect(schema).toBe('# yaml-language-server: $schema=./plan.schema.json');
      const sentence = hypothesis!.replace('# Hypothesis: ', '');
      expect(sentence.toLowerCase()).toBe(plan.hypothesis.toLowerCase());
    },
  );

  it.each(OF_THE_SHOP)('%s looks for leaks and counts the money', (file) => {
    const asked = load(file).plan.verify.map(({ check, params }) =>
      typeof params.invariant === 'string' ? `${check} ${params.invariant}` : check,
    );
    expect(asked).toEqual(expect.arrayContaining(['isolation', 'integrity money-conserved']));
  });
});

describe('quickstart', () => {
  it('starts at least 31,250 journeys at no more than 300 a second, in under three minutes', () => {
    const { plan } = load('quickstart.yaml');
    const starts = plan.load.map(({ segments }) => countStarts(segments)).reduce((sum, count) => sum + count, 0);
    expect(starts).toBeGreaterThanOrEqual(31_250);
    const peak = plan.load.map(({ segments }) => Math.max(...segments.map(({ toRate }) => toRate)));
    expect(peak.reduce((sum, rate) => sum + rate, 0)).toBeLessThanOrEqual(300);
    expect(plan.faults.map(({ kind }) => kind)).toEqual(['network.latency', 'database.primary-kill', 'idc.blackout']);
  });

  it('can be shortened as its comment says and still holds all of its faults', () => {
    const text = readFileSync(join(FOLDER, 'quickstart.yaml'), 'utf8');
    const overrides = Object.fromEntries(
      [...text.matchAll(/--set (\w+)=(\S+)/g)].map(([, name, value]) => [name!, value!]),
    );
    const { plan } = load('quickstart.yaml', overrides);
    expect(plan.faults).toHaveLength(3);
    expect(Math.max(...plan.faults.map(({ atMs, forMs }) => atMs + forMs)) + plan.recoveryWindowMs).toBeLessThanOrEqual(
      40_000,
    );
  });
});

describe('the schema for editors', () => {
  it('knows every fault and check and lets a variable stand for a value', () => {
    const text = JSON.stringify(planJsonSchema(CATALOGUE));
    for (const word of [
      ...Object.keys(CATALOGUE.faults),
      ...Object.keys(CATALOGUE.checks),
      'hypothesis',
      'journeyWithin',
      'supervisor',
    ]) {
      expect(text).toContain(`"${word}"`);
    }
    expect(text).toContain('draft-07');
    expect(text).toContain('\\\\$\\\\{');
  });
});
