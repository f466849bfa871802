import type { MaskRules } from './rule-set.ts';
import { type Hit, isMasked } from './scan-forms.ts';

/** Keys that by common use name a private value, without case, dashes and the like. */
const KEYS: readonly (readonly [string, RegExp])[] = [
  [
    'token',
    /^(?:auth|sid|sess|session|sign|sig|otp|pin|jwt|cvv2?|cvc|csrf|xsrf|captcha|密码|口令|令牌|验证码)$|(?:token|secret|passw(?:or)?d|pwd|apikey|accesskey|secretkey|privatekey|sessionid|signature|authorization|cookie|credentials?)$/,
  ],
  [
    'id',
    /^(?:ssn|idno|idnumber|身份证|证件号码?)$|(?:idcard|idcardno|passport|passportno|certno|身份证号?码?|护照号?码?)$/,
  ],
  ['card', /^(?:card|pan|iban)$|(?:cardno|cardnumber|bankcard|creditcard|银行卡号?|卡号)$/],
  [
    'phone',
    /^(?:tel|cell|fax|msisdn)$|(?:phone|mobile|telephone|phonenumber|mobilenumber|phoneno|mobileno|手机号?码?|电话(?:号码)?)$/,
  ],
  [
    'name',
    /^(?:name|username|nickname|surname|receiver|recipient|consignee|contact|姓名|收货人|收件人|联系人|持卡人|昵称)$|(?:realname|fullname|firstname|lastname|receivername|consigneename|contactname|customername)$/,
  ],
  ['address', /^(?:addr|street|地址|住址)$|(?<!e?mail|ip|mac|host|server|bind|listen|remote)(?:address|地址|住址)$/],
];

const SCHEME = /^(?:bearer|basic|digest|negotiate|token|apikey|[a-z0-9]+-hmac-sha\d+)\s+/i;
/** No mobile number, card or province begins with 10, and no country is +999. */
const MASKED_NUMBER = /^(?:(?:00)?86)?10|^999/;
const NEVER_SECRET = /^(?:|true|false|null|undefined|\d)$/;

/** What keys say about their values, by the definitions above and a user's own rules. */
export class KeyJudge {
  readonly #own = new Map<string, string>();
  readonly #kept: ReadonlySet<string>;
  readonly #values: ReadonlySet<string>;

  constructor(rules: MaskRules) {
    for (const [kind, keys] of Object.entries(rules.keys)) for (const key of keys) this.#own.set(plainKey(key), kind);
    this.#kept = new Set(rules.keep.keys.map(plainKey));
    this.#values = new Set(rules.keep.values);
  }

