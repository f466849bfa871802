import { renameSync, rmSync } from 'node:fs';
import { HarnessError } from '../core/errors.ts';
import { formatCount, formatDuration, parseDuration, parseSize } from '../core/units.ts';
import { type RecordProxy, startRecordProxy } from '../load/recording/record-proxy.ts';
import { NO_NOTES } from '../load/recording/recording-format.ts';
import { RecordingWriter } from '../load/recording/recording-writer.ts';
import { parseSessionRule, sessionRuleText } from '../load/recording/session-rule.ts';
import { isLoopback } from '../plan/hosts.ts';
import { EXIT } from './exit.ts';
import { type MaskCommandOptions, maskerOf } from './mask-options.ts';

const GRACE_MS = 5000;
/** How often what can no longer be preceded is written. */
const SETTLE_EVERY_MS = 1000;
/** After so long without a flush a crash would lose more than anybody wants to record again. */
const FLUSH_EVERY_MS = 60_000;

export interface RecordCommandOptions extends MaskCommandOptions {
  to: string;
  listen: string;
  out: string;
  session: string;
  for?: string;
  bodyMax: string;
  allowHost: string[];
}

/**
 * `seawall record`: a reverse proxy that writes what passes into a recording, masked before it is written. Ends by a
 * signal or after `--for`; the file has its name only once it is whole.
 */
export async function recordCommand(options: RecordCommandOptions): Promise<number> {
  const upstream = upstreamOf(options.to, options.allowHost);
  const listen = listenOf(options.listen);
  const forMs = options.for === undefined ? undefined : durationOf(options.for);
  const bodyMaxBytes = sizeOf(options.bodyMax);
  const session = parseSessionRule(options.session);
  const masker = maskerOf(options);
  const part = `${options.out}.part`;
  const origin = { format: 'proxy', inputs: [upstream.host], session: sessionRuleText(session) };
  const writer = new RecordingWriter(part, origin);
  const end = new Ending(forMs);
  try {
    const proxy = await startRecordProxy({
      upstream,
      listen,
      session,
      bodyMaxBytes,
      record: (request) => {
        if (!end.hasFailed) writer.add(masker.mask(request));
      },
      failed: (error) => end.fail(error),
    });
    const startedMs = performance.now();
    const address = `http://${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${proxy.port}`;
    process.stdout.write(`recording ${address} → ${upstream.origin} into ${options.out}; Ctrl-C ends it\n`);
    const settling = settleNowAndThen(proxy, writer, end);
    await end.reached;
    const tookMs = performance.now() - startedMs;
    await proxy.close(GRACE_MS);
    clearInterval(settling);
    end.throwIfFailed();
    return finish(proxy, writer, { part, out: options.out, tookMs, masked: masker.counts });
  } catch (thrown) {
    writer.abandon();
    // What was written before the disk was full, or the like, can be had back from its whole blocks.
    const isLeft = end.hasFailed || (thrown instanceof HarnessError && thrown.code === 'DISK_FULL');
    if (isLeft) process.stderr.write(`what came before that: seawall inspect ${part} --salvage ${options.out}\n`);
    else rmSync(part, { force: true });
    throw thrown;
  } finally {
    end.dispose();
  }
}

/** What ends a recording: a signal, the time, or that nothing can be written any more. */
class Ending {
  readonly reached: Promise<void>;
  #resolve!: () => void;
  #failure: unknown;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #onSignal = (): void => this.#resolve();

  constructor(forMs: number | undefined) {
    this.reached = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, this.#onSignal);
    this.#timer = forMs === undefined ? undefined : setTimeout(this.#onSignal, forMs);
  }

