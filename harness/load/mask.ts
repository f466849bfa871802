import { NO_RULES, ruleSet } from './recording/rule-set.ts';
import { TextMasker } from './recording/text-masker.ts';

const STARS = '***';
/** `{"name":"OutOfStock"}` is nobody's name, and tells why something failed. */
const rules = ruleSet({ ...NO_RULES, keep: { keys: ['name'], values: [] } });
const masker = new TextMasker(rules, (kind) => (kind === 'mail' ? `${STARS}@${STARS}` : STARS));

/** What is left of numbers that were cut in two, or that no form explains. */
const LEFTOVERS: readonly RegExp[] = [/\b\d{3,6}(?:[ -]\d{3,6}){2,}\b/g, /\d{9,}[Xx]?/g];

/**
 * A failure's body without what it may never show: the rules of the recordings, but stars instead of pseudonyms, since
 * nothing is joined by them, and no long run of digits at all. Stars stand without quotes: nobody sent them.
 */
export function mask(text: string): string {
  const starred = masker.body(text).replaceAll(`"${STARS}"`, STARS);
  return LEFTOVERS.reduce((masked, pattern) => masked.replace(pattern, STARS), starred);
}