  classOf(key: string): string | undefined {
    for (const form of [key, key.replace(/\]+$/, '').replace(/^.*[.[]/s, '')]) {
      const plain = plainKey(form);
      if (plain === '') continue;
      if (this.#kept.has(plain)) return undefined;
      const found = this.#own.get(plain) ?? KEYS.find(([, form]) => form.test(plain))?.[0];
      if (found !== undefined) return found;
    }
    return undefined;
  }

  keeps(key: string): boolean {
    return this.#kept.has(plainKey(key));
  }

  /** Whether a value of a class is there for all to read. */
  isExposed(kind: string, written: string): boolean {
    const value = readable(written).trim();
    if (isMasked(value) || this.isKept(value)) return false;
    if (kind === 'token') return !NEVER_SECRET.test(value) && !isMasked(value.replace(SCHEME, ''));
    if (kind === 'phone') return numbers(value).some((number) => number.length >= 7 && !MASKED_NUMBER.test(number));
    if (kind === 'card') return numbers(value).some((number) => number.length >= 12 && !MASKED_NUMBER.test(number));
    if (kind === 'id') {
      const masked = /^[\d +()-]+$/.test(value) && MASKED_NUMBER.test(value.replace(/\D/g, ''));
      return !masked && /\d/.test(value) && value.replace(/[^\p{L}\p{N}]/gu, '').length >= 5;
    }
    if (kind === 'name' || kind === 'address') return /\p{L}/u.test(value) && this.classOf(value) === undefined;
    return value !== '';
  }

  isKept(value: string): boolean {
    return this.#values.has(value);
  }
}

function plainKey(key: string): string {
  const plain = key.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
  return plain.replace(/^x(?=(?:api|auth|access|csrf|xsrf|user|session|amz)[a-z])/, '');
}

/** A masked Chinese name in a form body is percent-encoded. */
function readable(written: string): string {
  if (!written.includes('%')) return written;
  try {
    return decodeURIComponent(written);
  } catch {
    return written;
  }
}

/** The digits of each number in a list of them; more than 32 are no number of anybody's. */
function numbers(value: string): string[] {
  const parts = value.split(/[,;/、，；|\n]/).map((part) => part.replace(/\D/g, ''));
  return parts.filter((digits) => digits.length <= 32);
}

// Values are looked ahead to where a value may itself be the next key, as in `rejected: token: "abc"`.
const JSON_PAIR = /"((?:[^"\\]|\\.){1,128})"\s{0,8}:\s{0,8}(?:"((?:[^"\\]|\\.)*)|(\d[\d.]*))/gsu;
const PAIR =
  /(?<![\p{L}\p{N}_.[\]-])([\p{L}\p{N}_.[\]-]{1,64})["']?\s{0,2}[=:]\s{0,2}(?=(?:"([^"]{0,2048})|'([^']{0,2048})|([^\s,;&"'<>{}[\]()|\\]{1,512})))/gu;
/** A pair of a query or a form, whose value holds no space and may hold many once it is decoded. */
const FIELD = /(?<=^|[?&])([^=&?#;\s"'<>]{1,200})=([^&#;,\s"'<>]{1,8192})/g;
const AUTHORIZATION = /authorization["']?\s{0,2}[=:]\s{0,2}["']?([\w-]{1,40}\s+)?([^\s"',;&<>]+)/gi;
const COOKIES = /(?<![\w-])cookie["']?\s{0,2}[=:]\s{0,2}["']?([^\r\n"'<>]+)/gi;
const TAG = /<([\p{L}\p{N}_:.-]{1,64})(?:\s[^<>]{0,256})?>([^<]{1,4096})<\//gu;
const PART = /name="([^"\r\n]{1,200})"[^\r\n]{0,400}(?:\r?\n[^\r\n]{1,400}){0,8}\r?\n\r?\n([^\r\n]*)/g;
const SCHEMES = /^(?:bearer|basic|digest|negotiate|token|apikey|\w+-hmac-sha\d+)$/i;

/** Exposed values that stand behind their key, in any notation of pairs. */
export function* hitsByKey(text: string, judge: KeyJudge): Generator<Hit, void, undefined> {
  for (const pattern of [JSON_PAIR, FIELD, PAIR, TAG, PART]) {
    if (pattern === PART && !text.includes('name="')) continue;
    for (const match of text.matchAll(pattern)) {
      const key = (pattern === FIELD ? readable(match[1]!) : match[1]!).replace(/^.*:/s, '');
      const value = match.slice(2).find((group) => group !== undefined);
      const kind = value === undefined ? undefined : judge.classOf(key);
      if (
        kind === undefined ||
        !isPlainValue(pattern, key, value!, text.slice(Math.max(0, match.index - 60), match.index))
      )
        continue;
      if (!judge.isExposed(kind, pattern === JSON_PAIR ? unescaped(value!) : value!)) continue;
      const start = text.indexOf(value!, match.index + match[1]!.length);
      yield { class: kind, start, end: start + value!.length };
    }
  }
  yield* authorizations(text, judge);
  yield* cookieHits(text, judge);
  yield* insideJson(text, judge);
}

/** What the other patterns see better: schemes, cookies' pairs, and a part's own name. */
function isPlainValue(pattern: RegExp, key: string, value: string, before: string): boolean {
  if (pattern === JSON_PAIR) return !/^\s*[[{]/.test(value) && !/^(?:set-)?cookie$/i.test(key);
  if (/^(?:set-)?cookie$/i.test(key) || SCHEMES.test(value) || /^[[{]/.test(value)) return false;
  // `form-data; name="realName"` is the name of a field.
  return !(pattern === PAIR && key === 'name' && /form-data;\s*$/i.test(before));
}

function* authorizations(text: string, judge: KeyJudge): Generator<Hit, void, undefined> {
  if (!/authorization/i.test(text) || judge.keeps('authorization')) return;
  for (const match of text.matchAll(AUTHORIZATION)) {
    const value = match[2]!;
    if (!judge.isExposed('token', value)) continue;
    const start = match.index + match[0].length - value.length;
    yield { class: 'token', start, end: start + value.length };
  }
}

function* cookieHits(text: string, judge: KeyJudge): Generator<Hit, void, undefined> {
  if (!/cookie/i.test(text)) return;
  for (const match of text.matchAll(COOKIES)) {
    const isSet = /set-$/i.test(text.slice(Math.max(0, match.index - 4), match.index));
    const start = match.index + match[0].length - match[1]!.length;
    for (const hit of exposedCookies(match[1]!, isSet, judge))
      yield { ...hit, start: hit.start + start, end: hit.end + start };
  }
}

/** Values in `a=1; b=2` that are not masked; of a Set-Cookie the first alone is one. */
export function* exposedCookies(value: string, isSet: boolean, judge: KeyJudge): Generator<Hit, void, undefined> {
  if (judge.keeps(isSet ? 'set-cookie' : 'cookie')) return;
  let at = 0;
  for (const [index, pair] of value.split(';').entries()) {
    const equals = pair.indexOf('=');
    const key = pair.slice(0, Math.max(0, equals)).trim();
    const cookie = readable(
      pair
        .slice(equals + 1)
        .trim()
        .replace(/^"(.*)"$/s, '$1'),
    );
    if (cookie !== '' && !isMasked(cookie) && !judge.keeps(key) && !judge.isKept(cookie))
      yield { class: 'token', start: at + equals + 1, end: at + pair.length };
    at += pair.length + 1;
    if (isSet && index === 0) return;
  }
}

/** JSON read as such: values in lists and objects whose key stands further up. */
function* insideJson(text: string, judge: KeyJudge): Generator<Hit, void, undefined> {
  if (!/^\s*[[{]/.test(text)) return;
  const root = parsed(text);
  if (root === undefined) return;
  const open: { value: unknown; kind: string | undefined; direct: boolean }[] = [
    { value: root, kind: undefined, direct: true },
  ];
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    const { value, kind, direct } = one;
    if (Array.isArray(value)) for (const item of value) open.push({ value: item, kind, direct: false });
    else if (typeof value === 'object' && value !== null) {
      for (const [key, item] of Object.entries(value)) {
        const own = judge.classOf(key);
        open.push({ value: item, kind: own ?? kind, direct: own !== undefined });
      }
    } else if (kind !== undefined && typeof value === 'string') {
      const inner = /^\s*[[{]/.test(value) ? parsed(value) : undefined;
      if (inner !== undefined) open.push({ value: inner, kind, direct: false });
      if (inner !== undefined || direct || !judge.isExposed(kind, value)) continue;
      const start = Math.max(0, text.indexOf(value));
      yield { class: kind, start, end: start + value.length };
    }
  }
}

/** Undefined for what was cut or is not JSON after all: the patterns have seen its pairs. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unescaped(text: string): string {
  return text.replace(/\\(?:u([0-9A-Fa-f]{4})|(.))/gs, (_, hex: string | undefined, sign: string | undefined) =>
    hex === undefined ? sign! : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
