/** Luhn's check (ISO/IEC 7812-1): whether a string of digits can be a card number. */
export function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let at = digits.length - 1, doubled = false; at >= 0; at--, doubled = !doubled) {
    const digit = digits.charCodeAt(at) - 48;
    sum += !doubled ? digit : digit > 4 ? digit * 2 - 9 : digit * 2;
  }
  return sum % 10 === 0;
}

const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2] as const;
const CHECK = '10X98765432';

/** The last character that 17 digits of a resident's identity number ask for (GB 11643, ISO 7064 MOD 11-2). */
export function residentCheck(digits: string): string {
  let sum = 0;
  for (let at = 0; at < WEIGHTS.length; at++) sum += (digits.charCodeAt(at) - 48) * WEIGHTS[at]!;
  return CHECK[sum % 11]!;
}

const PROVINCE = /^(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|91)/;

/** A resident's identity number of 18 characters with a right check, or an old one of 15 digits with a possible birthday. */
export function isResidentId(text: string): boolean {
  if (!PROVINCE.test(text)) return false;
  if (text.length === 18) return text[17]!.toUpperCase() === residentCheck(text) && isDay(text.slice(10, 14));
  return text.length === 15 && isDay(text.slice(8, 12));
}

function isDay(monthAndDay: string): boolean {
  const month = Number(monthAndDay.slice(0, 2));
  const day = Number(monthAndDay.slice(2));
  return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}
