import { request } from 'undici';
import { HarnessError, messageOf } from '../core/errors.ts';
import { httpReady } from './http-ready.ts';

/** A fault proxy's HTTP API, as far as standing a stack up needs it. Faults drive it by a client of their own. */
export class ProxyApi {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** Resolves when it answers. */
  async ready(signal: AbortSignal, lastSeen: (what: string) => void): Promise<void> {
    await httpReady(`${this.url}/version`, signal, lastSeen);
  }

  async version(signal: AbortSignal): Promise<string> {
    const answer = await request(`${this.url}/version`, { signal, reset: true });
    const text = await answer.body.text();
    // Older ones answer with bare text.
    const parsed: unknown = text.startsWith('{') ? JSON.parse(text) : { version: text.trim() };
    return String((parsed as { version?: unknown }).version);
  }

  async create(proxy: { name: string; listen: string; upstream: string }, signal: AbortSignal): Promise<void> {
    const failed = (what: string, cause?: unknown): HarnessError =>
      new HarnessError(
        'PROXY_FAILED',
        `the proxy ${proxy.name} on ${proxy.listen} was not made: ${what}`,
        'Its log is in the run’s logs.',
        cause,
      );
    const answer = await request(`${this.url}/proxies`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...proxy, enabled: true }),
      signal,
      reset: true,
    }).catch((thrown: unknown) => {
      throw failed(messageOf(thrown), thrown);
    });
    const text = await answer.body.text();
    if (answer.statusCode !== 201) throw failed(`${answer.statusCode} ${text.slice(0, 200)}`);
  }
}
