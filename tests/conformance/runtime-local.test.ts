import { describe, expect, it } from 'vitest';
import { existingRuntime } from '../../harness/runtime/existing.ts';
import { localRuntime } from '../../harness/runtime/local.ts';
import type { RuntimeContext } from '../../harness/spi/runtime.ts';
import { requireOrSkip, toxiproxy } from '../support/requirements.ts';
import { tinyContext, tinyStack } from '../support/tiny-stack.ts';
import { runtimeSuite, soon, text } from './runtime-suite.ts';

runtimeSuite(localRuntime, { ok: true, value: undefined });

it('the local runtime lays its links through the real Toxiproxy where that is asked for', async (test) => {
  requireOrSkip(test, toxiproxy());
  using tiny = tinyStack();
  const context: RuntimeContext = { ...tinyContext(tiny.folder), proxy: 'toxiproxy' };
  await using environment = await localRuntime.up(tiny.stack, tiny.topology, context);
  expect(await text(`${environment.entryUrl}/via`)).toContain('back-hz-a');
  const { proxy } = environment.links.get('front-edge>back-hz-a')!;
  expect(proxy.engine).toBe('toxiproxy');
  expect(await text(`${proxy.api}/version`)).toContain('2.');
});

describe('the existing runtime', () => {
  it('attaches to what answers, has no powers over it and leaves it alone', async () => {
    using tiny = tinyStack();
    await using raised = await localRuntime.up(tiny.stack, tiny.topology, tinyContext(tiny.folder));
    const stack = { ...tiny.stack, file: undefined, stores: {}, services: {}, existing: { front: raised.entryUrl } };
    const topology = { idcs: [], edge: [], nodes: [], links: [] };
    const attached = await existingRuntime.up(stack, topology, tinyContext(tiny.folder));
    expect(attached.entryUrl).toBe(raised.entryUrl);
    const node = attached.nodes.get('front')!;
    expect([node.life, node.store, attached.links.size]).toEqual([undefined, undefined, 0]);
    expect(attached.endpoint('front', 'http', 'generator')).toEqual(raised.endpoint('front-edge', 'http', 'generator'));
    expect(attached.inventory()).toEqual([]);
    await attached[Symbol.asyncDispose]();
    expect(await text(`${raised.entryUrl}/via`)).toContain('back-hz-a');
    expect(await existingRuntime.reap('any', [], soon())).toEqual([]);
  });

  it('names every address that does not answer', async () => {
    using tiny = tinyStack();
    const existing = { front: 'http://127.0.0.1:1', back: 'http://127.0.0.1:2/api' };
    const topology = { idcs: [], edge: [], nodes: [], links: [] };
    const failure = existingRuntime.up({ ...tiny.stack, existing }, topology, tinyContext(tiny.folder));
    await expect(failure).rejects.toMatchObject({
      code: 'ATTACH_FAILED',
      message: expect.stringMatching(/front.*127\.0\.0\.1:1\b.*back.*127\.0\.0\.1:2/s),
    });
  });
});
