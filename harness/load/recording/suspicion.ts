const PLAIN = 0;
const DIGIT = 1;
const WORD = 2;
const SEPARATOR = 3;
const SLASH = 4;
const ALARM = 5;

const DIGITS_MIN = 7;
const RUN_MIN = 16;

/** What each character below 128 can begin. */
const KINDS = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  if (/\d/.test(character)) return DIGIT;
  if (/[A-Za-z_+]/.test(character)) return WORD;
  if (character === '/') return SLASH;
  if (/[ .()-]/.test(character)) return SEPARATOR;
  return /[@=:<\\%;]/.test(character) ? ALARM : PLAIN;
});

/**
 * Whether a text could hold anything private by its own form: seven digits together or in groups, a run as long as a
 * token, a sign that stands in mail addresses, in encodings or behind keys. One pass; most texts end here. A slash ends a
 * run where it parts the segments of a path, and is part of base64 elsewhere.
 */
export function isSuspect(text: string, slashParts = false, end = text.length): boolean {
  let digits = 0;
  let run = 0;
  for (let at = 0; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code > 127) {
      if (code >= 0xff01 && code <= 0xff5e) return true;
      digits = 0;
      run = 0;
      continue;
    }
    const kind = KINDS[code]!;
    if (kind === DIGIT) {
      digits += 1;
      run += 1;
      if (digits >= DIGITS_MIN || run >= RUN_MIN) return true;
    } else if (kind === WORD) {
      digits = 0;
      run += 1;
      // `eyJ` is how base64 of an object begins, be it ever so short.
      if (run >= RUN_MIN || (code === 101 && text.startsWith('eyJ', at))) return true;
    } else if (kind === SEPARATOR) {
      if (code === 45) run += 1;
      // `Bearer x` and `Basic x`, however they are written.
      else if (code === 32 && endsLikeScheme(text, at)) return true;
      else run = 0;
    } else if (kind === SLASH) {
      digits = 0;
      run = slashParts ? 0 : run + 1;
    } else if (kind === ALARM) {
      return true;
    } else {
      digits = 0;
      run = 0;
    }
  }
  return false;
}

function endsLikeScheme(text: string, space: number): boolean {
  const last = text.charCodeAt(space - 1) | 32;
  return (last === 114 || last === 99) && /b(?:earer|asic)$/i.test(text.slice(Math.max(0, space - 6), space));
}
