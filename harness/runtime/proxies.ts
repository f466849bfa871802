import { HarnessError, messageOf } from '../core/errors.ts';
import { ask } from './http-ask.ts';
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

  async create(proxy: { name: string; listen: string; upstream: string }, signal: AbortSignal): Promise<void> {
    const failed = (what: string, cause?: unknown): HarnessError =>
      new HarnessError(
        'PROXY_FAILED',
        `the proxy ${proxy.name} on ${proxy.listen} was not made: ${what}`,
        'Its log is in the run’s logs.',
        cause,
      );
    const answer = await ask(`${this.url}/proxies`, signal, JSON.stringify({ ...proxy, enabled: true })).catch(
      (thrown: unknown) => {
        throw failed(messageOf(thrown), thrown);
      },
    );
    if (answer.status !== 201) throw failed(`${answer.status} ${answer.text.slice(0, 200)}`);
  }
}
