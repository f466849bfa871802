/** What a recording is called while it is not whole. */
export function partOf(out: string): string {
  return `${out}.part`;
}
