import { expect, test } from 'vitest';
import type { Effect, PrepareContext } from '../../harness/spi/fault.ts';
import type { Environment, Node } from '../../harness/spi/runtime.ts';
import { processDriver } from './process.ts';

const log: string[] = [];
const context: PrepareContext = {
  runId: 'run',
  signal: AbortSignal.timeout(5000),
  record: async () => undefined,
  expiresAtMs: 0,
  logs: '/',
};

function member(id: string, role: 'primary' | 'standby' | 'unknown', runtime = 'local'): Node {
  return {
    spec: { id, kind: 'store', of: 'db', idc: id, ports: ['sql'] },
    restartSpec: () => ({ runtime, process: { nodeId: id } }),
    life: { kill: async () => void log.push(`kill ${id}`), start: async () => undefined, alive: async () => true },
    store: { engine: 'postgres', role: async () => role, query: async () => [] },
  };
}

function environment(...nodes: Node[]): Environment {
  return {
    runtime: 'local',
    owner: 'run',
    nodes: new Map(nodes.map((node) => [node.spec.id, node])),
  } as unknown as Environment;
}

function killed(on: Effect['on']): Effect {
  const expectation = { kind: 'node.down', on, args: {} };
  return {
    kind: 'node.killed',
    on,
    args: {},
    mode: 'once',
    undo: 'restart',
    touches: { nodes: [] },
    bite: expectation,
    heal: expectation,
  };
}
const primary = killed({ store: 'db', role: 'primary' });

test('a role is whoever has it when the fault is prepared, and the undo is all a cold process needs', async () => {
  const undo = await processDriver.prepare(
    primary,
    environment(member('a', 'standby'), member('b', 'primary')),
    context,
  );
  expect(undo).toEqual({
    driver: 'process',
    owner: 'run',
    on: { node: 'b' },
    state: { runtime: 'local', process: { nodeId: 'b' } },
  });
  await processDriver.apply(undo, context);
  expect(log).toEqual(['kill b']);
});

test.each([
  ['nobody', [member('a', 'standby'), member('b', 'unknown')], 'db has no primary now: a is standby, b is unknown'],
  ['two', [member('a', 'primary'), member('b', 'primary')], 'db has more than one primary now'],
  ['no store', [], 'db has no primary now: no member'],
])('a role that %s has is an error that says what was seen', async (_who, nodes, message) => {
  await expect(processDriver.prepare(primary, environment(...nodes), context)).rejects.toMatchObject({
    code: 'FAULT_TARGET_EMPTY',
    message: expect.stringContaining(message),
  });
});

test('a node that is not there and a runtime without means are errors before anything is done', async () => {
  const none = processDriver.prepare(killed({ node: 'z' }), environment(), context);
  await expect(none).rejects.toMatchObject({ code: 'FAULT_TARGET_EMPTY' });
  const foreign = processDriver.prepare(primary, environment(member('a', 'primary', 'moon')), context);
  await expect(foreign).rejects.toMatchObject({ code: 'FAULT_UNSUPPORTED' });
});

test('accepts killing where nodes can be ended and started, and nothing else', () => {
  const able = { runtime: 'local', powers: ['node.kill', 'node.start'], proxy: undefined, versions: {} };
  expect(processDriver.accepts(primary, able)).toEqual({ ok: true });
  expect(processDriver.accepts(primary, { ...able, powers: [] })).toMatchObject({ ok: false });
  expect(processDriver.accepts({ ...primary, kind: 'link.latency' }, able)).toBeUndefined();
});
