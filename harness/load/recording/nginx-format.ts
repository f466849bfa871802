import { checkFormat, type FieldRole, type LineFormat, partsOf, unquoted } from './line-format.ts';
import { clfTime, epochTime, isoTime } from './log-time.ts';

export const NGINX_COMBINED =
  '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"';

const NAMED: Record<string, string> = {
  combined: NGINX_COMBINED,
  common: '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent',
  main: `${NGINX_COMBINED} "$http_x_forwarded_for"`,
};

const ROLES: Record<string, () => FieldRole> = {
  remote_addr: () => ({ is: 'address' }),
  time_local: () => ({ is: 'time', read: clfTime() }),
  time_iso8601: () => ({ is: 'time', read: isoTime() }),
  msec: () => ({ is: 'time', read: epochTime(1) }),
  request: () => ({ is: 'request' }),
  request_method: () => ({ is: 'method' }),
  request_uri: () => ({ is: 'path' }),
  uri: () => ({ is: 'decodedPath' }),
  document_uri: () => ({ is: 'decodedPath' }),
  args: () => ({ is: 'query' }),
  query_string: () => ({ is: 'query' }),
  status: () => ({ is: 'status' }),
  request_time: () => ({ is: 'took', unitMs: 1000 }),
  host: () => ({ is: 'host' }),
  http_host: () => ({ is: 'host' }),
  server_name: () => ({ is: 'host' }),
  request_body: () => ({ is: 'body' }),
};

/**
 * nginx's `log_format`: the string itself, the whole directive, or the name of a usual one (`combined`, `main`,
 * `common`). A line is written when the request has ended, and all its times are of then.
 */
export function nginxFormat(text: string): LineFormat {
  const escaping = /\bescape=(default|json|none)\b/.exec(text)?.[1];
  const bare = unquoted(text).replace(/^\s*(?:log_format\s+\S+\s+)?(?:escape=\w+\s+)?/, '');
  const format = (NAMED[bare.trim()] ?? bare)
    // One path in two variables.
    .replace(/\$\{?uri\}?\$\{?is_args\}?\$\{?(?:args|query_string)\}?/g, '$request_uri');
  return checkFormat({
    from: 'nginx',
    title: `nginx ${NAMED[bare.trim()] === undefined ? 'format' : bare.trim()}`,
    parts: partsOf(format, /\$(?:\{(\w+)\}|(\w+))/g, (match) => {
      const name = match[1] ?? match[2]!;
      return { name: `$${name}`, role: roleOf(name) };
    }),
    escapes: escaping === 'json' || escaping === 'none' ? escaping : 'hex',
    stamped: 'end',
    syslog: false,
  });
}

function roleOf(name: string): FieldRole {
  const known = Object.hasOwn(ROLES, name) ? ROLES[name] : undefined;
  if (known !== undefined) return known();
  const prefixed = /^(http|sent_http|cookie)_(.+)$/.exec(name);
  if (prefixed === null) return { is: 'skip' };
  const [, kind, rest] = prefixed;
  if (kind === 'cookie') return { is: 'cookie', name: rest! };
  const header = rest!.replaceAll('_', '-').toLowerCase();
  return kind === 'http' ? { is: 'header', name: header } : { is: 'answerHeader', name: header };
}
