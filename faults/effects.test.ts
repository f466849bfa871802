import { describe, expect, test } from 'vitest';
import { HarnessError } from '../harness/core/errors.ts';
import type { Effect } from '../harness/spi/fault.ts';
import type { JsonObject } from '../harness/spi/json.ts';
import type { Target } from '../harness/spi/plan.ts';
import type { LinkSpec, NodeSpec, Topology } from '../harness/spi/topology.ts';
import { FAULTS } from './catalogue.ts';

const service = (of: string, idc: string): NodeSpec => ({
  id: `${of}-${idc}`,
  kind: 'service',
  of,
  idc,
  ports: ['http'],
});
const member = (of: string, idc: string, firstRole: 'primary' | 'standby'): NodeSpec => ({
  id: `${of}-${idc}`,
  kind: 'store',
  of,
  idc,
  ports: ['sql'],
  firstRole,
});
const link = (from: string, to: string, port: LinkSpec['port'] = 'http'): LinkSpec => ({
  id: `${from}>${to}${port === 'http' ? '' : `:${port}`}`,
  from,
  to,
  port,
  why: 'call',
});
const topology: Topology = {
  idcs: ['a', 'b', 'edge'],
  edge: ['edge'],
  nodes: [
    service('gtm', 'edge'),
    service('pay', 'a'),
    service('pay', 'b'),
    service('order', 'a'),
    member('db', 'a', 'primary'),
    member('db', 'b', 'standby'),
    member('log', 'a', 'primary'),
  ],
  links: [
    link('gtm-edge', 'pay-a'),
    link('gtm-edge', 'pay-b'),
    link('pay-a', 'order-a'),
    link('pay-a', 'db-a', 'sql'),
    link('pay-a', 'db-b', 'sql'),
    link('pay-b', 'db-a', 'sql'),
    link('db-b', 'db-a', 'sql'),
    link('db-a', 'db-b', 'sql'),
  ],
};

function effects(kind: string, target: Target, params: JsonObject = {}): Effect[] {
  const fault = FAULTS.find((found) => found.kind === kind)!;
  const parsed = fault.params.parse(params);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return fault.effects(parsed.value, target, topology);
}
const on = (list: Effect[]): string[] => list.map((effect) => Object.values(effect.on).join(' '));

test('every fault has a sentence, a schema and at least one target', () => {
  for (const fault of FAULTS) {
    expect(fault.summary).toMatch(/^[A-Z].*\.$/);
    expect(fault.params.json()).toMatchObject({ type: 'object' });
    expect(fault.targets.length).toBeGreaterThan(0);
  }
});

describe('network.latency', () => {
  test('slows the links from one side to the other, not back, and asks for exactly that', () => {
    const list = effects('network.latency', { link: { from: ['gtm'], to: ['a', 'pay'] } }, { delay: '150ms' });
    expect(on(list)).toEqual(['gtm-edge>pay-a', 'gtm-edge>pay-b']);
    expect(list[0]).toMatchObject({
      kind: 'link.latency',
      args: { delayMs: 150, jitterMs: 0, stream: 'both' },
      mode: 'held',
      undo: 'revert',
      touches: { nodes: ['gtm-edge', 'pay-a'] },
      bite: { kind: 'link.round-trip', args: { addedMs: 150, jitterMs: 0 } },
      heal: { kind: 'link.round-trip', args: { goneMs: 150 } },
    });
  });

  test.each([
    [{}, ['delay']],
    [{ delay: '0ms' }, ['delay']],
    [{ delay: '10s' }, ['delay']],
    [{ delay: '100' }, ['delay']],
    [{ delay: '10ms', jitter: '20ms' }, ['jitter']],
    [{ delay: '10ms', dealy: '1ms' }, ['dealy']],
  ])('refuses %j', (params, path) => {
    const fault = FAULTS.find(({ kind }) => kind === 'network.latency')!;
    expect(fault.params.parse(params)).toMatchObject({ ok: false, issues: [{ path }] });
  });
});

