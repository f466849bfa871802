/** A cache of at most twice `size` entries: the older half is forgotten when the newer one is full; what is used stays. */
export class BoundedCache<V> {
  readonly #size: number;
  #young = new Map<string, V>();
  #old = new Map<string, V>();

  constructor(size: number) {
    this.#size = size;
  }

  get(key: string): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.#put(key, old);
    return old;
  }

  set(key: string, value: V): void {
    this.#put(ownCopy(key), value);
  }

  #put(key: string, value: V): void {
    if (this.#young.size >= this.#size) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }
}

/** A piece of a string keeps the whole alive, which for a line is a quarter of a megabyte of the file it came from. */
function ownCopy(text: string): string {
  return ` ${text}`.slice(1);
}
