import { describe, expect, test } from 'vitest';
import { HarnessError } from '../../harness/core/errors.ts';
import type { Effect } from '../../harness/spi/fault.ts';
import type { JsonObject } from '../../harness/spi/json.ts';
import type { Target } from '../../harness/spi/plan.ts';
import type { Topology } from '../../harness/spi/topology.ts';
import { FAULTS } from '../catalogue.ts';

/** Five peers that all call each other, in two IDCs. */
const PEERS = ['p1', 'p2', 'p3', 'p4', 'p5'];
const topology: Topology = {
  idcs: ['a', 'b'],
  edge: [],
  nodes: PEERS.map((id, at) => ({ id, kind: 'service', of: id, idc: at < 3 ? 'a' : 'b', ports: ['http'] })),
  links: PEERS.flatMap((from) =>
    PEERS.filter((to) => to !== from).map((to) => ({ id: `${from}>${to}`, from, to, port: 'http', why: 'call' })),
  ),
};
const LINK: Target = { link: { from: ['p1'], to: ['b'] } };

const faultOf = (kind: string) => FAULTS.find((fault) => fault.kind === kind)!;

function effects(kind: string, params: JsonObject, target: Target = LINK, of = topology): Effect[] {
  const parsed = faultOf(kind).params.parse(params);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return faultOf(kind).effects(parsed.value, target, of);
}

const NETWORK = FAULTS.filter(({ kind }) => kind.startsWith('network.'));

/** What is asked of each fault on links, and the effect and probes that answer to it. */
const ASKED: [string, JsonObject, Partial<Effect>][] = [
  [
    'network.bandwidth',
    { rate: '1Mbit/s' },
    {
      kind: 'link.bandwidth',
      args: { rateKBps: 125, stream: 'both' },
      bite: { kind: 'link.throughput', on: { link: 'p1>p4' }, args: { bytesPerSecond: 125_000, stream: 'both' } },
    },
  ],
  [
    'network.slicer',
    { size: '64B', delay: '10ms' },
    { kind: 'link.slicer', args: { sizeBytes: 64, variationBytes: 0, delayMs: 10, stream: 'downstream' } },
  ],
  ['network.reset', {}, { kind: 'link.reset', args: { afterMs: 0 } }],
  ['network.timeout', { after: '1s' }, { kind: 'link.timeout', args: { afterMs: 1000 } }],
  ['network.black-hole', { stream: 'upstream' }, { kind: 'link.black-hole', args: { stream: 'upstream' } }],
  ['network.limit-data', { bytes: '1KB' }, { kind: 'link.limit-data', args: { bytes: 1000, stream: 'downstream' } }],
  ['network.refuse', {}, { kind: 'link.down', args: {} }],
  ['network.slow-close', { delay: '1s' }, { kind: 'link.slow-close', args: { delayMs: 1000, stream: 'downstream' } }],
  [
    'network.loss',
    { share: '10%' },
    {
      kind: 'link.loss',
      args: { share: 0.1, stream: 'both' },
      bite: { kind: 'link.lost', on: { link: 'p1>p4' }, args: { share: 0.1, ways: 2 } },
    },
  ],
  [
    'network.flapping',
    { up: '300ms', down: '200ms' },
    { kind: 'link.flapping', args: { upMs: 300, downMs: 200 }, mode: 'acting' },
  ],
  [
    'network.partition',
    { layer: 'packet', oneWay: true },
    { kind: 'link.packet-drop', args: { stream: 'downstream' } },
  ],
];

test.each(ASKED)('%s %j acts on each link named, touches its ends, and is measured there', (kind, params, wanted) => {
  const list = effects(kind, params);
  expect(list.map(({ on }) => on)).toEqual([{ link: 'p1>p4' }, { link: 'p1>p5' }]);
  expect(list[0]).toMatchObject({ mode: 'held', undo: 'revert', touches: { nodes: ['p1', 'p4'] }, ...wanted });
  expect([list[1]!.bite.on, list[1]!.heal.on]).toEqual([{ link: 'p1>p5' }, { link: 'p1>p5' }]);
});

