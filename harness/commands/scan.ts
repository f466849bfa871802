import { asHarnessError } from '../core/errors.ts';
import { formatCount } from '../core/units.ts';
import { type FileScan, type PlacedFinding, scanFile } from '../load/recording/scan-file.ts';
import { Scanner } from '../load/recording/scanner.ts';
import { EXIT } from './exit.ts';
import { readMaskRules } from './mask-options.ts';

/** So many findings of a file are named one by one; all are counted. */
const SHOWN = 50;
const KEPT = 1000;

export interface ScanCommandOptions {
  mask?: string;
  json?: boolean;
}

/**
 * `seawall scan FILE…`: whether recordings or texts are free of private values. Exit 0 clean, 1 something found, 4 a file
 * could not be read (the others are looked through all the same). The values themselves are never shown.
 */
export async function scanCommand(files: readonly string[], options: ScanCommandOptions): Promise<number> {
  const rules = readMaskRules(options.mask);
  const scanner = new Scanner(rules);
  const scans: FileScan[] = [];
  const unreadable: { file: string; code: string; message: string }[] = [];
  for (const file of files) {
    try {
      const scan = await scanFile(file, scanner, KEPT);
      scans.push(scan);
      if (options.json !== true) process.stdout.write(describe(scan));
    } catch (thrown) {
      const error = asHarnessError(thrown);
      if (error.code === 'INTERNAL') throw error;
      unreadable.push({ file, code: error.code, message: error.message });
      process.stderr.write(`${error.code}: ${error.message}\n  next: ${error.hint}\n`);
    }
  }
  const isClean = scans.every((scan) => scan.counts.size === 0);
  if (options.json === true) process.stdout.write(`${asJson(scans, unreadable, isClean, rules.off)}\n`);
  else if (rules.off.length > 0) process.stdout.write(`not looked for, as the rules say: ${rules.off.join(', ')}\n`);
  if (unreadable.length > 0) return EXIT.harness;
  return isClean ? EXIT.pass : EXIT.fail;
}

function describe(scan: FileScan): string {
  const units = `${formatCount(scan.units)} ${scan.kind === 'recording' ? 'requests' : 'lines'}`;
  if (scan.counts.size === 0) return `${scan.file}: clean, ${units}\n`;
  const total = [...scan.counts.values()].reduce((sum, count) => sum + count, 0);
  const classes = [...scan.counts].map(([kind, count]) => `${kind} ${formatCount(count)}`).join(', ');
  const rows = scan.findings.slice(0, SHOWN).map((finding) => `  ${place(scan, finding)}\n`);
  const more = total > rows.length ? `  … and ${formatCount(total - rows.length)} more\n` : '';
  return `${scan.file}: ${formatCount(total)} private values in ${units} (${classes})\n${rows.join('')}${more}`;
}

function place(scan: FileScan, finding: PlacedFinding): string {
  const unit = scan.kind === 'recording' ? 'request' : 'line';
  const field = finding.field === undefined ? '' : `, ${finding.field}`;
  const form = finding.form === 'plain' ? '' : ` (${finding.form})`;
  return `${unit} ${formatCount(finding.at)}${field}, at ${finding.offset}: ${finding.class} ${finding.shape}${form}`;
}

function asJson(
  scans: readonly FileScan[],
  unreadable: readonly object[],
  clean: boolean,
  notLookedFor: readonly string[],
): string {
  const files = scans.map(({ counts, ...scan }) => ({ ...scan, counts: Object.fromEntries(counts) }));
  return JSON.stringify({ clean: clean && unreadable.length === 0, files, unreadable, notLookedFor });
}
