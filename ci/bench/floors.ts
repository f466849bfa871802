import { join } from 'node:path';
import { must } from '../run-command.ts';
import { type Cores, coreShares, pinned, readCore } from './cores.ts';
import type { Workshop } from './programs.ts';

const LIMIT_MS = 60_000;

/** What this machine charges whoever does nothing else, measured in the same run: absolute figures stand beside it. */
export interface Floors {
  /** `setTimeout(1)` of an idle Node: how much later than 1 ms. */
  timerP50Ms: number;
  timerP99Ms: number;
  /** One cheap system call from C, one write of 100 bytes to /dev/null from C and from Node. */
  syscallNs: number;
  writeNullNs: number;
  nodeWriteNs: number;
  /** 100 bytes there and back between the two cores, blocking sockets, C. */
  loopbackP50Us: number;
  loopbackP99Us: number;
  /** Share of the time in which the machine gave the core to others. */
  steal: { tool: number; server: number };
}

export async function measureFloors(workshop: Workshop, cores: Cores): Promise<Floors> {
  const program = await workshop.compile('floors');
  const before = [readCore(cores.tool), readCore(cores.server)] as const;
  const options = { timeoutMs: LIMIT_MS };
  const c = await must(program, [String(cores.tool), String(cores.server)], options);
  const [taskset, ...args] = pinned(cores.tool, [process.execPath, join(import.meta.dirname, 'floors-node.ts')]);
  const node = await must(taskset!, args, options);
  const steal = {
    tool: coreShares(before[0], readCore(cores.tool)).steal,
    server: coreShares(before[1], readCore(cores.server)).steal,
  };
  return { ...(JSON.parse(c) as Floors), ...(JSON.parse(node) as Floors), steal };
}
