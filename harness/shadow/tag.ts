/**
 * Headers that mark a request as shadow traffic of a run: W3C trace context, sampled, and baggage. `{trace}` (32 hex)
 * and `{span}` (16 hex) are left for the load to fill in per request, from the seed; all else is made once.
 */
export function shadowHeaders(runId: string): Record<string, string> {
  return {
    traceparent: '00-{trace}-{span}-01',
    baggage: `seawall.run=${encodeURIComponent(runId)},seawall.shadow=1`,
  };
}
