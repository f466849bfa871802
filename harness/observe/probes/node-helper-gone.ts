import type { Probe } from '../../spi/fault.ts';
import { type Helper, helperOf, processesOfHelper } from '../helper.ts';
import { pollUntil } from '../poll.ts';

const WITHIN_MS = 5000;

/** No process of the helper that kept the effect up is left, and with it all that it took. */
export const nodeHelperGone: Probe = {
  kind: 'node.helper-gone',
  resolve: async ({ kind }, _env, undo) => helperOf(kind, undo),
  measure: (request, signal) =>
    pollUntil(WITHIN_MS, signal, async () => {
      const value = processesOfHelper(request as unknown as Helper).length;
      return { holds: value === 0, value, unit: 'processes', because: `${value} processes of the helper are left` };
    }),
};
