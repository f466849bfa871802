import { z } from 'zod';
import { parseCount } from '../core/units.ts';
import { bytesPerSecond, durationMs, percentage, ratePerSecond } from '../core/zod-schema.ts';
import { byWord, httpUrl, text, textOr } from './zod-pieces.ts';

/** The parts of a scenario that say how much traffic there is and what it carries. */

/** Users at once: a plain whole number, for it has no unit. */
export const users = () => z.int({ error: 'expected a whole number of users, as in 64' }).min(0).max(100_000);

/** What a stage climbs to: `250/s`, or 64 users. */
export const levelSchema = textOr(
  ratePerSecond().transform((value) => ({ kind: 'rate' as const, value })),
  users().transform((value) => ({ kind: 'users' as const, value })),
);

const MANY = 'expected a whole number, as in 250000, 250k or 1M';
const many = () =>
  textOr(
    z.string().transform((value, context) => {
      const count = parseCount(value);
      if (count !== undefined) return count;
      context.addIssue({ code: 'custom', message: MANY });
      return z.NEVER;
    }),
    z.int({ error: MANY }),
  ).refine((count) => count > 0, { error: 'expected at least one' });

export const usersADaySchema = z.strictObject({
  daily: many().describe('Users a day.'),
  sessionsPerDay: z.number().positive().max(1000).default(1).describe('Journeys that one of them starts in a day.'),
  peakShare: percentage()
    .refine((share) => share > 0, { error: 'expected a share above 0%' })
    .describe('Share of the day’s sessions that falls into its busiest hour; 4.17% is a day without a peak.'),
});

export const curveSchema = byWord('preset', {
  'sale-6.5x': z.strictObject({
    preset: z.literal('sale-6.5x').describe('A recorded day’s curve at 6.5 times its rates, pressed into `for`.'),
    recorded: text().describe('CSV with the columns time (seconds, hh:mm or hh:mm:ss) and rate (starts per second).'),
    factor: z.number().positive().max(1000).default(6.5),
    for: durationMs(),
  }),
  'midnight-spike': z.strictObject({
    preset: z.literal('midnight-spike').describe('A sale that opens on the stroke: base, rise, peak, decay.'),
    base: ratePerSecond(),
    peak: ratePerSecond(),
    for: durationMs(),
    before: durationMs().optional().describe('At the base rate. Default: a fifth of `for`.'),
    rise: durationMs().optional().describe('From base to peak. Default: 1s.'),
    hold: durationMs().optional().describe('At the peak. Default: a tenth of `for`.'),
    halfLife: durationMs().optional().describe('In which what is above `settle` halves. Default: a tenth of `for`.'),
    settle: ratePerSecond().optional().describe('What the rate falls towards. Default: twice the base.'),
  }),
  soak: z.strictObject({
    preset: z.literal('soak').describe('An even load for a long time.'),
    rate: ratePerSecond(),
    for: durationMs(),
    rise: durationMs().optional().describe('From 0. Default: a twentieth of `for`, at most 5m.'),
  }),
});
export type RawCurve = z.output<typeof curveSchema>;

export const httpSchema = z.strictObject({
  version: z
    .union([z.literal(1), z.literal(2)], { error: 'expected 1 or 2' })
    .default(1)
    .describe('1 is HTTP/1.1, 2 is HTTP/2.'),
  proxy: httpUrl().optional().describe('An HTTP proxy that requests go through, as in http://127.0.0.1:3128.'),
});

/** Where users are; what it may be together with the rest is checked by `check-regions`. */
export const regionSchema = z.strictObject({
  share: percentage().describe('Share of the starts; those of all regions sum to 100%.'),
  rtt: durationMs().describe('Added to each round trip, half each way. Connecting is not delayed.'),
  jitter: durationMs().optional().describe('So much the round trip varies, evenly, to both sides. Default: 0ms.'),
  bandwidth: bytesPerSecond().optional().describe('Of each connection, each way. Default: no limit.'),
  loss: percentage().optional().describe('Share of packets that get lost; no engine here can do it yet.'),
});
export type RawRegion = z.output<typeof regionSchema>;

export const feedName = () =>
  z.string().regex(/^[a-z][A-Za-z0-9_]{0,39}$/, { error: 'expected a name of letters and digits' });

const columnName = () =>
  z.string().regex(/^[A-Za-z0-9_-]{1,80}$/, { error: 'expected column names of letters, digits, _ and -' });

/** Rows for journeys; which of the sources is given, and what goes with it, is checked by `check-feeds`. */
export const feedSchema = z.strictObject({
  csv: text().optional().describe('A CSV file with a header, relative to the plan.'),
  jsonLines: text().optional().describe('A file with one JSON object a line, relative to the plan.'),
  generate: z.record(columnName(), z.string()).optional().describe('Column to text with {row}, counted from 1, in it.'),
  rows: z.int().min(1).max(1_000_000_000).optional().describe('With generate: how many rows there are.'),
  order: z
    .enum(['unique', 'circular', 'random'])
    .optional()
    .describe('unique: each row for one start; circular: again from the first; random: drawn. Default: circular.'),
  skew: z
    .strictObject({
      zipf: z.number().min(0).max(5).default(0).describe('Row k weighs k^-zipf; 0 is even.'),
      whales: z
        .strictObject({
          column: text(),
          times: z
            .record(z.string(), z.number().positive().max(1_000_000))
            .describe('Value of the column to how many times its usual weight it has.'),
        })
        .optional()
        .describe('Rows that come far more often than their rank says.'),
    })
    .optional()
    .describe('For random: how uneven the draw is.'),
});
export type RawFeed = z.output<typeof feedSchema>;
