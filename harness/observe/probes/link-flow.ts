import type { Socket } from 'node:net';
import pg from 'pg';
import { within } from '../../core/deadline.ts';
import { HarnessError, messageOf } from '../../core/errors.ts';
import { answersCounted, type LinkAddress, type Piece, paddedRequest, talk } from './link-talk.ts';

/** Services refuse headers beyond 8 KB, some sooner. */
const REQUEST_MAX_BYTES = 4000;
/** What an answer to a small request has at least, status line and all. */
const ANSWER_MIN_BYTES = 100;

/** What moving bytes over a link one way took. */
export interface Flow {
  /** All of it passed in time. */
  whole: boolean;
  /** That were sent, or came on this connection. */
  bytes: number;
  startedAtMs: number;
  /** From the first byte sent to the last one heard. */
  ms: number;
  /** How it arrived here. */
  pieces: Piece[];
}

/** Sends about `bytes` over the link on one connection, until the answer to the last of them is there. */
export function flowUp(to: LinkAddress, bytes: number, withinMs: number, signal: AbortSignal): Promise<Flow> {
  if (to.port === 'sql') return query(to, 'select length($1::text)', ['x'.repeat(bytes)], withinMs, bytes);
  const request = paddedRequest(to.address, Math.min(REQUEST_MAX_BYTES, Math.ceil(bytes / 4)));
  const times = Math.max(1, Math.round(bytes / request.length));
  return pipelined(to, request, times, times * request.length, withinMs, signal);
}

/** Has about `bytes` sent over the link on one connection. */
export function flowDown(to: LinkAddress, bytes: number, withinMs: number, signal: AbortSignal): Promise<Flow> {
  if (to.port === 'sql') return query(to, `select repeat('x', $1::int)`, [bytes], withinMs, undefined);
  const times = Math.max(2, Math.ceil(bytes / ANSWER_MIN_BYTES));
  return pipelined(to, paddedRequest(to.address, 0), times, undefined, withinMs, signal);
}

async function pipelined(
  to: LinkAddress,
  request: Buffer,
  times: number,
  sentBytes: number | undefined,
  withinMs: number,
  signal: AbortSignal,
): Promise<Flow> {
  const answered = answersCounted(times);
  let whole = false;
  const seen = await talk(to.address, {
    withinMs,
    signal,
    begin: (socket) => socket.write(Buffer.concat(Array.from({ length: times }, () => request))),
    hear: (bytes) => {
      whole = answered(bytes);
      return whole;
    },
  });
  const ms = seen.endedAtMs - seen.startedAtMs;
  return { whole, bytes: sentBytes ?? seen.bytes, startedAtMs: seen.startedAtMs, ms, pieces: seen.pieces };
}

/** One query whose question or answer is the bytes to be moved; `sentBytes` undefined: it is the answer. */
async function query(
  to: LinkAddress,
  text: string,
  values: unknown[],
  withinMs: number,
  sentBytes: number | undefined,
): Promise<Flow> {
  const pieces: Piece[] = [];
  let startedAtMs = performance.now();
  const { whole, read } = await session(to, withinMs, async (client, stream) => {
    stream.on('data', (data: Buffer) => pieces.push({ atMs: performance.now(), bytes: data.length }));
    startedAtMs = performance.now();
    await within(withinMs, client.query(text, values), () => new Error('too late'));
  });
  return { whole, bytes: sentBytes ?? read, startedAtMs, ms: performance.now() - startedAtMs, pieces };
}

/**
 * Sends in steps of about `stepBytes` on one connection, each after the answer to the one before, until the connection
 * ends or `limitBytes` have been sent.
 */
export async function flowSteps(
  to: LinkAddress,
  stepBytes: number,
  limitBytes: number,
  withinMs: number,
  signal: AbortSignal,
): Promise<{ sent: number; stepBytes: number; ended: boolean }> {
  if (to.port === 'sql') {
    const end = performance.now() + withinMs;
    const { whole, wrote } = await session(to, withinMs, async (client, stream) => {
      while (stream.bytesWritten < limitBytes) {
        const asked = client.query('select length($1::text)', ['x'.repeat(stepBytes)]);
        await within(end - performance.now(), asked, () => new Error('too late'));
      }
    });
    return { sent: wrote, stepBytes, ended: !whole };
  }
  const request = paddedRequest(to.address, Math.min(REQUEST_MAX_BYTES, stepBytes));
  let answered = answersCounted(1);
  let sent = request.length;
  const seen = await talk(to.address, {
    withinMs,
    signal,
    begin: (socket) => socket.write(request),
    hear: (heard, socket) => {
      if (!answered(heard)) return false;
      if (sent > limitBytes) return true;
      answered = answersCounted(1);
      sent += request.length;
      socket.write(request);
      return false;
    },
  });
  return { sent, stepBytes: request.length, ended: seen.end === 'fin' || seen.end === 'reset' };
}

/** Logs in and works; a connection that ends or does not get on is told, what the database refuses is thrown. */
async function session(
  to: LinkAddress,
  withinMs: number,
  work: (client: pg.Client, stream: Socket) => Promise<void>,
): Promise<{ whole: boolean; read: number; wrote: number }> {
  if (to.access === null) {
    const hint = 'The runtime must give access to the members of a store.';
    throw new HarnessError('PROBE_FAILED', `${to.link} leads to a database that cannot be logged in to`, hint);
  }
  const client = new pg.Client({ ...to.access, ...to.address, connectionTimeoutMillis: withinMs });
  // A connection that ends in mid-query is told by the query's own failure.
  client.on('error', () => undefined);
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
  const told = (whole: boolean) => ({ whole, read: stream.bytesRead, wrote: stream.bytesWritten });
  try {
    await client.connect();
    await work(client, stream);
    return told(true);
  } catch (thrown) {
    if (!(thrown instanceof pg.DatabaseError)) return told(false);
    const hint = 'Nothing was measured: the database must be well before a fault.';
    throw new HarnessError('PROBE_FAILED', `${to.link}: ${messageOf(thrown)}`, hint, thrown);
  } finally {
    // Not `end`: it would wait for a link that carries nothing.
    stream.destroy();
  }
}
