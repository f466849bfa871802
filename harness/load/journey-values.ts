import type { Chance } from '../core/random.ts';
import { type CompiledJourney, SLOT } from './compiled-journey.ts';
import type { Value } from './template.ts';

const [OF_USER, OF_UUID, OF_FEED] = [4, 5, 6];

/**
 * The values that a journey starts with: the same for the same seed and number, whatever the timing and whoever sends
 * it. Undefined when a feed whose rows are used once has none for it.
 */
export function valuesOf(
  journey: CompiledJourney,
  start: { number: number; index: number; chance: Chance; users: { from: number; to: number } },
): Value[] | undefined {
  const { number, index, chance, users } = start;
  const values = new Array<Value>(journey.slots).fill(undefined);
  values[SLOT.n] = number;
  if (journey.usesUser) values[SLOT.user] = String(chance.seek(number, OF_USER).integer(users.from, users.to));
  if (journey.usesUuid) values[SLOT.uuid] = uuidFrom(chance.seek(number, OF_UUID));
  for (let nth = 0; nth < journey.feeds.length; nth++) {
    const { rows, firstSlot } = journey.feeds[nth]!;
    chance.seek(number, OF_FEED + nth);
    const row = rows.rowFor(index, () => chance.next());
    if (row === undefined) return undefined;
    row.forEach((cell, column) => {
      values[firstSlot + column] = cell;
    });
  }
  return values;
}

function uuidFrom(chance: Chance): string {
  const hex = chance.hex(4);
  const variant = '89ab'[chance.integer(0, 3)]!;
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
}