test('every fault of the family is asked above or by itself', () => {
  const asked = [...ASKED.map(([kind]) => kind), 'network.latency'];
  expect(NETWORK.map(({ kind }) => kind).toSorted()).toEqual([...new Set(asked)].toSorted());
});

test.each(NETWORK)('$kind refuses a target that is no link, and one where no link leads', (fault) => {
  const params = ASKED.find(([kind]) => kind === fault.kind)?.[1] ?? { delay: '10ms' };
  expect(() => effects(fault.kind, params, { idc: 'a' })).toThrow(HarnessError);
  expect(() => effects(fault.kind, params, LINK, { ...topology, links: [] })).toThrow(HarnessError);
});

test.each<[string, JsonObject, string[]]>([
  ['network.bandwidth', {}, ['rate']],
  ['network.bandwidth', { rate: '1KB/s' }, ['rate']],
  ['network.bandwidth', { rate: '1GB/s' }, ['rate']],
  ['network.bandwidth', { rate: '33kbit/s' }, ['rate']],
  ['network.slicer', { size: '1B', delay: '10ms' }, ['size']],
  ['network.slicer', { size: '64B', delay: '1ms' }, ['delay']],
  ['network.slicer', { size: '64B', variation: '64B', delay: '10ms' }, ['variation']],
  ['network.reset', { after: '10s' }, ['after']],
  ['network.timeout', { after: '10ms' }, ['after']],
  ['network.limit-data', { bytes: '10B' }, ['bytes']],
  ['network.limit-data', { bytes: '1KB', stream: 'both' }, ['stream']],
  ['network.refuse', { share: '10%' }, ['share']],
  ['network.slow-close', { delay: '10s' }, ['delay']],
  ['network.loss', { share: '1%' }, ['share']],
  ['network.loss', { share: '100%' }, ['share']],
  ['network.flapping', { up: '100ms', down: '300ms' }, ['up']],
  ['network.flapping', { up: '1s', down: '1s' }, ['down']],
  ['network.partition', { shape: 'majority-ring', oneWay: true }, ['oneWay']],
  ['network.partition', { layer: 'frames' }, ['layer']],
])('%s refuses %j', (kind, params, path) => {
  expect(faultOf(kind).params.parse(params)).toMatchObject({ ok: false, issues: [{ path }] });
});

describe('a majority ring', () => {
  const ring = (from: string[], to: string[], layer = 'bytes') =>
    effects('network.partition', { shape: 'majority-ring', layer }, { link: { from, to } });

  test('five peers hear their neighbours: each loses two of the others, both ways', () => {
    const cut = ring(['p1', 'p2', 'p3'], ['p4', 'p5']);
    const ids = cut.map(({ on }) => ('link' in on ? on.link : ''));
    expect(ids.filter((id) => id.startsWith('p1>'))).toEqual(['p1>p3', 'p1>p4']);
    expect(ids).toHaveLength(10);
    expect(cut.every(({ args }) => args.stream === 'both')).toBe(true);
  });

  test('of three, each is heard by one and hears the other: one stream a link', () => {
    const cut = ring(['p1', 'p2', 'p3'], ['p1'], 'packet');
    const lost = Object.fromEntries(cut.map(({ on, args }) => ['link' in on ? on.link : '', args.stream]));
    expect(cut[0]!.kind).toBe('link.packet-drop');
    // p1 hears p2, p2 hears p3, p3 hears p1.
    expect(lost).toEqual({
      'p1>p2': 'upstream',
      'p1>p3': 'downstream',
      'p2>p1': 'downstream',
      'p2>p3': 'upstream',
      'p3>p1': 'upstream',
      'p3>p2': 'downstream',
    });
  });

  test('two are no ring', () => {
    expect(() => ring(['p1'], ['p2'])).toThrow(/majority ring of p1, p2/);
  });
});
