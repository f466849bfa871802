import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Report } from '../../harness/spi/reporter.ts';
import { cli, readReport } from '../support/cli.ts';
import { k6, requireOrSkip } from '../support/requirements.ts';
import { LoadServer } from './load-server.ts';

let server: LoadServer;
let folder = '';

beforeAll(async () => {
  server = await LoadServer.open();
  folder = mkdtempSync(join(tmpdir(), 'seawall-engines-'));
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A tenth of all goes to where everything fails: 90 % is what every engine must find. */
const plan = (): string => `
plan: one-word
hypothesis: The system answers the same to whoever asks.
vars: { engine: native }
stack:
  existing: { site: "${server.url}" }
  journeys:
    look: [{ name: look, GET: /after/20 }]
    fail: [{ name: fail, GET: /status/500 }]
seed: 3
load:
  - scenario: visits
    engine: "\${engine}"
    executor: constant-vus
    vus: 2
    for: 5s
    warmUp: 0s
    mix: { look: 90%, fail: 10% }
    good: { within: 1s }
steadyState: { for: 1s, good: 80% }
guard: { blastRadius: none, abortWhen: [{ of: visits, bad: 50%, over: 3s }] }
verify:
  - availability: { of: visits, target: 75% }
  - availability: { of: visits, journey: look, target: 90% }
  - availability: { of: visits, journey: fail, target: 50% }
`;

async function runWith(engine: string): Promise<{ code: number | null; report: Report }> {
  const file = join(folder, 'plan.yaml');
  writeFileSync(file, plan());
  const out = join(folder, engine);
  const { code, stderr } = await cli(['run', file, '--set', `engine=${engine}`, '--out', out], { cwd: folder });
  expect(stderr).not.toContain('INTERNAL');
  return { code, report: readReport(out) };
}

it('a plan that changes its engine by one word gets the same answers', async (context) => {
  requireOrSkip(context, k6());
  const told = [await runWith('native'), await runWith('k6'), await runWith('autocannon')];
  for (const { code, report } of told) {
    expect(code).toBe(1);
    const own = report.findings.filter(({ check, advisory }) => check === 'availability' && !advisory);
    expect(own.map(({ scope, verdict }) => [scope, verdict])).toEqual([
      ['visits', 'pass'],
      ['visits/look', 'pass'],
      ['visits/fail', 'fail'],
    ]);
    const [all, look, fail] = own.map(({ measured, sampleCount }) => ({ value: measured.value, sampleCount }));
    expect(all!.value).toBeGreaterThan(0.89);
    expect(all!.value).toBeLessThan(0.91);
    expect(look!.value).toBe(1);
    expect(fail!.value).toBe(0);
    // Two users, 20 ms and more an answer.
    expect(all!.sampleCount).toBeGreaterThan(300);
    expect(all!.sampleCount).toBeLessThan(560);
  }
  const [, byK6, byAutocannon] = told;
  expect(byK6!.report.notes.join()).toContain('latency is service time');
  expect(byAutocannon!.report.notes.join()).toContain('autocannon is for saturation');
});

it('a plan with a script needs no journeys, and its requests are counted', async (context) => {
  requireOrSkip(context, k6());
  const script = `import http from 'k6/http';
export const options = { vus: 1, duration: '4s' };
export default () => { http.get(__ENV.SEAWALL_TARGET + '/after/20', { tags: { name: 'look' } }); };
`;
  writeFileSync(join(folder, 'own.js'), script);
  const file = join(folder, 'script.yaml');
  writeFileSync(
    file,
    `
plan: script-alone
hypothesis: The site answers what the script asks.
stack: { existing: { site: "${server.url}" } }
load: [{ scenario: visits, engine: k6, script: own.js, vus: 1, for: 3s, warmUp: 0s, good: { within: 1s } }]
steadyState: { for: 1s, good: 80% }
guard: none
verify: [availability: { of: visits, target: 80% }]
`,
  );
  const out = join(folder, 'script');
  const { code, stderr } = await cli(['run', file, '--out', out], { cwd: folder });
  expect(stderr).toBe('');
  expect(code).toBe(0);
  const [own] = readReport(out).findings.filter(({ check, advisory }) => check === 'availability' && !advisory);
  expect(own).toMatchObject({ scope: 'visits', verdict: 'pass', measured: { value: 1 } });
  expect(own!.sampleCount).toBeGreaterThan(0);
});
