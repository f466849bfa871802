import type { Socket } from 'node:net';
import { getSystemErrorName } from 'node:util';

/** A libuv stream, as far as it is used here; all methods give 0 or a negative error number. */
interface Handle {
  writeBuffer(request: WriteRequest, data: Buffer): number;
  writeLatin1String(request: WriteRequest, data: string): number;
  writeUtf8String(request: WriteRequest, data: string): number;
}

/** What libuv holds on to while a write is under way. */
interface WriteRequest {
  oncomplete?: (status: number) => void;
  /** So that the bytes live as long as the write. */
  data?: Buffer | string;
}

/** Node's binding beneath its streams. */
interface Binding {
  WriteWrap: new () => WriteRequest;
  /** Facts about the last operation, by the indices that follow. */
  streamBaseState: Int32Array;
  kLastWriteWasAsync: number;
}

const BINDING = bindingOf(process);

/**
 * Writes to a connected plain TCP socket without the writable stream above it: the same bytes in the same order, at a
 * fraction of the processor's time, for those who have one message under way at a time. It leans on what Node does not
 * promise; where this Node has it not, `over` gives undefined and the caller writes to the socket. Nothing else in the
 * project touches it.
 *
 * What the kernel does not take at once (EAGAIN, or only a part) libuv writes when there is room, from the given buffer:
 * it must stay as it is while `pending`. A write that fails destroys the socket with an error, as the stream's would.
 */
export class DirectWriter {
  readonly #socket: Socket;
  readonly #handle: Handle;
  readonly #binding: Binding;
  /** Used again and again; libuv looks at it only when a write is not done at once. */
  #request: WriteRequest;
  #pending = 0;

  /** A writer over a socket that has connected; undefined where there can be none. */
  static over(socket: Socket, binding: Binding | null = BINDING ?? null): DirectWriter | undefined {
    const handle = (socket as unknown as { _handle?: Partial<Handle> | null })._handle;
    if (binding === null || handle === undefined || handle === null || socket.connecting) return undefined;
    const { writeBuffer, writeLatin1String, writeUtf8String } = handle;
    const all = [writeBuffer, writeLatin1String, writeUtf8String].every((method) => typeof method === 'function');
    return all ? new DirectWriter(socket, handle as Handle, binding) : undefined;
  }

  private constructor(socket: Socket, handle: Handle, binding: Binding) {
    this.#socket = socket;
    this.#handle = handle;
    this.#binding = binding;
    this.#request = new binding.WriteWrap();
  }

  /** Whether something given has not been taken by the kernel yet. */
  get pending(): boolean {
    return this.#pending > 0;
  }

  writeBytes(bytes: Buffer): void {
    if (this.#gone()) return;
    this.#written(this.#handle.writeBuffer(this.#request, bytes), bytes);
  }

  writeText(text: string, encoding: 'latin1' | 'utf8'): void {
    if (this.#gone()) return;
    const handle = this.#handle;
    const error =
      encoding === 'latin1'
        ? handle.writeLatin1String(this.#request, text)
        : handle.writeUtf8String(this.#request, text);
    this.#written(error, text);
  }

  /** A destroyed socket has let go of its handle; its `close` is on the way. */
  #gone(): boolean {
    return (this.#socket as unknown as { _handle: unknown })._handle !== this.#handle;
  }

  #written(error: number, data: Buffer | string): void {
    const { streamBaseState, kLastWriteWasAsync, WriteWrap } = this.#binding;
    if (error !== 0) {
      this.#fail(error);
      return;
    }
    if (streamBaseState[kLastWriteWasAsync] === 0) return;
    const request = this.#request;
    // That one is libuv's until it is done with it.
    this.#request = new WriteWrap();
    this.#pending++;
    request.data = data;
    request.oncomplete = (status) => {
      this.#pending--;
      if (status < 0 && !this.#socket.destroyed) this.#fail(status);
    };
  }

  #fail(number: number): void {
    const code = getSystemErrorName(number);
    this.#socket.destroy(Object.assign(new Error(`write ${code}`), { code, errno: number, syscall: 'write' }));
  }
}

/** The binding, if this Node gives one that looks as it should. */
export function bindingOf(from: object): Binding | undefined {
  const { binding } = from as { binding?: (name: string) => Partial<Binding> };
  if (typeof binding !== 'function') return undefined;
  let found: Partial<Binding>;
  try {
    found = binding.call(from, 'stream_wrap');
  } catch {
    // A Node that has closed this door says so by throwing: then there is none.
    return undefined;
  }
  const { WriteWrap, streamBaseState, kLastWriteWasAsync } = found;
  if (typeof WriteWrap !== 'function' || !(streamBaseState instanceof Int32Array)) return undefined;
  return typeof kLastWriteWasAsync === 'number' ? { WriteWrap, streamBaseState, kLastWriteWasAsync } : undefined;
}
