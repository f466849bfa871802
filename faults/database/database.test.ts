import { describe, expect, test } from 'vitest';
import type { Effect } from '../../harness/spi/fault.ts';
import type { JsonObject } from '../../harness/spi/json.ts';
import type { Target } from '../../harness/spi/plan.ts';
import type { LinkSpec, NodeSpec, Topology } from '../../harness/spi/topology.ts';
import { FAULTS } from '../catalogue.ts';

const member = (of: string, idc: string, firstRole: 'primary' | 'standby'): NodeSpec => ({
  id: `${of}-${idc}`,
  kind: 'store',
  of,
  idc,
  ports: ['sql', 'control'],
  firstRole,
});
const link = (from: string, to: string, why: LinkSpec['why'] = 'call'): LinkSpec => ({
  id: `${from}>${to}:sql`,
  from,
  to,
  port: 'sql',
  why,
});
const topology: Topology = {
  idcs: ['a', 'b'],
  edge: [],
  nodes: [
    { id: 'pay-a', kind: 'service', of: 'pay', idc: 'a', ports: ['http'] },
    member('db', 'a', 'primary'),
    member('db', 'b', 'standby'),
    member('log', 'a', 'primary'),
  ],
  links: [
    link('pay-a', 'db-a'),
    link('pay-a', 'db-b'),
    link('pay-a', 'log-a'),
    link('db-b', 'db-a', 'replication'),
    link('db-a', 'db-b', 'replication'),
  ],
};
const primary = { store: 'db', role: 'primary' } as const;
const standby = { store: 'db', role: 'standby' } as const;

function faultOf(kind: string) {
  const fault = FAULTS.find((one) => one.kind === kind);
  if (fault === undefined) throw new Error(`there is no ${kind}`);
  return fault;
}

function effects(kind: string, target: Target, params: JsonObject = {}): Effect[] {
  const fault = faultOf(kind);
  const parsed = fault.params.parse(params);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return fault.effects(parsed.value, target, topology);
}

