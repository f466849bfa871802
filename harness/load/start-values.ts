import { createHash } from 'node:crypto';
import type { LoadSpec } from '../spi/load.ts';

/** Of what the chance of a scenario's starts is made, for engines that are other programs. */
export const chanceRoot = ({ seed, scenario }: Pick<LoadSpec, 'seed' | 'scenario'>): string =>
  `${seed}/load/${scenario.name}`;

/** Uniform in [0, 1), from eight hex digits of a hash. */
const chanceOf = (hash: string, at: number): number => Number.parseInt(hash.slice(at, at + 8), 16) / 2 ** 32;

/** The values that a start has by itself: the same for the same seed and number, and the same that a k6 script makes. */
export function startValues(root: string, number: number, users: { from: number; to: number }): Map<string, string> {
  const hash = hashOf(`${root}/${number}`);
  const user = users.from + Math.floor(chanceOf(hash, 0) * (users.to - users.from + 1));
  const variant = '89ab'[Number.parseInt(hash[23]!, 16) % 4]!;
  const uuid = `${hash.slice(8, 16)}-${hash.slice(16, 20)}-4${hash.slice(20, 23)}-${variant}${hash.slice(24, 27)}-${hash.slice(27, 39)}`;
  return new Map([
    ['n', String(number)],
    ['user', String(user)],
    ['uuid', uuid],
  ]);
}

/** What is drawn for one request's tag. */
export function traceOf(root: string, number: number, step: number): { trace: string; span: string } {
  const hash = hashOf(`${root}/${number}/${step}`);
  return { trace: hash.slice(0, 32), span: hash.slice(32, 48) };
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');
