import { expect, test } from 'vitest';
import type { Effect } from '../../harness/spi/fault.ts';
import type { Capabilities } from '../../harness/spi/runtime.ts';
import { FAULTS } from '../catalogue.ts';
import { actorDriver } from './actor.ts';
import { sqlDriver } from './sql.ts';
import { sessionName } from './store-address.ts';

const able: Capabilities = { runtime: 'local', powers: ['store.query'], proxy: undefined, versions: {} };
const unable: Capabilities = { runtime: 'existing', powers: [], proxy: undefined, versions: {} };
const topology = {
  idcs: ['a'],
  edge: [],
  nodes: [{ id: 'db-a', kind: 'store' as const, of: 'db', idc: 'a', ports: ['sql' as const] }],
  links: [],
};

function effectOf(kind: string, role: 'primary' | 'standby', params: object): Effect {
  const fault = FAULTS.find((one) => one.kind === kind)!;
  const parsed = fault.params.parse(params);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return fault.effects(parsed.value, { store: 'db', role }, topology)[0]!;
}

test.each([
  ['database.read-only', 'primary', {}, sqlDriver],
  ['database.replication-lag', 'standby', { lag: '1s' }, sqlDriver],
  ['database.lock-storm', 'primary', {}, actorDriver],
  ['database.deadlocks', 'primary', { rate: '1/s' }, actorDriver],
  ['database.connection-exhaustion', 'primary', {}, actorDriver],
  ['database.slow-queries', 'primary', { factor: 2 }, actorDriver],
] as const)(
  '%s is taken where stores can be asked over SQL, and refused with reason and hint elsewhere',
  (...asked) => {
    const [kind, role, params, driver] = asked;
    const effect = effectOf(kind, role, params);
    expect(driver.accepts(effect, able)).toMatchObject({ ok: true });
    expect(driver.accepts(effect, unable)).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/this runtime/),
      hint: expect.stringContaining('local or containers'),
    });
    const other = driver === sqlDriver ? actorDriver : sqlDriver;
    expect(other.accepts(effect, able)).toBeUndefined();
  },
);

test('sessions of a run are known by its id, within what a server keeps of a name', () => {
  expect(sessionName('20261111-abc', 'locked')).toBe('seawall-20261111-abc-locked');
  expect(sessionName('x'.repeat(80), 'locked')).toHaveLength(63);
});
