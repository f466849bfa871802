import { HarnessError } from '../../core/errors.ts';
import type { FormatField } from './line-format.ts';
import { cookieOf, type SessionRule, sessionRuleText } from './session-rule.ts';
import { sessionHash } from './session-table.ts';

const AGENT_SLOTS = 1024;

/** The text of a field of the line at hand, undefined where it is absent. */
type TextOf = (field: number) => string | undefined;

/**
 * How the session of a line is found, for a format's fields. A rule that needs a field which the format does not have
 * is refused (USAGE).
 */
export function lineSession(rule: SessionRule, fields: readonly FormatField[]): (text: TextOf) => string | undefined {
  const find = (matches: (field: FormatField) => boolean): number => fields.findIndex(matches);
  const header = (name: string): number => find(({ role }) => role.is === 'header' && role.name === name);
  switch (rule.by) {
    case 'ip+ua':
      return byAddress(
        find(({ role }) => role.is === 'address'),
        fields.some(({ role }) => role.is === 'address' && role.port === true),
        header('x-forwarded-for'),
        header('user-agent'),
      );
    case 'cookie': {
      const own = find(({ role }) => role.is === 'cookie' && role.name === rule.name);
      if (own !== -1) return (text) => text(own);
      const all = needed(header('cookie'), rule, fields);
      return (text) => cookieOf(text(all), rule.name);
    }
    case 'header': {
      const field = rule.name === 'host' ? find(({ role }) => role.is === 'host') : header(rule.name);
      const at = needed(field, rule, fields);
      return (text) => text(at);
    }
    case 'field': {
      const wanted = plainName(rule.name);
      const at = needed(
        find(({ name }) => plainName(name) === wanted),
        rule,
        fields,
      );
      return (text) => text(at);
    }
  }
}

/** Client address (the first one forwarded, where the log tells it) and what stands for the user agent. */
function byAddress(
  address: number,
  port: boolean,
  forwarded: number,
  agent: number,
): (text: TextOf) => string | undefined {
  const agents = new Array<string | undefined>(AGENT_SLOTS).fill(undefined);
  const shorts = new Array<string>(AGENT_SLOTS).fill('');
  return (text) => {
    const through = forwarded === -1 ? undefined : text(forwarded);
    const from = through === undefined ? (address === -1 ? undefined : text(address)) : firstOf(through);
    if (from === undefined) return undefined;
    const by = (agent === -1 ? undefined : text(agent)) ?? '';
    const slot = slotOf(by);
    if (agents[slot] !== by) {
      agents[slot] = by;
      // Short, as it is looked up for each request; always the same, so that recordings join.
      shorts[slot] = sessionHash(by).toString(36);
    }
    return `${withoutPort(from, port)} ${shorts[slot]!}`;
  };
}

/** Of a few characters where user agents differ: versions stand near the end. */
function slotOf(agent: string): number {
  const length = agent.length;
  let hash = length;
  for (let back = 14; back < 34; back += 2) hash = (Math.imul(hash, 31) + agent.charCodeAt(length - back)) | 0;
  return (hash ^ (hash >>> 10)) & (AGENT_SLOTS - 1);
}

function firstOf(list: string): string {
  const comma = list.indexOf(',');
  return comma === -1 ? list : list.slice(0, comma).trim();
}

/**
 * `10.0.0.1:4711` and `[::1]:4711` lose their ports, which change with each connection. Bare IPv6 has none, unless the
 * format always has one (`port`).
 */
function withoutPort(address: string, port: boolean): string {
  const colon = address.lastIndexOf(':');
  if (colon === -1) return address;
  if (port) return address.slice(0, colon);
  const parts = /^(?:\[([^\]]+)\]|([^:]+)):\d+$/.exec(address);
  return parts === null ? address : (parts[1] ?? parts[2]!);
}

function plainName(name: string): string {
  return name.toLowerCase().replaceAll(/^[$%]+|%$/g, '');
}

function needed(field: number, rule: SessionRule, fields: readonly FormatField[]): number {
  if (field !== -1) return field;
  const names = fields.map(({ name }) => name).join(', ');
  const message = `--session ${sessionRuleText(rule)} needs a field that the log does not have; it has ${names}`;
  throw new HarnessError(
    'USAGE',
    message,
    'Name a field of the log, or leave --session out for address and user agent.',
  );
}
