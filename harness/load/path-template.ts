const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const NUMBER = /^\d+$/;
/** Three digits and more beside letters name an order, a user, a token; fewer are a version or a kind: `v2`, `mp3`. */
const CODE = /(?:\d[^\d]*){3}/;
const LONG_HEX = /^[0-9a-f]{12,}$/i;
/** A page or picture has a name of its own, digits or not. */
const FILE = /\.[A-Za-z][A-Za-z0-9]{0,5}$/;

/** A path without its query, in which what names one thing among many is `{id}`: requests of one kind have one template. */
export function pathTemplate(path: string): string {
  const end = path.search(/[?#]/);
  return (end < 0 ? path : path.slice(0, end)).split('/').map(folded).join('/') || '/';
}

function folded(segment: string): string {
  if (NUMBER.test(segment) || UUID.test(segment) || LONG_HEX.test(segment)) return '{id}';
  return CODE.test(segment) && !FILE.test(segment) ? '{id}' : segment;
}

/** `GET /items/{id}`: requests of one kind are counted together. */
export const kindOf = (method: string, path: string): string => `${method} ${pathTemplate(path)}`;
