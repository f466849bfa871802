import type { Random } from '../core/random.ts';
import { hexFrom } from './compiled-journey.ts';
import { fill, type Template, templateOf } from './template.ts';

/** Headers put on every request of a shadow scenario; `{trace}` and `{span}` in them are drawn per request. */
export class RequestTag {
  readonly #headers: readonly (readonly [string, Template])[];

  constructor(headers: Record<string, string>) {
    this.#headers = Object.entries(headers).map(([key, value]) => [key, templateOf(value)] as const);
  }

  next(random: Random): Record<string, string> {
    if (this.#headers.length === 0) return {};
    const drawn = new Map([
      ['trace', hexFrom(random, 32)],
      ['span', hexFrom(random, 16)],
    ]);
    return Object.fromEntries(this.#headers.map(([key, template]) => [key, fill(template, drawn)]));
  }
}
