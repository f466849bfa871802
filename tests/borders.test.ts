import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');
const ROOMS = ['plan', 'proxy', 'runtime', 'load', 'shadow', 'observe', 'verify', 'faults', 'reports'];

/** What each part may import besides itself. Imports point one way. */
const ALLOWED: Record<string, string[]> = {
  core: [],
  spi: ['core'],
  ...Object.fromEntries(ROOMS.map((room) => [room, ['core', 'spi']])),
  run: ['core', 'spi', 'plan'],
  registry: ['core', 'spi', ...ROOMS],
  commands: ['core', 'spi', ...ROOMS, 'run', 'registry'],
  index: ['core', 'spi', ...ROOMS, 'run', 'registry', 'commands'],
  cli: ['core', 'commands'],
};

function partOf(file: string): string | undefined {
  const [top, second] = relative(ROOT, file).split('/');
  if (top === 'faults' || top === 'reports') return top;
  if (top === 'harness') return second?.replace(/\.ts$/, '');
  return undefined;
}

interface Import {
  file: string;
  from: string | undefined;
  to: string | undefined;
  name: string;
}

function imports(file: string, text: string): Import[] {
  const names = [...text.matchAll(/(?:from|import\()\s*'([^']+)'/g)].map((match) => match[1]!);
  return names.map((name) => ({
    file: relative(ROOT, file),
    from: partOf(file),
    to: name.startsWith('.') ? partOf(resolve(dirname(file), name)) : undefined,
    name,
  }));
}

const sources = globSync('{harness,faults,reports}/**/*.ts', { cwd: ROOT }).filter(
  (file) => !file.endsWith('.test.ts'),
);
const all = sources.flatMap((file) => imports(join(ROOT, file), readFileSync(join(ROOT, file), 'utf8')));

describe('the borders between the parts', () => {
  it('are crossed one way only', () => {
    const crossing = all.filter(({ from, to }) => from !== undefined && to !== undefined && from !== to);
    const wrong = crossing.filter(({ from, to }) => !(ALLOWED[from!] ?? []).includes(to!));
    expect(wrong.map(({ file, name }) => `${file} → ${name}`)).toEqual([]);
    expect(crossing.length).toBeGreaterThan(50);
  });

  it('let no third-party type into spi', () => {
    const foreign = all.filter(({ from, name }) => from === 'spi' && !name.startsWith('.'));
    expect(foreign.map(({ file, name }) => `${file} → ${name}`)).toEqual([]);
  });

  it('know every part that exists', () => {
    const parts = new Set(sources.map((file) => partOf(join(ROOT, file))));
    expect([...parts].filter((part) => part !== undefined && !(part in ALLOWED))).toEqual([]);
  });

  it('notice a planted crossing', () => {
    const planted = imports(join(ROOT, 'harness/load/bad.ts'), "import { x } from '../runtime/local.ts';");
    expect(planted[0]).toMatchObject({ from: 'load', to: 'runtime' });
    expect(ALLOWED['load']).not.toContain('runtime');
  });
});

describe('the shape of the folders', () => {
  it('is at most three deep', () => {
    expect(sources.filter((file) => file.split('/').length > 4)).toEqual([]);
  });
});
