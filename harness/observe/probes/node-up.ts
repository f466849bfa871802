import type { Probe } from '../../spi/fault.ts';
import { nodeOf } from '../targets.ts';
import { answerRequest, mainPort, measureAnswer } from './answers.ts';

/** The node itself, past every proxy, accepts and answers; asked until `args.withinMs` are over. */
export const nodeUp: Probe = {
  kind: 'node.up',
  resolve: async (expectation, env, undo) => {
    const node = nodeOf(expectation, env, undo);
    const port = mainPort(node);
    return answerRequest(env.endpoint(node.spec.id, port, 'tool'), port, expectation);
  },
  measure: measureAnswer,
};
