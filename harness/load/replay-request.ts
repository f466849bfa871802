import type { CompiledStep } from './compiled-journey.ts';
import { SLOT } from './compiled-journey.ts';
import type { LearnedValues } from './learned-values.ts';
import type { Recorded } from './recording/recorded.ts';
import { literal, type Template, templateOf } from './template.ts';
import type { Transport } from './transport.ts';

/** More of an answer than this is not learned from. */
const LEARN_BODY_MAX = 256 * 1024;
const FAILURE_BODY_MAX = 2048;

/** A request as a hook of the user's sees it; header names are in lower case. */
export interface Signable {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string | undefined;
}

/** Gives what is to be sent instead. */
export type Sign = (request: Signable) => Signable;

/** About the connection, or made anew for every request. */
const NOT_AGAIN = new Set([
  'host',
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'content-length',
  'upgrade',
  'te',
  'trailer',
  'expect',
  'traceparent',
  'tracestate',
  'baggage',
  // A recorder's own remark.
  'x-seawall-cut',
  // Answers are read as they are.
  'accept-encoding',
]);

const OK = Array.from({ length: 200 }, (_, index) => 200 + index);

/** What was refused in production may be refused again; what failed there need not fail. */
function expected(status: number | undefined): readonly number[] {
  return status !== undefined && status >= 400 && status < 500 ? [...OK, status] : OK;
}

/** The one step that sends a recorded request again, with what its session has learned. */
export function replayStep(
  recorded: Recorded,
  options: {
    name: string;
    learned: LearnedValues;
    sign: Sign | undefined;
    tag: readonly (readonly [string, Template])[];
    transport: Transport;
  },
): CompiledStep {
  const { learned, sign, tag, transport } = options;
  const plain = requestOf(recorded, learned);
  const request = sign === undefined ? plain : sign(plain);
  const expect = expected(recorded.status);
  const learns = recorded.answerBody !== undefined || recorded.answerHeaders.length > 0;
  const sender = transport.compile({
    method: request.method,
    path: literal(request.path.startsWith('/') ? request.path : `/${request.path}`),
    headers: [...Object.entries(request.headers).map(([name, value]) => [name, literal(value)] as const), ...tag],
    body: request.body === undefined ? undefined : literal(request.body),
    wants: { expect, bodyMax: learns ? LEARN_BODY_MAX : 0, otherBodyMax: FAILURE_BODY_MAX, headers: learns },
  });
  const traceparent = tag.find(([name]) => name === 'traceparent')?.[1];
  const plainStep = { think: { fromMs: 0, toMs: 0 }, conversion: 1, takes: [], checks: [], ack: undefined };
  return { name: options.name, expect, sender, traceparent, ...plainStep };
}

function requestOf(recorded: Recorded, learned: LearnedValues): Signable {
  const headers: Record<string, string> = {};
  for (let at = 0; at + 1 < recorded.headers.length; at += 2) {
    const name = recorded.headers[at]!;
    if (NOT_AGAIN.has(name) || name.startsWith(':')) continue;
    const value = learned.apply(recorded.headers[at + 1]!);
    headers[name] = headers[name] === undefined ? value : `${headers[name]}${name === 'cookie' ? '; ' : ', '}${value}`;
  }
  const body = recorded.body === undefined ? undefined : learned.apply(recorded.body);
  return { method: recorded.method, path: learned.apply(recorded.path), headers, body };
}

/** The tag's headers with slots for trace and span. */
export function tagTemplates(tag: Record<string, string>): (readonly [string, Template])[] {
  const slots = (name: string): number | undefined => (name === 'trace' || name === 'span' ? SLOT[name] : undefined);
  return Object.entries(tag).map(([name, value]) => [name, templateOf(value, slots)] as const);
}
