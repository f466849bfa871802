import type { Plan } from '../spi/plan.ts';
import type { Stack } from '../spi/stack.ts';

/** Shorter values (`5`, `on`) are settings: hiding them would riddle every text that happens to hold them. */
const SHORTEST = 4;
const MASK = '***';

/** By the stack, which a plan with another seed still shares. */
const secretsByStack = new WeakMap<Stack, readonly string[]>();

export function rememberSecrets(plan: Plan, secrets: readonly string[]): void {
  secretsByStack.set(plan.stack, secrets);
}

/** Values that came from `${env:…}`: to be masked wherever the plan is shown or written down. */
export function secretsOf(plan: Plan): readonly string[] {
  return secretsByStack.get(plan.stack) ?? [];
}

/** The text with every secret in it replaced, also where it stands escaped inside JSON. */
export function maskSecrets(text: string, secrets: readonly string[]): string {
  const forms = secrets
    .filter((secret) => secret.length >= SHORTEST)
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]);
  // Longest first: a secret may hold another one.
  return forms.toSorted((a, b) => b.length - a.length).reduce((shown, form) => shown.replaceAll(form, MASK), text);
}
