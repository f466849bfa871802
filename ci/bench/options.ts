import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { HarnessError } from '../../harness/core/errors.ts';
import { TOOLS, type ToolName } from './peers.ts';
import type { TruthScript } from './truth-model.ts';

export const PARTS = ['floors', 'closed', 'open', 'truth', 'memory'] as const;
export type Part = (typeof PARTS)[number];

export interface BenchOptions {
  parts: ReadonlySet<Part>;
  tools: ReadonlySet<ToolName>;
  rounds: number;
  /** Of each closed round's window. */
  seconds: number;
  openSeconds: number;
  openRates: readonly number[];
  truth: TruthScript;
  /** Seawall goes through the same stalls again and again, long enough for the rarer percentiles. */
  truthSeconds: number;
  memoryRequests: number;
  quick: boolean;
  /** Folder of the JSON file. */
  out: string;
}

export const USAGE = `npm run bench:load -- [options]
  --rounds N          closed model: rounds of all tools in turn (5)
  --seconds N         closed model: length of each measured window (5)
  --only PARTS        of ${PARTS.join(', ')} (all)
  --tools NAMES       of ${TOOLS.join(', ')} (all)
  --truth-seconds N   truth: length of Seawall's run, in cycles of 80 s; the peers have one cycle (400)
  --requests N        memory: how many requests (10000000)
  --quick             everything, short: shows that it works, proves no figure
  --out FOLDER        where the JSON goes (reports/out/bench)`;

const ROOT = join(import.meta.dirname, '..', '..');
const SECOND = 1000;

const LONG_SCRIPT: TruthScript = {
  perSecond: 250,
  // The stalls take 7.6 % of it: no usual percentile lies on the edge between the calm and the stalled.
  seconds: 80,
  cycleSeconds: 80,
  serviceMinMs: 2,
  serviceSpanMs: 38,
  stalls: [
    { atMs: 5 * SECOND, forMs: 100 },
    { atMs: 10 * SECOND, forMs: SECOND },
    { atMs: 20 * SECOND, forMs: 5 * SECOND },
  ],
};
const QUICK_SCRIPT: TruthScript = {
  ...LONG_SCRIPT,
  perSecond: 200,
  seconds: 14,
  cycleSeconds: 14,
  stalls: [
    { atMs: 2 * SECOND, forMs: 100 },
    { atMs: 5 * SECOND, forMs: SECOND },
  ],
};

/** Throws USAGE, with what there is to choose from. */
export function parseOptions(argv: readonly string[]): BenchOptions {
  const { values } = readArgs(argv);
  const quick = values.quick;
  const count = (name: 'rounds' | 'seconds' | 'requests' | 'truth-seconds', usual: number): number => {
    const text = values[name];
    const number = text === undefined ? usual : Number(text);
    if (Number.isInteger(number) && number >= 1) return number;
    throw usage(`--${name} takes a whole number from 1, not ${text}`);
  };
  return {
    parts: new Set(chosen('only', values.only, PARTS)),
    tools: new Set(chosen('tools', values.tools, TOOLS)),
    rounds: count('rounds', quick ? 2 : 5),
    seconds: count('seconds', quick ? 1 : 5),
    openSeconds: quick ? 2 : 15,
    openRates: [1000, 10_000, 30_000],
    truth: quick ? QUICK_SCRIPT : LONG_SCRIPT,
    truthSeconds: count('truth-seconds', quick ? 14 : 400),
    memoryRequests: count('requests', quick ? 100_000 : 10_000_000),
    quick,
    out: values.out ?? join(ROOT, 'reports', 'out', 'bench'),
  };
}

function readArgs(argv: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...argv],
      options: {
        rounds: text,
        seconds: text,
        only: text,
        tools: text,
        'truth-seconds': text,
        requests: text,
        out: text,
        quick: { type: 'boolean', default: false },
      },
    });
  } catch (thrown) {
    throw usage((thrown as Error).message);
  }
}

function chosen<T extends string>(option: string, text: string | undefined, all: readonly T[]): readonly T[] {
  if (text === undefined) return all;
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.filter((name) => !(all as readonly string[]).includes(name));
  if (unknown.length > 0) throw usage(`--${option} does not know ${unknown.join(', ')}; there are: ${all.join(', ')}`);
  return all.filter((name) => names.includes(name));
}

function usage(message: string): HarnessError {
  return new HarnessError('USAGE', message, USAGE);
}
