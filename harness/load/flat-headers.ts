/** The first value of a header in a flat list (name, value, …) whose names are in lower case, as the name asked for is. */
export function headerOf(headers: readonly string[], name: string): string | undefined {
  for (let at = 0; at + 1 < headers.length; at += 2) {
    if (headers[at] === name) return headers[at + 1];
  }
  return undefined;
}
