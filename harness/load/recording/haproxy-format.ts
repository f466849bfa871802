import type { FieldRole, FormatPart, LineFormat } from './line-format.ts';
import { clfTime } from './log-time.ts';

const field = (name: string, role: FieldRole = { is: 'skip' }): FormatPart => ({ name, role });

/**
 * HAProxy's `option httplog`, with a syslog header or without. The time is the request's first byte, in the machine's
 * local zone, which the line does not tell: it is read as UTC. Captured headers have no names in it and are passed over.
 */
export function haproxyFormat(): LineFormat {
  return {
    from: 'haproxy',
    title: 'haproxy httplog',
    parts: [
      field('client', { is: 'address', port: true }),
      ' [',
      field('time', { is: 'time', read: clfTime() }),
      '] ',
      field('frontend'),
      ' ',
      field('server'),
      ' ',
      field('timers', { is: 'timers' }),
      ' ',
      field('status', { is: 'status' }),
      ' ',
      field('bytes'),
      ' ',
      field('requestCookie'),
      ' ',
      field('answerCookie'),
      ' ',
      field('termination'),
      ' ',
      field('connections'),
      ' ',
      // The queues, and up to two groups of captured headers.
      field('queues'),
      '"',
      field('request', { is: 'request' }),
      '"',
    ],
    escapes: 'hash',
    stamped: 'start',
    syslog: true,
  };
}