describe('network.partition', () => {
  test('silences both directions, each link once, also where calls go one way only', () => {
    expect(on(effects('network.partition', { link: { from: ['db-a'], to: ['db-b'] } }))).toEqual([
      'db-a>db-b:sql',
      'db-b>db-a:sql',
    ]);
    expect(on(effects('network.partition', { link: { from: ['order'], to: ['pay-a'] } }))).toEqual(['pay-a>order-a']);
    expect(on(effects('network.partition', { link: { from: ['a'], to: ['a'] } }))).toEqual([
      'pay-a>order-a',
      'pay-a>db-a:sql',
    ]);
  });

  test('one way loses the answers over the links from → to alone', () => {
    const list = effects('network.partition', { link: { from: ['db-a'], to: ['db-b'] } }, { oneWay: true });
    expect(on(list)).toEqual(['db-a>db-b:sql']);
    expect(list[0]).toMatchObject({ kind: 'link.black-hole', args: { stream: 'downstream' } });
  });
});

test('process.kill takes a node, a service, a service of one IDC, an IDC', () => {
  expect(on(effects('process.kill', { node: 'pay-b' }))).toEqual(['pay-b']);
  expect(on(effects('process.kill', { service: 'pay' }))).toEqual(['pay-a', 'pay-b']);
  expect(on(effects('process.kill', { service: 'pay', idc: 'a' }))).toEqual(['pay-a']);
  expect(on(effects('process.kill', { idc: 'b' }))).toEqual(['pay-b', 'db-b']);
});

test('a killed service heals when it answers, a member of a replicated store when it has a standby again', () => {
  const heal = (node: string): unknown => effects('process.kill', { node })[0]!.heal;
  expect(heal('pay-a')).toMatchObject({ kind: 'node.up', on: { node: 'pay-a' } });
  expect(heal('log-a')).toMatchObject({ kind: 'node.up', on: { node: 'log-a' } });
  expect(heal('db-b')).toMatchObject({ kind: 'store.redundant', on: { store: 'db' } });
});

test.each([
  ['process.pause', {}, 'node.paused', 'revert'],
  ['process.restart', {}, 'node.restarted', 'restart'],
  ['process.crash-loop', { every: '1s' }, 'node.crash-looping', 'restart'],
  ['host.cpu', { threads: 2, share: '50%' }, 'node.cpu-stressed', 'revert'],
  ['host.cpu-limit', { cores: 0.5 }, 'node.cpu-capped', 'revert'],
  ['host.memory', { size: '64MB' }, 'node.memory-taken', 'revert'],
  ['host.file-descriptors', { leave: 3 }, 'node.descriptors-exhausted', 'revert'],
])('%s takes nodes, services and IDCs, and touches nobody else', (kind, params, effect, undo) => {
  for (const target of [{ service: 'pay' }, { node: 'pay-a' }, { idc: 'b' }]) {
    const list = effects(kind, target, params);
    expect(on(list).length).toBeGreaterThan(0);
    for (const one of list)
      expect(one).toMatchObject({ kind: effect, undo, touches: { nodes: Object.values(one.on) } });
  }
  expect(() => effects(kind, { store: 'db', role: 'primary' }, params)).toThrow(HarnessError);
});

test.each([
  ['process.crash-loop', { every: '100ms' }, ['every']],
  ['host.cpu', { threads: 0 }, ['threads']],
  ['host.cpu', { share: '1%' }, ['share']],
  ['host.cpu-limit', {}, ['cores']],
  ['host.cpu-limit', { cores: 0 }, ['cores']],
  ['host.memory', { size: '1MB' }, ['size']],
  ['host.file-descriptors', { leave: -1 }, ['leave']],
  ['idc.isolation', { lost: 'all' }, ['lost']],
  ['idc.slow-link', { delay: '10ms', jitter: '20ms' }, ['jitter']],
])('%s refuses %j', (kind, params, path) => {
  const fault = FAULTS.find((found) => found.kind === kind)!;
  expect(fault.params.parse(params)).toMatchObject({ ok: false, issues: [{ path }] });
});

