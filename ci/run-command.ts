import { spawn } from 'node:child_process';

export interface CommandResult {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** The command is ended by SIGTERM after this long. */
  timeoutMs: number;
  /** `show`: output goes to our stderr as well, line by line as it comes. */
  output?: 'keep' | 'show';
}

/** Runs a program with no input and resolves with how it ended, whatever the code. Rejects only when it cannot start. */
export function runCommand(program: string, args: string[], options: CommandOptions): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: options.timeoutMs,
    });
    const texts = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        texts[stream] += text;
        if (options.output === 'show') process.stderr.write(text);
      });
    }
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, ...texts }));
  });
}

/** Runs a program that has to succeed; throws with its last lines when it does not. Returns its standard output. */
export async function must(program: string, args: string[], options: CommandOptions): Promise<string> {
  const result = await runCommand(program, args, options);
  if (result.code === 0) return result.stdout;
  const tail = `${result.stdout}\n${result.stderr}`.trim().split('\n').slice(-15).join('\n');
  const end = result.signal === null ? `code ${result.code}` : `${result.signal}`;
  throw new Error(`${program} ${args.slice(0, 3).join(' ')} … ended with ${end}:\n${tail}`);
}
