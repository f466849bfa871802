import { BlockList } from 'node:net';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { rangesExcept } from './address-ranges.ts';

function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address, prefix] = range.split('/');
    list.addSubnet(address!, Number(prefix), address!.includes(':') ? 'ipv6' : 'ipv4');
  }
  return list;
}

it('covers every address but those that are allowed', () => {
  const refused = rangesExcept(['127.0.0.0/8', '::1', '10.1.2.3']);
  // Apart: Node's list looks for an address of IPv4 among ranges of IPv6, too.
  const list = listOf(refused.filter((range) => !range.includes(':')));
  const wide = listOf(refused.filter((range) => range.includes(':')));
  for (const address of ['127.0.0.1', '127.255.255.255', '10.1.2.3']) expect(list.check(address)).toBe(false);
  for (const address of ['126.255.255.255', '128.0.0.0', '10.1.2.2', '10.1.2.4', '0.0.0.0', '255.255.255.255']) {
    expect(list.check(address)).toBe(true);
  }
  expect(wide.check('::1', 'ipv6')).toBe(false);
  for (const address of ['::', '::2', '2001:db8::1', 'ffff::']) expect(wide.check(address, 'ipv6')).toBe(true);
  expect(refused.length).toBeLessThan(8 + 32 + 129);
});

it('lets any one address through and nothing beside it', () => {
  fc.assert(
    fc.property(fc.ipV4(), fc.ipV4(), (allowed, other) => {
      const list = listOf(rangesExcept([allowed]).filter((range) => !range.includes(':')));
      expect(list.check(allowed)).toBe(false);
      expect(list.check(other)).toBe(other !== allowed);
    }),
  );
});

it('refuses everything where nothing is allowed', () => {
  expect(rangesExcept([])).toEqual(['0.0.0.0/0', '0:0:0:0:0:0:0:0/0']);
});
