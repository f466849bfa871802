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

function withPlanOptions(command: Command, what = 'path of the plan'): Command {
  return command
    .argument('<plan>', what)
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

function withSegment(command: Command): Command {
  return command
    .option('--segment <part>', 'send only this part of the load, as in 2/5; existing runtime only')
    .option('--start-at <time>', 't = 0, for generators that share one load');
}

function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}\n`;
}

function addExplore(program: Command, finish: (code: number) => void): void {
  withPlanOptions(
    program
      .command('explore')
      .description('try random schedules of faults on a plan’s stack and load, and shrink what fails'),
  )
    .option('--budget <duration>', 'how long; a trial that would not end in time is not begun', '30m')
    .option('--schedules <number>', 'most schedules that are drawn; default: as many as the time allows')
    .option('--faults <number>', 'most faults in a schedule', '4')
    .option('--hold-min <duration>', 'how long a fault is held at least', '2s')
    .option('--hold-max <duration>', 'and at most', '15s')
    .option(
      '--converge <duration>',
      'after the last heal all is well within this; default: the plan’s longest rto, or 10s',
    )
    .option('--repeats <number>', 'a failure is tried again, up to so many trials in all', '3')
    .option('--fails <number>', 'of which so many must fail for it to count', '2')
    .option('--out <folder>', 'for the trials and the summary; must be empty or not there yet')
    .addHelpText(
      'after',
      examples(
        'seawall explore plans/lose-a-data-centre.yaml --budget 30m',
        'seawall explore plan.yaml --seed 42 --schedules 1 --set hold=45s',
      ),
    )
    .action(async (plan, options) =>
      finish(await (await import('./commands/explore.ts')).exploreCommand(plan, options)),
    );
}

function addLoad(program: Command, finish: (code: number) => void): void {
  withSegment(
    withReporters(
      program
        .command('load')
        .description('load one URL without a plan, and judge it')
        .argument('<url>', 'what to request'),
    ),
  )
    .option('--rate <rate>', 'requests started per second, whatever the answers do: 500/s, 2k/s')
    .option('--vus <users>', 'instead: users who wait for an answer before they go on')
    .option('--poisson', 'with --rate: arrivals by chance instead of even ones')
    .option('--for <duration>', 'how long, from t = 0', '30s')
    .option('--warm-up <duration>', 'load before t = 0, in no finding', '2s')
    .option('--good <duration>', 'deadline of a good answer, from its intended start', '1s')
    .option('--availability <share>', 'share of good answers to prove', '99%')
    .option('--over <duration>', 'ask all of this of each window of such a length too: 10s')
    .option('--p50 <duration>', 'half of them take at most this')
    .option('--p90 <duration>', '90 % of them take at most this')
    .option('--p99 <duration>', '99 % of them take at most this')
    .option('--p999 <duration>', '99.9 % of them take at most this')
    .option('--method <name>', 'default: GET, or POST with a body')
    .option('--header <name:value>', `\${env:NAME} in it is never printed; may be given again`, collect, [])
    .option('--body <text>', 'text, or @file; {n}, {user} and {uuid} are filled in')
    .option('--expect <statuses>', 'good statuses; default: 200', collect, [])
    .option('--engine <name>', 'native, k6 or autocannon')
    .option('--threads <number>', 'threads that the native engine sends from')
    .option('--http2', 'HTTP/2 instead of HTTP/1.1')
    .option('--proxy <url>', 'an HTTP proxy that requests go through')
    .option('--in-flight <number>', 'most requests at once; a start beyond is bad')
    .option('--allow-host <host>', 'a host outside loopback that is meant; may be given again', collect, [])
    .option('--seed <number>', 'all chance of the run comes from it')
    .option('--print-plan', 'print the plan that this stands for, to go on from; run nothing')
    .option('--out <folder>', 'the run’s folder; must be empty or not there yet')
    .addHelpText(
      'after',
      examples(
        'seawall load http://127.0.0.1:8080/ --rate 500/s --for 60s --good 300ms',
        'seawall load http://127.0.0.1:8080/items?page=2 --vus 64 --for 30s --p99 200ms --availability 99.9%',
      ),
    )
    .action(async (url, options) => finish(await (await import('./commands/load.ts')).loadCommand(url, options)));
}

function addStacks(program: Command, finish: (code: number) => void): void {
  withPlanOptions(
    program.command('up').description('stand a plan’s stack up and leave it up, for experiments by hand'),
    'path of a plan, or of a stack',
  )
    .option('--out <folder>', 'the stack’s folder; must be empty or not there yet')
    .addHelpText('after', examples('seawall up plans/steady-state.yaml', 'seawall up stack.yaml --runtime containers'))
    .action(async (file, options) => finish(await (await import('./commands/up.ts')).upCommand(file, options)));

  program
    .command('status')
    .description('stacks that are up, runs that live or wait to be healed, and the faults they hold')
    .option('--json', 'as JSON')
    .addHelpText('after', examples('seawall status', 'seawall status --json'))
    .action(async (options) => finish(await (await import('./commands/status.ts')).statusCommand(options)));

  addInject(program, finish);

  program
    .command('down')
    .description('take down a stack that is up')
    .argument('[stack]', 'its id; default: the only one')
    .addHelpText('after', examples('seawall down', 'seawall down 20261111-000000-3fa9'))
    .action(async (stack) => finish(await (await import('./commands/down.ts')).downCommand(stack)));
}

function addInject(program: Command, finish: (code: number) => void): void {
  withReporters(
    program
      .command('inject')
      .description('try one fault on a stack that is up, under the load of its plan, and judge it')
      .argument('<fault>', 'its kind; its parameters follow as in --delay 100ms')
      .argument('[parameters...]'),
  )
    .option('--on <stack>', 'which stack; default: the only one')
    .option('--link <from:to>', 'target: the links from one side to the other; each a name, or several with commas')
    .option('--node <name>', 'target: one node')
    .option('--service <name>', 'target: the nodes of a service; with --idc those in one IDC')
    .option('--idc <name>', 'target: an IDC')
    .option('--store <name:role>', 'target: the node of a store that is primary, or standby, at that moment')
    .option('--for <duration>', 'how long the fault is held', '30s')
    .option('--load-before <duration>', 'load before the fault', '5s')
    .option('--load-after <duration>', 'load after the fault', '10s')
    .option('--load-rate <rate>', 'instead of the plan’s first rate')
    .option('--availability <share>', 'share of good journeys to prove', '99%')
    .option('--print-plan', 'print the plan that this stands for, to go on from; run nothing')
    .option('--out <folder>', 'the run’s folder; must be empty or not there yet')
    .allowUnknownOption()
    .addHelpText(
      'after',
      examples(
        'seawall inject network.latency --link payment:account --delay 100ms --for 60s',
        'seawall inject database.primary-kill --store trade-db:primary --for 20s',
        'seawall inject process.kill --node payment-hz-a --for 10s --print-plan',
      ),
    )
    .action(async (kind, given, options) =>
      finish(await (await import('./commands/inject.ts')).injectCommand(kind, given, options)),
    );
}

function addRecordings(program: Command, finish: (code: number) => void): void {
  withMask(program.command('import').description('make a masked recording of HAR files, GoReplay files or access logs'))
    .argument('<in...>', 'files, .gz too; - is stdin')
    .requiredOption('-o, --out <file>', 'the recording, OUT.swr')
    .option('--from <source>', 'nginx, apache, haproxy, envoy, har or gor; default: told from the first lines')
    .option('--format <string>', 'the log format as the server’s configuration has it')
    .option('--session <rule>', 'cookie:NAME, header:NAME, field:NAME, or ip+ua (address and user agent)', 'ip+ua')
    .option('--json', 'the summary as JSON')
    .addHelpText(
      'after',
      examples(
        'seawall import access.log access.log.1.gz -o yesterday.swr',
        'seawall import app.log -o day.swr --format \'$remote_addr [$msec] "$request" $status $request_time "$http_cookie"\' --session cookie:sid',
        'zstdcat day.log.zst | seawall import - --from apache -o day.swr',
        'seawall import visit.har -o visit.swr --json',
      ),
    )
    .action(async (inputs, options) =>
      finish(await (await import('./commands/import.ts')).importCommand(inputs, options)),
    );

  program
    .command('inspect')
    .description('what a recording holds: mix, sessions, rates, top paths')
    .argument('<file>', 'a recording, as import or record wrote it')
    .option('--json', 'the same as JSON')
    .option('--salvage <out>', 'of one that was cut off: make a whole recording of what is left')
    .addHelpText(
      'after',
      examples(
        'seawall inspect yesterday.swr',
        'seawall inspect yesterday.swr --json',
        'seawall inspect cut.swr.part --salvage kept.swr',
      ),
    )
    .action(async (file, options) =>
      finish(await (await import('./commands/inspect.ts')).inspectCommand(file, options)),
    );
}

function withMask(command: Command): Command {
  return command
    .option('--mask <file>', 'rules of your own for what is private, beside the built-in ones')
    .option('--mask-key <key>', 'a text or env:NAME; recordings with the same key share pseudonyms (default: random)');
}

function addRecord(program: Command, finish: (code: number) => void): void {
  withMask(program.command('record').description('a reverse proxy that records what passes, masked'))
    .requiredOption('--to <url>', 'where requests go')
    .requiredOption('-o, --out <file>', 'the recording, OUT.swr')
    .option('--listen <address>', 'host and port; beyond this machine only where you say so', '127.0.0.1:0')
    .option('--session <rule>', 'ip+ua, cookie:NAME or header:NAME', 'ip+ua')
    .option('--for <duration>', 'how long; default: until Ctrl-C')
    .option('--body-max <size>', 'of each body no more is kept', '1MB')
    .option('--allow-host <host>', 'a host outside loopback that is meant; may be given again', collect, [])
    .addHelpText(
      'after',
      examples(
        'seawall record --to http://127.0.0.1:8080 --listen 127.0.0.1:9000 -o monday.swr',
        'seawall record --to http://127.0.0.1:8080 -o monday.swr --session cookie:sid --for 10m --mask rules.yaml',
      ),
    )
    .action(async (options) => finish(await (await import('./commands/record.ts')).recordCommand(options)));

  program
    .command('scan')
    .description('prove recordings or texts free of private values')
    .argument('<file...>', 'recordings, logs, NDJSON, HAR, .gz too; - is stdin')
    .option('--mask <file>', 'the rules that the recording was masked by')
    .option('--json', 'the findings as JSON')
    .addHelpText('after', examples('seawall scan monday.swr', 'seawall scan access.log report.json --json'))
    .action(async (files, options) => finish(await (await import('./commands/scan.ts')).scanCommand(files, options)));
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

  withSegment(withReporters(withPlanOptions(program.command('run').description('run a plan and judge it'))))
    .option('--out <folder>', 'the run’s folder; must be empty or not there yet')
    .option('--no-faults', 'probes, preflight and guards, but nothing is injected')
    .option('--keep', 'leave the stack up at the end')
    .option('--on [stack]', 'run on a stack that is up; default: the only one')
    .addHelpText(
      'after',
      examples(
        'seawall run plans/quickstart.yaml',
        'seawall run plan.yaml --set peak=25/s --seed 7 --out out --reporter junit',
        'seawall run plans/steady-state.yaml --keep',
      ),
    )
    .action(async (plan, options) => finish(await (await import('./commands/run.ts')).runCommand(plan, options)));

  addExplore(program, finish);
  addLoad(program, finish);
  addStacks(program, finish);

  withReporters(
    program
      .command('report')
      .description('judge an old run again and write its reports')
      .argument('<run...>', 'a run’s folder or id; several are the segments of one'),
  )
    .option('--out <folder>', 'where the reports go; default: the run’s folder')
    .addHelpText(
      'after',
      examples(
        'seawall report reports/out/20261111-000000-3fa9',
        'seawall report 20261111-000000-3fa9 --reporter html --out /tmp/again',
        'seawall report part-1 part-2 part-3 --out merged',
      ),
    )
    .action(async (runs, options) => finish(await (await import('./commands/report.ts')).reportCommand(runs, options)));

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

  addRecordings(program, finish);
  addRecord(program, finish);

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
