import { expect, it } from 'vitest';
import type { ServiceSpec, Stack, StoreSpec } from '../spi/stack.ts';
import type { LinkSpec, NodeSpec, PortName, Topology } from '../spi/topology.ts';
import { serviceEnv, supervisorEnv } from './wiring.ts';

const service = (of: string, idc: string): NodeSpec => ({
  id: `${of}-${idc}`,
  kind: 'service',
  of,
  idc,
  ports: ['http'],
});
const member = (idc: string, firstRole: 'primary' | 'standby'): NodeSpec => ({
  ...{ id: `db-${idc}`, kind: 'store', of: 'db', idc, ports: ['sql', 'control'], firstRole },
});
const link = (from: string, to: string, port: PortName, why: LinkSpec['why'] = 'call'): LinkSpec => ({
  ...{ id: `${from}>${to}${port === 'http' ? '' : `:${port}`}`, from, to, port, why },
});

const topology: Topology = {
  idcs: ['a', 'b'],
  edge: [],
  nodes: [
    service('pay', 'b'),
    service('order', 'a'),
    service('order', 'b'),
    member('a', 'primary'),
    member('b', 'standby'),
  ],
  links: [
    ...[link('pay-b', 'order-a', 'http'), link('pay-b', 'order-b', 'http')],
    ...[link('pay-b', 'db-a', 'sql'), link('pay-b', 'db-b', 'sql')],
    ...[link('pay-b', 'db-a', 'control'), link('pay-b', 'db-b', 'control')],
    ...[link('db-a', 'db-b', 'sql', 'replication'), link('db-b', 'db-a', 'sql', 'replication')],
  ],
};
const dial = (id: string) => ({
  host: 'proxy',
  port: 1000 + topology.links.findIndex((candidate) => candidate.id === id),
});
const store: StoreSpec = {
  ...{ name: 'db', engine: 'postgres', primary: 'a', standby: 'b', init: '/x/init.sql', shadow: undefined },
  ...{ database: 'trade', user: 'u@', password: 'p:/', image: 'postgres:17' },
  supervisor: { run: { local: 'node s.ts', args: [] }, port: 8090, env: { LEVEL: 'high' }, readyWithinMs: 1000 },
};
const pay = (calls: ServiceSpec['calls']): ServiceSpec => ({
  ...{ name: 'pay', run: { args: [] }, in: { b: 1 }, port: 8080, ready: { http: '/', withinMs: 1 }, calls },
  env: { HOST: 'mine', COLOUR: 'blue' },
});
const stack = { stores: { db: store } } as unknown as Stack;
const seat = { runId: 'r1', host: '127.0.0.1', ports: { http: 7000 } };

it('tells a service where it stands and its peers by their proxied addresses', () => {
  const calls: ServiceSpec['calls'] = [
    { env: 'SAME', peer: 'order', pick: 'sameIdc' },
    { env: 'ANY', peer: 'order', pick: 'any' },
    { env: 'EACH', peer: 'order', pick: 'eachIdc' },
    { env: 'DB', peer: 'db', pick: 'primary' },
    { env: 'CONTROL', peer: 'db', pick: 'control' },
  ];
  expect(serviceEnv(topology.nodes[0]!, pay(calls), stack, topology, seat, dial)).toEqual({
    ...{ NODE_ID: 'pay-b', IDC: 'b', HOST: '127.0.0.1', RUN_ID: 'r1', PORT: '7000', COLOUR: 'blue' },
    SAME: 'http://proxy:1001',
    ANY: 'http://proxy:1000',
    EACH: 'a=http://proxy:1000,b=http://proxy:1001',
    DB: 'postgres://u%40:p%3A%2F@proxy:1002,proxy:1003/trade',
    DB_MEMBERS: 'db-a,db-b',
    CONTROL: 'db-a=http://proxy:1004,db-b=http://proxy:1005',
  });
});

it('says which call has no peer to go to', () => {
  const calls: ServiceSpec['calls'] = [{ env: 'SAME', peer: 'nobody', pick: 'sameIdc' }];
  expect(() => serviceEnv(topology.nodes[0]!, pay(calls), stack, topology, seat, dial)).toThrow(/pay-b calls nobody/);
});

it('tells a supervisor its database, its first role and the proxied addresses of the other members', () => {
  const database = { binFolder: '/pg/bin', dataFolder: '/d', runAs: '65534:65534', initFile: '/x/init.sql' };
  const ports = { sql: 5000, control: 5001 };
  expect(supervisorEnv(topology.nodes[4]!, store, topology, { ...seat, ports, ...database }, dial)).toEqual({
    ...{ NODE_ID: 'db-b', IDC: 'b', HOST: '127.0.0.1', RUN_ID: 'r1', PORT: '5001', PG_PORT: '5000', LEVEL: 'high' },
    ...{ PGDATA: '/d', PG_BIN: '/pg/bin', PG_RUN_AS: '65534:65534', PG_DATABASE: 'trade', PG_USER: 'u@' },
    ...{ PG_PASSWORD: 'p:/', PG_INIT_SQL: '/x/init.sql', FIRST_ROLE: 'standby', PEERS: 'db-a=proxy:1007', STORE: 'db' },
  });
});
