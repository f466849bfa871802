import { expect, it } from 'vitest';
import { kindOf, pathTemplate } from './path-template.ts';

it.each([
  ['/', '/'],
  ['', '/'],
  ['/items/17?page=2', '/items/{id}'],
  ['/items/7#top', '/items/{id}'],
  ['/orders/A-1311/pay', '/orders/{id}/pay'],
  ['/u/3f2504e0-4f89-11d3-9a0c-0305e82c3301', '/u/{id}'],
  ['/files/deadbeefdeadbeef', '/files/{id}'],
  ['/api/v2/mp3/iphone15', '/api/v2/mp3/iphone15'],
  ['/static/app.3f9c21.js', '/static/app.3f9c21.js'],
  ['/logo-1024.png', '/logo-1024.png'],
])('folds %s to %s', (path, template) => {
  expect(pathTemplate(path)).toBe(template);
  expect(kindOf('GET', path)).toBe(`GET ${template}`);
});
