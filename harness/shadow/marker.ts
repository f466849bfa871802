import { createHash } from 'node:crypto';

/** Stands in the business data of every shadow write of a run: `sw` and 8 hex digits. */
export const markerOf = (runId: string): string => `sw${hexOf(runId)}`;

/** The same place in a run's real traffic, so that its keys are unique too and no marker search finds them. */
export const neutralMarkerOf = (runId: string): string => `re${hexOf(runId)}`;

const hexOf = (runId: string): string => createHash('sha256').update(runId).digest('hex').slice(0, 8);
