import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findNode, killNode, type ProcessSpec, startProcess } from './local-process.ts';
import { isAlive } from './process-identity.ts';

let folder: string;
let spec: ProcessSpec;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'local-process-'));
  const runId = `test-${process.pid}-${process.hrtime.bigint()}`;
  spec = { argv: [], cwd: folder, env: { GREETING: 'hello' }, logFile: join(folder, 'logs/a.log'), runId, nodeId: 'a' };
});

afterEach(async () => {
  await killNode(spec.runId, spec.nodeId, AbortSignal.timeout(5000));
  rmSync(folder, { recursive: true });
});

async function until(holds: () => boolean): Promise<void> {
  const end = Date.now() + 5000;
  while (!holds()) {
    if (Date.now() > end) throw new Error('it never came to that');
    await sleep(10);
  }
}

const PARENT = `
  const { spawn } = require('node:child_process');
  spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });
  console.log(process.env.GREETING, process.env.PATH === undefined);
  setInterval(() => {}, 1000);
`;

it('starts a marked process with its own environment and log, and kills it with its descendants', async () => {
  const identity = await startProcess({ ...spec, argv: [process.execPath, '-e', PARENT, '--'] });
  await until(() => findNode(spec.runId, 'a').length === 2 && readFileSync(spec.logFile, 'utf8').endsWith('\n'));
  expect(readFileSync(spec.logFile, 'utf8')).toBe('hello true\n');
  expect(findNode(spec.runId, 'b')).toEqual([]);
  expect(findNode(spec.runId.slice(0, -1), 'a')).toEqual([]);
  const rows = findNode(spec.runId, 'a');
  await killNode(spec.runId, 'a', AbortSignal.timeout(5000));
  expect(rows.filter(isAlive)).toEqual([]);
  expect(isAlive(identity)).toBe(false);
});

it('finds an orphan that works in the folder of the node, and no other node that names it', async () => {
  const argv = [process.execPath, '-e', 'setInterval(() => {}, 1000)', '--', `/x/seawall-${spec.runId}/a/data`];
  const orphan = spawn(argv[0]!, argv.slice(1), { stdio: 'ignore' });
  await startProcess({ ...spec, argv, nodeId: 'other' });
  await until(() => findNode(spec.runId, 'a').length > 0);
  expect(findNode(spec.runId, 'a').map((row) => row.pid)).toEqual([orphan.pid]);
  await killNode(spec.runId, 'other', AbortSignal.timeout(5000));
});

it('tells how a process ended', async () => {
  let told = '';
  const argv = [process.execPath, '-e', 'setTimeout(() => process.exit(7), 50)', '--'];
  await startProcess({ ...spec, argv }, (why) => {
    told = why;
  });
  await until(() => told !== '');
  expect(told).toBe('exit code 7');
});

it('says what could not be started', async () => {
  await expect(startProcess({ ...spec, argv: ['/nowhere/program'] })).rejects.toMatchObject({
    code: 'NODE_DIED',
    message: expect.stringContaining('/nowhere/program'),
  });
});
