/** What a detector says: a class and the place of the value. */
export interface Hit {
  class: string;
  start: number;
  end: number;
}

/** What the tool puts in the place of private values; anything else counts as one. */
const MASKED =
  /^(?:masked-[a-p]+|s-[a-p]{16}|u[a-p]{16}@masked\.invalid|某\p{Script=Han}{5}|\*{3,}|240\.\d+\.\d+\.\d+|2(?:4[1-9]|5[0-4])\.\d+\.\d+\.\d+|2001:db8:[0-9a-f:]+)$/u;

export function isMasked(value: string): boolean {
  return MASKED.test(value);
}

/** Forms by which a value is known whatever stands around it, each written from the definition of its class. */
const FORMS: readonly {
  class: string;
  form: RegExp;
  holds?: (found: string, text: string, at: number) => boolean;
  only?: RegExp;
}[] = [
  {
    class: 'mail',
    form: /[\p{L}\p{N}._%+'-]{1,64}@(?:[\p{L}\p{N}-]{1,63}\.){1,8}\p{L}{2,24}/gu,
    holds: (found, text, at) =>
      !/@[1-4]x\.(?:png|jpe?g|gif|webp|svg|avif)$/i.test(found) &&
      !/:\/\/[^\s/]{0,256}$/.test(text.slice(Math.max(0, at - 260), at)),
    only: /@/,
  },
  { class: 'phone', form: /(?<!\d)(?:(?:00)?86[ .-]?)?1[3-9]\d{9}(?!\d)/g },
  { class: 'phone', form: /(?<!\d)1[3-9]\d([ .-])\d{4}\1\d{4}(?!\d)/g },
  { class: 'phone', form: /(?<!\d)1[3-9]\d{2}([ .-])\d{4}\1\d{3}(?!\d)/g },
  { class: 'phone', form: /(?<!\d)1[3-9]\d(?:[ .-]\d{8}|\d{4}[ .-]\d{4})(?!\d)/g },
  {
    class: 'phone',
    form: /(?<![\w%+])\+\(?[1-9](?:[ .()-]{0,2}\d){7,14}(?!\d)/g,
    holds: (found) => !/^(?:999|8610\d{9}$)/.test(found.replace(/\D/g, '')),
    only: /\+/,
  },
  { class: 'phone', form: /(?<!\d)0[1-9]\d{1,2}-[1-9]\d{6,7}(?!\d)/g },
  {
    class: 'phone',
    form: /(?<!\d)(?:\([2-9]\d\d\) ?|[2-9]\d\d[.-])[2-9]\d\d[.-]\d{4}(?!\d)/g,
    holds: (found, text, at) => !isBehindNobodysCode(found, text.slice(Math.max(0, at - 8), at)),
  },
  { class: 'card', form: /(?<!\d)(?<!(?<!\d)0\.)[2-69]\d{12,18}(?!\d)/g, holds: sumsToTen },
  { class: 'card', form: /(?<!\d)[2-69]\d{3}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{1,3})?(?!\d)/g, holds: sumsToTen },
  { class: 'card', form: /(?<!\d)3\d{3}([ -])\d{6}\1\d{4,5}(?!\d)/g, holds: sumsToTen },
  { class: 'card', form: /(?<!\d)6\d{5}([ -])\d{10,13}(?!\d)/g, holds: sumsToTen },
  {
    class: 'id',
    form: /(?<!\d)[1-9]\d{5}[ -]?(?:18|19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[ -]?\d{3}[\dXx](?!\d)/g,
    holds: hasIdCheck,
  },
  {
    class: 'id',
    form: /(?<!\d)(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|91)\d{4}\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}(?!\d)/g,
  },
  { class: 'token', form: /eyJ[\w-]{5,1024}\.[\w-]{2,8192}/g, only: /eyJ/ },
  { class: 'token', form: /(?<=\bbearer\s{1,4})(?!masked-[a-p]+(?![\w-]))[\w.~+/=-]{6,8192}/gi, only: /bearer/i },
  {
    class: 'token',
    form: /(?<=\bbasic\s{1,4})[\w+/=-]{4,8192}/gi,
    holds: (found) => [found, found.split('/')[0]!].some(isUserAndPassword),
    only: /basic/i,
  },
  { class: 'token', form: /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g, only: /A[KS]IA/ },
  { class: 'token', form: /\bLTAI[0-9A-Za-z]{12,24}\b/g, only: /LTAI/ },
  { class: 'token', form: /\bgh[oprsu]_[0-9A-Za-z]{20,255}/g, only: /gh[oprsu]_/ },
  { class: 'token', form: /\b[rs]k_(?:live|test)_[0-9A-Za-z]{10,255}/g, only: /[rs]k_/ },
  { class: 'token', form: /\bxox[abeprs]-[\w-]{10,255}/g, only: /xox/ },
  {
    class: 'token',
    form: /(?<=PRIVATE KEY-----)[\s\\nr]*[A-Za-z0-9+/=][^-]{15}/g,
    holds: (found) => !/^[\s\\nr]*masked$/.test(found),
    only: /PRIVATE KEY/,
  },
  {
    class: 'token',
    form: /(?<=:\/\/)[^\s/@?#"'<>\\]{1,256}(?=@)/g,
    only: /:\/\/[^/@\s]{1,256}@/,
  },
];

const ADDRESS_FORMS: readonly RegExp[] = [
  /(?<![\w.])(?<!\w\/)(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w]|\.\d)/g,
  /(?<![\w:.])(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}(?![\w:])|(?<![\w:.])(?:[0-9a-f]{1,4}:){1,6}(?::[0-9a-f]{1,4}){1,6}(?![\w:])/gi,
];
const OWN_ADDRESS = /^(?:127\.|0\.|24\d\.|25\d\.|2001:db8:|::1$)/i;

/** The classes that are made of digits; without seven near each other there is none. */
const OF_DIGITS: ReadonlySet<string> = new Set(['phone', 'card', 'id']);
const NUMBERS = /\d(?:[ .()-]{0,2}\d){6}/;

/** Everything in one text that has a form of its own. */
export function* hitsByForm(written: string, ips: boolean): Generator<Hit, void, undefined> {
  // The digits of an escape belong to no number; what it stands for is another reading's.
  const text = written.includes('%')
    ? written.replace(/%(?:25)*[0-9A-Fa-f]{2}/g, (sign) => '\u0001'.repeat(sign.length))
    : written;
  const hasNumbers = NUMBERS.test(text);
  for (const { class: kind, form, holds, only } of FORMS) {
    if (!hasNumbers && OF_DIGITS.has(kind)) continue;
    if (only !== undefined && !only.test(text)) continue;
    for (const match of text.matchAll(form)) {
      const found = match[0];
      if (isMasked(found) || holds?.(found, text, match.index) === false) continue;
      yield { class: kind, start: match.index, end: match.index + found.length };
    }
  }
  if (!ips) return;
  for (const form of ADDRESS_FORMS) {
    for (const { index, 0: found } of text.matchAll(form)) {
      if (!OWN_ADDRESS.test(found)) yield { class: 'ip', start: index, end: index + found.length };
    }
  }
}

function isUserAndPassword(base64: string): boolean {
  return /^[ -~]*:[ -~]*$/.test(Buffer.from(base64, 'base64').toString('latin1'));
}

/** Part of a number of +999, which is nobody's country. */
function isBehindNobodysCode(found: string, before: string): boolean {
  const plus = before.lastIndexOf('+');
  return plus >= 0 && (before.slice(plus) + found).replace(/\D/g, '').startsWith('999');
}

/** Luhn's rule, from the last digit to the first. */
function sumsToTen(found: string): boolean {
  const digits = Array.from(found.replace(/\D/g, ''), Number).toReversed();
  const sum = digits.reduce((total, digit, place) => {
    const weighted = place % 2 === 0 ? digit : digit * 2;
    return total + Math.floor(weighted / 10) + (weighted % 10);
  }, 0);
  return digits.length >= 13 && digits.length <= 19 && sum % 10 === 0;
}

/** ISO 7064 MOD 11-2: the weighted sum of all 18 characters leaves 1; an X counts ten. */
function hasIdCheck(found: string): boolean {
  const id = found.replace(/[ -]/g, '').toUpperCase();
  let rest = 0;
  for (const sign of id) rest = (rest * 2 + (sign === 'X' ? 10 : Number(sign))) % 11;
  return id.length === 18 && rest === 1;
}
