import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Histogram } from '../../harness/core/histogram.ts';
import { listProcesses, runArgument } from '../../harness/core/process-identity.ts';
import { nativeDriver } from '../../harness/load/native.ts';
import { measureWay } from '../../harness/load/region-round-trip.ts';
import { shadowHeaders } from '../../harness/shadow/tag.ts';
import type { LoadWindow } from '../../harness/spi/load.ts';
import type { RegionSpec } from '../../harness/spi/plan.ts';
import { cli, readReport } from '../support/cli.ts';
import { getStep, loadSpec, nothingTold, startLoad } from '../support/load-run.ts';
import { startEngine } from '../support/proxy-engine.ts';
import { LoadServer } from './load-server.ts';

const native = nativeDriver({ tag: shadowHeaders });
const region = (name: string, share: number, rttMs: number, more: Partial<RegionSpec> = {}): RegionSpec => ({
  ...{ name, share, rttMs, jitterMs: 0, bytesPerSecond: undefined, lossRatio: 0 },
  ...more,
});

let server: LoadServer;
beforeEach(async () => {
  server = await LoadServer.open();
});
afterEach(async () => {
  await server.close();
});

const whole = (rows: readonly LoadWindow[], of: string): LoadWindow[] =>
  rows.filter((row) => row.step === undefined && row.region === of);

function median(rows: readonly LoadWindow[]): number {
  const all = new Histogram();
  for (const row of rows) all.merge(Histogram.decode(row.service));
  return all.quantile(0.5) / 1000;
}

const sum = (rows: readonly LoadWindow[], pick: (row: LoadWindow) => number): number =>
  rows.reduce((total, row) => total + pick(row), 0);

/** Processes of a run that are fault proxies. */
const proxiesOf = (runId: string): number =>
  listProcesses().filter(({ command }) => command.includes('/proxy/main') && command.includes(runArgument(runId)))
    .length;

describe('users in two regions', () => {
  const regions = [region('near', 0.75, 20), region('far', 0.25, 80)];
  const journeys = { browse: [getStep('/')], look: [getStep('/after/5', { name: 'after' })] };
  const mix = [
    { journey: 'browse', share: 0.5 },
    { journey: 'look', share: 0.5 },
  ];

  it('are as far away as asked for, dealt exactly, counted apart, and measured before the load', async () => {
    const spec = loadSpec(server.url, { rate: 100, ms: 2000, regions, journeys, mix, threads: 2 });
    const told = nothingTold();
    const job = await startLoad(native, spec, told);
    expect(proxiesOf(spec.runId)).toBe(1);
    const canary = await job.canary(AbortSignal.timeout(20_000));
    job.begin(Date.now() + 100);
    expect(await job.done).toMatchObject({ scheduled: 200, sent: 200, good: 200, bad: 0 });
    const [near, far] = [whole(told.windows, 'near'), whole(told.windows, 'far')];
    expect(sum([...near, ...far], (row) => row.good)).toBe(200);
    expect(sum(near, (row) => row.good)).toBe(150);
    expect(sum(near, (row) => (row.journey === 'browse' ? row.good : 0))).toBe(75);
    expect(median(near)).toBeGreaterThanOrEqual(19);
    expect(median(near)).toBeLessThan(45);
    expect(median(far)).toBeGreaterThanOrEqual(79);
    expect(median(far)).toBeLessThan(110);
    const ways = canary.filter((result) => result.region !== undefined);
    expect(ways.map(({ good, region: way }) => [good, way?.name, way?.askedMs])).toEqual([
      [true, 'near', 20],
      [true, 'far', 80],
    ]);
    expect(ways[1]!.region!.measuredMs! - ways[0]!.region!.measuredMs!).toBeGreaterThan(40);
    // Their requests name the system, not what stands before it.
    expect(new Set(server.seen.map(({ headers }) => headers.host))).toEqual(new Set([new URL(server.url).host]));
    for (let left = 100; proxiesOf(spec.runId) > 0 && left > 0; left--) await sleep(20);
    expect(proxiesOf(spec.runId)).toBe(0);
  });

  it('leave no proxy behind when the generator is killed', async () => {
    const stop = new AbortController();
    const spec = { ...loadSpec(server.url, { regions }), runId: `load-regions-${process.pid}` };
    const job = await startLoad(native, spec, nothingTold(), stop.signal);
    expect(proxiesOf(spec.runId)).toBe(1);
    stop.abort();
    await expect(job.done).rejects.toMatchObject({ code: 'LOAD_GENERATOR_DIED' });
    for (let left = 100; proxiesOf(spec.runId) > 0 && left > 0; left--) await sleep(20);
    expect(proxiesOf(spec.runId)).toBe(0);
  });
});

