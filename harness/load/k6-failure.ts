import type { BadClass } from '../spi/load.ts';

/** k6's error codes (`lib/netext/httpext/error_codes.go`) as classes of ours; those of 1400 to 1599 are statuses. */
const CLASSES: Readonly<Record<number, BadClass>> = {
  1050: 'timeout',
  // What the run is not allowed to reach.
  1110: 'refused',
  1111: 'refused',
  1210: 'refused',
  1211: 'timeout',
  1212: 'refused',
  1213: 'refused',
  1701: 'body',
};

/** Why a request of k6's that got no answer was bad. `text` is k6's own, for what it has no code of. */
export function classOfK6Error(code: number, text: string): BadClass {
  // Only k6 itself takes a request back: when its run is stopped or its drain is over.
  if (/context canceled/.test(text)) return 'unfinished';
  const known = CLASSES[code];
  if (known !== undefined) return known;
  if (code >= 1100 && code < 1110) return 'dns';
  if (code >= 1300 && code < 1400) return 'tls';
  return /malformed|invalid (?:header|byte)|unsupported protocol/i.test(text) ? 'body' : 'reset';
}
