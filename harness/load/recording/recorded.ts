/** One request as it once happened: what importers give, what is masked, what a recording holds and a replay sends. */
export interface Recorded {
  /** When it arrived, epoch ms with fractions. */
  atMs: number;
  /** What joins the requests of one user's visit; undefined where the source has nothing to tell it by. */
  session: string | undefined;
  method: string;
  /** Path and query as sent, percent-encoded. */
  path: string;
  /** Flat: name, value, name, value, …; names in lower case. */
  headers: string[];
  body: string | undefined;
  /** Undefined: not in the source. */
  status: number | undefined;
  tookMs: number | undefined;
  /** Of the answer, where the source has them: a replay learns from them which values the server made. */
  answerHeaders: string[];
  answerBody: string | undefined;
}