test('idc.isolation cuts the border and kills nobody; kept, the edge still reaches it', () => {
  const list = effects('idc.isolation', { idc: 'a' });
  expect(on(list)).toEqual(['gtm-edge>pay-a', 'pay-a>db-b:sql', 'pay-b>db-a:sql', 'db-b>db-a:sql', 'db-a>db-b:sql']);
  expect(new Set(list.map(({ kind }) => kind))).toEqual(new Set(['link.black-hole']));
  expect(on(effects('idc.isolation', { idc: 'a' }, { edge: 'kept' }))).not.toContain('gtm-edge>pay-a');
  expect(() => effects('idc.isolation', { idc: 'edge' })).toThrow(HarnessError);
});

test('idc.isolation one way loses requests over links that lead one way and answers over the others', () => {
  const streams = (lost: string): Record<string, unknown> =>
    Object.fromEntries(
      effects('idc.isolation', { idc: 'a' }, { lost }).map((one) => [Object.values(one.on)[0], one.args.stream]),
    );
  expect(streams('in')).toMatchObject({ 'gtm-edge>pay-a': 'upstream', 'pay-a>db-b:sql': 'downstream' });
  expect(streams('out')).toMatchObject({ 'gtm-edge>pay-a': 'downstream', 'pay-a>db-b:sql': 'upstream' });
});

test('idc.slow-link slows every link between two data centres, both ways, and none within one', () => {
  const list = effects('idc.slow-link', { link: { from: ['a'], to: ['b'] } }, { delay: '80ms' });
  expect(on(list)).toEqual(['pay-a>db-b:sql', 'db-a>db-b:sql', 'pay-b>db-a:sql', 'db-b>db-a:sql']);
  expect(list[0]).toMatchObject({ args: { delayMs: 80, stream: 'both' }, touches: { nodes: ['pay-a', 'db-b'] } });
  for (const to of ['pay', 'nowhere']) {
    expect(() => effects('idc.slow-link', { link: { from: ['a'], to: [to] } }, { delay: '80ms' })).toThrow(
      HarnessError,
    );
  }
});

test('database.primary-kill stays symbolic and counts every member it might touch', () => {
  expect(effects('database.primary-kill', { store: 'db', role: 'primary' })).toMatchObject([
    {
      kind: 'node.killed',
      on: { store: 'db', role: 'primary' },
      undo: 'restart',
      touches: { nodes: ['db-a', 'db-b'] },
      bite: { kind: 'node.down' },
      heal: { kind: 'store.redundant' },
    },
  ]);
  expect(effects('database.primary-kill', { store: 'log', role: 'primary' })[0]!.heal.kind).toBe('store.connects');
});

test('idc.blackout silences every link over the border, then kills, and touches nothing outside', () => {
  const list = effects('idc.blackout', { idc: 'a' });
  expect(on(list)).toEqual([
    'gtm-edge>pay-a',
    'pay-a>db-b:sql',
    'pay-b>db-a:sql',
    'db-b>db-a:sql',
    'db-a>db-b:sql',
    'pay-a',
    'order-a',
    'db-a',
    'log-a',
  ]);
  const kinds = list.map(({ kind }) => kind);
  expect(kinds.lastIndexOf('link.black-hole')).toBeLessThan(kinds.indexOf('node.killed'));
  expect(new Set(list.flatMap(({ touches }) => touches.nodes))).toEqual(new Set(['pay-a', 'order-a', 'db-a', 'log-a']));
});

test.each<[string, Target]>([
  ['network.latency', { link: { from: ['pay'], to: ['gtm'] } }],
  ['network.partition', { link: { from: ['order'], to: ['log'] } }],
  ['network.latency', { idc: 'a' }],
  ['process.kill', { node: 'nobody' }],
  ['process.kill', { service: 'pay', idc: 'edge' }],
  ['process.kill', { store: 'db', role: 'primary' }],
  ['database.primary-kill', { store: 'db', role: 'standby' }],
  ['database.primary-kill', { store: 'pay', role: 'primary' }],
  ['idc.blackout', { idc: 'edge' }],
  ['idc.blackout', { idc: 'nowhere' }],
])('%s refuses %j', (kind, target) => {
  const params: JsonObject = kind === 'network.latency' ? { delay: '10ms' } : {};
  expect(() => effects(kind, target, params)).toThrow(HarnessError);
});
