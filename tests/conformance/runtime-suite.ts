import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findRun } from '../../harness/core/local-process.ts';
import type { Address, Environment, Resource, RuntimeContext, RuntimeDriver } from '../../harness/spi/runtime.ts';
import { type Requirement, requireOrSkip } from '../support/requirements.ts';
import { containersOf } from '../support/tiny-image.ts';
import { TINY_IMAGE, type TinyStack, tinyContext, tinyStack } from '../support/tiny-stack.ts';

export const soon = (): AbortSignal => AbortSignal.timeout(10_000);
export const text = async (url: string): Promise<string> => (await fetch(url, { signal: soon() })).text();

async function until(what: string, holds: () => boolean | Promise<boolean>, ms = 10_000): Promise<void> {
  const end = Date.now() + ms;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`it never came to this: ${what}`);
    await sleep(20);
  }
}

function accepts({ host, port }: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1000 });
    const settle = (accepted: boolean): void => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
    socket.once('timeout', () => settle(false));
  });
}

/** How long a connection lives before the other side ends it, in ms; 5000 when it does not. */
async function connectionLife({ host, port }: Address): Promise<number> {
  const begun = performance.now();
  const socket = connect({ host, port, timeout: 5000 });
  await new Promise<void>((resolve) => {
    for (const event of ['end', 'close', 'error', 'timeout']) socket.once(event, () => resolve());
  });
  socket.destroy();
  return performance.now() - begun;
}

/** Segments of System V shared memory that one of these processes made. */
function segmentsOf(creators: ReadonlySet<number>): string[] {
  if (process.platform !== 'linux') return [];
  const rows = readFileSync('/proc/sysvipc/shm', 'utf8').trim().split('\n').slice(1);
  return rows.map((row) => row.trim().split(/\s+/)).flatMap((row) => (creators.has(Number(row[4])) ? [row[1]!] : []));
}

/** Whether a process's command or an object's name has this id, and not only one that begins like it. */
const names = (found: string, id: string): boolean => new RegExp(`${id.replaceAll('.', '\\.')}(?![\\w.-])`).test(found);

/** What a look from outside finds of a run: processes, folders, containers and networks. */
async function leftOf(runId: string): Promise<string[]> {
  const here = [
    ...findRun(runId).map((row) => row.command),
    ...readdirSync(tmpdir())
      .filter((name) => name === `seawall-${runId}`)
      .map((name) => join(tmpdir(), name)),
  ];
  return process.env[TINY_IMAGE] === undefined ? here : [...here, ...(await containersOf(runId))];
}