describe('a region', () => {
  /** An entry of the fault proxy with these toxics in it. */
  async function entry(api: string, toxics: object[]): Promise<{ host: string; port: number }> {
    const proxy = { name: `way-${toxics.length}`, listen: '127.0.0.1:0', upstream: new URL(server.url).host, toxics };
    const answer = await fetch(`${api}/proxies`, { method: 'POST', body: JSON.stringify(proxy) });
    const { listen } = (await answer.json()) as { listen: string };
    return { host: '127.0.0.1', port: Number(listen.split(':')[1]) };
  }

  it('whose proxy adds nothing, or adds it one way only, is found', async () => {
    await using engine = (await startEngine('seawall'))!;
    const direct = { host: '127.0.0.1', port: Number(new URL(server.url).port), url: server.url };
    const plain = await measureWay(region('far', 1, 80), await entry(engine.api, []), direct);
    expect(plain).toMatchObject({ good: false, region: { name: 'far', askedMs: 80 } });
    expect(plain.region!.measuredMs!).toBeLessThan(40);
    expect(plain.because).toMatch(/^it adds -?\d+(\.\d)? ms to a round trip, asked 80 ms$/);
    const half = { name: 'd', type: 'latency', stream: 'downstream', attributes: { latency: 40 } };
    expect(await measureWay(region('far', 1, 80), await entry(engine.api, [half]), direct)).toMatchObject({
      good: false,
    });
  });

  it('without an answer is found too', async () => {
    const nobody = { host: '127.0.0.1', port: 1 };
    const direct = { host: '127.0.0.1', port: Number(new URL(server.url).port), url: server.url };
    expect(await measureWay(region('far', 1, 80), nobody, direct)).toEqual({
      journey: 'the way from far',
      good: false,
      acks: [],
      because: 'no answer came over it',
      region: { name: 'far', askedMs: 80 },
    });
  });

  it('has the bandwidth asked for, each way of each connection', async () => {
    const regions = [region('slow', 1, 2, { bytesPerSecond: 20_000 })];
    const body = 'x'.repeat(4000);
    const journeys = { browse: [getStep('/', { method: 'POST', body, name: 'send' })] };
    const spec = loadSpec(server.url, { rate: 10, ms: 1000, regions, journeys });
    const told = nothingTold();
    const job = await startLoad(native, spec, told);
    job.begin(Date.now() + 100);
    expect(await job.done).toMatchObject({ sent: 10, good: 10 });
    // 4,000 bytes at 20 bytes a millisecond.
    expect(median(whole(told.windows, 'slow'))).toBeGreaterThanOrEqual(200);
    expect(median(whole(told.windows, 'slow'))).toBeLessThan(300);
  });
});

it('a plan with regions reports each of them: asked, measured, dealt and how long its users waited', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'seawall-regions-'));
  const file = join(folder, 'plan.yaml');
  writeFileSync(
    file,
    `
plan: far-away
hypothesis: Users far away are served in time.
stack: { existing: { site: "${server.url}" }, journeys: { home: [{ GET: / }] } }
load:
  - scenario: visitors
    rate: 100/s
    for: 3s
    warmUp: 1s
    good: { within: 400ms }
    regions:
      near: { share: 70%, rtt: 20ms }
      far: { share: 30%, rtt: 80ms, jitter: 4ms, bandwidth: 8Mbit/s }
steadyState: { for: 1s, good: 90% }
guard: none
verify:
  - latency: { of: visitors, region: near, p50: 50ms }
  - latency: { of: visitors, region: far, p50: 50ms }
`,
  );
  const { code, stdout } = await cli(['run', file, '--out', join(folder, 'out')], { cwd: folder });
  const report = readReport(join(folder, 'out'));
  rmSync(folder, { recursive: true, force: true });
  // Whoever is 80 ms away has no answer within 50.
  expect(code).toBe(1);
  expect(stdout).toContain('visitors from far p50');
  const own = report.findings.filter(({ check, advisory }) => check === 'latency' && !advisory);
  expect(own.map(({ scope, verdict }) => [scope, verdict])).toEqual([
    ['visitors from near p50', 'pass'],
    ['visitors from far p50', 'fail'],
  ]);
  const ways = report.findings.filter(({ check }) => check === 'region');
  expect(ways.map(({ scope, verdict, threshold }) => [scope, verdict, threshold?.value])).toEqual([
    ['visitors from near', 'pass', 20],
    ['visitors from far', 'pass', 80],
  ]);
  const totals = report.totals.filter(({ region }) => region !== undefined);
  expect(totals.map(({ region, sent }) => [region, sent])).toEqual([
    ['near', 210],
    ['far', 90],
  ]);
  expect(totals[1]!.serviceMs.p50 - totals[0]!.serviceMs.p50).toBeGreaterThan(40);
  expect(report.traffic.map(({ what, declared }) => [what, declared])).toEqual([
    ['rate', 100],
    ['share of near', 0.7],
    ['round trip from near', 20],
    ['share of far', 0.3],
    ['round trip from far', 80],
  ]);
});

it('packets cannot be lost on a way of bytes, and the driver says so', () => {
  const { scenario } = loadSpec('http://127.0.0.1:1', { regions: [region('far', 1, 80, { lossRatio: 0.01 })] });
  expect(native.accepts(scenario)).toMatchObject({
    ok: false,
    reason: expect.stringContaining('far cannot lose packets'),
    hint: expect.stringContaining('leave `loss` out'),
  });
});
