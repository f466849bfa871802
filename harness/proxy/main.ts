import { writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { parseArgs } from 'node:util';
import { ProxyServer } from './server.ts';
import { realTimers } from './timers.ts';

/**
 * The fault proxy, a program of its own: it outlives the tool on purpose, so that a tool that was killed has not healed
 * its faults by luck; only with `--until-stdin-ends` does it end with whoever holds its input. Prints
 * `{"api": "http://…"}` on one line once it listens, and nothing after that.
 */
const { values } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '0' },
    seed: { type: 'string', default: '0' },
    'dial-timeout-ms': { type: 'string', default: '5000' },
    'until-stdin-ends': { type: 'boolean', default: false },
  },
  // The run's own flags, by which it is found from outside, are none of its business.
  strict: false,
});

const server = new ProxyServer({
  seed: String(values.seed),
  dialTimeoutMs: Number(values['dial-timeout-ms']),
  timers: realTimers,
});
process.once('SIGTERM', () => {
  void server.close().finally(() => process.exit(0));
});
if (values['until-stdin-ends'] === true) process.stdin.once('end', () => process.exit(0)).resume();
const api = await server.listen(String(values.host), Number(values.port));
writeSync(1, `${JSON.stringify({ api })}\n`);
// Where a compile cache is in use, the next start finds it filled even if this process is killed: a start from source
// that has to strip types holds 30 MB more for the rest of its life.
flushCompileCache();
