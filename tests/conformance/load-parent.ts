import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { nativeDriver } from '../../harness/load/native.ts';
import { shadowHeaders } from '../../harness/shadow/tag.ts';
import type { LoadSpec } from '../../harness/spi/load.ts';

/** A parent to be killed: starts the load that it is sent, or a blocked child, and tells its pid. */
process.once('message', (asked: LoadSpec | 'blocked') => {
  if (asked === 'blocked') {
    const file = fileURLToPath(new URL('./load-blocked.ts', import.meta.url));
    const child = fork(file, [], { execArgv: [], detached: true, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    child.once('message', () => process.send?.(child.pid));
    return;
  }
  const sink = { windows: () => {}, acks: () => {}, failures: () => {}, health: () => {} };
  const driver = nativeDriver({ tag: shadowHeaders });
  void driver.start(asked, sink, new AbortController().signal).then((job) => {
    job.begin(Date.now() + asked.steadyMs + asked.scenario.warmUpMs);
    process.send?.(job.pid);
  });
});
