import { Worker } from 'node:worker_threads';

const PERIOD_MS = 500;

/** Plain JavaScript in a text, so that the thread needs neither a file nor the machinery that reads TypeScript. */
const PROGRAM = `
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
}, ${PERIOD_MS});
`;

/**
 * Watches from a thread of its own and ends the whole process when its parent is gone: works also while the main thread
 * is busy and cannot see its channel close. An orphan gets another parent, whatever its pid is.
 */
export function watchParent(onError: (thrown: unknown) => void): void {
  const resourceLimits = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 };
  const watch = new Worker(PROGRAM, { eval: true, resourceLimits, execArgv: [] });
  watch.on('error', onError);
  watch.unref();
}