function issues(kind: string, params: JsonObject): string[] {
  const parsed = faultOf(kind).params.parse(params);
  return parsed.ok ? [] : parsed.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('faults on a store', () => {
  test.each([
    ['database.primary-hang', primary, {}, 'node.paused', 'node.frozen', 'store.redundant'],
    ['database.standby-loss', standby, {}, 'node.killed', 'node.down', 'store.redundant'],
    ['database.read-only', primary, {}, 'store.setting', 'store.writable', 'store.writable'],
    [
      'database.replication-lag',
      standby,
      { lag: '2s' },
      'store.setting',
      'store.replication-lag',
      'store.replication-lag',
    ],
    ['database.lock-storm', primary, {}, 'store.locked', 'store.lock-wait', 'store.lock-wait'],
    ['database.deadlocks', primary, { rate: '2/s' }, 'store.deadlocks', 'store.deadlock-rate', 'store.deadlock-rate'],
    ['database.connection-exhaustion', standby, {}, 'store.connections-held', 'store.connects', 'store.connects'],
    ['database.slow-queries', primary, { factor: 3 }, 'store.burdened', 'store.query-time', 'store.query-time'],
  ] as const)(
    '%s stays symbolic and counts every member it might touch',
    (kind, target, params, effect, bite, heal) => {
      expect(effects(kind, target, params)).toMatchObject([
        { kind: effect, on: target, touches: { nodes: ['db-a', 'db-b'] }, bite: { kind: bite }, heal: { kind: heal } },
      ]);
    },
  );

  test.each([
    ['database.primary-hang', standby],
    ['database.standby-loss', primary],
    ['database.read-only', standby],
    ['database.replication-lag', primary],
    ['database.lock-storm', standby],
    ['database.deadlocks', standby],
    ['database.lost-shard', { store: 'pay', role: 'primary' }],
    ['database.cold-restart', { node: 'db-a' }],
  ] as const)('%s refuses %j', (kind, target) => {
    const params: JsonObject =
      kind === 'database.replication-lag' ? { lag: '1s' } : kind === 'database.deadlocks' ? { rate: '1/s' } : {};
    expect(() => effects(kind, target, params)).toThrow(expect.objectContaining({ code: 'FAULT_TARGET_EMPTY' }));
  });

  test('what is asked is what the probe compares with', () => {
    expect(effects('database.replication-lag', standby, { lag: '1.5s' })).toMatchObject([
      { args: { setting: 'recovery_min_apply_delay', value: '1500ms' }, bite: { args: { lagMs: 1500 } } },
    ]);
    expect(effects('database.deadlocks', primary, { rate: '120/m' })).toMatchObject([
      { args: { perSecond: 2 }, bite: { args: { perSecond: 2 } }, heal: { args: { perSecond: 0 } } },
    ]);
    expect(effects('database.lock-storm', primary, { tables: ['orders'], rows: 'id = 1' })).toMatchObject([
      {
        args: { tables: ['orders'], rows: 'id = 1' },
        bite: { args: { waits: true, tables: ['orders'], rows: 'id = 1' } },
        heal: { args: { waits: false, tables: ['orders'], rows: 'id = 1' } },
      },
    ]);
    const [slow] = effects('database.slow-queries', primary, { factor: 3 });
    expect(slow).toMatchObject({ bite: { args: { factor: 3 } }, heal: { args: { below: 2 } } });
    expect(slow!.bite.args.query).toBe(slow!.args.query);
  });

  test('a lost shard is cut off from all others, replication inside left alone, or killed whole', () => {
    const cut = effects('database.lost-shard', primary);
    expect(cut.map(({ on }) => on)).toEqual([{ link: 'pay-a>db-a:sql' }, { link: 'pay-a>db-b:sql' }]);
    expect(new Set(cut.map(({ kind }) => kind))).toEqual(new Set(['link.black-hole']));
    expect(cut[0]!.touches.nodes).toEqual(['db-a', 'db-b']);
    const kill = effects('database.lost-shard', primary, { by: 'kill' });
    expect(kill.map(({ kind, on }) => [kind, on])).toEqual([
      ['node.killed', { node: 'db-a' }],
      ['node.killed', { node: 'db-b' }],
    ]);
    expect(kill.map(({ heal }) => heal.kind)).toEqual(['store.redundant', 'store.redundant']);
  });

  test('a single member that comes back must take sessions, and a cold one must have been started', () => {
    const log = { store: 'log', role: 'primary' } as const;
    expect(effects('database.primary-kill', log)[0]!.heal).toMatchObject({ kind: 'store.connects', on: log });
    expect(effects('database.lost-shard', log, { by: 'kill' })[0]!.heal.on).toEqual({ node: 'log-a' });
    expect(effects('database.cold-restart', log)[0]!.heal).toMatchObject({ kind: 'store.cold', on: { node: 'log-a' } });
    expect(effects('database.cold-restart', primary).map(({ heal }) => heal.kind)).toEqual([
      'store.redundant',
      'store.redundant',
    ]);
  });
});

describe('parameters', () => {
  test.each([
    ['database.replication-lag', { lag: '100ms' }, 'lag: expected 500ms to 1h'],
    ['database.replication-lag', { lag: '2h' }, 'lag: expected 500ms to 1h'],
    ['database.replication-lag', { lag: 5 }, 'lag: expected a duration with its unit'],
    ['database.deadlocks', { rate: '50/s' }, 'rate: expected 1/s to 20/s'],
    ['database.lock-storm', { tables: ['a'], busiest: 2 }, 'busiest: expected either tables or busiest'],
    ['database.lock-storm', { tables: [] }, 'tables: '],
    ['database.slow-queries', { factor: 1 }, 'factor: '],
    ['database.slow-queries', {}, 'factor: "factor" is missing'],
    ['database.lost-shard', { by: 'prayer' }, 'by: '],
    ['database.read-only', { forever: true }, 'forever: unknown key'],
  ])('%s with %j says what was expected', (kind, params, message) => {
    expect(issues(kind, params as JsonObject)).toEqual([expect.stringContaining(message)]);
  });
});
