import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { identify } from '../core/process-identity.ts';
import { RunIndex } from './run-index.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seawall-index-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const entry = { runId: 'r1', runDir: '/nowhere', runtime: 'local', startedAt: 'now' };

describe('the index of open runs', () => {
  it('finds a run from its entry until it is removed, and leaves no file behind', () => {
    const index = new RunIndex(folder);
    index.add(entry);
    expect(index.list()).toEqual([entry]);
    expect(index.holder('r1')?.pid).toBe(process.pid);
    index.remove('r1');
    expect(index.list()).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('refuses the run of a living process and takes over that of a dead one', async () => {
    const index = new RunIndex(folder);
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    writeFileSync(join(folder, 'r1.lock'), JSON.stringify(identify(child.pid!)));
    expect(() => index.lock('r1')).toThrow(/living process/);
    child.kill('SIGKILL');
    await once(child, 'exit');
    index.lock('r1');
    expect(index.holder('r1')?.pid).toBe(process.pid);
  });

  it('counts a pid that was used again as dead', () => {
    const index = new RunIndex(folder);
    writeFileSync(join(folder, 'r1.lock'), JSON.stringify({ pid: process.ppid, started: 'another time' }));
    expect(index.holder('r1')).toBeUndefined();
    index.lock('r1');
    expect(index.holder('r1')?.pid).toBe(process.pid);
  });
});
