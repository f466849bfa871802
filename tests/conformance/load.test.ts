import { type ChildProcess, fork } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Histogram } from '../../harness/core/histogram.ts';
import {
  isAlive,
  listProcesses,
  type ProcessIdentity,
  runArgument,
  signalExactly,
} from '../../harness/core/process-identity.ts';
import { nativeDriver } from '../../harness/load/native.ts';
import { shadowHeaders } from '../../harness/shadow/tag.ts';
import type { LoadDriver, LoadJob, LoadSpec, LoadWindow } from '../../harness/spi/load.ts';
import type { JourneyStep } from '../../harness/spi/stack.ts';
import { nothingTold, startLoad, getStep as step, type Told } from '../support/load-run.ts';
import { LoadServer } from './load-server.ts';

const DRIVERS: LoadDriver[] = [nativeDriver({ tag: shadowHeaders })];
const RATE = 50;

function specOf(target: string, journeys: Record<string, JourneyStep[]>, extra: Partial<LoadSpec> = {}): LoadSpec {
  const names = Object.keys(journeys);
  return {
    runId: `load-test-${process.pid}`,
    scenario: {
      name: 'sale',
      executor: 'constant-arrival-rate',
      engine: 'native',
      segments: [{ fromRate: RATE, toRate: RATE, durationMs: 2000 }],
      warmUpRate: RATE,
      warmUpMs: 0,
      mix: names.map((journey) => ({ journey, share: 1 / names.length })),
      journeys,
      good: { withinMs: 1000, journeyWithinMs: undefined, shed: 'bad' },
      shadow: true,
      inFlightMax: 200,
    },
    target,
    seed: 7,
    marker: 'sw00000000',
    users: { from: 900_001, to: 900_100 },
    steadyMs: 500,
    drainMs: 1000,
    ...extra,
  };
}

