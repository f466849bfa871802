import { ByteWriter } from './byte-buffer.ts';
import { ByteCache, type Piece } from './byte-cache.ts';
import type { FieldRole, FormatField } from './line-format.ts';
import { lineSession } from './line-session.ts';
import type { FieldRules } from './masker.ts';
import type { SessionRule } from './session-rule.ts';
import { sessionKey } from './session-table.ts';

const DASH = 45;
const SESSIONS = 65_536;
const SESSION_MAX = 48;
const SESSION_BYTES = 32;
const FIELDS = 8192;
const FIELD_MAX = 256;

/** A masked session as rows have it, and its key in the table of sessions. */
export interface RowSession {
  bytes: Buffer;
  key: number;
}

/**
 * Finds the masked session of the line at hand; undefined: it has none. `agentHash` is what `sessionHash` makes of the
 * line's user agent, where there is one.
 */
export type ByteSession = (
  piece: Piece,
  starts: Int32Array,
  ends: Int32Array,
  agentHash: number,
) => RowSession | undefined;

/**
 * Sessions of plain lines as bytes: each is made and masked once and then known by the fields that it is made of. What it
 * is made of says `lineSession`.
 */
export function byteSession(rule: SessionRule, fields: readonly FormatField[], rules: FieldRules): ByteSession {
  const find = lineSession(rule, fields);
  /** The session from texts; the fields that were asked for are those that it depends on. */
  const made: ByteSession = ({ bytes }, starts, ends) => {
    const session = find((field) =>
      isAbsent(bytes, starts[field]!, ends[field]!) ? undefined : bytes.toString('latin1', starts[field], ends[field]),
    );
    return session === undefined ? undefined : rowSession(rules.session(session));
  };
  if (rule.by === 'ip+ua') return byAddress(fields, made);
  let only = -1;
  // Every other rule asks for one field.
  find((field) => {
    only = field;
    return undefined;
  });
  return byField(only, made);
}

/** Which client address counts, and what stands for the user agent, are what tells these sessions apart. */
function byAddress(fields: readonly FormatField[], made: ByteSession): ByteSession {
  const find = (matches: (role: FieldRole) => boolean): number => fields.findIndex(({ role }) => matches(role));
  const header = (name: string): number => find((role) => role.is === 'header' && role.name === name);
  const address = find((role) => role.is === 'address');
  const forwarded = header('x-forwarded-for');
  const direct = new ByteCache<RowSession>(SESSIONS, SESSION_MAX);
  const through = forwarded === -1 ? direct : new ByteCache<RowSession>(SESSIONS, SESSION_MAX);
  return (piece, starts, ends, agentHash) => {
    const { bytes } = piece;
    const isForwarded = forwarded !== -1 && !isAbsent(bytes, starts[forwarded]!, ends[forwarded]!);
    const from = isForwarded ? forwarded : address;
    if (from === -1 || isAbsent(bytes, starts[from]!, ends[from]!)) return undefined;
    const start = starts[from]!;
    const end = ends[from]!;
    if (end - start > SESSION_MAX) return made(piece, starts, ends, agentHash);
    const sessions = isForwarded ? through : direct;
    const known = sessions.get(piece.view, start, end, agentHash);
    if (known !== undefined) return known;
    const session = made(piece, starts, ends, agentHash);
    if (session !== undefined) sessions.put(bytes, start, end, session);
    return session;
  };
}

function byField(field: number, made: ByteSession): ByteSession {
  const known = new ByteCache<{ session: RowSession | undefined }>(FIELDS, FIELD_MAX);
  return (piece, starts, ends) => {
    const start = starts[field]!;
    const end = ends[field]!;
    if (end - start > FIELD_MAX) return made(piece, starts, ends, 0);
    const before = known.get(piece.view, start, end);
    if (before !== undefined) return before.session;
    const session = made(piece, starts, ends, 0);
    known.put(piece.bytes, start, end, { session });
    return session;
  };
}

function rowSession(session: string): RowSession {
  const out = new ByteWriter(SESSION_BYTES);
  out.text(session);
  return { bytes: Buffer.from(out.bytes), key: sessionKey(session) };
}

/** Empty, or the dash that stands for nothing. */
export function isAbsent(bytes: Buffer, start: number, end: number): boolean {
  return end === start || (end === start + 1 && bytes[start] === DASH);
}
