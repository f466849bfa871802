import type { Ack } from '../spi/load.ts';
import type { AppendFile } from './append-file.ts';

const OUTCOMES = ['acked', 'refused', 'unknown'] as const;

/**
 * `acks.bin`: records one after the other, little endian: u8 outcome, f64 sent, f64 answered (NaN: never), then
 * scenario, journey and key each as u16 length and UTF-8 bytes. Kept in memory as well: the audit needs every key.
 */
export class AckLog {
  readonly #file: AppendFile;
  readonly all: Ack[] = [];

  constructor(file: AppendFile) {
    this.#file = file;
  }

  add(acks: readonly Ack[]): void {
    this.all.push(...acks);
    this.#file.write(Buffer.concat(acks.map(encodeAck)));
  }

  close(): void {
    this.#file.close();
  }
}

export function encodeAck(ack: Ack): Buffer {
  const head = Buffer.alloc(17);
  head.writeUInt8(OUTCOMES.indexOf(ack.outcome), 0);
  head.writeDoubleLE(ack.sentMs, 1);
  head.writeDoubleLE(ack.answeredMs ?? Number.NaN, 9);
  return Buffer.concat([head, text(ack.scenario), text(ack.journey), text(ack.key)]);
}

/** Every whole record; a last one that was cut short is left out. */
export function decodeAcks(bytes: Buffer): Ack[] {
  const acks: Ack[] = [];
  for (let at = 0; at + 17 <= bytes.length; ) {
    const outcome = OUTCOMES[bytes.readUInt8(at)];
    const answered = bytes.readDoubleLE(at + 9);
    const sentMs = bytes.readDoubleLE(at + 1);
    at += 17;
    const words: string[] = [];
    for (let word = 0; word < 3 && at + 2 <= bytes.length; word++) {
      const length = bytes.readUInt16LE(at);
      if (at + 2 + length > bytes.length) return acks;
      words.push(bytes.toString('utf8', at + 2, at + 2 + length));
      at += 2 + length;
    }
    const [scenario, journey, key] = words;
    if (outcome === undefined || scenario === undefined || journey === undefined || key === undefined) return acks;
    acks.push({ key, scenario, journey, sentMs, answeredMs: Number.isNaN(answered) ? null : answered, outcome });
  }
  return acks;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(2);
  length.writeUInt16LE(bytes.length, 0);
  return Buffer.concat([length, bytes]);
}
