import { expect, test } from 'vitest';
import { parseProxies, parseProxy, parseProxyPatch, parseToxic, parseToxicPatch } from './body.ts';

test('a proxy with its toxics, defaults filled in', () => {
  const parsed = parseProxy({ name: 'a>b', upstream: '127.0.0.1:80', toxics: [{ type: 'timeout' }] });
  expect(parsed).toEqual({
    ok: true,
    value: {
      name: 'a>b',
      listen: '127.0.0.1:0',
      upstream: '127.0.0.1:80',
      enabled: true,
      toxics: [
        { name: 'timeout_downstream', type: 'timeout', stream: 'downstream', toxicity: 1, attributes: { timeout: 0 } },
      ],
    },
  });
});

test('every problem of a body is told at once', () => {
  const parsed = parseProxies([
    { name: 'a/b', upstream: 'nowhere', listen: '127.0.0.1:99999', enabled: 'yes', upsteam: 1 },
    { name: 'ok', upstream: '[::1]:80', toxics: [{ type: 'latency' }, { type: 'latency' }, { type: 'bandwith' }] },
    7,
  ]);
  expect(parsed).toEqual({
    ok: false,
    problems: [
      '[0].upsteam: unknown; known are name, listen, upstream, enabled, toxics',
      '[0].name: expected 1 to 200 characters without "/"',
      '[0].upstream: expected host:port',
      '[0].listen: expected host:port',
      '[0].enabled: expected true or false',
      '[1].toxics[1].name: "latency_downstream" twice',
      '[1].toxics[2].type: expected one of bandwidth, latency, limit_data, reset_peer, slicer, slow_close, timeout',
      '[2].expected an object',
    ],
  });
});

test.each([
  [{ type: 'bandwidth', attributes: { rate: -1 } }, 'attributes.rate: expected a whole number from 0 to 100000000'],
  [{ type: 'latency', attributes: { latency: 1.5 } }, 'attributes.latency: expected a whole number from 0 to 86400000'],
  [{ type: 'latency', attributes: { latency: '5' } }, 'attributes.latency: expected a whole number from 0 to 86400000'],
  [{ type: 'latency', attributes: { delay: 5 } }, 'attributes.delay: unknown; known are latency, jitter'],
  [{ type: 'latency', attributes: [5] }, 'attributes: expected an object'],
  [{ type: 'slicer' }, 'attributes.average_size: expected a whole number from 1 to 1000000'],
  [
    { type: 'slicer', attributes: { average_size: 5, size_variation: 6 } },
    'attributes.size_variation: expected at most average_size',
  ],
  [{ type: 'latency', toxicity: 1.1 }, 'toxicity: expected a number from 0 to 1'],
  [{ type: 'latency', stream: 'both' }, 'stream: expected upstream or downstream'],
])('refuses the toxic %j', (body, problem) => {
  expect(parseToxic(body)).toEqual({ ok: false, problems: [problem] });
});

test('a patch merges attributes and may repeat what cannot change', () => {
  const toxic = parseToxic({ type: 'latency', attributes: { latency: 5, jitter: 1 } });
  if (!toxic.ok) throw new Error(toxic.problems.join());
  expect(parseToxicPatch({ ...toxic.value, attributes: { jitter: 2 } }, toxic.value)).toEqual({
    ok: true,
    value: { toxicity: 1, attributes: { latency: 5, jitter: 2 } },
  });
  expect(parseToxicPatch({ stream: 'upstream', attributes: 3 }, toxic.value)).toEqual({
    ok: false,
    problems: ['stream: cannot change', 'attributes: expected an object'],
  });
});

test('a proxy patch takes what it is given and nothing else', () => {
  expect(parseProxyPatch({ enabled: false })).toEqual({
    ok: true,
    value: { listen: undefined, upstream: undefined, enabled: false },
  });
  expect(parseProxyPatch({ enabled: 0, speed: 1 })).toMatchObject({ ok: false });
  expect(parseProxyPatch(null)).toMatchObject({ ok: false });
});
