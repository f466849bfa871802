import { autocannonDriver } from '../../harness/load/autocannon.ts';
import { k6Driver } from '../../harness/load/k6.ts';
import { shadowHeaders } from '../../harness/shadow/tag.ts';
import type { LoadSpec } from '../../harness/spi/load.ts';

/** A parent to be killed: starts the load that it is sent with the engine that its scenario names, and tells its pid. */
process.once('message', (spec: LoadSpec) => {
  const sink = { windows: () => {}, acks: () => {}, failures: () => {}, health: () => {} };
  const make = spec.scenario.engine === 'autocannon' ? autocannonDriver : k6Driver;
  void make({ tag: shadowHeaders })
    .start(spec, sink, new AbortController().signal)
    .then((job) => {
      job.begin(Date.now() + spec.steadyMs + spec.scenario.warmUpMs);
      process.send?.(job.pid);
    });
});
