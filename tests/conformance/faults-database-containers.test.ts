import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { containersRuntime } from '../../harness/runtime/containers.ts';
import { cycle, furnish, ON_A_PAIR, ON_ONE } from '../support/database-faults.ts';
import type { FaultBench } from '../support/fault-cycle.ts';
import { miniBench } from '../support/mini-stack.ts';
import { containerEngine, requireOrSkip } from '../support/requirements.ts';

const here = await containerEngine();
if (here.ok) process.env.SEAWALL_IMAGES ??= here.value.imageMap;

describe.each([
  { stack: 'hello', cases: ON_ONE },
  { stack: 'replicated', cases: ON_A_PAIR },
])('database faults in containers, stack $stack', ({ stack, cases }) => {
  let bench: FaultBench & AsyncDisposable;

  beforeAll(async () => {
    if (!here.ok) return;
    bench = await miniBench(containersRuntime, stack);
    if (stack === 'hello') await furnish(bench);
  });
  beforeEach((context) => void requireOrSkip(context, here));
  afterAll(() => bench?.[Symbol.asyncDispose]());

  test.each(cases)('$kind $target $params bites, and a cold process heals it, as often as one likes', async (asked) => {
    expect(await cycle(asked, bench)).toEqual([]);
  });
});
