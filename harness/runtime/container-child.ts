import { createWriteStream, readFileSync } from 'node:fs';
import { finished } from 'node:stream/promises';
import type Docker from 'dockerode';
import { unless } from './container-engine.ts';
import type { ContainerSpec } from './container-specs.ts';
import { tar } from './tar.ts';

/** A node's container through its deaths and restarts. */
export class ContainerChild {
  readonly spec: ContainerSpec;
  #container: Docker.Container | undefined;
  #asked = 0;
  /** Why it last ended unasked. */
  endedBy: string | undefined;
  readonly #listeners = new Set<(why: string) => void>();

  constructor(spec: ContainerSpec) {
    this.spec = spec;
  }

  /** The engine's id; empty before it is made. */
  get id(): string {
    return this.#container?.id ?? '';
  }

  /** Makes the container and starts it. */
  async make(docker: Docker, image: string): Promise<void> {
    this.#container = await docker.createContainer({ ...this.spec.options, Image: image });
    if (this.spec.files.length > 0) {
      const files = this.spec.files.map(({ path, source }) => ({ path, content: readFileSync(source) }));
      await this.#container.putArchive(tar(files), { path: '/' });
    }
    await this.#container.start();
  }

  /** Takes over the container that another process of ours made. */
  adopt(docker: Docker, id: string): void {
    this.#container = docker.getContainer(id);
  }

  onUnexpectedEnd(listener: (why: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The engine told that the container ended. */
  ended(why: string): void {
    if (this.#asked > 0) {
      this.#asked -= 1;
      return;
    }
    this.endedBy = why;
    for (const listener of this.#listeners) listener(why);
  }

  async kill(signal: AbortSignal): Promise<void> {
    if (!(await this.alive())) return;
    this.#asked += 1;
    const answer = await unless(
      [404, 409],
      this.#container!.kill({ abortSignal: signal }).then(() => true),
    );
    // It ended by itself just before: no second end will be told.
    if (answer === undefined) this.#asked -= 1;
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await unless([304], this.#container!.start({ abortSignal: signal }));
  }

  async alive(): Promise<boolean> {
    const found = await unless([404], this.#container!.inspect());
    return found?.State.Running === true;
  }

  /** Writes all that it said to a file. */
  async saveLog(file: string): Promise<void> {
    const options = { follow: true, stdout: true, stderr: true } as const;
    const stream = await unless([404, 409], this.#container?.logs(options) ?? Promise.resolve(undefined));
    if (stream === undefined) return;
    const target = createWriteStream(file);
    this.#container!.modem.demuxStream(stream, target, target);
    stream.on('end', () => target.end());
    await finished(target);
  }

  /** The last lines it said, for an error message. */
  async lastWords(): Promise<string> {
    const options = { follow: false, stdout: true, stderr: true, tail: 12 } as const;
    const bytes = await unless([404, 409], this.#container?.logs(options) ?? Promise.resolve(undefined));
    const text = bytes === undefined ? '' : demultiplexed(bytes).trim();
    return text === '' ? 'it said nothing' : `it said last:\n  ${text.split('\n').join('\n  ')}`;
  }
}

/** Both outputs as one text: each piece comes with eight bytes that tell whose it is and how long. */
function demultiplexed(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at + 8 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at + 4);
    text += bytes.toString('utf8', at + 8, at + 8 + length);
    at += 8 + length;
  }
  return text;
}
