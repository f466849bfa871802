import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { listProcesses, RUN_FLAG } from '../../harness/core/process-identity.ts';

/** What a run could leave on this machine, seen from outside: no ledger, no index, no word of the tool is asked. */
export interface Outside {
  processes: string[];
  folders: string[];
  sharedMemory: string[];
  listening: string[];
}

export function lookOutside(): Outside {
  return {
    processes: listProcesses()
      .filter((row) => row.command.includes(`${RUN_FLAG}=`) || executable(row.pid).includes('/seawall-'))
      .map((row) => `${row.pid} ${row.command.slice(0, 200)}`),
    folders: readdirSync(tmpdir()).filter((name) => /^seawall-\d/.test(name)),
    sharedMemory: [...rows('/proc/sysvipc/shm').map((row) => row.trim().split(/\s+/)[1]!), ...names('/dev/shm')],
    listening: rows('/proc/net/tcp')
      .map((row) => row.trim().split(/\s+/))
      .filter((fields) => fields[3] === '0A')
      .map((fields) => fields[1]!),
  };
}

/** What is there now and was not before; pids that came and went do not count. */
export function newSince(before: Outside, now: Outside = lookOutside()): Outside {
  const added = (key: keyof Outside): string[] => now[key].filter((one) => !before[key].includes(one));
  return {
    processes: added('processes'),
    folders: added('folders'),
    sharedMemory: added('sharedMemory'),
    listening: added('listening'),
  };
}

export const NOTHING: Outside = { processes: [], folders: [], sharedMemory: [], listening: [] };

/** A database's process hides its arguments, but not the copied program that it runs. */
function executable(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    // Ended meanwhile, or not Linux.
    return '';
  }
}

function rows(path: string): string[] {
  if (process.platform !== 'linux') return [];
  return readFileSync(path, 'utf8').trimEnd().split('\n').slice(1);
}

function names(folder: string): string[] {
  return process.platform === 'linux' ? readdirSync(folder) : [];
}
