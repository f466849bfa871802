import { readFileSync } from 'node:fs';
import { controlGroupsOf, isInGroup, memoryBytes } from '../../core/control-groups.ts';
import type { Measurement, Probe } from '../../spi/fault.ts';
import type { Json } from '../../spi/json.ts';
import { type Helper, helperOf, processesOfHelper } from '../helper.ts';
import { pollUntil } from '../poll.ts';
import { nodeOf } from '../targets.ts';

const WITHIN_MS = 3000;
const TOLERANCE_RATIO = 0.1;
const MB = 1_000_000;

interface Request extends Helper {
  bytes: number;
  /** Whose control group it must be charged to, and what was charged before; empty where nodes have none. */
  container: string;
  chargedBefore: number;
}

/**
 * The helper beside a node holds `args.bytes` ± 10 % in one piece, every page of it there. In containers the control
 * group of the node's container is charged for it.
 */
export const nodeMemoryHeld: Probe = {
  kind: 'node.memory-held',
  resolve: async (expectation, env, undo) => {
    const { container } = nodeOf(expectation, env, undo).restartSpec();
    const group = typeof container === 'string' ? container : '';
    const asked: Request = {
      ...helperOf(expectation.kind, undo),
      bytes: Number(expectation.args.bytes),
      container: group,
      chargedBefore: chargedTo(group),
    };
    return asked as unknown as Json;
  },
  measure: (request, signal) => {
    const asked = request as unknown as Request;
    return pollUntil(WITHIN_MS, signal, async () => look(asked));
  },
};

function look(asked: Request): Measurement {
  const [helper] = processesOfHelper(asked);
  if (helper === undefined) return { holds: false, value: 0, unit: 'MB', because: 'no helper runs' };
  const held = largestMapping(helper.pid);
  const value = Math.round(held / MB);
  const said = `${value} MB are held beside the node, asked ${Math.round(asked.bytes / MB)} MB`;
  const isRightSize = Math.abs(held - asked.bytes) <= TOLERANCE_RATIO * asked.bytes;
  if (asked.container === '') return { holds: isRightSize, value, unit: 'MB', because: said };
  const charged = chargedTo(asked.container) - asked.chargedBefore;
  const isCharged = isInGroup(helper.pid, 'memory', asked.container) && charged >= (1 - TOLERANCE_RATIO) * asked.bytes;
  const because = `${said}; its container is charged ${Math.round(charged / MB)} MB more than before`;
  return { holds: isRightSize && isCharged, value, unit: 'MB', because };
}

function chargedTo(container: string): number {
  if (container === '') return 0;
  const groups = controlGroupsOf(container);
  return groups === undefined ? 0 : memoryBytes(groups.memory);
}

/** Resident bytes of the largest piece of memory that is no file's; 0 for a process that is gone. */
function largestMapping(pid: number): number {
  let largest = 0;
  let isAnonymous = false;
  for (const line of smaps(pid)) {
    const header = /^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ (\d+)/.exec(line);
    if (header !== null) isAnonymous = header[1] === '0';
    const rss = /^Rss:\s+(\d+) kB/.exec(line);
    if (rss !== null && isAnonymous) largest = Math.max(largest, Number(rss[1]) * 1024);
  }
  return largest;
}

function smaps(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/smaps`, 'utf8').split('\n');
  } catch {
    // Gone.
    return [];
  }
}
