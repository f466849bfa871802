import { z } from 'zod';
import { formatCount } from '../core/units.ts';
import { zodSchema } from '../core/zod-schema.ts';
import type { Check, Finding } from '../spi/check.ts';
import { percent } from './phrases.ts';
import { type GeneratorHealth, generatorHealth, type Starvation, starvation } from './starved.ts';

/** Always judged: a generator that did not keep its schedule makes the run unknown. Shown as advisory when it did. */
export const generator: Check<Record<string, never>> = {
  kind: 'generator',
  summary: 'The load was sent as scheduled; else the run says nothing (LOAD_STARVED).',
  params: zodSchema<Record<string, never>>(z.strictObject({})),
  evaluate: (view) =>
    view.timeline.scenarios.map(({ name }): Finding => {
      const kept = starvation(view, name);
      const health = generatorHealth(view, name);
      const ratio = kept.due === 0 ? 0 : kept.sent / kept.due;
      const nothing = kept.scheduled === 0;
      return {
        check: 'generator',
        scope: name,
        verdict: kept.starved || nothing ? 'unknown' : 'pass',
        basis: 'requests',
        claim: `the load of ${name} is sent as scheduled`,
        measured: { value: ratio, unit: 'ratio' },
        threshold: { value: 0.999, unit: 'ratio' },
        sampleCount: kept.scheduled,
        because: nothing
          ? `No load of ${name} was sent after t = 0: no evidence.`
          : sentence(name, kept) + healthSentence(health),
        evidence: kept.evidence,
        advisory: !(kept.starved || nothing),
      };
    }),
};

function sentence(name: string, kept: Starvation): string {
  const sent = `${formatCount(kept.sent)} of ${formatCount(kept.due)} starts of ${name} were sent`;
  const late = `lateness p99 was beyond ${Number(kept.limitMs.toFixed(1))} ms in ${formatCount(kept.lateWindows)} of ${formatCount(kept.windows)} seconds (worst ${Number(kept.latenessMaxMs.toFixed(1))} ms)`;
  if (!kept.starved) return `The generator kept up: ${sent}; ${late}.`;
  return `LOAD_STARVED: ${sent}; ${late}. At least ${percent(0.999)} and at most 1 % late seconds are needed; a lower rate or a less busy machine for the generator would settle it.`;
}

/** What the generator was like itself: whoever doubts a latency looks here first. */
function healthSentence(health: GeneratorHealth | undefined): string {
  if (health === undefined) return '';
  const { delayMaxMs, cpuShareMax, stealShareMax, pacers } = health;
  const stolen = stealShareMax === undefined ? '' : `, ${percent(stealShareMax)} of the machine’s time stolen`;
  const paced = pacers.length === 0 ? '' : `; sends were paced by ${pacers.join(' and ')}`;
  return ` Its event loop came round at most ${Number(delayMaxMs.toFixed(1))} ms late (p99 of a second), it used at most ${percent(cpuShareMax)} of a core${stolen}${paced}.`;
}
