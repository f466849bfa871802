import { expect, test } from 'vitest';
import { seeded } from '../core/random.ts';
import { HELD_MAX_BYTES, Link } from './link.ts';
import type { Timers } from './timers.ts';
import type { Attributes, Toxic } from './toxics/toxic.ts';

/** Time that moves only when told; each timer comes `lateMs` after its time. */
function manualTimers(lateMs = 0): Timers & { pass(ms: number): void } {
  let now = 0;
  let waiting: { atMs: number; run: () => void }[] = [];
  return {
    now: () => now,
    after: (delayMs, run) => {
      const one = { atMs: now + Math.max(0, delayMs) + lateMs, run };
      waiting.push(one);
      return () => {
        waiting = waiting.filter((found) => found !== one);
      };
    },
    pass: (ms) => {
      const end = now + ms;
      for (;;) {
        const next = waiting.filter(({ atMs }) => atMs <= end).toSorted((a, b) => a.atMs - b.atMs)[0];
        if (next === undefined) break;
        waiting = waiting.filter((found) => found !== next);
        now = Math.max(now, next.atMs);
        next.run();
      }
      now = end;
    },
  };
}

interface Bench {
  link: Link;
  timers: ReturnType<typeof manualTimers>;
  /** What came out, in order: text, or what ended it. */
  out: string[];
  state: { paused: boolean; sinkTakes: boolean };
  add: (type: string, attributes?: Attributes, name?: string) => void;
  send: (text: string) => void;
}

function bench({ lateMs = 0 } = {}): Bench {
  const timers = manualTimers(lateMs);
  const out: string[] = [];
  const state = { paused: false, sinkTakes: true };
  const link = new Link(
    {
      pauseSource: () => {
        state.paused = true;
      },
      resumeSource: () => {
        state.paused = false;
      },
      write: (bytes) => {
        out.push(bytes.toString());
        return state.sinkTakes;
      },
      finish: (item) => out.push(`<${item}>`),
      close: (how) => out.push(`<close ${how}>`),
    },
    timers,
  );
  const add = (type: string, attributes: Attributes = {}, name = type): void => {
    const toxic: Toxic = { name, type, stream: 'upstream', toxicity: 1, attributes };
    link.add(toxic, seeded(name));
  };
  return { link, timers, out, state, add, send: (text) => link.receive(Buffer.from(text)) };
}

test('without toxics everything passes at once, FIN and reset included', () => {
  const { link, out, send } = bench();
  send('a');
  link.receive('end');
  link.receive('reset');
  expect(out).toEqual(['a', '<end>', '<reset>']);
});

test('latency lets each chunk and the FIN go when their time has come, not before', () => {
  const { link, timers, out, send, add } = bench();
  add('latency', { latency: 100 });
  send('a');
  timers.pass(60);
  send('b');
  link.receive('end');
  timers.pass(39);
  expect(out).toEqual([]);
  timers.pass(1);
  expect(out).toEqual(['a']);
  timers.pass(60);
  expect(out).toEqual(['a', 'b', '<end>']);
});

test('jitter never turns the order round and stays within its bounds', () => {
  const { timers, out, send, add } = bench();
  add('latency', { latency: 50, jitter: 50 });
  const sent = Array.from({ length: 100 }, (_, index) => String(index));
  for (const text of sent) {
    send(text);
    timers.pass(1);
  }
  timers.pass(101);
  expect(out).toEqual(sent);
});

test('two latencies add up, and taking one off hands what it holds to the other', () => {
  const { link, timers, out, send, add } = bench();
  add('latency', { latency: 100 }, 'one');
  add('latency', { latency: 100 }, 'two');
  send('a');
  timers.pass(199);
  expect(out).toEqual([]);
  timers.pass(1);
  expect(out).toEqual(['a']);
  send('b');
  timers.pass(50);
  link.remove('one');
  timers.pass(99);
  expect(out).toEqual(['a']);
  timers.pass(1);
  expect(out).toEqual(['a', 'b']);
});

