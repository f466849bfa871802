import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { PortPool } from './ports.ts';

const RANGE = { from: 20_000, to: 20_600 };

it('gives out free ports of a block that no other pool touches', async () => {
  await using one = new PortPool('one', RANGE);
  await using two = new PortPool('one', RANGE);
  const ports = [await one.take(), await one.take(), await two.take()];
  expect(new Set(ports).size).toBe(3);
  const blocks = ports.map((port) => Math.floor(port / 200));
  expect(blocks[0]).toBe(blocks[1]);
  expect(blocks[2]).not.toBe(blocks[0]);
});

it('passes over a port where somebody listens', async () => {
  await using pool = new PortPool('two', RANGE);
  const taken = (await pool.take()) + 1;
  const server = createServer().listen(taken, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  expect(await pool.take()).toBe(taken + 1);
  await new Promise((resolve) => server.close(resolve));
});

it('says when nothing is left', async () => {
  const range = { from: 21_000, to: 21_200 };
  await using one = new PortPool('one', range);
  await using two = new PortPool('two', range);
  await one.take();
  await expect(two.take()).rejects.toMatchObject({ code: 'PORT_IN_USE', message: expect.stringContaining('21000') });
});
