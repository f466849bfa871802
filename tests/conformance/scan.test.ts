import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cli, ROOT } from '../support/cli.ts';

const PLANTED = join(ROOT, 'fixtures/recordings/planted.log');
/** What stands in it, plain or encoded. */
const VALUES = [
  '13800138000',
  'li.lei',
  'hunter2',
  '4111',
  '11010519491231002X',
  '0a1b2c',
  '李雷',
  'Avenue',
  '138-0013',
];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'seawall-scan-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('finds what is planted in a log, of every class, and shows none of it', async () => {
  const shown = await cli(['scan', PLANTED]);
  expect(shown).toMatchObject({ code: 1, stderr: '' });
  for (const kind of ['phone', 'mail', 'token', 'card', 'id', 'name', 'address'])
    expect(shown.stdout).toMatch(`${kind} `);
  expect(shown.stdout).toMatch(/line 5, at \d+: phone \+\*+ \(base64\)/);
  expect(shown.stdout).not.toMatch(/line 6/);
  expect(VALUES.filter((value) => shown.stdout.includes(value))).toEqual([]);

  const json = await cli(['scan', PLANTED, '--json']);
  expect(json.code).toBe(1);
  expect(JSON.parse(json.stdout)).toMatchObject({
    clean: false,
    files: [{ kind: 'text', units: 6, counts: { card: 1, mail: 1, phone: 2 } }],
  });
  expect(VALUES.filter((value) => json.stdout.includes(value))).toEqual([]);
});

it('finds no more of it in the recording that import made, and what a rule leaves in', async () => {
  const clean = join(folder, 'clean.swr');
  expect(await cli(['import', PLANTED, '-o', clean])).toMatchObject({ code: 0 });
  expect(await cli(['scan', clean])).toMatchObject({ code: 0, stdout: `${clean}: clean, 6 requests\n` });

  const rules = join(folder, 'rules.yaml');
  await writeFile(rules, 'off: [phone]\n');
  const weak = join(folder, 'weak.swr');
  expect(await cli(['import', PLANTED, '-o', weak, '--mask', rules])).toMatchObject({ code: 0 });
  const found = await cli(['scan', weak]);
  expect(found.code).toBe(1);
  expect(found.stdout).toMatch(
    /: 2 private values in 6 requests \(phone 2\)\n {2}request 1, path, at 7: phone 1\*{10}\n/,
  );
  const agreed = await cli(['scan', weak, '--mask', rules]);
  expect(agreed).toMatchObject({ code: 0 });
  expect(agreed.stdout).toMatch(/not looked for, as the rules say: phone/);
});

it('says which file it could not read, and looks through the others all the same', async () => {
  const cut = join(folder, 'cut.swr');
  await writeFile(cut, 'SEAWALLR');
  const result = await cli(['scan', join(folder, 'none.log'), cut, PLANTED]);
  expect(result.code).toBe(4);
  expect(result.stderr).toMatch(/FILE_UNREADABLE: .*none\.log/);
  expect(result.stderr).toMatch(/RECORDING_TRUNCATED: .*cut\.swr/);
  expect(result.stdout).toMatch(/planted\.log: \d+ private values/);
});

it('refuses rules that are wrong, and no file at all', async () => {
  const rules = join(folder, 'wrong.yaml');
  await writeFile(rules, "patterns: [{ class: x, matches: '(?=a)' }]\nof: []\n");
  const result = await cli(['scan', PLANTED, '--mask', rules]);
  expect(result.code).toBe(3);
  expect(result.stderr).toMatch(/2 issues/);
  expect((await cli(['scan'])).code).toBe(3);
});
