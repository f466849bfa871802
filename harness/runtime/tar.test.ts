import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tar } from './tar.ts';

it('makes an archive that tar itself unpacks', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tar-'));
  try {
    const files = [
      { path: '/init.d/a.sql', content: Buffer.from('select 1;'.repeat(100)) },
      { path: 'empty', content: Buffer.alloc(0) },
    ];
    writeFileSync(join(folder, 'x.tar'), tar(files));
    execFileSync('tar', ['-xf', 'x.tar'], { cwd: folder });
    expect(readFileSync(join(folder, 'init.d/a.sql'), 'utf8')).toBe('select 1;'.repeat(100));
    expect(statSync(join(folder, 'empty')).size).toBe(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
