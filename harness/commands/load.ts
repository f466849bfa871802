import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { stringify } from 'yaml';
import { HarnessError, messageOf } from '../core/errors.ts';
import { isLoopback } from '../plan/hosts.ts';
import type { JsonObject } from '../spi/json.ts';
import { EXIT } from './exit.ts';
import { describeIssues, parseSeed, planFromText } from './plan-options.ts';
import { runPlan } from './run.ts';
import type { SegmentOptions } from './segment.ts';

/** What `seawall load` takes; each goes into the plan as it is written, and is checked there. */
export interface LoadCommandOptions extends SegmentOptions {
  rate?: string;
  vus?: string;
  poisson?: boolean;
  for: string;
  warmUp: string;
  good: string;
  p50?: string;
  p90?: string;
  p99?: string;
  p999?: string;
  availability: string;
  method?: string;
  header: string[];
  body?: string;
  expect: string[];
  engine?: string;
  threads?: string;
  http2?: boolean;
  proxy?: string;
  over?: string;
  inFlight?: string;
  allowHost: string[];
  seed?: string;
  out?: string;
  reporter?: string[];
  printPlan?: boolean;
}

const SCENARIO = 'load';
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD'];
const QUANTILES = ['p50', 'p90', 'p99', 'p999'] as const;

/**
 * `seawall load URL`: an everyday load test without a file. The options become a plan, which is checked and run like
 * any other; it lies in the run's folder and gives the same run again.
 */
export async function loadCommand(url: string, options: LoadCommandOptions): Promise<number> {
  const text = planText(url, options);
  // Only a name: paths are relative to where the command stands.
  const file = resolve('command-line.yaml');
  const { plan, warnings } = planFromText(file, text);
  if (options.printPlan === true) {
    process.stdout.write(text);
    return EXIT.pass;
  }
  if (warnings.length > 0) process.stderr.write(`${describeIssues(warnings, { [file]: text })}\n\n`);
  if (options.seed !== undefined) plan.seed = parseSeed(options.seed);
  const { out, reporter, segment, startAt } = options;
  return runPlan(plan, text, {
    set: [],
    runtime: 'auto',
    faults: true,
    ...(out === undefined ? {} : { out }),
    ...(segment === undefined ? {} : { segment }),
    ...(startAt === undefined ? {} : { startAt }),
    ...(reporter === undefined ? {} : { reporter }),
  });
}

/** The plan that the command line stands for, as YAML. Throws USAGE and HOST_NOT_ALLOWED. */
export function planText(given: string, options: LoadCommandOptions): string {
  const url = urlFrom(given, options.allowHost);
  const step = stepFrom(url, options);
  const traffic = trafficFrom(options);
  const quantiles = QUANTILES.filter((name) => options[name] !== undefined);
  const limits = Object.fromEntries(quantiles.map((name) => [name, options[name]!]));
  const plan: JsonObject = {
    plan: 'load',
    hypothesis: `${step.method} ${url.origin}${url.pathname} is answered within ${options.good} under this load.`,
    stack: { existing: { target: url.origin }, journeys: { request: [step.request] } },
    seed: options.seed === undefined ? 1 : parseSeed(options.seed),
    load: [
      { scenario: SCENARIO, ...traffic, for: options.for, warmUp: options.warmUp, good: { within: options.good } },
    ],
    // The load itself is what is judged: whatever the warm-up was like, it goes on.
    steadyState: { for: '1s', good: '0%' },
    guard: 'none',
    verify: [{}, ...(options.over === undefined ? [] : [{ over: options.over }])].flatMap((over): JsonObject[] => [
      { availability: { of: SCENARIO, target: options.availability, ...over } },
      ...(quantiles.length === 0 ? [] : [{ latency: { of: SCENARIO, ...limits, ...over } }]),
    ]),
    ...(options.allowHost.length === 0 ? {} : { allowHosts: options.allowHost }),
  };
  return `# What \`seawall load\` ran against ${url.origin}; \`seawall run\` of this file runs it again.\n${stringify(plan)}`;
}

