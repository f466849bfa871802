import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { expect, it } from 'vitest';
import { setNiceness } from './niceness.ts';

/** The niceness of a process's scheduling group; undefined where there are no such groups, or no such process. */
function groupNiceness(pid: number): number | undefined {
  try {
    return Number(/ nice (-?\d+)/.exec(readFileSync(`/proc/${pid}/autogroup`, 'utf8'))?.[1]);
  } catch {
    return undefined;
  }
}

it('lets a process that leads a session yield, and the group that it is scheduled in', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });
  try {
    const pid = child.pid!;
    const before = groupNiceness(pid);
    await setNiceness(pid, 7);
    expect(getPriority(pid)).toBe(7);
    expect(groupNiceness(pid)).toBe(before === undefined ? undefined : 7);
  } finally {
    child.kill('SIGKILL');
  }
});

it('leaves a process alone that has ended', async () => {
  const child = spawn(process.execPath, ['-e', ''], { detached: true, stdio: 'ignore' });
  await new Promise((resolve) => child.once('exit', resolve));
  await setNiceness(child.pid!, 7);
  expect(groupNiceness(child.pid!)).toBeUndefined();
});
