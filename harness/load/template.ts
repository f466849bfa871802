import type { Json } from '../spi/json.ts';

/** What a slot holds; `undefined`: not yet known. */
export type Value = string | number | boolean | undefined;

/** What a placeholder's name stands for: a slot, a text that never changes, or undefined when nobody knows the name. */
export type Slots = (name: string) => number | string | undefined;

type Encode = (value: Exclude<Value, undefined>) => string;

/** Text with slots: `literals[0] slot literals[1] slot … literals[n]`, each value written by its encoder. */
export interface Template {
  readonly literals: readonly string[];
  readonly slots: readonly number[];
  readonly encoders: readonly Encode[];
  /** What stands for a slot whose value is not known: the placeholder as it was written. */
  readonly written: readonly string[];
}

const PLACEHOLDER = /\{([A-Za-z_][\w]*(?:\.[\w-]+)?)\}/;

export const asIs: Encode = String;
export const inPath: Encode = (value) => encodeURIComponent(String(value).toWellFormed());
/** A taken value may hold what would end the header line; it must not become a header of its own. */
export const inHeader: Encode = (value) => String(value).replace(/[^\x20-\x7e]/g, '');
const inJsonString: Encode = (value) => JSON.stringify(String(value)).slice(1, -1);
const asJson: Encode = (value) => JSON.stringify(value);

/** Cuts text at the placeholders that have a slot; others stay as they are written. */
export function templateOf(text: string, slots: Slots, encode: Encode = asIs): Template {
  const builder = new Builder(slots);
  builder.text(text, (literal) => literal, encode);
  return builder.done();
}

/** The text of a JSON value; a string that is one placeholder alone takes over its value's own type. */
export function jsonTemplateOf(value: Json, slots: Slots): Template {
  const builder = new Builder(slots);
  builder.json(value);
  return builder.done();
}

/** Templates one behind the other. */
export function joined(templates: readonly Template[]): Template {
  const literals = [''];
  for (const template of templates) {
    literals[literals.length - 1] += template.literals[0]!;
    literals.push(...template.literals.slice(1));
  }
  return {
    literals,
    slots: templates.flatMap((template) => template.slots),
    encoders: templates.flatMap((template) => template.encoders),
    written: templates.flatMap((template) => template.written),
  };
}

export const literal = (text: string): Template => ({ literals: [text], slots: [], encoders: [], written: [] });

export function fill(template: Template, values: readonly Value[]): string {
  const { literals, slots } = template;
  let text = literals[0]!;
  for (let index = 0; index < slots.length; index++) {
    const value = values[slots[index]!];
    text += value === undefined ? template.written[index]! : template.encoders[index]!(value);
    text += literals[index + 1]!;
  }
  return text;
}

/** Whether every slot of the template has a value. */
export function isFilledBy(template: Template, values: readonly Value[]): boolean {
  return template.slots.every((slot) => values[slot] !== undefined);
}

class Builder {
  readonly #slots: Slots;
  readonly #template = { literals: [''], slots: [] as number[], encoders: [] as Encode[], written: [] as string[] };

  constructor(slots: Slots) {
    this.#slots = slots;
  }

  done(): Template {
    return this.#template;
  }

  text(text: string, literally: (literal: string) => string, encode: Encode): void {
    // Split at the one group: even entries are literal, odd ones are names.
    text.split(PLACEHOLDER).forEach((part, index) => {
      const slot = index % 2 === 1 ? this.#slots(part) : undefined;
      if (typeof slot === 'string') this.#literal(encode(slot));
      else if (slot !== undefined) this.#slot(slot, encode, literally(`{${part}}`));
      else this.#literal(literally(index % 2 === 1 ? `{${part}}` : part));
    });
  }

  json(value: Json): void {
    if (typeof value === 'string') {
      const [before, name, after] = value.split(PLACEHOLDER);
      const slot = before === '' && after === '' && name !== undefined ? this.#slots(name) : undefined;
      if (typeof slot === 'number') {
        this.#slot(slot, asJson, JSON.stringify(value));
        return;
      }
      this.#literal('"');
      this.text(value, (part) => JSON.stringify(part).slice(1, -1), inJsonString);
      this.#literal('"');
    } else if (Array.isArray(value)) {
      this.#list('[', ']', value, (item) => this.json(item));
    } else if (value !== null && typeof value === 'object') {
      this.#list('{', '}', Object.entries(value), ([key, item]) => {
        this.#literal(`${JSON.stringify(key)}:`);
        this.json(item);
      });
    } else this.#literal(JSON.stringify(value));
  }

  #list<T>(open: string, close: string, items: readonly T[], each: (item: T) => void): void {
    this.#literal(open);
    items.forEach((item, index) => {
      if (index > 0) this.#literal(',');
      each(item);
    });
    this.#literal(close);
  }

  #literal(text: string): void {
    const { literals } = this.#template;
    literals[literals.length - 1] += text;
  }

  #slot(slot: number, encode: Encode, written: string): void {
    const { literals, slots, encoders } = this.#template;
    slots.push(slot);
    encoders.push(encode);
    this.#template.written.push(written);
    literals.push('');
  }
}
