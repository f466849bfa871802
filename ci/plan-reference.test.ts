import { describe, expect, it } from 'vitest';
import { referenceRows, referenceTable } from './plan-reference.ts';

const SCHEMA = {
  type: 'object',
  properties: {
    seed: {
      description: 'All chance.',
      anyOf: [
        { type: 'integer', default: 1 },
        { type: 'string', pattern: '\\$\\{[^{}]+\\}' },
      ],
    },
    load: {
      type: 'array',
      items: {
        type: 'object',
        required: ['rate', 'curve'],
        properties: {
          rate: { type: 'string', pattern: String.raw`^(\d+(?:\.\d+)?)(k|M)?\/(s|m|h)$` },
          curve: {
            anyOf: [
              { type: 'object', required: ['preset'], properties: { preset: { const: 'soak', description: 'Long.' } } },
              {
                type: 'object',
                required: ['preset'],
                properties: { preset: { const: 'spike', description: 'High.' } },
              },
            ],
          },
          feeds: { type: 'object', additionalProperties: { type: 'object', properties: { csv: { type: 'string' } } } },
        },
      },
    },
  },
};

describe('the plan reference', () => {
  it('has each key with its kind, whether it is needed, and what it means', () => {
    const table = referenceTable(referenceRows(SCHEMA)).split('\n').slice(2);
    expect(table).toEqual([
      '| `seed` | whole number | no, `1` | All chance. |',
      '| `load` | list | no |  |',
      '| `load[].rate` | rate | yes |  |',
      '| `load[].curve` | mapping | yes |  |',
      '| `load[].curve.preset` | `soak`; `spike` | of its kind | Long; High. |',
      '| `load[].feeds` | mapping | no |  |',
      '| `load[].feeds.*.csv` | text | no |  |',
    ]);
  });
});
