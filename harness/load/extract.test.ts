import { describe, expect, it } from 'vitest';
import { type AnswerView, extract, holds, LazyJson, needsBody } from './extract.ts';

const answer = (body: string, headers: readonly string[] = [], cut = false): AnswerView => ({ body, cut, headers });

describe('what is taken from an answer', () => {
  it('follows a JSON pointer to a plain value and keeps its type', () => {
    const given = answer('{"order":{"id":7,"a/b":true},"items":[{"sku":"x"}],"none":null}');
    expect(extract({ json: '/order/id' }, given)).toBe(7);
    expect(extract({ json: '/order/a~1b' }, given)).toBe(true);
    expect(extract({ json: '/items/0/sku' }, given)).toBe('x');
    expect(extract({ json: '/items' }, given)).toBeUndefined();
    expect(extract({ json: '/none' }, given)).toBeUndefined();
    expect(extract({ json: '/toString' }, given)).toBeUndefined();
  });

  it.each([
    ['/a/1/b', 'found'],
    ['/a~1b', 'slash'],
    ['/m~0n', 0],
    ['/a', undefined],
    ['/a/9/b', undefined],
    ['/none/at/all', undefined],
    ['/toString', undefined],
  ])('points at %s', (json, value) => {
    const document = { a: [0, { b: 'found' }], 'a/b': 'slash', 'm~n': 0 };
    expect(extract({ json }, answer(JSON.stringify(document)))).toBe(value);
  });

  it('finds nothing in what is cut off or no JSON', () => {
    expect(extract({ json: '/id' }, answer('{"id":1}', [], true))).toBeUndefined();
    expect(extract({ json: '/id' }, answer('<html>'))).toBeUndefined();
  });

  it('takes the first group of a pattern’s first match, or all of a match without groups', () => {
    const page = answer('<input name="csrf" value="t-1"><input name="csrf" value="t-2">');
    expect(extract({ regex: 'value="([^"]*)"' }, page)).toBe('t-1');
    expect(extract({ regex: 't-\\d' }, page)).toBe('t-1');
    expect(extract({ regex: '(?:no(\\d)|csrf" value="(t-\\d))' }, page)).toBe('t-1');
    expect(extract({ regex: 'nothing' }, page)).toBeUndefined();
  });

  it('looks for patterns also in a body that was cut, and no further than 64 KB', () => {
    expect(extract({ regex: 'id=(\\d)' }, answer('id=4', [], true))).toBe('4');
    expect(extract({ regex: 'id=(\\d)' }, answer(`${'x'.repeat(65_000)}id=4`))).toBe('4');
    expect(extract({ regex: 'id=(\\d)' }, answer(`${'x'.repeat(65_536)}id=4`))).toBeUndefined();
    // What may take the square of a text is shown less of it.
    expect(extract({ regex: 'i.*=(\\d)' }, answer(`${'x'.repeat(16_384)}id=4`))).toBeUndefined();
  });

  it('reads headers in any case, and cookies by their own name', () => {
    const headers = [
      'Location',
      ' /orders/9 ',
      'Set-Cookie',
      'sid=old; Path=/',
      'set-cookie',
      'sid=a=b; HttpOnly',
      'Set-Cookie',
      'other=1',
    ];
    expect(extract({ header: 'location' }, answer('', headers))).toBe('/orders/9');
    expect(extract({ cookie: 'sid' }, answer('', headers))).toBe('a=b');
    expect(extract({ cookie: 'SID' }, answer('', headers))).toBeUndefined();
    expect(extract({ header: 'x-none' }, answer('', headers))).toBeUndefined();
  });

  it('reads the body of one answer once', () => {
    let parsed = 0;
    const body = '{"a":1,"b":2}';
    const json = new LazyJson({
      get body() {
        parsed++;
        return body;
      },
      cut: false,
      headers: [],
    });
    expect([extract({ json: '/a' }, answer(body), json), extract({ json: '/b' }, answer(body), json)]).toEqual([1, 2]);
    expect(parsed).toBe(1);
  });
});

describe('what is checked of an answer', () => {
  const paid = answer('{"state":"paid","total":12,"items":[]}', ['content-type', 'application/json']);

  it('asks whether something is there, is equal as text, or matches', () => {
    expect(holds({ of: { json: '/items' } }, paid)).toBe(true);
    expect(holds({ of: { json: '/refund' } }, paid)).toBe(false);
    expect(holds({ of: { json: '/total' }, equals: '12' }, paid)).toBe(true);
    expect(holds({ of: { json: '/state' }, equals: 'open' }, paid)).toBe(false);
    expect(holds({ of: { header: 'Content-Type' }, matches: '^application/' }, paid)).toBe(true);
    expect(holds({ of: { header: 'content-type' }, matches: 'html' }, paid)).toBe(false);
    expect(holds({ of: { json: '/state' }, equals: 'paid', matches: 'x' }, paid)).toBe(false);
    expect(holds({ of: { regex: 'error' } }, paid)).toBe(false);
  });

  it('needs no body for headers and cookies', () => {
    expect([{ json: '/a' }, { regex: 'a' }, { header: 'a' }, { cookie: 'a' }].map(needsBody)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});
