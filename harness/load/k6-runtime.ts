/**
 * The part of a compiled k6 script that is the same for every scenario, in k6's JavaScript. It walks journeys and tells
 * what happened in lines on k6's log, each `~` and a JSON array; times are whole microseconds of k6's own monotonic clock
 * from the beginning of its run, which `o` ties to the clock of the machine.
 *
 *   ["o", phase, began, epochOfZero]          a phase of k6 began; what its clock's zero is in epoch time
 *   ["b", phase, i, journey, sent]            iteration i begins with its first request
 *   ["s", phase, i, step, intended, sent, ended, result, status, last, key, acked, traceparent, body, code, error]
 *                                             a step ended; `intended` is 0 for the first, whose due time is the schedule's
 *   ["l", phase, i, step, at]                 the journey ends before this step, by the declared conversion
 *   ["d", phase, i, at]                       start i was left out: no user was free when it was due
 *   ["y", phase, i, at]                       a feed whose rows are used once has none for start i: nothing starts any more
 */
export const K6_RUNTIME = String.raw`
const FAILURE_BODY_MAX = 2048;
const SEARCHED_MAX = 65536;
const SLACK_US = 5000;

let instance;
let scenario;
const micros = () => Math.round(instance.currentTestRunDuration * 1000);
const tell = (fields) => console.log('~' + JSON.stringify(fields));

function begin() {
  // Each use of these would make the objects anew.
  if (instance === undefined) {
    instance = exec.instance;
    scenario = exec.scenario;
  }
}

/** Ties k6's clock, which is fine, to the machine's, which a script sees in whole milliseconds: at a change of them. */
function tellOrigin(phase, began) {
  const before = Date.now();
  let now = before;
  while (now === before) now = Date.now();
  tell(['o', phase, began, now * 1000 - micros()]);
}

const chanceOf = (hash, at) => parseInt(hash.slice(at, at + 8), 16) / 4294967296;
const inPath = (value) => encodeURIComponent(String(value).toWellFormed ? String(value).toWellFormed() : String(value));
// A taken value may hold what would end the header line; it must not become a header of its own.
const inHeader = (value) => String(value).replace(/[^\x20-\x7e]/g, '');

function start(number) {
  const hash = crypto.sha256(SEED + '/' + number, 'hex');
  return {
    n: String(number),
    user: String(USERS.from + Math.floor(chanceOf(hash, 0) * (USERS.to - USERS.from + 1))),
    uuid: hash.slice(8, 16) + '-' + hash.slice(16, 20) + '-4' + hash.slice(20, 23) + '-' + '89ab'[parseInt(hash[23], 16) % 4] +
      hash.slice(24, 27) + '-' + hash.slice(27, 39),
  };
}

function jsonOf(answer) {
  if (answer.json === undefined) {
    answer.json = null;
    if (answer.body.length <= SEARCHED_MAX) {
      try {
        answer.json = JSON.parse(answer.body);
      } catch (_) {
        // Not JSON: then nothing can be pointed at.
      }
    }
  }
  return answer.json;
}

function locate(answer, keys) {
  let at = jsonOf(answer);
  for (const key of keys) {
    if (at === null || typeof at !== 'object' || !Object.prototype.hasOwnProperty.call(at, key)) return undefined;
    at = at[key];
  }
  return at;
}

const isPlain = (value) => typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

function json(answer, keys) {
  const value = locate(answer, keys);
  return isPlain(value) ? value : undefined;
}

const patterns = new Map();

function pattern(text) {
  let made = patterns.get(text);
  if (made === undefined) patterns.set(text, (made = new RegExp(text)));
  return made;
}

function regex(answer, wanted) {
  const found = wanted.exec(answer.body.slice(0, SEARCHED_MAX));
  if (found === null) return undefined;
  return found.length === 1 ? found[0] : found.slice(1).find((group) => group !== undefined);
}

function header(answer, name) {
  for (const key of Object.keys(answer.headers)) if (key.toLowerCase() === name) return answer.headers[key].trim();
  return undefined;
}

function cookie(answer, name) {
  const set = answer.cookies[name];
  return set === undefined || set.length === 0 ? undefined : set[set.length - 1].value;
}

/** Codes from 1400 to 1599 only repeat a status. */
const isUnanswered = ({ error_code: code }) => code !== 0 && (code < 1400 || code >= 1600);

function judge(step, answer, values) {
  if (isUnanswered(answer)) return 'error';
  if (!step.expect.includes(answer.status)) {
    return SHED_EXCLUDED && (answer.status === 429 || answer.status === 503) ? 'excluded' : 'status';
  }
  const seen = { body: answer.body || '', headers: answer.headers, cookies: answer.cookies, json: undefined };
  if (!step.take(seen, values)) return 'body';
  return step.check(seen) ? 'good' : 'body';
}

/** Only a definite 4xx says no; 408 says that the server stopped waiting, not that it did nothing. */
function ackedOf(step, answer) {
  if (isUnanswered(answer)) return 'unknown';
  if (step.expect.includes(answer.status)) return 'acked';
  return answer.status >= 400 && answer.status < 500 && answer.status !== 408 ? 'refused' : 'unknown';
}

function send(step, values, tags, timeout) {
  try {
    const params = { headers: Object.assign(step.headers(values), tags), timeout, redirects: 0, jar: new http.CookieJar(), tags: step.tags };
    return http.request(step.method, step.url(values), step.body(values), params);
  } catch (thrown) {
    // What cannot be written as a request was never sent, and says so.
    return { error_code: 1000, error: String(thrown), status: 0, body: null, headers: {}, cookies: {} };
  }
}

/** By weight in constant time: a slot keeps its own index, or gives another. */
function drawn({ count, weights }, number, nth) {
  const hash = crypto.sha256(SEED + '/' + number + '/feed/' + nth, 'hex');
  const slot = Math.min(count - 1, Math.floor(chanceOf(hash, 0) * count));
  if (weights === undefined) return slot;
  const [keep, other] = weights[slot];
  return chanceOf(hash, 8) < keep ? slot : other;
}

/** Puts the rows of a start into its values; false when a feed has none for it. */
function fed(values, names, number, index) {
  for (let nth = 0; nth < names.length; nth++) {
    const feed = FEEDS[names[nth]];
    if (feed.order === 'unique' && index >= feed.count) return false;
    const row = feed.order === 'random' ? drawn(feed, number, nth) : index % feed.count;
    values[names[nth] + '.'] = feed.rows === undefined ? feed.made(row + 1) : feed.rows[row];
  }
  return true;
}

/** Whether there was a row for it. */
function walk(phase, i, j, number, index) {
  const { steps, feeds } = JOURNEYS[j];
  const values = start(number);
  if (!fed(values, feeds, number, index)) {
    tell(['y', phase, i, micros()]);
    return false;
  }
  let ended = 0;
  for (let s = 0; s < steps.length; s++) {
    const step = steps[s];
    const hash = crypto.sha256(SEED + '/' + number + '/' + s, 'hex');
    let intended = 0;
    if (s > 0) {
      if (step.conversion < 1 && chanceOf(hash, 48) >= step.conversion) {
        tell(['l', phase, i, s, ended]);
        return true;
      }
      const think = step.think[0] + chanceOf(hash, 56) * (step.think[1] - step.think[0]);
      intended = ended + Math.round(think * 1000);
      if (think > 0) sleep(Math.max(0, intended - micros()) / 1e6);
    }
    const tags = tagsOf(hash.slice(0, 32), hash.slice(32, 48));
    const sent = micros();
    if (s === 0) tell(['b', phase, i, j, sent]);
    const timeout = s === 0 ? WITHIN_MS : Math.max(1, WITHIN_MS - (sent - intended) / 1000);
    const answer = send(step, values, tags, timeout);
    ended = micros();
    const result = judge(step, answer, values);
    const last = result !== 'good' || s === steps.length - 1;
    const fields = ['s', phase, i, s, intended, sent, ended, result, answer.status, last ? 1 : 0];
    const key = step.ack(values);
    if (key !== undefined || result !== 'good') fields.push(key === undefined ? null : key, key === undefined ? '' : ackedOf(step, answer));
    if (result !== 'good') {
      fields.push(tags.traceparent || '', String(answer.body || '').slice(0, FAILURE_BODY_MAX), answer.error_code, answer.error || '');
    }
    tell(fields);
    if (last) return true;
  }
  return true;
}

/** Waits for the time of a start that the schedule has and k6 has not; false when no user was free for it. */
function awaited(phase, i) {
  const due = DUES[i];
  const now = micros();
  if (now > due + SLACK_US) {
    tell(['d', phase, i, now]);
    return false;
  }
  if (due > now) sleep((due - now) / 1e6);
  return true;
}

function iterate(phase) {
  begin();
  const i = scenario.iterationInTest;
  const { count, lengthMs, began, first, row, offset, stride } = PHASES[phase];
  // k6 may start one more at the very end.
  if (count !== null && i >= count) return;
  if (i === 0) tellOrigin(phase, began === null ? micros() - Math.round(scenario.progress * lengthMs * 1000) : began);
  if (began !== null && !awaited(phase, i)) return;
  const start = offset + i * stride;
  if (walk(phase, i, CYCLE[start % CYCLE.length], first + start, row + start)) return;
  // Nothing starts any more; a user that went round at once would only keep the processor busy.
  sleep(Math.max(0.1, (1 - scenario.progress) * lengthMs / 1000));
}
`;
