import { isIPv4, isIPv6 } from 'node:net';

interface Range {
  bits: bigint;
  prefix: number;
}

/**
 * Every address of IPv4 and IPv6 except the given ones, as few CIDR ranges. `allowed` are addresses or ranges, e.g.
 * `127.0.0.0/8`.
 */
export function rangesExcept(allowed: readonly string[]): string[] {
  const v4 = allowed.filter((range) => isIPv4(range.split('/')[0]!)).map((range) => parse(range, 32));
  const v6 = allowed.filter((range) => isIPv6(range.split('/')[0]!)).map((range) => parse(range, 128));
  return [...complement({ bits: 0n, prefix: 0 }, v4, 32), ...complement({ bits: 0n, prefix: 0 }, v6, 128)];
}

function complement(range: Range, allowed: readonly Range[], width: 32 | 128): string[] {
  const inside = allowed.filter((one) => overlaps(one, range, width));
  if (inside.length === 0) return [text(range, width)];
  if (inside.some((one) => one.prefix <= range.prefix)) return [];
  const prefix = range.prefix + 1;
  const upper = range.bits | (1n << BigInt(width - prefix));
  return [range.bits, upper].flatMap((bits) => complement({ bits, prefix }, inside, width));
}

function overlaps(a: Range, b: Range, width: number): boolean {
  const shift = BigInt(width - Math.min(a.prefix, b.prefix));
  return a.bits >> shift === b.bits >> shift;
}

function parse(range: string, width: 32 | 128): Range {
  const [address, prefix = String(width)] = range.split('/');
  const bits = width === 32 ? bitsOf4(address!) : bitsOf6(address!);
  const shift = BigInt(width - Number(prefix));
  return { bits: (bits >> shift) << shift, prefix: Number(prefix) };
}

const bitsOf4 = (address: string): bigint =>
  address.split('.').reduce((bits, part) => (bits << 8n) | BigInt(Number(part)), 0n);

function bitsOf6(address: string): bigint {
  const [head = '', tail] = address.split('%')[0]!.split('::');
  const words = (side: string): string[] => (side === '' ? [] : side.split(':')).flatMap(wordsOf);
  const [before, after] = [words(head), words(tail ?? '')];
  const zeros = tail === undefined ? [] : Array<string>(8 - before.length - after.length).fill('0');
  return [...before, ...zeros, ...after].reduce((bits, word) => (bits << 16n) | BigInt(Number.parseInt(word, 16)), 0n);
}

/** The last two words of an address may be written as IPv4. */
function wordsOf(part: string): string[] {
  if (!part.includes('.')) return [part];
  const bits = bitsOf4(part);
  return [(bits >> 16n).toString(16), (bits & 0xffffn).toString(16)];
}

function text({ bits, prefix }: Range, width: 32 | 128): string {
  const parts = width === 32 ? 4 : 8;
  const size = BigInt(width / parts);
  const all = Array.from(
    { length: parts },
    (_, index) => (bits >> (size * BigInt(parts - 1 - index))) & ((1n << size) - 1n),
  );
  return `${all.map((part) => part.toString(width === 32 ? 10 : 16)).join(width === 32 ? '.' : ':')}/${prefix}`;
}
