import { z } from 'zod';
import { sizeBytes, zodSchema } from '../../harness/core/zod-schema.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import { nodesOf, notTaken } from '../targets.ts';

const LEAVE_MAX = 1_000_000_000;

const params = z.strictObject({
  folder: z
    .string()
    .regex(/^\/[^\0]*$/, 'expected an absolute path in the container')
    .prefault('/dev/shm'),
  leave: sizeBytes()
    .prefault('0B')
    .refine((bytes) => bytes <= LEAVE_MAX, 'expected at most 1GB'),
});

type DiskFillParams = z.output<typeof params>;

/** A file system in memory of each node is filled but for `leave`; whoever writes there then is told that it is full. */
export const hostDiskFill: Fault<DiskFillParams> = {
  kind: 'host.disk-fill',
  summary: 'Fills a tmpfs of a node’s container, but for what is to be left; never a disk of this machine.',
  params: zodSchema<DiskFillParams>(params),
  targets: ['node', 'service', 'idc'],
  effects: ({ folder, leave }, target, topology) => {
    if ('link' in target || 'store' in target) throw notTaken('host.disk-fill', target);
    return nodesOf(target, topology).map((node) => {
      const on = { node: node.id };
      return {
        kind: 'node.disk-filled',
        on,
        args: { folder, leave },
        mode: 'held',
        undo: 'revert',
        touches: { nodes: [node.id] },
        bite: { kind: 'node.disk-full', on, args: { folder, leave } },
        heal: { kind: 'node.disk-free', on, args: { folder } },
      };
    });
  },
};
