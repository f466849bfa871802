/** What a failure's body may never show, most specific first; each is replaced whole, the key before it is kept. */
const RULES: readonly (readonly [RegExp, string])[] = [
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, '***'],
  [/\b(bearer|basic)\s+[\w.~+/=-]+/gi, '$1 ***'],
  [
    /((?:authorization|cookie|[\w-]*token|password|passwd|pwd|[\w-]*secret|api[-_]?key|session[-_]?id)["']?\s*[:=]\s*)("(?:[^"\\]|\\.)*"?|'[^']*'?|(?!(?:bearer|basic) \*{3})[^\s,;&}<]+)/gi,
    '$1***',
  ],
  [/[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g, '***@***'],
  // Card numbers in groups, then phone, card and identity numbers in one run.
  [/\b\d{3,6}(?:[ -]\d{3,6}){2,}\b/g, '***'],
  [/\d{9,}[Xx]?/g, '***'],
];

/** The same text without long runs of digits, mail addresses, credentials and tokens. */
export function mask(text: string): string {
  return RULES.reduce((masked, [pattern, by]) => masked.replace(pattern, by), text);
}
