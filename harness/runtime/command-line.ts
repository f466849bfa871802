import { existsSync } from 'node:fs';
import { resolve, sep } from 'node:path';
import { HarnessError } from '../core/errors.ts';

/**
 * The argv of a `run.local` line: words parted by blanks, quotes hold them together, and nothing else of a shell. A
 * leading `node` is the Node that runs us. Script paths are made absolute against `folder`; where a `.ts` is not there
 * but its emitted `.js` is (we are installed as a package), that one is taken.
 */
export function commandLine(line: string, folder: string): string[] {
  const words = splitWords(line);
  if (words[0] === undefined) {
    throw new HarnessError('PLAN_INVALID', '`run.local` is empty', 'Write the command that starts it.');
  }
  if (words[0] === 'node') words[0] = process.execPath;
  else if (/^\.{1,2}\//.test(words[0])) words[0] = resolve(folder, words[0]);
  return words.map((word, index) => (index > 0 && /\.[cm]?[jt]s$/.test(word) ? script(word, folder) : word));
}

function splitWords(line: string): string[] {
  const parts = line.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? [];
  return parts.map((part) => part.replaceAll(/"([^"]*)"|'([^']*)'/g, (_whole, a, b) => a ?? b));
}

function script(word: string, folder: string): string {
  const source = resolve(folder, word);
  const emitted = source.replace(/ts$/, 'js');
  const found = !existsSync(source) && existsSync(emitted) ? emitted : source;
  if (!existsSync(found)) {
    const hint = `Paths in \`run.local\` are relative to the stack file, in ${folder}.`;
    throw new HarnessError('FILE_UNREADABLE', `there is no ${found}`, hint);
  }
  if (found.endsWith('ts') && found.includes(`${sep}node_modules${sep}`)) {
    const hint = 'Name the emitted JavaScript, or keep the program outside node_modules.';
    throw new HarnessError('RUNTIME_UNSUPPORTED', `Node runs no TypeScript under node_modules: ${found}`, hint);
  }
  return found;
}
