/** What may stand in a `DeadlineList`: it carries its own place in it. */
export interface HasDeadline {
  deadlineMs: number;
  earlier: HasDeadline | undefined;
  later: HasDeadline | undefined;
  listed: boolean;
  /** Its deadline has come; takes it out of the list. */
  expire(): void;
}

/**
 * Requests in flight by deadline, soonest first. Deadlines come nearly in order, so putting one in and taking it out cost
 * next to nothing, and one that was met leaves nothing behind.
 */
export class DeadlineList<T extends HasDeadline> {
  #first: T | undefined;
  #last: T | undefined;

  get first(): T | undefined {
    return this.#first;
  }

  add(item: T): void {
    let before = this.#last;
    while (before !== undefined && before.deadlineMs > item.deadlineMs) before = before.earlier as T | undefined;
    const after = before === undefined ? this.#first : (before.later as T | undefined);
    item.earlier = before;
    item.later = after;
    if (before === undefined) this.#first = item;
    else before.later = item;
    if (after === undefined) this.#last = item;
    else after.earlier = item;
    item.listed = true;
  }

  /** Expires all whose deadline has come by `ms`, soonest first. */
  expireUntil(ms: number): void {
    for (let first = this.#first; first !== undefined && first.deadlineMs <= ms; first = this.#first) first.expire();
  }

  /** Nothing happens to one that is not in it. */
  remove(item: T): void {
    if (!item.listed) return;
    item.listed = false;
    const earlier = item.earlier as T | undefined;
    const later = item.later as T | undefined;
    if (earlier === undefined) this.#first = later;
    else earlier.later = later;
    if (later === undefined) this.#last = earlier;
    else later.earlier = earlier;
    item.earlier = undefined;
    item.later = undefined;
  }
}
