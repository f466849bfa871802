import { spawn } from 'node:child_process';
import { getPriority } from 'node:os';
import { expect, it } from 'vitest';
import { groupNiceness, setNiceness } from './niceness.ts';

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
