import { expect, it } from 'vitest';
import { markerOf, neutralMarkerOf } from './marker.ts';
import { shadowHeaders } from './tag.ts';

it('marks a run by 8 hex digits that only its shadow traffic carries', () => {
  expect(markerOf('20261111-1')).toMatch(/^sw[0-9a-f]{8}$/);
  expect(markerOf('20261111-1')).not.toBe(markerOf('20261111-2'));
  expect(neutralMarkerOf('20261111-1')).toBe(`re${markerOf('20261111-1').slice(2)}`);
});

it('tags with trace context and baggage, the run id safe within it', () => {
  expect(shadowHeaders('r-1')).toEqual({
    traceparent: '00-{trace}-{span}-01',
    baggage: 'seawall.run=r-1,seawall.shadow=1',
  });
  expect(shadowHeaders('r,1;x').baggage).toBe('seawall.run=r%2C1%3Bx,seawall.shadow=1');
});
