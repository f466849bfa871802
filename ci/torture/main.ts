/**
 * Kills the tool at random moments and looks from outside whether anything of it is left.
 *
 *   npm run torture -- [--kills 200] [--runtime local|containers] [--seed N] [--only KIND] [--plant no-heal]
 *
 * Mini stacks stay up over all kills. Each time a fault is injected by the command line and the tool gets SIGKILL at a
 * moment of the seed's choice: before, during or after the fault. Then `heal`, or the next run, which heals first; now
 * and then `heal` is killed too. All that can be seen of the stack must be as it was before the first kill. With
 * `--plant no-heal` nobody heals, and that must show.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { lowerBound } from '../../harness/core/binomial.ts';
import { seeded } from '../../harness/core/random.ts';
import { runCommand } from '../run-command.ts';
import { CASES, type TortureCase } from './cases.ts';
import { lookAt, type Seen } from './outside.ts';

const ROOT = join(import.meta.dirname, '../..');
const CLI = join(ROOT, 'harness/cli.ts');
const COMMAND_MS = 180_000;
/** About as long as an injection takes from its first instruction to its last. */
const CYCLE_MS = { local: 6500, containers: 9000 };
/** The same from the moment at which the fault is commanded. */
const FAULT_MS = 2500;
/** Within the hold: what nobody heals is sure to be there. */
const PLANTED_MS = 300;
const TIMES = [
  '--for',
  '1s',
  '--load-before',
  '200ms',
  '--load-after',
  '500ms',
  '--load-rate',
  '20/s',
  '--availability',
  '1%',
];
/** The load ends with its parent, within two seconds; what is seen sooner is no leftover. */
const SETTLE_MS = 2200;
const CONFIDENCE = 0.95;

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    runtime: { type: 'string', default: 'local' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    plant: { type: 'string' },
  },
});
const wanted = Number(values.kills);
const runtime = values.runtime === 'containers' ? 'containers' : 'local';
const chance = seeded(Number(values.seed));
const folder = mkdtempSync(join(tmpdir(), 'torture-'));
const env = { ...process.env, XDG_STATE_HOME: join(folder, 'state'), NO_COLOR: '1' };
let folders = 0;
const nextFolder = (): string => join(folder, `${++folders}`);

const seawall = (args: string[]) => runCommand(process.execPath, [CLI, ...args], { env, timeoutMs: COMMAND_MS });

interface Standing {
  runDir: string;
  stackId: string;
  before: Seen;
}
const standing = new Map<string, Standing>();

const idsOf = (): string[] => [...standing.values()].map(({ stackId }) => stackId);

async function stackFor(name: TortureCase['stack']): Promise<Standing> {
  const there = standing.get(name);
  if (there !== undefined) return there;
  const runDir = nextFolder();
  const file = join(ROOT, `fixtures/stacks/${name}.yaml`);
  const up = await seawall(['up', file, '--runtime', runtime, '--out', runDir]);
  const stackId = /stack (\S+) is up/.exec(up.stdout)?.[1];
  if (stackId === undefined) throw new Error(`the stack ${name} does not come up: ${up.stdout}${up.stderr}`);
  const stack = { runDir, stackId, before: await lookAt(runDir, idsOf()) };
  standing.set(name, stack);
  return stack;
}

/**
 * Starts a command and kills it `ms` after its start, or after it has said `word`; whether it was alive until then, the
 * code it ended with, and what it said.
 */
function killedAfter(
  args: string[],
  ms: number,
  word = '',
): Promise<{ killed: boolean; code: number | null; said: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [CLI, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    let timer: NodeJS.Timeout | undefined;
    const arm = (): void => {
      if (timer === undefined && said.includes(word)) timer = setTimeout(() => child.kill('SIGKILL'), ms);
    };
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        arm();
      });
    }
    arm();
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ killed: signal === 'SIGKILL', code, said });
    });
  });
}

interface Outcome {
  killed: boolean;
  differences: string[];
}

