import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { JournalEvent } from '../../harness/spi/journal.ts';
import type { Report } from '../../harness/spi/reporter.ts';

export const ROOT = resolve(import.meta.dirname, '../..');
const CLI = join(ROOT, 'harness/cli.ts');

export interface CliResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface CliProcess {
  child: ChildProcess;
  stdout(): string;
  stderr(): string;
  done: Promise<CliResult>;
}

/** Starts the real command line as a user would, from a folder of the caller's choice. */
export function startCli(args: string[], options: { cwd?: string; env?: Record<string, string> } = {}): CliProcess {
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd: options.cwd ?? ROOT,
    env: { ...process.env, NO_COLOR: '1', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const text = { stdout: '', stderr: '' };
  child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
    text.stdout += chunk;
  });
  child.stderr!.setEncoding('utf8').on('data', (chunk: string) => {
    text.stderr += chunk;
  });
  const done = once(child, 'close').then(([code]) => ({ code: code as number | null, ...text }));
  return { child, stdout: () => text.stdout, stderr: () => text.stderr, done };
}

export function cli(args: string[], options: { cwd?: string; env?: Record<string, string> } = {}): Promise<CliResult> {
  return startCli(args, options).done;
}

export function readReport(runDir: string): Report {
  return JSON.parse(readFileSync(join(runDir, 'report.json'), 'utf8')) as Report;
}

export function readJournal(runDir: string): JournalEvent[] {
  const lines = readFileSync(join(runDir, 'journal.ndjson'), 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as JournalEvent);
}

/** Waits for something that another process will make true; the deadline only bounds a defect. */
export async function eventually<T>(what: string, look: () => T | undefined | false, deadlineMs = 60_000): Promise<T> {
  const untilMs = performance.now() + deadlineMs;
  for (;;) {
    const seen = look();
    if (seen !== undefined && seen !== false) return seen;
    if (performance.now() > untilMs) throw new Error(`${what}: not within ${deadlineMs} ms`);
    await new Promise((resolved) => setTimeout(resolved, 25));
  }
}
