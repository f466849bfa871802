import { join } from 'node:path';
import type { Report } from '../../harness/spi/reporter.ts';
import { cli, readReport } from './cli.ts';

/** What shortens every shipped plan: a calm second is as good as ten to see a fault or a planted weakness. */
export const BRIEF = ['warm=1s', 'calm=2s'];

export interface PlanRun {
  report: Report;
  code: number | null;
  /** Both outputs, for the message of a failed assertion. */
  output: string;
  runDir: string;
}

/** Runs a plan through the command line with variables set; the run's folder is `<folder>/<plan>-<label>`. */
export async function runPlan(
  plan: string,
  set: readonly string[],
  {
    folder,
    label,
    args = [],
    env = {},
  }: { folder: string; label: string; args?: string[]; env?: Record<string, string> },
): Promise<PlanRun> {
  const runDir = join(folder, `${plan.replaceAll('/', '-')}-${label}`);
  const sets = set.flatMap((pair) => ['--set', pair]);
  const state = { XDG_STATE_HOME: join(folder, 'state') };
  const { code, stdout, stderr } = await cli(['run', plan, ...sets, ...args, '--out', runDir], {
    env: { ...state, ...env },
  });
  return { report: readReport(runDir), code, output: `${stdout}${stderr}`, runDir };
}
