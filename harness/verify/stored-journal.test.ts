import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { judgeRun } from './judge.ts';

// A journal in the form of version 1, kept as it was: what an old run said must be judged the same for ever.
const STORED = new URL('../../fixtures/journals/lose-a-data-centre.ndjson', import.meta.url);

it('judges a stored journal as ever', () => {
  const judged = judgeRun({ journal: readFileSync(STORED, 'utf8') });
  const counted = judged.findings.filter(({ advisory }) => !advisory);
  expect(counted.map(({ check, scope, verdict }) => `${verdict} ${check} ${scope}`)).toEqual([
    'fail availability sale',
    'unknown availability sale/pay',
    'pass latency sale/pay (calm) p99',
    'pass recovery sale, slow-link',
    'pass recovery sale, slow-link failback',
    'pass recovery sale, dark',
    'pass recovery sale, dark failback',
    'pass recovery sale, acknowledged writes',
    'pass integrity money-conserved',
    'pass isolation trade-db',
    'pass isolation account-db',
  ]);
  expect([judged.verdict, judged.exitCode]).toEqual(['fail', 1]);
  expect(counted[0]).toMatchObject({ sampleCount: 20_000, measured: { value: 0.996 } });
});
