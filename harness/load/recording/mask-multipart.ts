import type { TextMasker } from './text-masker.ts';

const FIRST_LINE = /^--([^\r\n]{1,200})\r?\n/;
const NAME = /\bname="([^"\r\n]{1,200})"/i;

export function isMultipart(text: string): boolean {
  return text.startsWith('--') && FIRST_LINE.test(text.slice(0, 256));
}

/** A `multipart/form-data` body: each part by its name, its headers as text. */
export function maskMultipart(text: string, masker: TextMasker, depth: number): string {
  const delimiter = `--${FIRST_LINE.exec(text.slice(0, 256))![1]}`;
  const parts = text.split(delimiter).map((part) => {
    const gap = /\r?\n\r?\n/.exec(part);
    if (gap === null) return masker.text(part, depth);
    const bodyAt = gap.index + gap[0].length;
    const end = part.length - (/\r?\n$/.exec(part.slice(bodyAt))?.[0].length ?? 0);
    const head = part.slice(0, bodyAt);
    const body = part.slice(bodyAt, end);
    const kind = masker.rules.classOf(NAME.exec(head)?.[1] ?? '');
    const by = kind === undefined ? masker.body(body, depth + 1) : masker.byKey(kind, body, depth + 1);
    return maskedHead(head, masker, depth) + by + part.slice(end);
  });
  return parts.join(delimiter);
}

/** `name="phone"` names a part and no person. */
function maskedHead(head: string, masker: TextMasker, depth: number): string {
  return head
    .split(NAME)
    .map((piece, index) => (index % 2 === 1 ? `name="${piece}"` : masker.text(piece, depth)))
    .join('');
}
