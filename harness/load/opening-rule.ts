/** Most connections opened in one turn of the event loop: opening one costs many times what a request does. */
const OPENED_A_TURN = 16;
/** Reading a turn's answers, and sending what they make room for, took so long: this thread is behind, and more will lie there. */
const BUSY_TURN_MS = 1;
/** While it is behind, requests for so long a turn go out in one: more of them at once cost more each. */
const TURN_MS = 2;
const SENT_A_TURN_MIN = 16;
/** However long this thread is behind, one more is opened in each of these. */
const OPENED_EVERY_MS = 100;

/**
 * How many connections a pool may open at the end of a turn of the event loop in which there were none for a request.
 *
 * After a moment in which the generator did nothing, every start of that moment is due at once, and the answers that free
 * the connections lie there unread. Opening a connection for each start would make every later request dearer, here and
 * in the server, so that the generator never caught up. So none is opened while the answers of a turn keep this thread
 * busy for a millisecond and more: with as many connections as that takes it is the processor that limits, not they.
 *
 * For the same reason no more starts go out in a turn of a thread that is behind than it can read answers in two
 * milliseconds; the number doubles with every turn in which it is not.
 *
 * A system that is slow hides behind nothing of this. Where answers do not come, connections are opened at once; where
 * they come slowly, turns are short, and the next one opens. While every turn is long, one is opened in every 100 ms all
 * the same. And what waits is timed from its intended start: to the report it is lateness of the generator.
 */
export class OpeningRule {
  readonly #always: boolean;
  #answers = 0;
  /** When the turn began; undefined before the first that is measured. */
  #beganMs: number | undefined;
  #openedMs = Number.NEGATIVE_INFINITY;
  #behind = false;
  /** How many may go out in a turn, and how many still may in this one. */
  #quota = Number.POSITIVE_INFINITY;
  #left = Number.POSITIVE_INFINITY;

  /** `always`: no thought is given to how busy this thread is. */
  constructor(always: boolean) {
    this.#always = always;
  }

  /** Whether the last turn says that this thread is behind. */
  get behind(): boolean {
    return this.#behind;
  }

  /** Whether one more request may go out in this turn on a connection that is free; counts it. */
  send(): boolean {
    return this.#left-- > 0;
  }

  /** An answer was read to its end. */
  answered(): void {
    this.#answers++;
  }

  /** A turn begins. */
  begin(nowMs: number): void {
    this.#beganMs = nowMs;
    this.#answers = 0;
  }

  /** There are connections enough: what turns take is not looked at. */
  rest(): void {
    this.#beganMs = undefined;
    this.#behind = false;
    this.#quota = this.#left = Number.POSITIVE_INFINITY;
  }

  /** A turn has ended: how many may be opened. The next turn begins. */
  allow(nowMs: number): number {
    const [beganMs, answers] = [this.#beganMs, this.#answers];
    this.begin(nowMs);
    if (this.#always) return OPENED_A_TURN;
    // The turn that brought the first request was not measured.
    if (beganMs === undefined) return 0;
    const tookMs = nowMs - beganMs;
    this.#behind = answers > 0 && tookMs >= BUSY_TURN_MS;
    this.#quota = this.#behind ? Math.max(SENT_A_TURN_MIN, (answers * TURN_MS) / tookMs) : this.#quota * 2;
    this.#left = this.#quota;
    if (this.#behind && nowMs - this.#openedMs < OPENED_EVERY_MS) return 0;
    this.#openedMs = nowMs;
    return this.#behind ? 1 : OPENED_A_TURN;
  }
}
