import { explain } from '../plan/explain.ts';
import { EXIT } from './exit.ts';
import { chooseAndCompile, describeIssues, loadPlan, type PlanOptions } from './plan-options.ts';

/** `seawall explain PLAN`: all that a run would do, and starts nothing. */
export async function explainCommand(file: string, options: PlanOptions): Promise<number> {
  const { plan, warnings } = loadPlan(file, options);
  const { timeline, why } = await chooseAndCompile(plan, options);
  if (warnings.length > 0) process.stderr.write(`${describeIssues(warnings)}\n\n`);
  process.stdout.write(`runtime ${timeline.runtime}: ${why}\n${explain(timeline)}`);
  return EXIT.pass;
}
