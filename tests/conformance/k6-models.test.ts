import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { arrivalRandom, countPoisson, poissonDueTimes } from '../../harness/core/arrivals.ts';
import { k6Driver } from '../../harness/load/k6.ts';
import { nativeDriver } from '../../harness/load/native.ts';
import { shadowHeaders } from '../../harness/shadow/tag.ts';
import type { FeedSpec } from '../../harness/spi/plan.ts';
import { runLoad as run, getStep as step } from '../support/load-run.ts';
import { k6, requireOrSkip } from '../support/requirements.ts';
import { bad, specOf, sum, wholes } from './engine-runs.ts';
import { LoadServer } from './load-server.ts';

const native = nativeDriver({ tag: shadowHeaders });
const k6s = k6Driver({ tag: shadowHeaders });

const folder = mkdtempSync(join(tmpdir(), 'seawall-models-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let server: LoadServer;
beforeEach(async () => {
  server = await LoadServer.open();
});
afterEach(async () => {
  await server.close();
});

const poisson = { executor: 'poisson' as const, level: 60, ms: 3000 };

describe('Poisson arrivals by k6', () => {
  it('are those of the native engine: as many in each second, each when it is due', async (context) => {
    requireOrSkip(context, k6());
    const journeys = { browse: [step('/after/5/{n}')], look: [step('/after/1/{n}', { name: 'look' })] };
    const mix = [
      { journey: 'browse', share: 0.75 },
      { journey: 'look', share: 0.25 },
    ];
    const spec = specOf(server.url, journeys, { ...poisson, mix });
    const byNative = await run(native, spec);
    const ofNative = server.seen.splice(0).map(({ url }) => url);
    const byK6 = await run(k6s, spec);
    const ofK6 = server.seen.splice(0).map(({ url }) => url);
    const { segments } = spec.scenario;
    const count = countPoisson(segments, arrivalRandom(7, 'sale'));
    expect(byK6.summary).toMatchObject({ scheduled: count, sent: count, good: count, bad: 0 });
    const bySecond = (told: typeof byK6): number[] =>
      [0, 1000, 2000].map((second) =>
        sum(
          wholes(told).filter(({ fromMs }) => fromMs === second),
          'scheduled',
        ),
      );
    expect(bySecond(byK6)).toEqual(bySecond(byNative));
    expect(ofK6.toSorted()).toEqual(ofNative.toSorted());
    // Not evenly, then: some gaps are far from the mean.
    const dues = [...poissonDueTimes(segments, arrivalRandom(7, 'sale'))];
    expect(Math.max(...dues.slice(1).map((due, index) => due - dues[index]!))).toBeGreaterThan(40);
    for (const row of wholes(byK6)) expect(row.latenessP99Ms).toBeLessThan(50);
  });

  it('are left out and bad where no user is free, as k6’s own are', async (context) => {
    requireOrSkip(context, k6());
    const spec = specOf(server.url, { browse: [step('/after/400')] }, { ...poisson, inFlightMax: 4, ms: 2000 });
    const told = await run(k6s, spec);
    const rows = wholes(told);
    const count = countPoisson(spec.scenario.segments, arrivalRandom(7, 'sale'));
    expect(sum(rows, 'scheduled')).toBe(count);
    expect(sum(rows, 'droppedCap')).toBe(bad(rows, 'dropped'));
    expect(sum(rows, 'sent') + sum(rows, 'droppedCap')).toBe(count);
    // Four users, 400 ms each, two seconds.
    expect(sum(rows, 'sent')).toBeGreaterThan(10);
    expect(sum(rows, 'sent')).toBeLessThanOrEqual(24);
  });

  it('are cut into stripes that have each start once', async (context) => {
    requireOrSkip(context, k6());
    const journeys = { browse: [step('/after/1/{n}')] };
    const spec = specOf(server.url, journeys, { ...poisson, ms: 2000 });
    const striped = await Promise.all([0, 1].map((index) => run(k6s, { ...spec, stripe: { index, of: 2 } })));
    const count = countPoisson(spec.scenario.segments, arrivalRandom(7, 'sale'));
    expect(striped.reduce((all, { summary }) => all + summary.scheduled, 0)).toBe(count);
    expect(new Set(server.seen.map(({ url }) => url)).size).toBe(server.seen.length);
  });
});

describe('feeds by k6', () => {
  const rows = Array.from({ length: 200 }, (_, index) => `u${index + 1},"name, ${index + 1}"\n`);
  const csv = join(folder, 'users.csv');
  writeFileSync(csv, `id,name\n${rows.join('')}`);
  const feed = (more: Partial<FeedSpec> = {}): FeedSpec => ({
    ...{ source: { csv }, order: 'unique', skew: undefined },
    ...more,
  });
  const look = step('/after/1/{users.id}', {
    name: 'look',
    method: 'POST',
    body: { name: '{users.name}', part: '{made.part}' },
  });
  const feeds = {
    users: feed(),
    made: feed({ source: { generate: { part: 'p-{row}' }, rows: 7 }, order: 'circular' }),
  };

  it('give each start the row that the native engine gives it, each once over all users', async (context) => {
    requireOrSkip(context, k6());
    const spec = specOf(server.url, { look: [look] }, { level: 40, ms: 2000, feeds });
    const asked = async (driver: typeof native): Promise<string[]> => {
      expect((await run(driver, spec)).summary).toMatchObject({ sent: 80, good: 80, bad: 0 });
      return server.seen
        .splice(0)
        .map(({ url, body }) => `${url} ${body}`)
        .toSorted();
    };
    const byNative = await asked(native);
    expect(await asked(k6s)).toEqual(byNative);
    // The first row is the canary's; 20 more start in the steady state.
    expect(byNative).toContain('/after/1/u2 {"name":"name, 2","part":"p-2"}');
    expect(new Set(byNative.map((line) => line.split(' ')[0])).size).toBe(100);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('seawall-k6-'))).toEqual([]);
  });

  it('that run dry end the load of its users, who say so', async (context) => {
    requireOrSkip(context, k6());
    const users = { executor: 'constant-vus' as const, level: 2, ms: 3000 };
    const journeys = { look: [step('/after/10/{users.id}', { name: 'look' })] };
    const told = await run(k6s, specOf(server.url, journeys, { ...users, feeds }));
    // Row 1 is kept for the canary.
    expect(server.seen.map(({ url }) => url).toSorted()).toEqual(
      rows
        .slice(1)
        .map((_, i) => `/after/10/u${i + 2}`)
        .toSorted(),
    );
    expect(told.summary.dryAtMs).toBeGreaterThan(-500);
    expect(told.summary.dryAtMs).toBeLessThan(2500);
    expect(told.summary.bad).toBe(0);
  });

  it('that are drawn come as often as their weights say', async (context) => {
    requireOrSkip(context, k6());
    const skew = { zipf: 0, whales: { column: 'id', times: { u7: 200 } } };
    const journeys = { look: [step('/after/1/{users.id}', { name: 'look' })] };
    const drawn = { users: feed({ order: 'random', skew }) };
    await run(k6s, specOf(server.url, journeys, { level: 100, ms: 3000, feeds: drawn }));
    const whales = server.seen.filter(({ url }) => url === '/after/1/u7').length;
    // 200 of 399: half of some 350.
    expect(whales / server.seen.length).toBeGreaterThan(0.4);
    expect(whales / server.seen.length).toBeLessThan(0.6);
    expect(new Set(server.seen.map(({ url }) => url)).size).toBeGreaterThan(60);
  });
});