test('a changed latency counts for what comes after it, behind what came before', () => {
  const { link, timers, out, send, add } = bench();
  add('latency', { latency: 100 });
  send('slow');
  link.update('latency', { latency: 0 });
  send('fast');
  expect(out).toEqual([]);
  timers.pass(100);
  expect(out).toEqual(['slow', 'fast']);
});

test('bandwidth passes its rate, in pieces, and the FIN after them', () => {
  const { link, timers, out, add } = bench();
  add('bandwidth', { rate: 10 });
  link.receive(Buffer.alloc(2000, 'x'));
  link.receive('end');
  timers.pass(100);
  expect(out.join('')).toHaveLength(1000);
  timers.pass(99);
  expect(out).not.toContain('<end>');
  timers.pass(1);
  expect(out.filter((text) => text !== '<end>').join('')).toHaveLength(2000);
  expect(out.at(-1)).toBe('<end>');
});

test('bandwidth keeps its rate for many small chunks on timers that are late', () => {
  const { link, timers, out, add } = bench({ lateMs: 1 });
  add('bandwidth', { rate: 100 });
  for (let index = 0; index < 200; index++) link.receive(Buffer.alloc(50, 'x'));
  timers.pass(50);
  expect(out.join('').length).toBeGreaterThanOrEqual(4800);
  expect(out.join('').length).toBeLessThanOrEqual(5000);
});

test('rate 0 stalls; a new rate lets it flow; taking it off lets all go', () => {
  const { link, timers, out, send, add } = bench();
  add('bandwidth', { rate: 0 });
  send('abc');
  timers.pass(10_000);
  expect(out).toEqual([]);
  link.update('bandwidth', { rate: 1 });
  timers.pass(3);
  expect(out.join('')).toBe('abc');
  link.update('bandwidth', { rate: 0 });
  send('def');
  link.remove('bandwidth');
  expect(out.join('')).toBe('abcdef');
});

test('a black hole swallows bytes, FIN and reset, and its removal closes the connection', () => {
  const { link, timers, out, send, add } = bench();
  add('timeout', { timeout: 0 });
  send('a');
  link.receive('end');
  link.receive('reset');
  timers.pass(1_000_000);
  expect(out).toEqual([]);
  expect(link.silent).toBe(true);
  link.remove('timeout');
  expect(out).toEqual(['<close fin>']);
});

test('a timeout closes after its time, however busy the connection is', () => {
  const { timers, out, send, add } = bench();
  add('timeout', { timeout: 100 });
  for (let index = 0; index < 9; index++) {
    send('x');
    timers.pass(11);
  }
  expect(out).toEqual([]);
  timers.pass(1);
  expect(out).toEqual(['<close fin>']);
});

test('reset_peer resets after its time; taken off before that, it does no harm unless bytes were lost', () => {
  const idle = bench();
  idle.add('reset_peer', { timeout: 50 });
  idle.timers.pass(50);
  expect(idle.out).toEqual(['<close reset>']);
  const spared = bench();
  spared.add('reset_peer', { timeout: 50 });
  spared.link.remove('reset_peer');
  spared.send('a');
  spared.timers.pass(100);
  expect(spared.out).toEqual(['a']);
  const torn = bench();
  torn.add('reset_peer', { timeout: 50 });
  torn.send('a');
  torn.link.remove('reset_peer');
  expect(torn.out).toEqual(['<close reset>']);
});

test('limit_data lets its bytes pass, ends the connection and swallows the rest', () => {
  const { link, timers, out, state, add, send } = bench();
  add('limit_data', { bytes: 5 });
  send('abc');
  send('defgh');
  send('i');
  link.receive('end');
  expect(out).toEqual(['abc', 'de', '<over>']);
  for (let index = 0; index < 8; index++) link.receive(Buffer.alloc(HELD_MAX_BYTES));
  timers.pass(1000);
  expect([out.length, state.paused]).toEqual([3, false]);
});

test('limit_data: reached exactly it ends at once, 0 ends with the first byte, and what passed before counts when it changes', () => {
  const exact = bench();
  exact.add('limit_data', { bytes: 3 });
  exact.send('abc');
  expect(exact.out).toEqual(['abc', '<over>']);
  const none = bench();
  none.add('limit_data', { bytes: 0 });
  expect(none.out).toEqual([]);
  none.send('a');
  expect(none.out).toEqual(['<over>']);
  const changed = bench();
  changed.add('limit_data', { bytes: 10 });
  changed.send('abc');
  changed.link.update('limit_data', { bytes: 2 });
  changed.send('d');
  expect(changed.out).toEqual(['abc', '<over>']);
});

