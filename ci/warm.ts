/**
 * Starts each of our own programs once, so that what was compiled of them lies in the compile cache: a process that has
 * to strip types itself holds 30 MB more for the rest of its life. Run by ci/bootstrap.mjs after an installation, with
 * the flags that the tool has.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { GENERATOR_PROGRAM } from '../harness/load/native.ts';
import { PROXY_PROGRAM } from '../harness/runtime/local-process-specs.ts';

const WITHIN_MS = 10_000;

/** Both end by themselves: the generator has nobody to speak to, and the proxy is told to. */
async function startOnce(argv: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'ignore'], timeout: WITHIN_MS });
  child.stdout.once('data', () => child.kill('SIGTERM'));
  await once(child, 'exit');
}

await import('../harness/commands/run.ts');
await Promise.all([startOnce(GENERATOR_PROGRAM), startOnce(PROXY_PROGRAM)]);
