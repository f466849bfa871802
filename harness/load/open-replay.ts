import { pathToFileURL } from 'node:url';
import { HarnessError, messageOf } from '../core/errors.ts';
import { curveDuration } from '../core/rate-curve.ts';
import type { LoadSpec } from '../spi/load.ts';
import type { ReplaySpec } from '../spi/plan.ts';
import type { JourneySurroundings } from './compiled-journey.ts';
import type { EngineMaker } from './engine.ts';
import { openRecording, type Recording } from './recording/recording-reader.ts';
import { commonestKinds } from './replay-kinds.ts';
import type { Sign } from './replay-request.ts';
import { ReplaySource } from './replay-source.ts';
import { Replayer } from './replayer.ts';

/** The kinds of request that a replay counts for themselves. */
export async function kindsOf({ recording: path }: ReplaySpec): Promise<string[]> {
  await using recording = await openRecording(path);
  return await commonestKinds(recording.read());
}

/** Gets a replay ready: its recording is open and read ahead. `failed` hears of what goes wrong later. */
export async function openReplay(
  spec: LoadSpec,
  replay: ReplaySpec,
  around: JourneySurroundings,
  options: { kinds: readonly string[]; failed: (thrown: unknown) => void },
): Promise<EngineMaker> {
  const { kinds, failed } = options;
  const sign = await signOf(replay);
  const source = await openSource(spec, replay, failed);
  const endMs = curveDuration(spec.scenario.segments);
  const { tag, transport } = around;
  return (at) => new Replayer({ ...at, spec, source, kinds, endMs, tag, sign, transport });
}

async function openSource(
  spec: LoadSpec,
  replay: ReplaySpec,
  failed: (thrown: unknown) => void,
): Promise<ReplaySource> {
  const recording = await openRecording(replay.recording);
  const { scenario, stripe, seed, steadyMs } = spec;
  const source = new ReplaySource({
    records: recording.read(stripe === undefined ? {} : { stripe }),
    firstMs: recording.summary!.firstMs,
    speed: replay.speed,
    copies: replay.sessions,
    // The recording's beginning is the warm-up.
    startMs: -scenario.warmUpMs - steadyMs,
    endMs: curveDuration(scenario.segments),
    seed,
  });
  readAll(source, recording).catch(failed);
  return source;
}

async function readAll(source: ReplaySource, recording: Recording): Promise<void> {
  try {
    await source.fill();
  } finally {
    await recording.close();
  }
}

async function signOf({ sign }: ReplaySpec): Promise<Sign | undefined> {
  if (sign === undefined) return undefined;
  const hint =
    'Its default export is a function that takes { method, path, headers, body } and gives the same, signed.';
  let made: { default?: unknown };
  try {
    made = (await import(pathToFileURL(sign).href)) as { default?: unknown };
  } catch (thrown) {
    throw new HarnessError('HOOK_UNUSABLE', `${sign} cannot be loaded: ${messageOf(thrown)}`, hint, thrown);
  }
  if (typeof made.default !== 'function') throw new HarnessError('HOOK_UNUSABLE', `${sign} exports no function`, hint);
  return made.default as Sign;
}
