/** What belongs to one connection and not to the message (RFC 9110, 7.6.1), and what the next hop makes itself. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Flat headers (name, value, …) with names in lower case, without those of the connection. */
export function endToEnd(raw: readonly string[]): string[] {
  const named = new Set<string>();
  for (let at = 0; at + 1 < raw.length; at += 2) {
    if (raw[at]!.toLowerCase() !== 'connection') continue;
    for (const name of raw[at + 1]!.split(',')) named.add(name.trim().toLowerCase());
  }
  const kept: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at]!.toLowerCase();
    if (!HOP_BY_HOP.has(name) && !named.has(name)) kept.push(name, raw[at + 1]!);
  }
  return kept;
}

/** What goes upstream: its own host, and who the client was behind those that the client itself named. */
export function upstreamHeaders(headers: readonly string[], client: string, host: string): string[] {
  const sent: string[] = [];
  let before = '';
  let asked = '';
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at]!;
    const value = headers[at + 1]!;
    if (name === 'x-forwarded-for') before = before === '' ? value : `${before}, ${value}`;
    else if (name === 'host') asked = value;
    // This proxy itself has told the client to go on.
    else if (name !== 'expect' && name !== 'x-forwarded-host') sent.push(name, value);
  }
  sent.push('host', host, 'x-forwarded-for', before === '' ? client : `${before}, ${client}`);
  if (asked !== '') sent.push('x-forwarded-host', asked);
  return sent;
}
