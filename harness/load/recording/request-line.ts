import { encodePath } from './field-text.ts';

/** What a request line asks, or why no request can be made of it. */
export interface RequestLine {
  method: string;
  path: string;
  /** Of an absolute address, as a client sends to a proxy. */
  host: string | undefined;
  problem: string | undefined;
}

const METHOD = /^[A-Z][A-Z_-]{0,31}$/;
const ABSOLUTE = /^https?:\/\/([^/?]*)(.*)$/i;

/** `GET /path?query HTTP/1.1`; each char of `line` is one byte. Spaces and bytes beyond ASCII in the path are encoded. */
export function parseRequestLine(line: string): RequestLine {
  if (line === '' || line === '-') return bad('no request line: a connection without a request');
  const space = line.indexOf(' ');
  const method = space === -1 ? line : line.slice(0, space);
  if (space === -1 || !METHOD.test(method)) return bad('the request line is not HTTP');
  const protocol = line.lastIndexOf(' HTTP/');
  return withTarget(method, protocol > space ? line.slice(space + 1, protocol) : line.slice(space + 1));
}

/** The same from a method and a target that stand apart; each char of `target` is one byte. */
export function withTarget(method: string, target: string): RequestLine {
  if (!METHOD.test(method))
    return bad(`${method === '-' ? 'no method: a connection without a request' : 'the method is not HTTP'}`);
  if (method === 'CONNECT') return bad('CONNECT opens a tunnel and cannot be replayed');
  const absolute = target.startsWith('/') ? null : ABSOLUTE.exec(target);
  const host = absolute === null ? undefined : absolute[1]!;
  const path = absolute === null ? target : absolute[2]!.startsWith('/') ? absolute[2]! : `/${absolute[2]!}`;
  if (!path.startsWith('/') && path !== '*') return bad('the path does not begin with a slash');
  return { method, path: encodePath(path), host, problem: undefined };
}

function bad(problem: string): RequestLine {
  return { method: '', path: '', host: undefined, problem };
}