describe.each(DRIVERS)('the $name load driver', (driver) => {
  let server: LoadServer;
  let jobs: LoadJob[];
  const stop = new AbortController();

  beforeEach(async () => {
    server = await LoadServer.open();
    jobs = [];
  });

  afterEach(async () => {
    await server.close();
    for (const { pid } of jobs) {
      const identity = pid === undefined ? undefined : rowOf(pid);
      if (identity !== undefined) await untilGone(identity, 2000);
    }
  });

  async function start(spec: LoadSpec, into: Told): Promise<LoadJob> {
    const job = await startLoad(driver, spec, into, stop.signal);
    jobs.push(job);
    return job;
  }

  async function run(spec: LoadSpec, meanwhile: () => void = () => {}): Promise<Told & { job: LoadJob }> {
    const into = nothingTold();
    const job = await start(spec, into);
    job.begin(Date.now() + spec.steadyMs + spec.scenario.warmUpMs + 20);
    meanwhile();
    const summary = await job.done;
    const whole = into.windows.filter((row) => row.step === undefined && row.fromMs >= 0);
    expect(summary).toMatchObject({
      scheduled: sum(whole, 'scheduled'),
      sent: sum(whole, 'sent'),
      good: sum(whole, 'good'),
    });
    return { ...into, job };
  }

  it('sends what the schedule has, on time, and measures a constant delay', async () => {
    const { windows, health } = await run(specOf(server.url, { browse: [step('/after/20')] }));
    const whole = windows.filter((row) => row.step === undefined);
    const load = whole.filter((row) => row.fromMs >= 0);
    expect(sum(load, 'scheduled')).toBe(2 * RATE);
    expect(sum(load, 'good')).toBe(2 * RATE);
    expect(sum(whole, 'scheduled')).toBe(2.5 * RATE);
    expect(server.seen).toHaveLength(2.5 * RATE);
    const merged = new Histogram();
    for (const row of load) merged.merge(Histogram.decode(row.fromIntended));
    expect(merged.count).toBe(2 * RATE);
    expect(merged.quantile(0.01)).toBeGreaterThan(18_000);
    expect(merged.quantile(0.1)).toBeLessThan(60_000);
    expect(health.length).toBeGreaterThanOrEqual(2);
    expect(Math.max(...health.map((row) => row.rssBytes))).toBeLessThan(150e6);
    expect(server.connections).toBeLessThan(20);
  });

  it('counts a stalled server in full: late answers from their intended start, never fewer samples', async () => {
    const spec = specOf(server.url, { browse: [step('/after/1')] });
    spec.scenario.good.withinMs = 500;
    const { windows, failures } = await run(spec, () => setTimeout(() => server.stallFor(1000), 1000));
    const load = windows.filter((row) => row.step === undefined && row.fromMs >= 0);
    const bad = total(load, 'timeout');
    expect(sum(load, 'scheduled')).toBe(2 * RATE);
    expect(sum(load, 'good') + bad).toBe(2 * RATE);
    // Half of what fell into the stall of 1 s had a deadline of 0.5 s within it.
    expect(bad).toBeGreaterThan(15);
    expect(failures.filter((failure) => failure.intendedMs >= 0)).toHaveLength(bad);
  });

  it.each([
    ['/status/500', 'status'],
    ['/reset', 'reset'],
    ['/half', 'reset'],
    ['/slow-body', 'timeout'],
    ['/silent', 'timeout'],
    ['/garbage', 'body'],
  ])('tells %s as %s and the acknowledgement as unknown', async (path, bad) => {
    const spec = specOf(server.url, { pay: [step(path, { ack: '{marker}-{n}' })] });
    spec.scenario.segments[0]!.durationMs = 400;
    const { windows, acks, failures } = await run(spec);
    const load = windows.filter((row) => row.step === undefined && row.fromMs >= 0);
    expect(total(load, bad)).toBe(20);
    expect(sum(load, 'good')).toBe(0);
    expect(acks).toHaveLength(45);
    expect(new Set(acks.map((ack) => ack.key)).size).toBe(45);
    expect(new Set(acks.map((ack) => ack.outcome))).toEqual(new Set(['unknown']));
    expect(failures[0]).toMatchObject({
      class: bad,
      step: path.slice(1),
      status: path === '/status/500' ? 500 : failures[0]!.status,
    });
    expect(failures.map((failure) => failure.body ?? '').join()).not.toMatch(/hunter2|a\.user|4111/);
  });

  it('tells a refused connection', async () => {
    const spec = specOf(`http://127.0.0.1:${await freePort()}`, { pay: [step('/x')] });
    spec.scenario.segments[0]!.durationMs = 400;
    const { windows } = await run(spec);
    expect(
      total(
        windows.filter((row) => row.step === undefined && row.fromMs >= 0),
        'refused',
      ),
    ).toBe(20);
  });

  it('carries values from one step to the next, acknowledges, and tags every request of a shadow scenario', async () => {
    const order = step('/take', {
      method: 'POST',
      body: { id: '{marker}-{n}', user: '{user}' },
      expect: [201],
      take: { id: { json: '/order/id' } },
    });
    const pay = step('/after/1/{id}', { method: 'POST', headers: { 'x-run': '{run}' }, ack: '{id}' });
    const spec = specOf(server.url, { pay: [order, pay] });
    const { acks, windows } = await run(spec);
    expect(acks).toHaveLength(125);
    expect(acks.every((ack) => ack.outcome === 'acked' && ack.answeredMs! >= ack.sentMs)).toBe(true);
    const paid = server.seen.filter((seen) => seen.url.startsWith('/after/1/o-'));
    expect(new Set(paid.map((seen) => seen.url.split('/').at(-1)))).toEqual(new Set(acks.map((ack) => ack.key)));
    expect(
      server.seen.every((seen) => /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/.test(String(seen.headers.traceparent))),
    ).toBe(true);
    expect(new Set(server.seen.map((seen) => seen.headers.traceparent)).size).toBe(250);
    expect(server.seen[0]!.headers.baggage).toBe(`seawall.run=${spec.runId},seawall.shadow=1`);
    expect(server.seen.find((seen) => seen.url === '/take')!.body).toMatch(
      /^\{"id":"sw00000000-\d+","user":"900\d\d\d"\}$/,
    );
    expect(
      sum(
        windows.filter((row) => row.step !== undefined && row.fromMs >= 0),
        'good',
      ),
    ).toBe(200);
  });

  it('runs each journey once as a canary, untagged for real traffic, with keys that the load never uses', async () => {
    const spec = specOf(server.url, { pay: [step('/after/1', { ack: '{marker}-{n}' })], bad: [step('/status/503')] });
    spec.scenario.shadow = false;
    spec.firstNumber = 100;
    const job = await start(spec, nothingTold());
    const results = await job.canary(AbortSignal.timeout(5000));
    expect(results).toMatchObject([
      { journey: 'pay', good: true, acks: ['sw00000000-100'] },
      { journey: 'bad', good: false, acks: [], because: expect.stringContaining('status 503, expected 200') },
    ]);
    expect(server.seen.map((seen) => seen.headers.baggage)).toEqual([undefined, undefined]);
    await job.stop();
  });

  it('stops when it is told to, with every start until then accounted for', async () => {
    const spec = specOf(server.url, { browse: [step('/after/20')] });
    spec.scenario.segments[0]!.durationMs = 60_000;
    const into = nothingTold();
    const job = await start(spec, into);
    job.begin(Date.now() + 500);
    await sleep(1500);
    const summary = await job.stop();
    expect(summary.scheduled).toBeGreaterThan(25);
    expect(summary.scheduled).toBeLessThan(100);
    expect(summary.good + summary.bad).toBe(summary.scheduled);
  });

  it('rejects `done` when the generator dies, and says how', async () => {
    const job = await start(specOf(server.url, { browse: [step('/after/1')] }), nothingTold());
    job.begin(Date.now() + 500);
    signalExactly(rowOf(job.pid!)!, 'SIGKILL');
    await expect(job.done).rejects.toMatchObject({
      code: 'LOAD_GENERATOR_DIED',
      message: expect.stringContaining('SIGKILL'),
    });
  });

  it('ends within 2 s of its parent’s death', async () => {
    const spec = { ...specOf(server.url, { browse: [step('/after/5')] }), runId: `load-orphan-${process.pid}` };
    spec.scenario.segments[0]!.durationMs = 60_000;
    const { parent, pid } = await startParent((child) => child.send(spec));
    const generator = rowOf(pid)!;
    expect(generator.command).toContain(runArgument(spec.runId));
    await sleep(700);
    expect(server.seen.length).toBeGreaterThan(0);
    parent.kill('SIGKILL');
    await untilGone(generator, 2000);
  });
});

