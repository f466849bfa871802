import type Docker from 'dockerode';
import { HarnessError } from '../../harness/core/errors.ts';

/** Whose network rules are laid in, and by what. */
export interface NftPlace {
  container: string;
  /** An image whose entrypoint is nft. */
  image: string;
  runId: string;
}

/** By this label a run's containers are found from outside: one that is left is removed with the run. */
const RUN_LABEL = 'seawall.run';

/**
 * Runs an nft script in the network of a container, once, by a container of its own that may do that and is gone after.
 * A container that does not run has no network any more, and no rules: nothing is done then.
 */
export async function runNft(
  { container, image, runId }: NftPlace,
  script: string,
  signal: AbortSignal,
): Promise<void> {
  const docker = await engine();
  signal.throwIfAborted();
  if (!(await isRunning(docker, container))) return;
  const once = await docker.createContainer({
    Image: image,
    Cmd: [script],
    Labels: { [RUN_LABEL]: runId },
    HostConfig: { NetworkMode: `container:${container}`, CapDrop: ['ALL'], CapAdd: ['NET_ADMIN'] },
  });
  try {
    await once.start();
    const { StatusCode } = (await once.wait({ abortSignal: signal })) as { StatusCode: number };
    if (StatusCode === 0) return;
    const said = String(await once.logs({ stdout: true, stderr: true, follow: false })).replaceAll(
      /[^\x20-\x7e\n]/g,
      '',
    );
    const hint = 'The kernel must have nf_tables, and the engine must allow NET_ADMIN.';
    throw new HarnessError('PROXY_FAILED', `nft ended with ${StatusCode} in ${container.slice(0, 12)}: ${said}`, hint);
  } finally {
    await once.remove({ force: true });
  }
}

/** The engine's client is loaded only where containers are used. */
async function engine(): Promise<Docker> {
  const { getContainerRuntimeClient } = await import('testcontainers');
  return (await getContainerRuntimeClient()).container.dockerode;
}

async function isRunning(docker: Docker, id: string): Promise<boolean> {
  try {
    return (await docker.getContainer(id).inspect()).State.Running;
  } catch (thrown) {
    if ((thrown as { statusCode?: unknown }).statusCode === 404) return false;
    throw thrown;
  }
}