/** What every runtime that stands a stack up promises; skipped, with the reason, where it cannot be tried. */
export function runtimeSuite(driver: RuntimeDriver, here: Requirement<unknown>): void {
  describe(`the ${driver.name} runtime`, () => {
    let tiny: TinyStack;
    /** Every process that a run of this test had. */
    const seen = new Set<number>();
    const open: Environment[] = [];

    beforeEach((test) => {
      requireOrSkip(test, here);
      tiny = tinyStack();
      seen.clear();
    });

    afterEach(async () => {
      if (!here.ok) return;
      for (const environment of open.splice(0)) await environment[Symbol.asyncDispose]();
      tiny[Symbol.dispose]();
      if (segmentsOf(seen).length > 0) throw new Error(`shared memory is left: ${segmentsOf(seen).join(', ')}`);
    });

    async function raise(context: RuntimeContext = tinyContext(tiny.folder), stack = tiny): Promise<Environment> {
      const environment = await driver.up(stack.stack, stack.topology, context);
      open.push(environment);
      for (const { pid } of findRun(context.runId)) seen.add(pid);
      return environment;
    }

    it('is detected here', async () => {
      expect(await driver.detect(soon())).toMatchObject({ ok: true, capabilities: { runtime: driver.name } });
    });

    describe('with a stack that stays up', () => {
      let shared: TinyStack;
      let context: ReturnType<typeof tinyContext>;
      let environment: Environment;
      /** What was there before it was recorded. */
      const early: string[] = [];
      /** Every process that the stack had. */
      const had = new Set<number>();
      const remember = (): void => {
        for (const { pid } of findRun(context.runId)) had.add(pid);
      };

      beforeAll(async () => {
        if (!here.ok) return;
        shared = tinyStack();
        context = tinyContext(shared.folder);
        const record = async (resource: Resource): Promise<void> => {
          const fresh = !context.recorded.some(({ id }) => id === resource.id);
          if (fresh && (await leftOf(context.runId)).some((found) => names(found, resource.id)))
            early.push(resource.id);
          await context.record(resource);
        };
        environment = await driver.up(shared.stack, shared.topology, { ...context, record });
        remember();
      });
      afterEach(() => {
        if (here.ok) remember();
      });
      afterAll(async () => {
        await environment?.[Symbol.asyncDispose]();
        shared?.[Symbol.dispose]();
      });

      it('records everything before it is made', () => {
        expect(early).toEqual([]);
        const recorded = new Set(context.recorded.map(({ kind, id }) => `${kind} ${id}`));
        for (const { kind, id } of environment.inventory()) expect(recorded).toContain(`${kind} ${id}`);
      });

      it('has nodes that answer straight and through their links', async () => {
        expect([...environment.nodes.keys()].sort()).toEqual(['back-hz-a', 'db-hz-a', 'front-edge']);
        expect(await text(`${environment.entryUrl}/me`)).toContain('front-edge');
        expect(await text(`${environment.entryUrl}/via`)).toMatch(/^front-edge > .*back-hz-a/);
        const link = environment.links.get('front-edge>back-hz-a')!;
        expect(await text(`http://${link.listen.host}:${link.listen.port}/me`)).toContain('back-hz-a');
        const direct = environment.endpoint('back-hz-a', 'http', 'tool');
        expect(direct).not.toEqual(link.listen);
        const me = JSON.parse(await text(`http://${direct.host}:${direct.port}/me`)) as { db: string };
        const sql = environment.links.get('back-hz-a>db-hz-a:sql')!;
        expect(me.db).toMatch(/^postgres:\/\/clerk:p%2Fw%3A1@[^,]+\/facts$/);
        expect(new URL(me.db).port).not.toBe(String(environment.endpoint('db-hz-a', 'sql', 'tool').port));
        const proxies = (await (await fetch(`${sql.proxy.api}/proxies`)).json()) as Record<
          string,
          { enabled: boolean }
        >;
        expect(proxies[sql.proxy.name]).toMatchObject({ enabled: true });
      });

      it('answers read-only queries and tells the role', async () => {
        const { store } = environment.nodes.get('db-hz-a')!;
        const limits = { timeoutMs: 3000, rowsMax: 2 };
        expect(await store!.role(soon())).toBe('primary');
        expect(await store!.query('select * from fact;', limits)).toEqual([{ id: 1, what: 'it rains' }]);
        expect(await store!.query('select generate_series(1, 9) as n', limits)).toEqual([{ n: 1 }, { n: 2 }]);
        const refused = { code: 'QUERY_FAILED' };
        await expect(store!.query('select pg_sleep(60)', { timeoutMs: 200, rowsMax: 1 })).rejects.toMatchObject(
          refused,
        );
        await expect(store!.query('delete from fact returning id', limits)).rejects.toMatchObject(refused);
        await expect(store!.query('select nextval(1)', limits)).rejects.toMatchObject(refused);
      });

      it.each(['back-hz-a', 'db-hz-a'])(
        'kills %s and starts it on the same addresses, without news of it',
        async (id) => {
          const news: string[] = [];
          const unsubscribe = environment.onUnexpectedExit((node) => news.push(node));
          const { life, spec } = environment.nodes.get(id)!;
          const address = environment.endpoint(id, spec.ports[0]!, 'tool');
          expect(await life!.alive()).toBe(true);
          await life!.kill(soon());
          expect(await life!.alive()).toBe(false);
          expect(await accepts(address)).toBe(false);
          await life!.kill(soon());
          await life!.start(soon());
          await life!.start(soon());
          await until('it listens again', () => accepts(address));
          expect(environment.endpoint(id, spec.ports[0]!, 'tool')).toEqual(address);
          const { store } = environment.nodes.get('db-hz-a')!;
          await until('the database answers', async () => (await store!.role(soon())) === 'primary');
          expect(await store!.query('select count(*)::int as n from fact', { timeoutMs: 3000, rowsMax: 1 })).toEqual([
            { n: 1 },
          ]);
          expect(await text(`${environment.entryUrl}/via`)).toContain('back-hz-a');
          expect(news).toEqual([]);
          unsubscribe();
        },
      );

      it('ends connections to a link whose node is dead, at once', async () => {
        const { listen } = environment.links.get('front-edge>back-hz-a')!;
        await environment.nodes.get('back-hz-a')!.life!.kill(soon());
        expect(await connectionLife(listen)).toBeLessThan(1000);
        expect(await connectionLife(listen)).toBeLessThan(1000);
        await environment.nodes.get('back-hz-a')!.life!.start(soon());
        await until('it answers again', async () => (await text(`${environment.entryUrl}/via`)).includes('back-hz-a'));
      });

      it('tells of a node that ends by itself', async () => {
        const news: string[] = [];
        const unsubscribe = environment.onUnexpectedExit((node, why) => news.push(`${node}: ${why}`));
        const { host, port } = environment.endpoint('back-hz-a', 'http', 'tool');
        await text(`http://${host}:${port}/exit`).catch(() => undefined);
        await until('the news', () => news.length > 0);
        expect(news).toEqual([expect.stringMatching(/^back-hz-a: .*5/)]);
        unsubscribe();
      });

      it('is removed with all that it had, as often as one likes', async () => {
        const link = environment.links.get('front-edge>back-hz-a')!;
        const sql = environment.links.get('back-hz-a>db-hz-a:sql')!;
        const direct = environment.endpoint('back-hz-a', 'http', 'tool');
        const addresses = [direct, link.listen, sql.listen, environment.endpoint('db-hz-a', 'sql', 'tool')];
        await environment[Symbol.asyncDispose]();
        expect(await leftOf(context.runId)).toEqual([]);
        expect(segmentsOf(had)).toEqual([]);
        // The addresses of containers are nobody's by now: a packet to them would leave this machine.
        const own = addresses.filter(({ host }) => host === '127.0.0.1');
        expect(await Promise.all(own.map(accepts))).toEqual(own.map(() => false));
        await environment[Symbol.asyncDispose]();
      });
    });

    it.each([
      ['broken', 'NODE_NOT_READY', /back-hz-a was not ready within 5000 ms: it answered 503/],
      ['dies', 'NODE_DIED', /back-hz-a ended .*3.*no mood to live/s],
    ])('says why a stack with a node that is %s does not come up, and leaves nothing', async (mood, code, message) => {
      using sick = tinyStack(mood);
      const context = tinyContext(sick.folder);
      const failure = driver.up(sick.stack, sick.topology, context);
      await expect(failure).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
      expect(await leftOf(context.runId)).toEqual([]);
    });

    it('leaves nothing when it is aborted at any resource it makes', async () => {
      const whole = tinyContext(tiny.folder);
      await (await raise(whole))[Symbol.asyncDispose]();
      for (let last = 1; last <= whole.recorded.length; last += 3) {
        const stop = new AbortController();
        const context = tinyContext(tiny.folder, stop.signal);
        const record = async (resource: Resource): Promise<void> => {
          await context.record(resource);
          if (context.recorded.length >= last) stop.abort(new Error('enough'));
        };
        await expect(driver.up(tiny.stack, tiny.topology, { ...context, record })).rejects.toThrow('enough');
        expect(await leftOf(context.runId)).toEqual([]);
      }
    });

    it('leaves nothing when the ledger cannot be written', async () => {
      const context = tinyContext(tiny.folder);
      const record = async ({ id }: Resource): Promise<void> => {
        if (id.endsWith('db-hz-a')) throw new Error('disk full');
      };
      await expect(driver.up(tiny.stack, tiny.topology, { ...context, record })).rejects.toThrow('disk full');
      expect(await leftOf(context.runId)).toEqual([]);
    });

    it('is reaped by a process that knows nothing but the run id, as often as one likes', async () => {
      const context = tinyContext(tiny.folder);
      const owner = raiseElsewhere(driver, context.runId);
      try {
        await until('the stack of the other process is up', () => owner.said().includes('up'), 60_000);
        expect((await leftOf(context.runId)).length).toBeGreaterThan(5);
        for (const { pid } of findRun(context.runId)) seen.add(pid);
      } finally {
        owner.process.kill('SIGKILL');
        await once(owner.process, 'exit');
        rmSync(owner.said().split('\n')[0]!, { recursive: true, force: true });
      }
      const reaped = await reapElsewhere(driver, context.runId, []);
      expect(reaped.join(', ')).toContain(context.runId);
      expect(await leftOf(context.runId)).toEqual([]);
      expect(await reapElsewhere(driver, context.runId, [])).toEqual([]);
    });

    it('keeps two stacks apart', async () => {
      using second = tinyStack();
      const context = tinyContext(second.folder);
      const [one, two] = await Promise.all([raise(), raise(context, second)]);
      expect(one.entryUrl).not.toBe(two.entryUrl);
      await two[Symbol.asyncDispose]();
      expect(await leftOf(context.runId)).toEqual([]);
      expect(await text(`${one.entryUrl}/via`)).toContain('back-hz-a');
    });
  });
}