it('a process that watches its parent ends within 2 s of its death, though its event loop never turns', async () => {
  const { parent, pid } = await startParent((child) => child.send('blocked'));
  const blocked = rowOf(pid)!;
  await sleep(300);
  parent.kill('SIGKILL');
  await untilGone(blocked, 2000);
  expect(isAlive(blocked)).toBe(false);
});

async function startParent(ask: (child: ChildProcess) => void): Promise<{ parent: ChildProcess; pid: number }> {
  const file = fileURLToPath(new URL('./load-parent.ts', import.meta.url));
  const parent = fork(file, [], { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const pid = await new Promise<number>((resolve, reject) => {
    parent.once('message', (message) => resolve(Number(message)));
    parent.once('exit', (code) => reject(new Error(`the parent ended with ${code}`)));
    ask(parent);
  });
  return { parent, pid };
}

function rowOf(pid: number): (ProcessIdentity & { command: string }) | undefined {
  return listProcesses().find((row) => row.pid === pid);
}

async function untilGone(identity: ProcessIdentity, withinMs: number): Promise<void> {
  const endMs = Date.now() + withinMs;
  while (isAlive(identity) && Date.now() < endMs) await sleep(20);
  expect(isAlive(identity)).toBe(false);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return address !== null && typeof address === 'object' ? address.port : 0;
}

function sum(rows: LoadWindow[], field: 'scheduled' | 'sent' | 'good'): number {
  return rows.reduce((all, row) => all + row[field], 0);
}

function total(rows: LoadWindow[], bad: string): number {
  return rows.reduce((all, row) => all + ((row.bad as Record<string, number>)[bad] ?? 0), 0);
}
