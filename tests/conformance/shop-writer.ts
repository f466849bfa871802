import { setTimeout as pause } from 'node:timers/promises';
import { openStore, type Store } from '../../fixtures/services/shop/store.ts';
import type { ShopDatabases } from './shop-databases.ts';

const EVERY_MS = 20;
let writers = 0;

/** Writes 50 rows a second through the shop's store, each by its key until it is acknowledged, and notes what happens. */
export class ShopWriter {
  readonly store: Store;
  readonly acknowledged = new Set<string>();
  readonly failures = new Map<string, number>();
  /** The longest time in which nothing was acknowledged, since it was last reset. */
  longestGapMs = 0;
  #lastMs = performance.now();
  readonly #name = `writer${writers++}`;
  #count = 0;
  #on = true;
  readonly #working: Promise<void>;
  readonly #pending = new Set<Promise<void>>();

  constructor(databases: ShopDatabases, weakness = '') {
    Object.assign(process.env, databases.storeEnv(), { SHOP_WEAKNESS: weakness });
    const witnessUrl = `http://127.0.0.1:${databases.witnessPort}`;
    this.store = openStore({ urlVariable: 'TRADE_DB', witnessUrl, name: 'trade-db' });
    this.#working = this.#work();
  }

  /** Ends the writing, waits for what is pending, and returns which acknowledged keys the store does not have. */
  async lost(): Promise<string[]> {
    this.#on = false;
    await this.#working;
    await Promise.all(this.#pending);
    const { rows } = await this.store.transaction(5_000, (query) => query('select key from mark'));
    const kept = new Set(rows.map(({ key }) => String(key)));
    return [...this.acknowledged].filter((key) => !kept.has(key));
  }

  async close(): Promise<void> {
    this.#on = false;
    await this.#working;
    await this.store.close();
    await Promise.all(this.#pending);
  }

  async #work(): Promise<void> {
    while (this.#on) {
      const writing = this.#write(`${this.#name}-${this.#count++}`);
      this.#pending.add(writing);
      void writing.finally(() => this.#pending.delete(writing));
      await pause(EVERY_MS);
    }
  }

  async #write(key: string): Promise<void> {
    const deadlineMs = performance.now() + 30_000;
    do {
      try {
        await this.store.transaction(1_000, (query) =>
          query('insert into mark (key) values ($1) on conflict (key) do nothing', [key]),
        );
        this.acknowledged.add(key);
        const nowMs = performance.now();
        this.longestGapMs = Math.max(this.longestGapMs, nowMs - this.#lastMs);
        this.#lastMs = nowMs;
        return;
      } catch (error) {
        const name = error instanceof Error ? error.name : String(error);
        this.failures.set(name, (this.failures.get(name) ?? 0) + 1);
        await pause(EVERY_MS);
      }
    } while (this.#on && performance.now() < deadlineMs);
  }
}
