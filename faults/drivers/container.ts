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
