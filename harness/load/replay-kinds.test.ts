import { expect, it } from 'vitest';
import type { Recorded } from './recording/recorded.ts';
import { commonestKinds } from './replay-kinds.ts';

async function* requests(paths: Iterable<string>): AsyncGenerator<Recorded> {
  for (const path of paths) {
    yield {
      atMs: 0,
      session: undefined,
      method: 'GET',
      path,
      headers: [],
      body: undefined,
      status: 200,
      tookMs: undefined,
      answerHeaders: [],
      answerBody: undefined,
    };
  }
}

it('gives the commonest kinds first, at most fourteen, ties by name', async () => {
  const paths = [
    '/b',
    '/a',
    '/items/1',
    '/items/2',
    '/items/3',
    ...Array.from({ length: 20 }, (_, index) => `/k${'x'.repeat(index)}`),
  ];
  const kinds = await commonestKinds(requests(paths));
  expect(kinds).toHaveLength(14);
  expect(kinds.slice(0, 3)).toEqual(['GET /items/{id}', 'GET /a', 'GET /b']);
});

it('looks at the beginning of a large recording only', async () => {
  let given = 0;
  const endless = (function* () {
    for (;;) {
      given++;
      yield '/same';
    }
  })();
  expect(await commonestKinds(requests(endless))).toEqual(['GET /same']);
  expect(given).toBe(200_000);
});
