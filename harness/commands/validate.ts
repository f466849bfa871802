import { formatCount, formatDuration } from '../core/units.ts';
import { EXIT } from './exit.ts';
import { describeIssues, loadPlan, type PlanOptions, shown } from './plan-options.ts';

/** `seawall validate PLAN`: every issue at once (exit 3), or what the plan amounts to and its warnings (exit 0). */
export async function validateCommand(file: string, options: PlanOptions): Promise<number> {
  const { plan, warnings } = loadPlan(file, options);
  if (warnings.length > 0) process.stderr.write(`${describeIssues(warnings)}\n\n`);
  const lengthMs = Math.max(
    ...plan.load.map((scenario) => scenario.segments.reduce((sum, one) => sum + one.durationMs, 0)),
  );
  const parts = [
    `${formatCount(plan.load.length)} scenarios over ${formatDuration(lengthMs)}`,
    `${plan.faults.length} faults`,
    `${plan.verify.length} checks`,
  ];
  process.stdout.write(`${shown(plan.file)} is valid: ${parts.join(', ')}; ${warnings.length} warnings\n`);
  return EXIT.pass;
}
