/** What a peer says of its own run: answers in all, and latency by percentile (`99.9` → ms). */
export interface PeerReport {
  requests: number;
  errors: number;
  percentilesMs: Record<string, number>;
  /** Starts that it gave up because no virtual user was free. */
  dropped?: number;
}

const UNITS_MS: Record<string, number> = { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** The text of `wrk --latency`. */
export function parseWrk(text: string): PeerReport {
  const requests = /(\d+) requests in/.exec(text)?.[1];
  if (requests === undefined) throw unreadable('wrk', text);
  const percentilesMs: Record<string, number> = {};
  for (const [, percentile, value, unit] of text.matchAll(/^\s+(\d+(?:\.\d+)?)%\s+([\d.]+)(us|ms|s|m|h)$/gm)) {
    percentilesMs[String(Number(percentile))] = Number(value) * UNITS_MS[unit!]!;
  }
  const socketErrors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text);
  const statusErrors = /Non-2xx or 3xx responses: (\d+)/.exec(text);
  const errors = [...(socketErrors?.slice(1) ?? []), ...(statusErrors?.slice(1) ?? [])];
  return { requests: Number(requests), errors: errors.reduce((sum, count) => sum + Number(count), 0), percentilesMs };
}

/** The JSON line of `autocannon --json`. */
export function parseAutocannon(text: string): PeerReport {
  const result = lastJson(text) as
    | { requests?: { total?: number }; errors?: number; non2xx?: number; latency?: Record<string, number> }
    | undefined;
  if (result?.requests?.total === undefined || result.latency === undefined) throw unreadable('autocannon', text);
  const percentilesMs: Record<string, number> = {};
  for (const [key, value] of Object.entries(result.latency)) {
    // `p97_5` is the 97.5th.
    const percentile = /^p(\d+(?:_\d+)?)$/.exec(key)?.[1];
    if (percentile !== undefined) percentilesMs[String(Number(percentile.replace('_', '.')))] = value;
  }
  return {
    requests: result.requests.total,
    errors: (result.errors ?? 0) + (result.non2xx ?? 0),
    percentilesMs,
  };
}

/** The text of hey. */
export function parseHey(text: string): PeerReport {
  const statuses = [...text.matchAll(/^\s+\[(\d{3})\]\s+(\d+) responses$/gm)];
  if (statuses.length === 0) throw unreadable('hey', text);
  const percentilesMs: Record<string, number> = {};
  for (const [, percentile, value] of text.matchAll(/^\s+(\d+)%+ in ([\d.]+) secs$/gm)) {
    percentilesMs[percentile!] = Number(value) * 1000;
  }
  const broken = [...(text.split('Error distribution:')[1] ?? '').matchAll(/^\s+\[(\d+)\]/gm)];
  const count = (rows: RegExpExecArray[], group: number): number =>
    rows.reduce((sum, row) => sum + Number(row[group]), 0);
  const good = statuses.filter(([, status]) => status!.startsWith('2'));
  return {
    requests: count(statuses, 2),
    errors: count(statuses, 2) - count(good, 2) + count(broken, 1),
    percentilesMs,
  };
}

/** The JSON that our k6 script prints as its summary. */
export function parseK6(text: string): PeerReport {
  type Metrics = Record<string, { values: Record<string, number> } | undefined>;
  const result = lastJson(text) as { metrics?: Metrics } | undefined;
  const metrics = result?.metrics;
  const duration = metrics?.http_req_duration?.values;
  if (duration === undefined) throw unreadable('k6', text);
  const percentilesMs: Record<string, number> = {};
  for (const [key, value] of Object.entries(duration)) {
    const percentile = /^p\(([\d.]+)\)$/.exec(key)?.[1];
    if (percentile !== undefined) percentilesMs[percentile] = value;
  }
  return {
    requests: metrics?.http_reqs?.values.count ?? 0,
    // A rate metric of k6's: `passes` are the requests that failed.
    errors: metrics?.http_req_failed?.values.passes ?? 0,
    percentilesMs,
    dropped: metrics?.dropped_iterations?.values.count ?? 0,
  };
}

/** What the tool itself counted; undefined for one that does not say. */
export function parsePeer(name: string, text: string): PeerReport | undefined {
  switch (name) {
    case 'wrk':
      return parseWrk(text);
    case 'autocannon':
      return parseAutocannon(text);
    case 'hey':
      return parseHey(text);
    case 'k6':
      return parseK6(text);
    case 'raw loop':
      return { requests: Number(text.trim()), errors: 0, percentilesMs: {} };
    default:
      return undefined;
  }
}

function lastJson(text: string): unknown {
  const line = text
    .split('\n')
    .map((one) => one.trim())
    .findLast((one) => one.startsWith('{'));
  return line === undefined ? undefined : JSON.parse(line);
}

function unreadable(peer: string, text: string): Error {
  return new Error(`${peer} printed something else than expected: ${text.trim().slice(-500) || 'nothing'}`);
}