function urlFrom(given: string, allowed: readonly string[]): URL {
  const hint = 'For example: seawall load http://127.0.0.1:8080/items --rate 500/s --for 60s --good 300ms';
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new HarnessError('USAGE', `${given} is no http or https URL`, hint);
  }
  if (url.username !== '' || url.password !== '') {
    const instead = `Send it as a header: --header 'authorization: Basic \${env:CREDENTIALS}'`;
    throw new HarnessError('USAGE', 'a name and a password in a URL would stand in every report', instead);
  }
  if (isLoopback(url.hostname) || allowed.includes(url.hostname)) return url;
  const message = `${url.hostname} is neither loopback nor allowed`;
  throw new HarnessError('HOST_NOT_ALLOWED', message, `If you mean it, say --allow-host ${url.hostname}`);
}

function stepFrom(url: URL, options: LoadCommandOptions): { method: string; request: JsonObject } {
  const body = options.body === undefined ? undefined : bodyFrom(options.body);
  const method = (options.method ?? (body === undefined ? 'GET' : 'POST')).toUpperCase();
  if (!METHODS.includes(method)) {
    throw new HarnessError('USAGE', `--method ${method} is not known`, `Known: ${METHODS.join(', ')}`);
  }
  const headers = Object.fromEntries(options.header.map(headerFrom));
  const named = Object.keys(headers).some((name) => name.toLowerCase() === 'content-type');
  if (body !== undefined && !named && isJson(body)) headers['content-type'] = 'application/json';
  const expect = options.expect.flatMap((list) => list.split(',')).map(statusFrom);
  return {
    method,
    request: {
      // A URL writes braces in its path as %7B and %7D; here they are those of placeholders.
      [method]: `${url.pathname.replaceAll('%7B', '{').replaceAll('%7D', '}')}${url.search}`,
      ...(Object.keys(headers).length === 0 ? {} : { headers }),
      ...(body === undefined ? {} : { body }),
      ...(expect.length === 0 ? {} : { expect }),
    },
  };
}

function bodyFrom(given: string): string {
  if (!given.startsWith('@')) return given;
  try {
    return readFileSync(given.slice(1), 'utf8');
  } catch (thrown) {
    throw new HarnessError(
      'FILE_UNREADABLE',
      `--body ${given}: ${messageOf(thrown)}`,
      'Name a file after the @.',
      thrown,
    );
  }
}

function headerFrom(text: string): [string, string] {
  const colon = text.indexOf(':');
  if (colon > 0) return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
  throw new HarnessError('USAGE', `--header ${text} is not name: value`, "For example: --header 'accept: text/html'");
}

function statusFrom(text: string): number {
  if (/^[1-5]\d\d$/.test(text.trim())) return Number(text);
  throw new HarnessError('USAGE', `--expect ${text} is not a status`, 'For example: --expect 200,304');
}

function trafficFrom(options: LoadCommandOptions): JsonObject {
  const { rate, vus, poisson, engine, threads, inFlight, http2, proxy } = options;
  if ((rate === undefined) === (vus === undefined)) {
    const message = rate === undefined ? 'neither --rate nor --vus is given' : '--rate and --vus are both given';
    const hint = '--rate 500/s starts requests whatever the answers do; --vus 64 has 64 users who wait for theirs.';
    throw new HarnessError('USAGE', message, hint);
  }
  if (poisson === true && vus !== undefined) {
    throw new HarnessError('USAGE', '--poisson is about a rate, and users have none', 'Leave one of them out.');
  }
  return {
    ...(rate === undefined ? { vus: wholeNumber('--vus', vus!) } : { rate }),
    ...(poisson === true ? { executor: 'poisson' } : {}),
    ...(engine === undefined ? {} : { engine }),
    ...(threads === undefined ? {} : { threads: wholeNumber('--threads', threads) }),
    ...(http2 === true || proxy !== undefined
      ? { http: { version: http2 === true ? 2 : 1, ...(proxy === undefined ? {} : { proxy }) } }
      : {}),
    ...(inFlight === undefined ? {} : { inFlight: wholeNumber('--in-flight', inFlight) }),
  };
}

function wholeNumber(option: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new HarnessError('USAGE', `${option} ${text} is not a whole number`, `For example: ${option} 2`);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    // What is no JSON is sent as it is, with whatever type the headers say.
    return false;
  }
}
