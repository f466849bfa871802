import type Docker from 'dockerode';
import { HarnessError, messageOf } from '../core/errors.ts';
import { objectName, RUN_LABEL, unless } from './container-engine.ts';

const TRIES = 8;

/**
 * The run's own network, in which containers can be given addresses that stay the same over restarts. Engines grant those
 * only where the subnet was named, so the engine is asked for a free one first.
 */
export class RunNetwork {
  readonly name: string;
  readonly #base: number;
  readonly #size: number;
  #next = 10;

  private constructor(name: string, base: number, size: number) {
    this.name = name;
    this.#base = base;
    this.#size = size;
  }

  static async make(docker: Docker, runId: string): Promise<RunNetwork> {
    const name = objectName(runId, 'net');
    let failure: unknown;
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      const subnet = await freeSubnet(docker, runId, attempt);
      try {
        await create(docker, name, runId, [{ Subnet: subnet }]);
        const [address, bits] = subnet.split('/');
        return new RunNetwork(name, numberOf(address!), 2 ** (32 - Number(bits)));
      } catch (thrown) {
        // Another run was given the same one in between.
        failure = thrown;
      }
    }
    const hint = 'Look at `docker network ls`; `docker network prune` removes what nobody uses.';
    throw new HarnessError('PORT_IN_USE', `no network could be made: ${messageOf(failure)}`, hint, failure);
  }

  /** The next free address. */
  take(): string {
    // The last of a subnet is for broadcasts.
    if (this.#next >= this.#size - 1) {
      throw new HarnessError('PORT_IN_USE', `the network ${this.name} is full`, 'Stand up fewer nodes.');
    }
    return textOf(this.#base + this.#next++);
  }
}

async function freeSubnet(docker: Docker, runId: string, attempt: number): Promise<string> {
  const probe = await create(docker, objectName(runId, `try-${attempt}`), runId, undefined);
  try {
    const { IPAM } = (await probe.inspect()) as { IPAM: { Config: { Subnet: string }[] } };
    return IPAM.Config.map(({ Subnet }) => Subnet).find((subnet) => subnet.includes('.'))!;
  } finally {
    await unless([404], probe.remove());
  }
}

async function create(docker: Docker, name: string, runId: string, pools: { Subnet: string }[] | undefined) {
  const options = { Name: name, Driver: 'bridge', Labels: { [RUN_LABEL]: runId } };
  return docker.createNetwork(pools === undefined ? options : { ...options, IPAM: { Config: pools } });
}

const numberOf = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
const textOf = (number: number): string => [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.');