test('limit_data before a latency: the end comes behind what it let through', () => {
  const { timers, out, add, send } = bench();
  add('limit_data', { bytes: 2 });
  add('latency', { latency: 100 });
  send('abc');
  expect(out).toEqual([]);
  timers.pass(100);
  expect(out).toEqual(['ab', '<over>']);
});

test('slow_close holds every kind of end, no bytes; taken off it lets go at once', () => {
  const { link, timers, out, add, send } = bench();
  add('slow_close', { delay: 100 });
  send('a');
  link.receive('end');
  timers.pass(99);
  expect(out).toEqual(['a']);
  link.receive('reset');
  timers.pass(1);
  expect(out).toEqual(['a', '<end>', '<reset>']);
  const off = bench();
  off.add('slow_close', { delay: 100 });
  off.link.receive('gone');
  off.link.remove('slow_close');
  expect(off.out).toEqual(['<gone>']);
});

test('slicer cuts into pieces with a delay after each, the end behind the last', () => {
  const { link, timers, out, add, send } = bench();
  add('slicer', { average_size: 4, size_variation: 0, delay: 10_000 });
  send('abcdefghij');
  link.receive('end');
  expect(out).toEqual(['abcd']);
  timers.pass(9);
  expect(out).toEqual(['abcd']);
  timers.pass(1);
  expect(out).toEqual(['abcd', 'efgh']);
  timers.pass(10);
  expect(out).toEqual(['abcd', 'efgh', 'ij']);
  timers.pass(10);
  expect(out).toEqual(['abcd', 'efgh', 'ij', '<end>']);
});

test('slicer: pieces vary within their bounds, no byte is lost, and delays below a ms add up', () => {
  const { link, timers, out, add } = bench();
  add('slicer', { average_size: 10, size_variation: 5, delay: 100 });
  const text = Array.from({ length: 3000 }, (_, index) => String(index % 10)).join('');
  link.receive(Buffer.from(text));
  timers.pass(1000);
  expect(out.join('')).toBe(text);
  const sizes = out.slice(0, -1).map((piece) => piece.length);
  expect([Math.min(...sizes), Math.max(...sizes)]).toEqual([5, 15]);
  expect(out.length).toBeGreaterThan(270);
  expect(out.length).toBeLessThan(330);
});

test('slicer: pieces of no delay go at once; taken off, what is held goes in one', () => {
  const swift = bench();
  swift.add('slicer', { average_size: 2, size_variation: 0, delay: 0 });
  swift.send('abcde');
  expect(swift.out).toEqual(['ab', 'cd', 'e']);
  const off = bench();
  off.add('slicer', { average_size: 1, size_variation: 0, delay: 1_000_000 });
  off.send('abc');
  off.link.remove('slicer');
  expect(off.out).toEqual(['a', 'bc']);
});

test('a source is paused while its link holds too much, and goes on when half has left', () => {
  const { link, timers, state, add } = bench();
  add('latency', { latency: 100 });
  link.receive(Buffer.alloc(HELD_MAX_BYTES));
  expect(state.paused).toBe(false);
  timers.pass(50);
  link.receive(Buffer.alloc(1));
  expect(state.paused).toBe(true);
  timers.pass(50);
  expect(state.paused).toBe(false);
});

test('a sink that is full pauses the source until it drains', () => {
  const { link, state, send } = bench();
  state.sinkTakes = false;
  send('a');
  expect(state.paused).toBe(true);
  link.drained();
  expect(state.paused).toBe(false);
});

test('a black hole holds no bytes: its source is never paused', () => {
  const { link, state, add } = bench();
  add('timeout', { timeout: 0 });
  for (let index = 0; index < 8; index++) link.receive(Buffer.alloc(HELD_MAX_BYTES));
  expect(state.paused).toBe(false);
});
