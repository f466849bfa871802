import type { ContainerInspectInfo } from 'dockerode';

/** Ends a container at once; one that is not running or not there any more is fine. */
export async function killContainer(id: string, signal: AbortSignal): Promise<void> {
  const container = await containerOf(id);
  signal.throwIfAborted();
  await unless([404, 409], () => container.kill({ abortSignal: signal }));
}

/** Starts a container again; one that runs is left alone, one that was removed needs no start. */
export async function startContainer(id: string, signal: AbortSignal): Promise<void> {
  const container = await containerOf(id);
  signal.throwIfAborted();
  await unless([304, 404], () => container.start({ abortSignal: signal }));
}

/** Freezes every process of a container; one that is frozen already is fine. */
export async function pauseContainer(id: string, signal: AbortSignal): Promise<void> {
  const container = await containerOf(id);
  signal.throwIfAborted();
  const found = await container.inspect();
  if (!found.State.Paused) await container.pause({ abortSignal: signal });
}

/** Lets a container go on; one that is not frozen, or not there any more, is fine. */
export async function unpauseContainer(id: string, signal: AbortSignal): Promise<void> {
  const isPaused = async (): Promise<boolean> => (await inspectContainer(id, signal))?.State.Paused === true;
  if (!(await isPaused())) return;
  const container = await containerOf(id);
  try {
    await container.unpause({ abortSignal: signal });
  } catch (thrown) {
    // It may have been ended, or let go on, between the look and this; engines answer that in several ways.
    if (await isPaused()) throw thrown;
  }
}

/** What the engine knows of a container; undefined when it was removed. */
export async function inspectContainer(id: string, signal: AbortSignal): Promise<ContainerInspectInfo | undefined> {
  const container = await containerOf(id);
  signal.throwIfAborted();
  let found: ContainerInspectInfo | undefined;
  await unless([404], async () => {
    found = await container.inspect({ abortSignal: signal });
  });
  return found;
}

/** Changes what a container may take while it runs; one that was removed is fine. */
export async function updateContainer(id: string, change: Record<string, number>, signal: AbortSignal): Promise<void> {
  const container = await containerOf(id);
  signal.throwIfAborted();
  await unless([404], () => container.update({ ...change, abortSignal: signal }));
}

/** The engine's client is loaded only where containers are used. */
async function containerOf(id: string) {
  const { getContainerRuntimeClient } = await import('testcontainers');
  const client = await getContainerRuntimeClient();
  return client.container.dockerode.getContainer(id);
}

async function unless(statuses: number[], work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    const status = (thrown as { statusCode?: unknown }).statusCode;
    if (typeof status === 'number' && statuses.includes(status)) return;
    throw thrown;
  }
}
