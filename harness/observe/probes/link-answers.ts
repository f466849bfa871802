import type { Probe } from '../../spi/fault.ts';
import { portOfLink } from '../exchange.ts';
import { linkOf } from '../targets.ts';
import { answerRequest, measureAnswer } from './answers.ts';

/** A request over the link gets a byte within 1 s, at the latest in the last attempt within `args.withinMs`. */
export const linkAnswers: Probe = {
  kind: 'link.answers',
  resolve: async (expectation, env) => {
    const link = linkOf(expectation, env);
    return answerRequest(link.listen, portOfLink(link.id), expectation);
  },
  measure: measureAnswer,
};