const moduleOf = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
const driverModule = (driver: RuntimeDriver): string =>
  `(await import(${moduleOf(`../../harness/runtime/${driver.name}.ts`)})).${driver.name}Runtime`;

function elsewhere(program: string): ReturnType<typeof spawn> {
  return spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** A process that raises the tiny stack and stays. */
function raiseElsewhere(driver: RuntimeDriver, runId: string): { process: ReturnType<typeof spawn>; said(): string } {
  const child = elsewhere(`
    const { tinyStack, tinyContext } = await import(${moduleOf('../support/tiny-stack.ts')});
    const tiny = tinyStack();
    console.log(tiny.folder);
    const driver = ${driverModule(driver)};
    await driver.up(tiny.stack, tiny.topology, { ...tinyContext(tiny.folder), runId: ${JSON.stringify(runId)} });
    console.log('up');
    setInterval(() => {}, 1000);
  `);
  let said = '';
  child.stdout!.on('data', (bytes: Buffer) => {
    said += bytes.toString();
  });
  return { process: child, said: () => said };
}

async function reapElsewhere(driver: RuntimeDriver, runId: string, resources: Resource[]): Promise<string[]> {
  const child = elsewhere(`
    const driver = ${driverModule(driver)};
    const signal = AbortSignal.timeout(10000);
    console.log(JSON.stringify(await driver.reap(${JSON.stringify(runId)}, ${JSON.stringify(resources)}, signal)));
  `);
  let said = '';
  child.stdout!.on('data', (bytes: Buffer) => {
    said += bytes.toString();
  });
  const [code] = await once(child, 'close');
  expect(code).toBe(0);
  return JSON.parse(said) as string[];
}
