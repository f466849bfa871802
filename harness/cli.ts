#!/usr/bin/env node
import { Command, CommanderError, Option } from 'commander';
import { EXIT } from './commands/exit.ts';
import { PlanIssues } from './commands/plan-options.ts';
import { ERROR_CODES, HarnessError, isAskersFault, messageOf } from './core/errors.ts';

const NODE_MAJOR = 24;

/** Turns an error into what the user reads on stderr and the code the process ends with. */
function explainError(thrown: unknown): number {
  if (thrown instanceof PlanIssues) {
    process.stderr.write(thrown.text);
    return EXIT.usage;
  }
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.pass : EXIT.usage;
  if (thrown instanceof HarnessError) {
    process.stderr.write(
      `${thrown.code}: ${messageOf(thrown)}\n  meaning: ${ERROR_CODES[thrown.code]}\n  next: ${thrown.hint}\n`,
    );
    if (thrown.code === 'INTERNAL') process.stderr.write(`${thrown.stack}\n`);
    return isAskersFault(thrown.code) ? EXIT.usage : EXIT.harness;
  }
  process.stderr.write(`INTERNAL: ${messageOf(thrown)}\n${thrown instanceof Error ? thrown.stack : ''}\n`);
  return EXIT.harness;
}

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}

function withPlanOptions(command: Command): Command {
  return command
    .argument('<plan>', 'path of the plan')
    .option('--set <name=value>', 'a variable of the plan; may be given again', collect, [])
    .option('--seed <number>', 'instead of the plan’s')
    .addOption(
      new Option('--runtime <name>', 'where the stack runs')
        .choices(['auto', 'local', 'containers', 'existing'])
        .default('auto'),
    );
}

function withReporters(command: Command): Command {
  const known = ['html', 'json', 'junit', 'markdown'];
  const choose = (value: string, before: string[] | undefined): string[] => {
    for (const name of value.split(',')) {
      if (!known.includes(name))
        throw new HarnessError('USAGE', `no reporter is called ${name}`, `Known: ${known.join(', ')}`);
    }
    return [...(before ?? []), ...value.split(',')];
  };
  return command.option('--reporter <names>', `which reports to write: ${known.join(', ')} (default: all)`, choose);
}

function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}\n`;
}

function build(finish: (code: number) => void): Command {
  const program = new Command('seawall');
  program
    .description(
      'Rehearses the flood: stands a stack up, sends load, breaks things, heals them, and gives an honest verdict.',
    )
    .helpOption('-h, --help', 'this help')
    .exitOverride()
    .addHelpText(
      'after',
      '\nExit codes: 0 pass, 1 fail, 2 unknown, 3 plan or usage invalid, 4 harness or environment error,\n            5 something left unhealed, 130 interrupted and healed\n',
    );

  withPlanOptions(program.command('validate').description('print every issue of a plan at once'))
    .addHelpText(
      'after',
      examples('seawall validate plans/quickstart.yaml', 'seawall validate plans/quickstart.yaml --set peak=40/s'),
    )
    .action(async (plan, options) =>
      finish(await (await import('./commands/validate.ts')).validateCommand(plan, options)),
    );

  withPlanOptions(
    program.command('explain').description('print timeline, targets, blast radius and sample sizes; start nothing'),
  )
    .addHelpText('after', examples('seawall explain plans/lose-a-data-centre.yaml'))
    .action(async (plan, options) =>
      finish(await (await import('./commands/explain.ts')).explainCommand(plan, options)),
    );

  withReporters(withPlanOptions(program.command('run').description('run a plan and judge it')))
    .option('--out <folder>', 'the run’s folder; must be empty or not there yet')
    .option('--no-faults', 'probes, preflight and guards, but nothing is injected')
    .addHelpText(
      'after',
      examples(
        'seawall run plans/quickstart.yaml',
        'seawall run plan.yaml --set peak=25/s --seed 7 --out out --reporter junit',
      ),
    )
    .action(async (plan, options) => finish(await (await import('./commands/run.ts')).runCommand(plan, options)));

  withReporters(
    program
      .command('report')
      .description('judge an old run again and write its reports')
      .argument('<run>', 'a run’s folder or id'),
  )
    .option('--out <folder>', 'where the reports go; default: the run’s folder')
    .addHelpText(
      'after',
      examples(
        'seawall report reports/out/20261111-000000-3fa9',
        'seawall report 20261111-000000-3fa9 --reporter html --out /tmp/again',
      ),
    )
    .action(async (run, options) => finish(await (await import('./commands/report.ts')).reportCommand(run, options)));

  program
    .command('heal')
    .description('undo what dead runs left, from any folder')
    .argument('[run]', 'one run; default: all whose owner is dead')
    .addHelpText('after', examples('seawall heal', 'seawall heal 20261111-000000-3fa9'))
    .action(async (run) => finish(await (await import('./commands/heal.ts')).healCommand(run)));

  program
    .command('stop')
    .description('end living runs from another shell, healing first')
    .argument('[run]', 'one run; default: all of this user')
    .addHelpText('after', examples('seawall stop', 'seawall stop 20261111-000000-3fa9'))
    .action(async (run) => finish(await (await import('./commands/stop.ts')).stopCommand(run)));

  program
    .command('doctor')
    .description('what this machine can and cannot do, and how to mend it')
    .option('--fix', 'build what can be built (Toxiproxy, with Go)')
    .addHelpText('after', examples('seawall doctor', 'seawall doctor --fix'))
    .action(async (options) => finish(await (await import('./commands/doctor.ts')).doctorCommand(options)));

  return program;
}

async function main(argv: string[]): Promise<number> {
  if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR) {
    process.stderr.write(
      `seawall needs Node ${NODE_MAJOR} or newer; this is Node ${process.versions.node}. Install Node ${NODE_MAJOR} and run it again.\n`,
    );
    return EXIT.harness;
  }
  let code: number = EXIT.pass;
  const program = build((result) => {
    code = result;
  });
  for (const command of program.commands) command.exitOverride();
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (thrown) {
    return explainError(thrown);
  }
}

process.exitCode = await main(process.argv.slice(2));
