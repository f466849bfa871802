import { ownProgram } from '../core/own-program.ts';
import type { ForeignEngineName } from './foreign-engine.ts';
import type { GeneratorProgram } from './generator-job.ts';

/** Another program has to start, and to make its users, before it is ready. */
const READY_MS = 60_000;

/** The program of ours around another one's engine. */
export function foreignProgram(engine: ForeignEngineName): GeneratorProgram {
  const path = ownProgram('./engine-main', import.meta.url);
  return { name: `${engine} generator`, path, args: [engine], readyMs: READY_MS };
}
