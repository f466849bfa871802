import { closeSync, openSync, readSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';

const PIECE_BYTES = 256 * 1024;

/** A file's lines in order, without their ends, read piece by piece: no more than a line and a piece is held. */
export function* fileLines(path: string): Generator<string, void, undefined> {
  const file = openSync(path, 'r');
  try {
    const piece = Buffer.allocUnsafe(PIECE_BYTES);
    // A piece may end within a character.
    const decoder = new StringDecoder('utf8');
    let rest = '';
    for (;;) {
      const length = readSync(file, piece, 0, PIECE_BYTES, null);
      const lines = (rest + (length === 0 ? decoder.end() : decoder.write(piece.subarray(0, length)))).split('\n');
      rest = lines.pop()!;
      yield* lines;
      if (length > 0) continue;
      if (rest !== '') yield rest;
      return;
    }
  } finally {
    closeSync(file);
  }
}
