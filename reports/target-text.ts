import type { Target } from '../harness/spi/plan.ts';

/** A fault's target in one line. */
export function targetText(target: Target): string {
  if ('link' in target) return `${target.link.from.join(', ')} → ${target.link.to.join(', ')}`;
  if ('store' in target) return `${target.role} of ${target.store}`;
  if ('node' in target) return target.node;
  if ('service' in target) return target.idc === undefined ? target.service : `${target.service} in ${target.idc}`;
  return target.idc;
}
