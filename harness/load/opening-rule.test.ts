import { expect, it } from 'vitest';
import { OpeningRule } from './opening-rule.ts';

/** Turns of the given length, each with so many answers; how many connections each of them may open. */
function turns(rule: OpeningRule, all: readonly { tookMs: number; answers: number }[]): number[] {
  let nowMs = 0;
  rule.begin(nowMs);
  return all.map(({ tookMs, answers }) => {
    for (let count = 0; count < answers; count++) rule.answered();
    nowMs += tookMs;
    return rule.allow(nowMs);
  });
}

it('opens where turns are short, and where they bring no answer', () => {
  const rule = new OpeningRule(false);
  expect(
    turns(rule, [
      { tookMs: 0.3, answers: 5 },
      { tookMs: 50, answers: 0 },
    ]),
  ).toEqual([16, 16]);
});

it('opens one in every 100 ms at most while answers keep the thread busy', () => {
  const rule = new OpeningRule(false);
  const busy = Array.from({ length: 100 }, () => ({ tookMs: 2.5, answers: 100 }));
  expect(turns(rule, busy).reduce((sum, count) => sum + count, 0)).toBe(3);
  expect(rule.behind).toBe(true);
});

it('lets out as many in a turn as can be read in 2 ms while the thread is behind, then twice as many, then all', () => {
  const rule = new OpeningRule(false);
  const sent = (): number => {
    let count = 0;
    while (count < 1000 && rule.send()) count++;
    return count;
  };
  expect(sent()).toBe(1000);
  turns(rule, [{ tookMs: 10, answers: 400 }]);
  expect(sent()).toBe(80);
  turns(rule, [{ tookMs: 0.2, answers: 8 }]);
  expect(sent()).toBe(160);
  rule.rest();
  expect(sent()).toBe(1000);
});

it('gives each request its connection whatever the turns take, where that is asked', () => {
  expect(turns(new OpeningRule(true), [{ tookMs: 50, answers: 500 }])).toEqual([16]);
});
