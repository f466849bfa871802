import type { Recorded } from './recorded.ts';

/** What the summary says about times; they come in order. */
export class TimeTotals {
  #requests = 0;
  #firstMs = 0;
  #lastMs = 0;
  #second = Number.NEGATIVE_INFINITY;
  #inSecond = 0;
  readonly #peak = { atMs: 0, requests: 0 };

  add(atMs: number): void {
    if (this.#requests++ === 0) this.#firstMs = atMs;
    this.#lastMs = atMs;
    const second = Math.floor(atMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#inSecond = 0;
    }
    if (++this.#inSecond <= this.#peak.requests) return;
    this.#peak.atMs = second * 1000;
    this.#peak.requests = this.#inSecond;
  }

  summary() {
    return { requests: this.#requests, firstMs: this.#firstMs, lastMs: this.#lastMs, peak: this.#peak };
  }
}

/** What the summary says about the requests themselves. */
export class RequestTotals {
  readonly #methods = new Map<string, number>();
  readonly #statuses = new Float64Array(1000);
  #bodies = 0;
  #bodyBytes = 0;
  #answerBodies = 0;

  /** A request without bodies. */
  addBare(method: string, status: number | undefined): void {
    this.#methods.set(method, (this.#methods.get(method) ?? 0) + 1);
    this.#statuses[Math.min(status ?? 0, 999)]! += 1;
  }

  add(request: Recorded): void {
    this.addBare(request.method, request.status);
    if (request.body !== undefined) {
      this.#bodies++;
      this.#bodyBytes += Buffer.byteLength(request.body);
    }
    if (request.answerBody !== undefined) this.#answerBodies++;
  }

  summary() {
    return {
      methods: Object.fromEntries([...this.#methods].sort(([, a], [, b]) => b - a)),
      statuses: this.#classes(),
      bodies: this.#bodies,
      bodyBytes: this.#bodyBytes,
      answerBodies: this.#answerBodies,
    };
  }

  #classes(): Record<string, number> {
    const classes: Record<string, number> = {};
    this.#statuses.forEach((count, status) => {
      if (count === 0) return;
      const name = status === 0 ? 'none' : `${Math.floor(status / 100)}xx`;
      classes[name] = (classes[name] ?? 0) + count;
    });
    return classes;
  }
}
