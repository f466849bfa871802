import type { FaultRecord, JournalEvent } from '../spi/journal.ts';
import type { Timeline } from '../spi/timeline.ts';

/** What became of each fault of the timeline, in its order. */
export function faultRecords(timeline: Timeline, events: readonly JournalEvent[]): FaultRecord[] {
  const records = new Map(timeline.faults.map(({ name, kind }) => [name, emptyRecord(name, kind)]));
  for (const event of events) {
    if (!('fault' in event)) continue;
    const record = records.get(event.fault);
    if (record !== undefined) takeIn(record, event);
  }
  return [...records.values()];
}

function emptyRecord(name: string, kind: string): FaultRecord {
  return {
    name,
    kind,
    commandedMs: undefined,
    bittenMs: undefined,
    revertingMs: undefined,
    healedMs: undefined,
    notBitten: undefined,
    notHealed: undefined,
    skipped: undefined,
    targets: [],
    biteProofs: [],
    healProofs: [],
    evidence: [],
  };
}

function takeIn(record: FaultRecord, event: Extract<JournalEvent, { fault: string }>): void {
  if (event.type === 'fault.step') return;
  record.evidence.push(event.seq);
  switch (event.type) {
    case 'fault.commanded':
      record.commandedMs = event.tMs;
      record.targets = event.targets;
      return;
    case 'fault.bitten':
      record.bittenMs = event.tMs;
      record.biteProofs = event.proofs;
      return;
    case 'fault.not-bitten':
      record.notBitten = event.because;
      record.biteProofs = event.proofs;
      return;
    case 'fault.reverting':
      record.revertingMs = event.tMs;
      return;
    case 'fault.healed':
      record.healedMs = event.tMs;
      record.healProofs = event.proofs;
      return;
    case 'fault.not-healed':
      record.notHealed = event.because;
      record.healProofs = event.proofs;
      return;
    case 'fault.skipped':
      record.skipped = event.because;
  }
}
