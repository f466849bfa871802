import { expect, it } from 'vitest';
import type { RuntimeContext } from '../spi/runtime.ts';
import type { Stack } from '../spi/stack.ts';
import type { Topology } from '../spi/topology.ts';
import { fromHere, layOutContainers } from './container-layout.ts';
import { nodeContainers, proxyContainer } from './container-specs.ts';

const topology: Topology = {
  idcs: ['a'],
  edge: [],
  nodes: [
    { id: 'shop-a', kind: 'service', of: 'shop', idc: 'a', ports: ['http'] },
    { id: 'db-a', kind: 'store', of: 'db', idc: 'a', ports: ['sql'], firstRole: 'primary' },
  ],
  links: [{ id: 'shop-a>db-a:sql', from: 'shop-a', to: 'db-a', port: 'sql', why: 'call' }],
};
const stack = {
  services: {
    shop: {
      ...{ name: 'shop', run: { image: 'shop:1', args: ['serve'] }, in: { a: 1 }, port: 8080, env: { EMPTY: '' } },
      ...{ ready: { http: '/', withinMs: 1 }, calls: [{ env: 'DB', peer: 'db', pick: 'primary' }] },
    },
  },
  stores: {
    db: {
      ...{ name: 'db', engine: 'postgres', primary: 'a', init: '/x/init.sql', database: 'd', user: 'u', password: 'p' },
      image: 'postgres:17',
    },
  },
} as unknown as Stack;

async function site(publish?: () => Promise<number>) {
  let next = 10;
  const layout = await layOutContainers(stack, topology, () => `198.18.0.${next++}`, publish);
  return { stack, topology, layout, ctx: { runId: 'r1' } as RuntimeContext, network: 'net' };
}

it('gives each node an address that its container can die in, and callers only the proxied one', async () => {
  const { holder, node } = nodeContainers(await site(), topology.nodes[0]!);
  expect(holder.options).toMatchObject({
    ...{ name: 'seawall-r1-shop-a.net', Labels: { 'seawall.run': 'r1' } },
    NetworkingConfig: { EndpointsConfig: { net: { Aliases: ['shop-a'], IPAMConfig: { IPv4Address: '198.18.0.10' } } } },
  });
  expect(node.options).toMatchObject({
    ...{ name: 'seawall-r1-shop-a', Labels: { 'seawall.run': 'r1', 'seawall.node': 'shop-a' }, Cmd: ['serve'] },
    HostConfig: { NetworkMode: 'container:seawall-r1-shop-a.net' },
  });
  expect(node.options.Env).toContain('DB=postgres://u:p@198.18.0.12:21000/d');
  expect(node.options.Env).not.toContain('EMPTY=');
});

it('keeps to the contract of the official database image', async () => {
  const { node } = nodeContainers(await site(), topology.nodes[1]!);
  expect(node).toMatchObject({
    image: 'postgres:17',
    files: [{ path: '/docker-entrypoint-initdb.d/seawall.sql', source: '/x/init.sql' }],
  });
  expect(node.options.Env).toEqual(['POSTGRES_USER=u', 'POSTGRES_PASSWORD=p', 'POSTGRES_DB=d']);
});

it('publishes ports, which then stay the same, where container addresses cannot be reached', async () => {
  let port = 12_000;
  const published = await site(async () => port++);
  const place = published.layout.proxies.get('a')!;
  expect(fromHere(place, 8474)).toEqual({ host: '127.0.0.1', port: 12_002 });
  const { HostConfig } = proxyContainer(published, 'a').options;
  expect(HostConfig?.PortBindings).toEqual({
    '8474/tcp': [{ HostIp: '127.0.0.1', HostPort: '12002' }],
    '21000/tcp': [{ HostIp: '127.0.0.1', HostPort: '12003' }],
  });
});
