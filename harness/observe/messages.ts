import type { Measurement } from '../spi/fault.ts';
import type { Json } from '../spi/json.ts';

/** What crosses the channel between the tool and its probe process. */
export type ToProbe = { id: number; kind: string; request: Json } | { id: number; abort: true };

export type FromProbe = { ready: true } | { id: number; measured: Measurement } | { id: number; failed: string };
