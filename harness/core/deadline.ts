/** A signal that fires when the parent does or after `ms`, whichever is first. */
export function deadline(ms: number, parent?: AbortSignal): AbortSignal {
  const own = AbortSignal.timeout(Math.max(0, Math.ceil(ms)));
  return parent === undefined ? own : AbortSignal.any([own, parent]);
}

/** Settles as `work` does, or rejects with what `late()` makes after `ms`; the work itself is not stopped. */
export async function within<T>(ms: number, work: Promise<T>, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(late()), ms);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
