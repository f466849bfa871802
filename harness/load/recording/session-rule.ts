import { HarnessError } from '../../core/errors.ts';
import { headerOf } from '../flat-headers.ts';
import { sessionHash } from './session-table.ts';

/** What tells which session a request belongs to. */
export type SessionRule =
  | { by: 'ip+ua' }
  | { by: 'cookie'; name: string }
  | { by: 'header'; name: string }
  | { by: 'field'; name: string };

/** `ip+ua`, `cookie:NAME`, `header:NAME`, `field:NAME`. */
export function parseSessionRule(text: string): SessionRule {
  if (text === 'ip+ua') return { by: 'ip+ua' };
  const [, by, name] = /^(cookie|header|field):(.+)$/.exec(text) ?? [];
  if (by === 'cookie' || by === 'field') return { by, name: name! };
  if (by === 'header') return { by, name: name!.toLowerCase() };
  const hint = 'Give ip+ua, cookie:NAME, header:NAME, or field:NAME (a field of the log format).';
  throw new HarnessError('USAGE', `--session ${text} is no rule`, hint);
}

export function sessionRuleText(rule: SessionRule): string {
  return rule.by === 'ip+ua' ? rule.by : `${rule.by}:${rule.name}`;
}

/** One cookie of a Cookie header. */
export function cookieOf(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined;
  for (let start = 0; start < header.length; ) {
    const semicolon = header.indexOf(';', start);
    const end = semicolon === -1 ? header.length : semicolon;
    const equals = header.indexOf('=', start);
    if (equals !== -1 && equals < end && header.slice(start, equals).trim() === name) {
      return header.slice(equals + 1, end).trim() || undefined;
    }
    start = end + 1;
  }
  return undefined;
}

/** The session of a request that has its headers, by a rule; undefined where it tells none. */
export function sessionByHeaders(rule: SessionRule, headers: readonly string[]): string | undefined {
  switch (rule.by) {
    case 'cookie':
      return cookieOf(headerOf(headers, 'cookie'), rule.name);
    case 'header':
      return headerOf(headers, rule.name) || undefined;
    case 'ip+ua': {
      const address =
        headerOf(headers, 'x-forwarded-for')?.split(',', 1).join('').trim() ?? headerOf(headers, 'x-real-ip');
      if (address === undefined) return undefined;
      return `${address} ${sessionHash(headerOf(headers, 'user-agent') ?? '').toString(36)}`;
    }
    case 'field':
      return undefined;
  }
}
