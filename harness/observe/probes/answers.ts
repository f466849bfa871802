import type { Expectation, Measurement } from '../../spi/fault.ts';
import type { Json } from '../../spi/json.ts';
import type { Address, Node } from '../../spi/runtime.ts';
import type { PortName } from '../../spi/topology.ts';
import { exchange } from '../exchange.ts';
import { pollUntil } from '../poll.ts';

const ANSWER_MS = 1000;
const WITHIN_MS = 5000;

export interface AnswerRequest {
  address: Address;
  port: PortName;
  withinMs: number;
}

export function answerRequest(address: Address, port: PortName, { args }: Expectation): Json {
  return { address, port, withinMs: Number(args.withinMs ?? WITHIN_MS) } as unknown as Json;
}

/** The port that shows whether a node is up. */
export function mainPort(node: Node): PortName {
  return node.spec.kind === 'store' ? 'sql' : 'http';
}

/** Any byte within 1 s; asked again until the request's time is over. */
export function measureAnswer(request: Json, signal: AbortSignal): Promise<Measurement> {
  const { address, port, withinMs } = request as unknown as AnswerRequest;
  return pollUntil(withinMs, signal, async () => {
    const { outcome, ms } = await exchange(address, port, ANSWER_MS, signal);
    const value = Math.round(ms * 10) / 10;
    const what = { byte: 'an answer', end: 'the connection’s end', refused: 'a refusal', silence: 'nothing' }[outcome];
    return { holds: outcome === 'byte', value, unit: 'ms', because: `${what} came within ${value} ms` };
  });
}
