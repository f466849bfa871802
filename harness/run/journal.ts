import type { Clock } from '../core/clock.ts';
import { asHarnessError, type HarnessError } from '../core/errors.ts';
import { maskSecrets } from '../plan/secrets.ts';
import type { JournalBody, JournalEvent } from '../spi/journal.ts';
import type { AppendFile } from './append-file.ts';

export type JournalListener = (event: JournalEvent) => void;

/**
 * The run's append-only story, one JSON object a line. `append` never throws, since it is called from the middle of
 * everything: the first write that fails is kept, told to `onFailure` once, and ends the writing.
 */
export class Journal {
  readonly #file: AppendFile;
  readonly #clock: Clock;
  readonly #listeners: JournalListener[] = [];
  #seq = 0;
  #originMs: number | undefined;
  #failure: HarnessError | undefined;
  #onFailure: (failure: HarnessError) => void = () => {};

  readonly #secrets: readonly string[];

  /** `secrets` are never written: each is replaced wherever it stands in a line. */
  constructor(file: AppendFile, clock: Clock, secrets: readonly string[] = []) {
    this.#file = file;
    this.#clock = clock;
    this.#secrets = secrets;
  }

  get failure(): HarnessError | undefined {
    return this.#failure;
  }

  onFailure(listener: (failure: HarnessError) => void): void {
    this.#onFailure = listener;
  }

  subscribe(listener: JournalListener): void {
    this.#listeners.push(listener);
  }

  append(body: JournalBody): JournalEvent {
    if (body.type === 'load.origin') this.#originMs = body.originMs;
    const atMs = Math.round(this.#clock.now());
    const time = this.#originMs === undefined ? {} : { tMs: Math.round(atMs - this.#originMs) };
    const event: JournalEvent = { seq: ++this.#seq, atMs, ...time, ...body };
    this.#write(`${maskSecrets(JSON.stringify(event), this.#secrets)}\n`);
    for (const listener of this.#listeners) listener(event);
    return event;
  }

  close(): void {
    this.#file.close();
  }

  #write(line: string): void {
    if (this.#failure !== undefined) return;
    try {
      this.#file.write(line);
    } catch (thrown) {
      this.#failure = asHarnessError(thrown);
      this.#onFailure(this.#failure);
    }
  }
}
