import { expect, test } from 'vitest';
import type { Effect } from '../../harness/spi/fault.ts';
import { nftablesDriver } from './nftables.ts';
import { deleteTable, packetTable } from './nftables-rules.ts';

test('a share of the packets of one port, both ways, for as long as the lease', () => {
  const rules = { port: 21_000, upstream: true, downstream: true, share: 0.125 };
  expect(packetTable('seawall_r_1', rules, 59_001)).toBe(
    [
      'table inet seawall_r_1 {',
      'set lease { type inet_service; flags timeout; elements = { 21000 timeout 60s }; }',
      'chain input { type filter hook input priority filter; policy accept; tcp dport @lease numgen random mod 10000 < 1250 counter drop; }',
      'chain output { type filter hook output priority filter; policy accept; tcp sport @lease numgen random mod 10000 < 1250 counter drop; }',
      '}',
    ].join('\n'),
  );
});

test('all packets need no chance, and one stream has one chain', () => {
  const up = packetTable('t', { port: 1, upstream: true, downstream: false, share: 1 }, 1000);
  expect(up).not.toContain('numgen');
  expect(up).not.toContain('chain output');
  expect(packetTable('t', { port: 1, upstream: false, downstream: true, share: 1 }, 1000)).not.toContain('chain input');
});

test('a table is deleted by its whole name and nothing else is touched', () => {
  expect(deleteTable('seawall_r_1').match(/delete [^\n]*/g)).toEqual(['delete table inet seawall_r_1']);
});

test('packet faults are refused with reason and hint where there are no packets to be had', () => {
  const effect = { kind: 'link.loss' } as Effect;
  const on = (runtime: string, powers: string[]) =>
    nftablesDriver.accepts(effect, { runtime, powers, proxy: undefined, versions: {} });
  expect(on('local', ['link.toxics'])).toMatchObject({
    ok: false,
    hint: expect.stringContaining('--runtime containers'),
  });
  expect(on('containers', [])).toMatchObject({
    ok: false,
    hint: expect.stringContaining('node ci/images.ts nftables'),
  });
  expect(on('containers', ['link.packets'])).toMatchObject({ ok: true });
});
