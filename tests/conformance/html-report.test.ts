import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { judgeRun } from '../../harness/verify/judge.ts';
import { htmlReporter } from '../../reports/html.ts';
import { buildReport } from '../../reports/report.ts';
import { chromium as chromiumHere, requireOrSkip } from '../support/requirements.ts';
import { sampleJournal } from '../support/sample-journal.ts';

const CHROMIUM = chromiumHere();
const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** What the browser's shapes can do; the DOM's types are not in this project. */
interface Shape {
  getBBox(): { width: number; height: number };
  getTotalLength(): number;
}

describe('the HTML report in Chromium', () => {
  const folder = mkdtempSync(join(tmpdir(), 'seawall-html-'));
  let browser: Browser | undefined;
  let page: Page;
  const requests: string[] = [];
  const errors: string[] = [];

  beforeEach((context) => void requireOrSkip(context, CHROMIUM));

  beforeAll(async () => {
    if (!CHROMIUM.ok) return;
    const judged = judgeRun({ journal: sampleJournal() });
    const [path] = await htmlReporter.write!(buildReport(judged), judged.view, folder);
    browser = await chromium.launch({ executablePath: CHROMIUM.value, args: ARGS });
    page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
    page.on('request', (request) => requests.push(request.url()));
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('console', (message) => errors.push(message.text()));
    await page.goto(pathToFileURL(path!).href);
  });

  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('asks nothing of the network and logs no error', async () => {
    await page.waitForTimeout(300);
    expect(requests.map((url) => new URL(url).protocol)).toEqual(['file:']);
    expect(errors).toEqual([]);
  });

  it('draws its charts', async () => {
    const sizes = await page.locator('svg.chart').evaluateAll((charts) =>
      charts.map((chart) => ({
        id: chart.id,
        paths: [...chart.querySelectorAll('path, rect')]
          .map((shape) => (shape as unknown as Shape).getBBox())
          .filter(({ width, height }) => width > 1 && height > 1).length,
        width: chart.getBoundingClientRect().width,
      })),
    );
    expect(sizes.map(({ id }) => id)).toEqual([
      'chart-faults',
      'chart-rate-0',
      'chart-latency-0',
      'chart-rate-1',
      'chart-latency-1',
    ]);
    for (const { id, paths, width } of sizes) {
      expect({ id, drawn: paths >= 3, wide: width > 600 }).toEqual({ id, drawn: true, wide: true });
    }
    const p99 = await page
      .locator('#chart-latency-0 path.p99')
      .evaluate((path) => (path as unknown as Shape).getTotalLength());
    expect(p99).toBeGreaterThan(800);
  });

  it('reads the figures to pointer and keyboard', async () => {
    const plots = page.locator('.plots').first();
    await plots.focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => page.locator('#readout').textContent()).toContain('sale at 1 s: 250/s good, 0/s bad');
    const box = (await page.locator('#chart-rate-0').boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.364, box.y + 60);
    await expect.poll(() => page.locator('#readout').textContent()).toContain('36/s bad');
  });

  it('says everything without its script', async () => {
    const context = await browser!.newContext({ javaScriptEnabled: false });
    const still = await context.newPage();
    await still.goto(page.url());
    expect(await still.locator('h1').textContent()).toContain('lose-a-data-centre');
    expect(await still.locator('.finding').count()).toBeGreaterThan(8);
    expect(await still.locator('#chart-rate-0 path.good').count()).toBe(1);
    await still.locator('details.table summary').first().click();
    expect(await still.locator('details.table[open] tbody tr').count()).toBe(125);
    await context.close();
  });

  it('fits a narrow screen without sideways scrolling of the page', async () => {
    const narrow = await browser!.newPage({ viewport: { width: 390, height: 800 } });
    await narrow.goto(page.url());
    const overflow = await narrow.evaluate('document.documentElement.scrollWidth - innerWidth');
    expect(overflow).toBeLessThanOrEqual(0);
    await narrow.close();
  });
});