async function once(asked: TortureCase): Promise<Outcome> {
  const stack = await stackFor(asked.stack);
  // Half of the kills fall anywhere, the others while the fault is made, held and taken back.
  const [word, spanMs] =
    values.plant === 'no-heal'
      ? ['bit:', PLANTED_MS]
      : chance.next() < 0.5
        ? ['', CYCLE_MS[runtime]]
        : ['commanded', FAULT_MS];
  const afterMs = Math.round(chance.next() * spanMs);
  const inject = ['inject', asked.kind, ...asked.args, ...TIMES, '--on', stack.stackId, '--out', nextFolder()];
  const { killed, code, said } = await killedAfter(inject, afterMs, word);
  if (code === 3) throw new Error(`the case is wrong: ${inject.join(' ')}\n${said}`);
  const problems = values.plant === 'no-heal' ? [] : await heal();
  let differences = compare(stack.before, await lookAt(stack.runDir, idsOf()));
  if (differences.length > 0) {
    await sleep(SETTLE_MS);
    differences = compare(stack.before, await lookAt(stack.runDir, idsOf()));
  }
  const all = [...problems, ...differences];
  const last = said.trimEnd().split('\n').at(-1) ?? '';
  console.log(
    `${killed ? `killed ${afterMs} ms after ${word === '' ? 'its start' : 'the command'}` : 'ran to its end'}: ${asked.kind} on ${asked.stack}: ${all.length === 0 ? 'nothing left' : 'LEFT'} (${last.slice(0, 100)})`,
  );
  for (const difference of all) console.log(`  ${difference}`);
  if (all.length > 0) {
    // What is broken once must not be counted twice.
    await seawall(['down', stack.stackId]);
    standing.delete(asked.stack);
  }
  return { killed, differences: all };
}

async function heal(): Promise<string[]> {
  // A heal that dies as well is the next one's work.
  if (chance.next() < 0.2) await killedAfter(['heal'], Math.round(chance.next() * 1500));
  const healed = await seawall(['heal']);
  return healed.code === 0 ? [] : [`heal ended with ${healed.code}: ${healed.stdout}${healed.stderr}`];
}

function compare(before: Seen, now: Seen): string[] {
  return (Object.keys(before) as (keyof Seen)[]).flatMap((key) => [
    ...now[key].filter((one) => !before[key].includes(one)).map((one) => `${key}: now ${one}`),
    ...before[key].filter((one) => !now[key].includes(one)).map((one) => `${key}: no more ${one}`),
  ]);
}

async function main(): Promise<number> {
  const cases = CASES.filter((one) => one.runtimes.includes(runtime) && (values.only ?? one.kind) === one.kind);
  if (cases.length === 0) throw new Error(`no case for ${values.only} on ${runtime}`);
  let kills = 0;
  let clean = 0;
  const left = new Map<string, number>();
  // Every case in turn, in an order of the seed's: each family is met however few kills were asked for.
  let queue: TortureCase[] = [];
  while (kills < wanted) {
    if (queue.length === 0)
      queue = cases
        .map((one) => ({ one, at: chance.next() }))
        .toSorted((a, b) => a.at - b.at)
        .map(({ one }) => one);
    const asked = queue.pop()!;
    const { killed, differences } = await once(asked);
    if (differences.length > 0) left.set(asked.kind, (left.get(asked.kind) ?? 0) + 1);
    if (!killed) continue;
    kills += 1;
    if (differences.length === 0) clean += 1;
  }
  for (const { stackId } of standing.values()) await seawall(['down', stackId]);
  rmSync(folder, { recursive: true, force: true });
  const proved = (lowerBound(clean, kills, CONFIDENCE) * 100).toFixed(1);
  console.log(
    `${clean} of ${kills} kills on ${runtime} left nothing (seed ${values.seed}): at 95 % at least ${proved} %`,
  );
  for (const [kind, times] of left) console.log(`  ${kind} left something ${times} times`);
  return left.size === 0 ? 0 : 1;
}

process.exitCode = await main();
