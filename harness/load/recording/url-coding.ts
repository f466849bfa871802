/** Percent-decoded; undefined where a percent sign encodes nothing: then the text is what it says. */
export function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Percent-encoded; half a character, which no address can hold, becomes the sign for what is unknown. */
export function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

/** Rewrites a value that may be percent-encoded, and encodes only what changed. */
export function onDecoded(written: string, rewrite: (value: string) => string): string {
  const value = written.includes('%') ? (decoded(written) ?? written) : written;
  const by = rewrite(value);
  if (by === value) return written;
  return value === written ? by : encoded(by);
}