  fail(error: unknown): void {
    this.#failure ??= error;
    this.#resolve();
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  dispose(): void {
    clearTimeout(this.#timer);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, this.#onSignal);
  }
}

function settleNowAndThen(proxy: RecordProxy, writer: RecordingWriter, end: Ending): NodeJS.Timeout {
  let flushedMs = performance.now();
  return setInterval(() => {
    const oldestMs = proxy.oldestOpenMs();
    try {
      writer.settle(oldestMs);
      if (oldestMs !== undefined || performance.now() - flushedMs < FLUSH_EVERY_MS) return;
      // Nothing is under way: all that came can be written, in order.
      writer.flush();
      flushedMs = performance.now();
    } catch (thrown) {
      end.fail(thrown);
    }
  }, SETTLE_EVERY_MS);
}

function finish(
  proxy: RecordProxy,
  writer: RecordingWriter,
  told: { part: string; out: string; tookMs: number; masked: ReadonlyMap<string, number> },
): number {
  const { recorded, upstreamFailed, aborted, refused, cut } = proxy.counts;
  if (recorded === 0) {
    const hint = 'Send requests to the address that `seawall record` prints, and give it the time with --for.';
    throw new HarnessError('RECORDING_EMPTY', `no request came in ${formatDuration(Math.round(told.tookMs))}`, hint);
  }
  const remarks = refused === 0 ? [] : [`${refused} requests were refused and not recorded`];
  const summary = writer.close({ ...NO_NOTES, malformed: refused, bodiesLeftOut: cut, remarks });
  renameSync(told.part, told.out);
  const perSecond = (recorded / told.tookMs) * 1000;
  const lines = [
    `${formatCount(recorded)} requests in ${formatDuration(Math.round(told.tookMs))}, ${formatCount(Number(perSecond.toFixed(1)))}/s, ${formatCount(summary.sessions)} sessions → ${told.out}`,
    `masked: ${[...told.masked].map(([kind, count]) => `${kind} ${formatCount(count)}`).join(', ') || 'nothing was found'}`,
    addedLine(proxy),
  ];
  if (upstreamFailed > 0) lines.push(`upstream failed: ${formatCount(upstreamFailed)}`);
  if (aborted > 0) lines.push(`clients that went away: ${formatCount(aborted)}`);
  if (refused > 0) lines.push(`refused (upgrade, CONNECT, no request): ${formatCount(refused)}, not recorded`);
  if (cut > 0) lines.push(`bodies not kept whole: ${formatCount(cut)}`);
  process.stdout.write(`${lines.join('\n')}\n`);
  return EXIT.pass;
}

function addedLine({ added }: RecordProxy): string {
  if (added.count === 0) return 'added to latency: not measured, nothing was answered';
  const at = (q: number): string => formatDuration(added.quantile(q) / 1000);
  return `added to latency by this proxy’s own work: p50 ${at(0.5)}, p99 ${at(0.99)}, most ${formatDuration(added.max / 1000)}`;
}

function upstreamOf(text: string, allowed: readonly string[]): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new HarnessError('USAGE', `--to ${text} is no http address`, 'For example: --to http://127.0.0.1:8080');
  if (url.username !== '' || url.search !== '' || url.hash !== '')
    throw new HarnessError(
      'USAGE',
      '--to takes no user, query or fragment',
      'For example: --to http://127.0.0.1:8080/shop',
    );
  if (isLoopback(url.hostname) || allowed.includes(url.hostname)) return url;
  const message = `--to ${url.hostname} is outside loopback`;
  throw new HarnessError('HOST_NOT_ALLOWED', message, `If you mean it, say --allow-host ${url.hostname}`);
}

function listenOf(text: string): { host: string; port: number } {
  const [, six, plain, digits] = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  const host = six ?? plain;
  if (digits !== undefined && port <= 65_535 && host !== undefined)
    return { host: host === '' ? '127.0.0.1' : host, port };
  throw new HarnessError('USAGE', `--listen ${text} is no address and port`, 'For example: --listen 127.0.0.1:9000');
}

function durationOf(text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0) return ms;
  throw new HarnessError('USAGE', `--for ${text} is no duration`, 'For example: --for 60s');
}

function sizeOf(text: string): number {
  const bytes = parseSize(text);
  if (bytes !== undefined) return bytes;
  throw new HarnessError('USAGE', `--body-max ${text} is no size`, 'For example: --body-max 64KB');
}
