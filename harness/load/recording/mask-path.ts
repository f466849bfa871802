import { maskForm } from './mask-form.ts';
import { isSuspect } from './suspicion.ts';
import { looksRandom, type TextMasker } from './text-masker.ts';
import { onDecoded } from './url-coding.ts';

/** What stands behind one of these is a token when it looks like one. */
const BEFORE_A_TOKEN = new Set([
  'token',
  'reset',
  'verify',
  'confirm',
  'activate',
  'invite',
  'unsubscribe',
  'magic',
  'sso',
]);

/** An address from elsewhere begins with where that is. */
const AUTHORITY = /^[a-z][a-z0-9+.-]{0,20}:\/\/[^/?#]{0,1024}/i;

/** Path and query as sent, each segment and each pair on its own; an absolute address or a Referer just so. */
export function maskPath(path: string, masker: TextMasker): string {
  if (path.startsWith('/')) return maskTarget(path, masker);
  const authority = AUTHORITY.exec(path)?.[0] ?? '';
  const plain = !masker.rules.has('ip') && masker.rules.patterns.length === 0 && !/[@%]|\d{6}/.test(authority);
  return (plain ? authority : masker.text(authority)) + maskTarget(path.slice(authority.length), masker);
}

function maskTarget(path: string, masker: TextMasker): string {
  const question = path.indexOf('?');
  const baseEnd = question < 0 ? path.length : question;
  const suspect = masker.rules.patterns.length > 0 || isSuspect(path, true, baseEnd);
  if (question < 0 && !suspect && !path.includes('#')) return path;
  const fragment = path.indexOf('#');
  if (fragment >= 0)
    return `${maskTarget(path.slice(0, fragment), masker)}#${maskPiece(path.slice(fragment + 1), masker)}`;
  const base = path.slice(0, baseEnd);
  const masked = suspect ? maskSegments(base, masker) : base;
  return question < 0 ? masked : `${masked}?${maskForm(path.slice(question + 1), masker, 0)}`;
}

function maskSegments(base: string, masker: TextMasker): string {
  let before = '';
  return base
    .split('/')
    .map((segment) => {
      const afterToken = announcesToken(before, masker);
      before = segment;
      return afterToken && looksRandom(segment) ? masker.byKey('token', segment) : maskPiece(segment, masker);
    })
    .join('/');
}

/** Whether what stands behind this segment is a token when it looks like one. */
export function announcesToken(segment: string, masker: TextMasker): boolean {
  return BEFORE_A_TOKEN.has(segment.toLowerCase()) || masker.rules.classOf(segment) === 'token';
}

/** A segment, its `;name=value` parameters each on their own. */
export function maskPiece(segment: string, masker: TextMasker): string {
  if (!segment.includes(';')) return maskPair(segment, masker);
  return segment
    .split(';')
    .map((piece) => maskPair(piece, masker))
    .join(';');
}

function maskPair(piece: string, masker: TextMasker): string {
  const equals = piece.indexOf('=');
  if (equals < 0) return onDecoded(piece, (value) => masker.text(value));
  return maskForm(piece, masker, 0);
}
