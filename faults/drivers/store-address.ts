import { HarnessError } from '../../harness/core/errors.ts';
import type { SqlAddress } from '../../harness/core/sql.ts';
import type { Environment, Node } from '../../harness/spi/runtime.ts';

/** The power that a runtime must have for anything that is done to a database over SQL. */
export const SQL_POWER = 'store.query';

/** How a database node is reached over SQL with the harness's own access. Throws FAULT_UNSUPPORTED where there is none. */
export function sqlAddress(node: Node, env: Environment): SqlAddress {
  const access = node.store?.access;
  if (access !== undefined) return { ...env.endpoint(node.spec.id, 'sql', 'tool'), ...access };
  throw new HarnessError(
    'FAULT_UNSUPPORTED',
    `${node.spec.id} gives no access over SQL`,
    'Use a runtime that stands the stack up itself: local or containers.',
  );
}

/** PostgreSQL cuts a session's name off after this many bytes. */
const NAME_BYTES_MAX = 63;

/** What sessions of ours are called by on the server: nobody else's are, and each of this run's begins like that. */
export function sessionName(runId: string, what: string): string {
  return `seawall-${runId}-${what}`.slice(0, NAME_BYTES_MAX);
}
