import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DeadlineList, type HasDeadline } from './deadline-list.ts';

class Item implements HasDeadline {
  deadlineMs: number;
  earlier: HasDeadline | undefined;
  later: HasDeadline | undefined;
  listed = false;

  readonly #list: DeadlineList<Item>;

  constructor(list: DeadlineList<Item>, deadlineMs: number) {
    this.#list = list;
    this.deadlineMs = deadlineMs;
  }

  expire(): void {
    this.#list.remove(this);
  }
}

it('has the soonest first, whatever is put in and taken out', () => {
  const moves = fc.array(
    fc.oneof(fc.record({ add: fc.integer({ min: 0, max: 50 }) }), fc.record({ remove: fc.nat(100) })),
  );
  fc.assert(
    fc.property(moves, (all) => {
      const list = new DeadlineList<Item>();
      const known: Item[] = [];
      for (const move of all) {
        if ('add' in move) {
          const item = new Item(list, move.add);
          known.push(item);
          list.add(item);
        } else if (known.length > 0) list.remove(known[move.remove % known.length]!);
        const listed = known.filter((item) => item.listed);
        const soonest = listed.length === 0 ? undefined : Math.min(...listed.map((item) => item.deadlineMs));
        expect(list.first?.deadlineMs).toBe(soonest);
      }
      list.expireUntil(25);
      expect(list.first === undefined || list.first.deadlineMs > 25).toBe(true);
      expect(known.some((item) => item.listed && item.deadlineMs <= 25)).toBe(false);
      const order: Item[] = [];
      for (let first = list.first; first !== undefined; first = list.first) {
        order.push(first);
        list.remove(first);
      }
      // Equal deadlines in the order of entry.
      const expected = known.filter((item) => order.includes(item)).sort((a, b) => a.deadlineMs - b.deadlineMs);
      expect(order).toEqual(expected);
      expect(known.some((item) => item.listed)).toBe(false);
    }),
  );
});
