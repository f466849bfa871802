/** What is to be replaced in one text. Places found first win: a later one that overlaps is not taken. */
export class TextEdits {
  /** Ascending, not overlapping. */
  readonly #edits: { start: number; end: number; text: string }[] = [];

  /** Whether a place is free of what was found before. */
  isFree(start: number, end: number): boolean {
    const next = this.#edits[this.#firstEndingAfter(start)];
    return next === undefined || next.start >= end;
  }

  add(start: number, end: number, text: string): void {
    const at = this.#firstEndingAfter(start);
    const next = this.#edits[at];
    if (next !== undefined && next.start < end) return;
    this.#edits.splice(at, 0, { start, end, text });
  }

  applyTo(text: string): string {
    if (this.#edits.length === 0) return text;
    let result = '';
    let from = 0;
    for (const edit of this.#edits) {
      result += text.slice(from, edit.start) + edit.text;
      from = edit.end;
    }
    return result + text.slice(from);
  }

  #firstEndingAfter(start: number): number {
    let low = 0;
    let high = this.#edits.length;
    // Mostly places are found from left to right.
    if (high === 0 || this.#edits[high - 1]!.end <= start) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#edits[middle]!.end > start) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
