/** One reading of a text: as it stands, or with one or more encodings taken off. */
export interface View {
  /** Such as `plain`, `percent-encoded` or `base64, JSON-escaped`. */
  form: string;
  text: string;
  /** Where this reading's text begins in the text that was given; offsets within are exact only for `plain`. */
  offset: number;
}

const DEPTH_MAX = 4;
const VIEWS_MAX = 400;
const RUN = /[0-9A-Za-z+/_-]{12,}={0,2}/g;

/**
 * Every way in which somebody could read a text: plain, full-width characters narrowed, percent-encoding, JSON escapes and
 * base64 taken off, and encodings within encodings. Written apart from the masker, so as not to miss what it misses.
 */
export function viewsOf(text: string): View[] {
  const views: View[] = [{ form: 'plain', text, offset: 0 }];
  const seen = new Set([text]);
  for (let at = 0; at < views.length && views.length < VIEWS_MAX; at++) {
    const view = views[at]!;
    const depth = view.form === 'plain' ? 0 : view.form.split(', ').length;
    if (depth >= DEPTH_MAX) continue;
    for (const { form, text: inner, offset } of peeled(view.text)) {
      if (inner === '' || seen.has(inner)) continue;
      seen.add(inner);
      views.push({
        form: view.form === 'plain' ? form : `${view.form}, ${form}`,
        text: inner,
        offset: view.offset + offset,
      });
    }
  }
  return views;
}

function* peeled(text: string): Generator<View, void, undefined> {
  if (/[\uff01-\uff5e]/.test(text)) yield { form: 'full-width', text: text.normalize('NFKC'), offset: 0 };
  if (text.includes('%')) yield { form: 'percent-encoded', text: withoutPercent(text), offset: 0 };
  if (text.includes('\\')) yield { form: 'JSON-escaped', text: withoutEscapes(text), offset: 0 };
  for (const run of text.matchAll(RUN)) {
    const inner = textBehind(run[0]);
    if (inner !== undefined) yield { form: 'base64', text: inner, offset: run.index };
  }
}

/** Each run of `%41%42` on its own: one broken escape hides no other. */
function withoutPercent(text: string): string {
  return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'));
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: ' ', f: ' ' };

function withoutEscapes(text: string): string {
  return text.replace(/\\(?:u([0-9A-Fa-f]{4})|(.))/gs, (_, hex: string | undefined, sign: string | undefined) =>
    hex === undefined ? (SHORT_ESCAPES[sign!] ?? sign!) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** What base64 stands for when that is a text; most runs of letters are none and mean bytes of every kind. */
function textBehind(run: string): string | undefined {
  const bytes = Buffer.from(run, 'base64');
  for (const byte of bytes.subarray(0, 16)) if (byte < 9 || (byte > 13 && byte < 32) || byte === 127) return undefined;
  const text = bytes.toString('utf8');
  return /\ufffd|(?![\t\n\r])\p{Cc}/u.test(text) ? undefined : text;
}
