import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findPostgres } from '../../harness/runtime/postgres-programs.ts';
import { layPrograms, type NodeName, ShopDatabases } from './shop-databases.ts';
import { ShopWriter } from './shop-writer.ts';

const missing = whyNot();

function whyNot(): string {
  try {
    findPostgres();
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Generous: these tests share their machine with others. Alone it takes a third of it. */
const FAILOVER_MS = 4_000;

describe.skipIf(missing !== '')(
  `the shop's databases under their witness${missing && ` (skipped: ${missing})`}`,
  () => {
    let programs: { bin: string; remove(): void };
    let sound: ShopDatabases;
    const open: { close(): Promise<void> }[] = [];

    beforeAll(async () => {
      programs = await layPrograms();
      sound = await ShopDatabases.start(programs.bin);
    });

    afterEach(async () => {
      for (const each of open.splice(0).reverse()) await each.close();
    });

    afterAll(async () => {
      await sound?.stop();
      programs?.remove();
    });

    /** A redundant store under writes; a sound one is the same for all tests, for whatever befell it, it must be again. */
    async function begin(weakness = ''): Promise<{ databases: ShopDatabases; writer: ShopWriter }> {
      const databases = weakness === '' ? sound : await ShopDatabases.start(programs.bin, weakness);
      if (weakness !== '') open.push({ close: () => databases.stop() });
      await databases.until('redundant', () => databases.redundant());
      const writer = new ShopWriter(databases, weakness);
      open.push(writer);
      await grows(databases, writer);
      return { databases, writer };
    }

    async function grows(databases: ShopDatabases, writer: ShopWriter): Promise<void> {
      const enough = writer.acknowledged.size + 20;
      await databases.until('writes are acknowledged', () => writer.acknowledged.size >= enough);
    }

    async function rowsOf(databases: ShopDatabases, node: NodeName, sql: string): Promise<Record<string, unknown>[]> {
      const client = new pg.Client({
        ...{ host: '127.0.0.1', port: databases.seat(node).sql, user: 'shop', password: 'se cret', database: 'trade' },
        ...{ connectionTimeoutMillis: 2_000, query_timeout: 2_000 },
      });
      client.on('error', () => undefined);
      try {
        await client.connect();
        return (await client.query<Record<string, unknown>>(sql)).rows;
      } finally {
        await Promise.race([client.end().catch(() => undefined), pause(100)]);
      }
    }

    it('loses no acknowledged write when the primary dies, forth and back', async () => {
      const { databases, writer } = await begin();
      for (const way of ['forth', 'back']) {
        const primary = await databases.leader();
        const standby = databases.other(primary);
        writer.longestGapMs = 0;
        await databases.killNode(primary);
        await databases.until(`${standby} leads (${way})`, async () => (await databases.leader()) === standby);
        await grows(databases, writer);
        expect(writer.longestGapMs).toBeLessThan(FAILOVER_MS);
        expect(await databases.redundant()).toBe(false);
        databases.startNode(primary);
        await databases.until('redundant again', () => databases.redundant());
        expect(await rowsOf(databases, primary, 'select pg_is_in_recovery() as standby')).toEqual([{ standby: true }]);
      }
      expect(await writer.lost()).toEqual([]);
    });

    it('an isolated primary acknowledges nothing and is rebuilt when it is back', async () => {
      const { databases, writer } = await begin();
      const primary = await databases.leader();
      databases.isolate(primary, true);
      writer.longestGapMs = 0;
      const standby = databases.other(primary);
      await databases.until('the standby leads', async () => (await databases.leader()) === standby);
      await grows(databases, writer);
      expect(writer.longestGapMs).toBeLessThan(FAILOVER_MS);
      // Past every relay: a client that stands beside the isolated primary.
      const stray = rowsOf(databases, primary, "insert into mark (key) values ('stray') returning key");
      await expect(stray).rejects.toThrow(/timeout/i);
      databases.isolate(primary, false);
      await databases.until('redundant again', () => databases.redundant());
      for (const node of [primary, standby]) {
        expect(await rowsOf(databases, node, "select key from mark where key = 'stray'")).toEqual([]);
      }
      expect(await writer.lost()).toEqual([]);
    });

    it('goes on without a frozen standby, promotes nobody then, and loses nothing', async () => {
      const { databases, writer } = await begin();
      const primary = await databases.leader();
      const standby = databases.other(primary);
      databases.freeze(standby, true);
      writer.longestGapMs = 0;
      await databases.until('no redundancy', async () => !(await databases.redundant()));
      await grows(databases, writer);
      expect(writer.longestGapMs).toBeLessThan(FAILOVER_MS);
      // The standby wakes without what was acknowledged meanwhile; until it has that it must not lead.
      databases.seat(standby).peerLink!.silence(true);
      databases.freeze(standby, false);
      await databases.killNode(primary);
      await pause(1_500);
      expect(await rowsOf(databases, standby, 'select pg_is_in_recovery() as standby')).toEqual([{ standby: true }]);
      databases.seat(standby).peerLink!.silence(false);
      databases.startNode(primary);
      await databases.until('redundant again', () => databases.redundant());
      expect(await databases.leader()).toBe(primary);
      expect(await writer.lost()).toEqual([]);
    });

    it('takes a standby off the list that streams no more, and puts it back', async () => {
      const { databases, writer } = await begin();
      const standby = databases.other(await databases.leader());
      writer.longestGapMs = 0;
      databases.seat(standby).peerLink!.silence(true);
      await databases.until('no redundancy', async () => !(await databases.redundant()));
      await grows(databases, writer);
      expect(writer.longestGapMs).toBeLessThan(FAILOVER_MS);
      databases.seat(standby).peerLink!.silence(false);
      await databases.until('redundant again', () => databases.redundant());
      expect(await writer.lost()).toEqual([]);
    });

    it('a restarted witness changes nothing, and a server without its supervisor is ended by the next', async () => {
      const { databases, writer } = await begin();
      const primary = await databases.leader();
      await databases.stopWitness();
      await grows(databases, writer);
      await databases.startWitness(databases.witnessPort);
      expect(await databases.leader()).toBe(primary);
      await databases.killSupervisor(primary);
      const standby = databases.other(primary);
      await databases.until('the standby leads', async () => (await databases.leader()) === standby);
      expect(await rowsOf(databases, primary, 'select pg_is_in_recovery() as standby')).toEqual([{ standby: false }]);
      databases.startNode(primary);
      await databases.until('redundant again', () => databases.redundant());
      expect(await rowsOf(databases, primary, 'select pg_is_in_recovery() as standby')).toEqual([{ standby: true }]);
      expect(await writer.lost()).toEqual([]);
    });

    it('with early-ack and the replication link held back loses acknowledged writes', async () => {
      const { databases, writer } = await begin('early-ack');
      const primary = await databases.leader();
      databases.seat(databases.other(primary)).peerLink!.silence(true);
      await grows(databases, writer);
      await databases.killNode(primary);
      await databases.until('the standby leads', async () => (await databases.leader()) !== primary);
      expect((await writer.lost()).length).toBeGreaterThan(0);
    });

    it('with no-promotion nobody leads until the dead primary is back', async () => {
      const { databases, writer } = await begin('no-promotion');
      const primary = await databases.leader();
      await databases.killNode(primary);
      await pause(1_500);
      const before = writer.acknowledged.size;
      await pause(500);
      expect(writer.acknowledged.size).toBe(before);
      databases.startNode(primary);
      await databases.until('redundant again', () => databases.redundant());
      expect(await databases.leader()).toBe(primary);
      expect(await writer.lost()).toEqual([]);
    });
  },
);
