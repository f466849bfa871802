import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Status } from '../../harness/commands/status.ts';
import { type CliResult, cli, eventually, ROOT, readJournal, readReport, startCli } from '../support/cli.ts';
import { lookOutside, NOTHING, newSince } from '../support/outside.ts';
import { containerEngine, requireOrSkip } from '../support/requirements.ts';

const PAIR = join(ROOT, 'fixtures/stacks/pair.yaml');
const PAIR_PLAN = join(ROOT, 'fixtures/plans/pair.yaml');
const SLOW = ['inject', 'network.latency', '--link', 'front:back', '--delay', '80ms'];
const SHORT = [
  '--for',
  '1s',
  '--load-before',
  '500ms',
  '--load-after',
  '1s',
  '--load-rate',
  '50/s',
  '--availability',
  '50%',
];

let folder = '';
let runs = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kept-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const seawall = (...args: string[]): Promise<CliResult> => cli(args, { cwd: folder, env: own() });
const own = () => ({ XDG_STATE_HOME: join(folder, 'state') });
const newFolder = (): string => join(folder, `run-${++runs}`);
const status = async (): Promise<Status> => JSON.parse((await seawall('status', '--json')).stdout) as Status;

describe('a stack that stays up', () => {
  const before = lookOutside();
  beforeEach(async () => {
    const up = await seawall('up', PAIR, '--out', newFolder());
    expect(up).toMatchObject({ code: 0, stdout: expect.stringContaining('2 nodes and 1 links ready') });
  });
  afterEach(async () => {
    expect(await seawall('down')).toMatchObject({ code: 0, stdout: expect.stringContaining('is down') });
    expect(newSince(before)).toEqual(NOTHING);
    expect(await status()).toEqual({ stacks: [], runs: [] });
  });

  it('takes a fault by hand, felt and gone, and stands as before', async () => {
    const out = newFolder();
    const injected = await seawall(...SLOW, ...SHORT, '--out', out);
    expect(injected, injected.stdout + injected.stderr).toMatchObject({ code: 0 });
    const types = readJournal(out).map(({ type }) => type);
    expect(types).toEqual(expect.arrayContaining(['fault.bitten', 'fault.healed', 'load.window']));
    expect(readReport(out).verdict).toBe('pass');
    const { stacks, runs: open } = await status();
    expect(open).toEqual([]);
    expect(stacks[0]!.nodes.map(({ id, alive }) => [id, alive])).toEqual([
      ['front-edge', true],
      ['back-here', true],
    ]);
  });

  it('gets a killed node back, and goes on', async () => {
    const kill = ['inject', 'process.kill', '--node', 'back-here', '--availability', '10%'];
    const out = newFolder();
    const injected = await seawall(...kill, ...SHORT.slice(0, 8), '--out', out);
    expect(
      readJournal(out).map(({ type }) => type),
      injected.stdout,
    ).toContain('fault.healed');
    expect((await status()).stacks[0]!.nodes.every(({ alive }) => alive)).toBe(true);
    expect(await seawall('run', PAIR_PLAN, '--on', '--out', newFolder())).toMatchObject({ code: 0 });
  });

  it('is no leftover: a tool that was killed with a fault held is healed, and the stack stays', async () => {
    const out = newFolder();
    const started = startCli([...SLOW, ...SHORT, '--out', out], {
      cwd: folder,
      env: { ...own(), SEAWALL_HALT_AT: 'fault:hold:begin' },
    });
    await eventually('the hold', () => started.stderr().includes('seawall halted'));
    const used = await status();
    expect(used.stacks[0]!.usedBy).toBe(started.child.pid);
    expect(used.runs).toMatchObject([{ pid: started.child.pid, held: [{ on: 'front-edge>back-here' }] }]);
    const second = await seawall(...SLOW, ...SHORT, '--out', newFolder());
    expect(second).toMatchObject({ code: 4, stderr: expect.stringContaining('RUN_ALIVE') });
    started.child.kill('SIGKILL');
    await started.done;
    expect((await status()).runs[0]!.pid).toBeUndefined();
    expect(await seawall('heal')).toMatchObject({ code: 0, stdout: expect.stringContaining('undone: undo') });
    const after = await status();
    expect(after.runs).toEqual([]);
    expect(after.stacks[0]!.nodes.every(({ alive }) => alive)).toBe(true);
    // What heal said is gone is gone: the next fault starts from a quick link, or it would not bite as asked.
    const again = await seawall(...SLOW, ...SHORT, '--out', newFolder());
    expect(again, again.stdout).toMatchObject({ code: 0 });
  });

  it('refuses what is not for it, and says what to do', async () => {
    const [stack] = (await status()).stacks;
    expect(await seawall('heal', stack!.id)).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('seawall down'),
    });
    const other = await seawall('run', join(ROOT, 'fixtures/plans/tiny.yaml'), '--on', stack!.id);
    expect(other).toMatchObject({ code: 3, stderr: expect.stringContaining('STACK_DIFFERS') });
    const wrong = await seawall('inject', 'network.latency', '--link', 'front:bakc', '--delay', '9s');
    expect(wrong.code).toBe(3);
    expect(wrong.stderr).toContain('did you mean');
    expect(wrong.stderr).toContain('1ms to 4s');
  });
});

it('stays up in containers as well, and takes a fault there', async (context) => {
  const { imageMap } = requireOrSkip(context, await containerEngine());
  const inContainers = (...args: string[]): Promise<CliResult> =>
    cli(args, { cwd: folder, env: { ...own(), SEAWALL_IMAGES: imageMap } });
  const hello = join(ROOT, 'fixtures/stacks/hello.yaml');
  const up = await inContainers('up', hello, '--runtime', 'containers', '--out', newFolder());
  expect(up, up.stderr).toMatchObject({ code: 0 });
  const { stacks } = await status();
  expect(stacks[0]!.nodes).toMatchObject([{ alive: true }, { id: 'notes-here', alive: true, role: 'primary' }]);
  const out = newFolder();
  const kill = ['inject', 'process.kill', '--node', 'hello-here', '--availability', '10%', ...SHORT.slice(0, 8)];
  const injected = await inContainers(...kill, '--out', out);
  expect(
    readJournal(out).map(({ type }) => type),
    injected.stdout,
  ).toContain('fault.healed');
  expect((await status()).stacks[0]!.nodes.every(({ alive }) => alive)).toBe(true);
  expect(await inContainers('down')).toMatchObject({ code: 0 });
  expect(await status()).toEqual({ stacks: [], runs: [] });
});

it('a run may leave its stack up', async () => {
  const before = lookOutside();
  const ran = await seawall('run', PAIR_PLAN, '--keep', '--out', newFolder());
  expect(ran, ran.stdout).toMatchObject({ code: 0, stdout: expect.stringContaining('stays up') });
  expect((await status()).stacks).toHaveLength(1);
  expect(await seawall('heal')).toMatchObject({ stdout: expect.stringContaining('nothing to heal') });
  const plan = await seawall(...SLOW, ...SHORT, '--print-plan');
  expect(plan.stdout).toContain('inject: network.latency');
  expect(await seawall('down')).toMatchObject({ code: 0 });
  expect(newSince(before)).toEqual(NOTHING);
});

it('without a stack, each verb says how to get one', async () => {
  for (const args of [SLOW, ['down'], ['run', PAIR_PLAN, '--on']]) {
    expect(await seawall(...args)).toMatchObject({ code: 3, stderr: expect.stringContaining('seawall up') });
  }
});
