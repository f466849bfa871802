import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Undo } from '../spi/fault.ts';
import { openAppend } from './append-file.ts';
import { Ledger, readLedger } from './ledger.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seawall-ledger-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const undo: Undo = { driver: 'proxy', owner: 'run', on: { link: 'a>b' }, state: { before: [] } };

describe('the ledger', () => {
  it('tells what is still to be undone, in the order it was written', () => {
    const path = join(folder, 'ledger.ndjson');
    const ledger = new Ledger(openAppend(path));
    for (const id of ['dark/0', 'dark/1', 'slow/0'])
      ledger.write({ type: 'undo', id, fault: 'dark', undo, expiresAtMs: 1 });
    ledger.write({ type: 'undone', id: 'dark/1' });
    expect(readLedger(path).undos.map(({ id }) => id)).toEqual(['dark/0', 'slow/0']);
    ledger.close();
  });

  it('ignores a last line that a sudden death cut short, since nothing was done on it', () => {
    const path = join(folder, 'ledger.ndjson');
    const ledger = new Ledger(openAppend(path));
    ledger.write({ type: 'undo', id: 'dark/0', fault: 'dark', undo, expiresAtMs: 1 });
    appendFileSync(path, '{"type":"undo","id":"dark/1","fau');
    expect(readLedger(path).undos.map(({ id }) => id)).toEqual(['dark/0']);
    ledger.close();
  });
});
