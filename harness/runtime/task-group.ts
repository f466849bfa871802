/**
 * Works that stand or fall together: the first failure aborts the others. Settles only when all have, so that nothing
 * starts anything after the caller has begun to clean up; rejects with the first failure.
 */
export async function together(
  parent: AbortSignal,
  works: readonly ((signal: AbortSignal) => Promise<void>)[],
): Promise<void> {
  const group = new AbortController();
  const signal = AbortSignal.any([parent, group.signal]);
  let first: { thrown: unknown } | undefined;
  await Promise.all(
    works.map(async (work) => {
      try {
        signal.throwIfAborted();
        await work(signal);
      } catch (thrown) {
        first ??= { thrown };
        group.abort(thrown);
      }
    }),
  );
  parent.throwIfAborted();
  if (first !== undefined) throw first.thrown;
}
