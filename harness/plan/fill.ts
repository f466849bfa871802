import type { Json } from '../spi/json.ts';
import type { Path } from './document.ts';

export type VariableValue = string | number | boolean;

/** Where `${name}` and `${env:NAME}` take their values, and what was seen on the way. */
export interface FillScope {
  variables: ReadonlyMap<string, VariableValue>;
  environment: Readonly<Record<string, string | undefined>>;
  /** Names of variables that were used. */
  used: Set<string>;
  /** Values that came from the environment: never to be printed. */
  secrets: Set<string>;
  /** A name without a value, with where it was asked for. */
  unknown(path: Path, name: string): void;
}

const REFERENCE = /\$\{([^{}]*)\}/g;

/**
 * A value with every `${…}` in its strings filled in. A string that is nothing but one reference takes the variable's
 * own type, so that `seed: ${seed}` can be a number.
 */
export function fill(value: Json, path: Path, scope: FillScope): Json {
  if (typeof value === 'string') return fillText(value, path, scope);
  if (Array.isArray(value)) return value.map((item, index) => fill(item, [...path, index], scope));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item, [...path, key], scope)]));
}

function fillText(text: string, path: Path, scope: FillScope): Json {
  const whole = /^\$\{([^{}]*)\}$/.exec(text);
  if (whole !== null) return lookUp(whole[1]!.trim(), path, scope) ?? text;
  return text.replace(REFERENCE, (found, name: string) => String(lookUp(name.trim(), path, scope) ?? found));
}

function lookUp(name: string, path: Path, scope: FillScope): VariableValue | undefined {
  const found = name.startsWith('env:') ? fromEnvironment(name.slice('env:'.length), scope) : scope.variables.get(name);
  if (found === undefined) scope.unknown(path, name);
  else scope.used.add(name);
  return found;
}

function fromEnvironment(name: string, scope: FillScope): string | undefined {
  const value = Object.hasOwn(scope.environment, name) ? scope.environment[name] : undefined;
  if (value !== undefined && value !== '') scope.secrets.add(value);
  return value;
}

/** The value of `--set name=value`: a number or a truth value when it reads like one, else text. */
export function overrideValue(text: string): VariableValue {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?(0|[1-9]\d{0,14})(\.\d+)?$/.test(text) ? Number(text) : text;
}
