/** What Node adds to the machine's floor: how late its shortest timer is, and what one system call costs through it. */
import { openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { quantileOf } from './statistics.ts';

const TIMERS = 2000;
const WRITES = 200_000;
const WARM_WRITES = 20_000;

async function timerLateness(): Promise<{ timerP50Ms: number; timerP99Ms: number }> {
  const late = new Float64Array(TIMERS);
  for (let index = 0; index < TIMERS; index++) {
    const began = performance.now();
    await sleep(1);
    late[index] = performance.now() - began - 1;
  }
  late.sort();
  return { timerP50Ms: quantileOf(late, 0.5), timerP99Ms: quantileOf(late, 0.99) };
}

function writeCost(): { nodeWriteNs: number } {
  const bytes = Buffer.alloc(100);
  const nowhere = openSync('/dev/null', 'w');
  let began = 0;
  for (let index = -WARM_WRITES; index < WRITES; index++) {
    if (index === 0) began = performance.now();
    writeSync(nowhere, bytes);
  }
  return { nodeWriteNs: ((performance.now() - began) * 1e6) / WRITES };
}

process.stdout.write(`${JSON.stringify({ ...(await timerLateness()), ...writeCost() })}\n`);
