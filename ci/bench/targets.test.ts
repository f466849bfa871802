import { describe, expect, it } from 'vitest';
import type { ClosedResult, ClosedRound } from './closed.ts';
import { residentOf } from './memory.ts';
import { parseOptions } from './options.ts';
import type { ToolName } from './peers.ts';
import { judgeTargets, type Results } from './targets.ts';

function round(tool: ToolName, number: number, cpuUsPerRequest: number, perSecond: number): ClosedRound {
  const both = { tool: 0, server: 0 };
  return {
    tool,
    round: number,
    startedAt: '',
    seconds: 5,
    requests: perSecond * 5,
    perSecond,
    cpuSeconds: 5,
    cpuUsPerRequest,
    cpuSecondsByPid: {},
    cpuShare: 1,
    targetCpuShare: 0.5,
    coreBusy: both,
    steal: both,
    disturbed: 0,
    connections: 64,
    rssBytes: 0,
    targetBound: false,
    whole: { tool: undefined, server: 0, errors: 0 },
  };
}

function closedOf(figures: Partial<Record<ToolName, [cpu: number, perSecond: number]>>): ClosedResult {
  const rounds = [1, 2, 3, 4, 5].flatMap((number) =>
    Object.entries(figures).map(([tool, [cpu, perSecond]]) => round(tool as ToolName, number, cpu, perSecond)),
  );
  return { connections: 64, rounds, failures: [] };
}

const verdictOn = (
  results: Omit<Results, 'broken'>,
  target: string,
  missing: Parameters<typeof judgeTargets>[1] = [],
) => judgeTargets({ broken: [], ...results }, missing).find((one) => one.target.startsWith(target))!;

describe('the targets', () => {
  it('are met or missed by the median of the paired ratios', () => {
    const closed = closedOf({ seawall: [12, 70_000], wrk: [10, 100_000], autocannon: [16, 50_000] });
    expect(verdictOn({ closed }, 'CPU a request ≤ 1.4× wrk')).toMatchObject({ verdict: 'met', close: false });
    expect(verdictOn({ closed }, 'CPU a request ≤ 0.7× autocannon')).toMatchObject({ verdict: 'missed' });
    expect(verdictOn({ closed }, 'throughput on one core ≥ 0.75× wrk')).toMatchObject({ verdict: 'missed' });
    expect(verdictOn({ closed }, 'throughput on one core ≥ 1.3× autocannon')).toMatchObject({ verdict: 'met' });
  });

  it('say when the rounds could have gone the other way', () => {
    const closed = closedOf({ seawall: [13.9, 70_000], wrk: [10, 80_000] });
    closed.rounds.find(({ tool }) => tool === 'seawall')!.cpuUsPerRequest = 16;
    expect(verdictOn({ closed }, 'CPU a request ≤ 1.4× wrk')).toMatchObject({ verdict: 'met', close: true });
  });

  it('are not measured, by name, when a peer or a part is missing or failed', () => {
    const closed = closedOf({ seawall: [12, 70_000] });
    const missing = [{ name: 'k6' as const, get: 'seawall doctor --fix' }];
    expect(verdictOn({ closed }, 'CPU a request ≤ 0.22× k6', missing)).toMatchObject({
      verdict: 'not measured',
      measured: 'k6 is not here: seawall doctor --fix',
    });
    closed.failures.push({ tool: 'wrk', round: 1, because: 'it crashed' });
    expect(verdictOn({ closed }, 'CPU a request ≤ 1.4× wrk').measured).toBe('wrk: it crashed');
    const none = judgeTargets({ broken: [{ part: 'open', because: 'the generator died' }] }, []);
    expect(none).toHaveLength(13);
    expect(none.map(({ measured }) => measured)).toContain('the open part broke: the generator died');
    expect(new Set(none.map(({ verdict }) => verdict))).toEqual(new Set(['not measured']));
  });

  it('do not take the server’s limit for the tool’s', () => {
    const closed = closedOf({ seawall: [8, 90_000], wrk: [7, 91_000] });
    for (const row of closed.rounds) row.targetBound = row.tool === 'wrk';
    expect(verdictOn({ closed }, 'throughput on one core ≥ 0.75× wrk').measured).toContain(
      'in 5 rounds the server was the limit: wrk',
    );
  });

  it('take no throughput from a tool that did not have its core', () => {
    const closed = closedOf({ seawall: [8, 90_000], wrk: [7, 91_000] });
    for (const row of closed.rounds) row.disturbed = row.tool === 'wrk' && row.round > 2 ? 0.4 : 0;
    expect(verdictOn({ closed }, 'throughput on one core ≥ 0.75× wrk')).toMatchObject({ verdict: 'not measured' });
    expect(verdictOn({ closed }, 'CPU a request ≤ 1.4× wrk')).toMatchObject({ verdict: 'met' });
    for (const row of closed.rounds) row.disturbed = row.round > 3 ? 0.4 : 0;
    expect(verdictOn({ closed }, 'throughput on one core ≥ 0.75× wrk')).toMatchObject({ verdict: 'met' });
  });

  it('judge memory only over ten million requests, by its most and its growth', () => {
    const tool = residentOf([50e6]);
    const generator = residentOf([100e6, 120e6, 121e6, 121e6, 122e6, 122e6, 122e6, 122e6, 122e6, 199e6]);
    const memory = { requests: 10_000_000, seconds: 100, generator, tool };
    expect(verdictOn({ memory }, 'memory: 10 million requests below')).toMatchObject({ verdict: 'met' });
    expect(verdictOn({ memory }, 'memory: 10 million requests without')).toMatchObject({ verdict: 'missed' });
    expect(
      verdictOn({ memory: { ...memory, requests: 9_999_999 } }, 'memory: 10 million requests below'),
    ).toMatchObject({
      verdict: 'not measured',
    });
  });
});

describe('the options', () => {
  it('are all parts and tools by default, and shorter when quick', () => {
    const usual = parseOptions([]);
    expect(usual.rounds).toBe(5);
    expect([...usual.parts]).toEqual(['floors', 'closed', 'open', 'truth', 'memory']);
    expect(usual.memoryRequests).toBe(10_000_000);
    expect(parseOptions(['--quick', '--rounds', '3', '--only', 'truth,closed'])).toMatchObject({
      quick: true,
      rounds: 3,
      parts: new Set(['closed', 'truth']),
    });
  });

  it('refuse what they do not know', () => {
    expect(() => parseOptions(['--only', 'speed'])).toThrow('does not know speed');
    expect(() => parseOptions(['--rounds', '0'])).toThrow('whole number from 1');
    expect(() => parseOptions(['--fast'])).toThrow(/fast/);
  });
});
