/** Of a longer key so many characters are looked at to find its place; all of them to tell whether it is there. */
const LOOKED_AT = 64;

/**
 * A cache of about `size` entries in constant memory. Each key has two places; the one that was not used last gives way.
 * A table of the runtime's own costs several times as much to ask, and to fill.
 */
export class BoundedCache<V> {
  readonly #places: number;
  readonly #keys: (string | undefined)[];
  readonly #values: (V | undefined)[];

  constructor(size: number) {
    const length = 2 ** Math.ceil(Math.log2(Math.max(2, size)));
    this.#places = length - 2;
    this.#keys = new Array<string | undefined>(length).fill(undefined);
    this.#values = new Array<V | undefined>(length).fill(undefined);
  }

  get(key: string): V | undefined {
    const first = placeOf(key) & this.#places;
    if (this.#keys[first] === key) return this.#values[first];
    if (this.#keys[first + 1] !== key) return undefined;
    const value = this.#values[first + 1];
    this.#keys[first + 1] = this.#keys[first];
    this.#values[first + 1] = this.#values[first];
    this.#keys[first] = key;
    this.#values[first] = value;
    return value;
  }

  set(key: string, value: V): void {
    const first = placeOf(key) & this.#places;
    if (this.#keys[first] !== key) {
      this.#keys[first + 1] = this.#keys[first];
      this.#values[first + 1] = this.#values[first];
    }
    this.#keys[first] = ownCopy(key);
    this.#values[first] = value;
  }
}

function placeOf(key: string): number {
  const step = Math.max(1, Math.floor(key.length / LOOKED_AT));
  let hash = key.length;
  for (let at = 0; at < key.length; at += step) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
}

/** A piece of a string keeps the whole alive, which for a line is a quarter of a megabyte of the file it came from. */
function ownCopy(text: string): string {
  return ` ${text}`.slice(1);
}
