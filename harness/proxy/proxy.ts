import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { formatAddress, parseAddress } from './address.ts';
import { Connection } from './connection.ts';
import type { Timers } from './timers.ts';
import type { Attributes, Toxic } from './toxics/toxic.ts';

export interface ProxySettings {
  seed: string;
  dialTimeoutMs: number;
  timers: Timers;
}

/** A proxy as the API shows it. */
export interface ProxyView {
  name: string;
  listen: string;
  upstream: string;
  enabled: boolean;
  toxics: Toxic[];
}

/** Connections of one proxy at a time; more are closed as they come. */
const CONNECTIONS_MAX = 10_000;

/** A listener, its upstream, its toxics and the connections through it. */
export class FaultProxy {
  readonly name: string;
  readonly #settings: ProxySettings;
  /** As asked for: port 0 stays 0 here. */
  #asked: string;
  #listen: string;
  #upstream: string;
  #toxics: Toxic[];
  #server: Server | undefined;
  #connections = new Set<Connection>();
  #accepted = 0;

  constructor(view: Omit<ProxyView, 'enabled'>, settings: ProxySettings) {
    this.name = view.name;
    this.#settings = settings;
    this.#asked = view.listen;
    this.#listen = view.listen;
    this.#upstream = view.upstream;
    this.#toxics = [...view.toxics];
  }

  get enabled(): boolean {
    return this.#server !== undefined;
  }

  get toxics(): readonly Toxic[] {
    return this.#toxics;
  }

  view(): ProxyView {
    const { name, enabled } = this;
    return { name, listen: this.#listen, upstream: this.#upstream, enabled, toxics: [...this.#toxics] };
  }

  /** Whether it listens where `listen` asks (port 0: any) and goes to `upstream`. */
  matches(listen: string, upstream: string): boolean {
    return (listen === this.#asked || listen === this.#listen) && upstream === this.#upstream;
  }

  /** Rejects with the listener's error when the address cannot be bound. No-op when enabled. */
  async enable(): Promise<void> {
    if (this.#server !== undefined) return;
    const { host, port } = parseAddress(this.#listen)!;
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));
    server.maxConnections = CONNECTIONS_MAX;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port, ...(host === '' ? {} : { host }) }, () => {
        server.off('error', reject);
        resolve();
      });
    });
    const bound = server.address() as AddressInfo;
    this.#listen = formatAddress(bound.address, bound.port);
    this.#server = server;
  }

  /** Closes the listener and every connection; resolves when the port is free. No-op when disabled. */
  async disable(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    for (const connection of this.#connections) connection.close('fin');
    await closed;
  }

  /** Moves it; its connections are closed. */
  async move(listen: string, upstream: string): Promise<void> {
    const wasEnabled = this.enabled;
    await this.disable();
    this.#asked = listen;
    this.#listen = listen;
    this.#upstream = upstream;
    if (wasEnabled) await this.enable();
  }

  findToxic(name: string): Toxic | undefined {
    return this.#toxics.find((toxic) => toxic.name === name);
  }

  addToxic(toxic: Toxic): void {
    this.#toxics.push(toxic);
    for (const connection of this.#connections) connection.apply(toxic);
  }

  updateToxic(toxic: Toxic, attributes: Attributes, toxicity: number): Toxic {
    const updated = { ...toxic, attributes, toxicity };
    this.#toxics = this.#toxics.map((found) => (found === toxic ? updated : found));
    for (const connection of this.#connections) {
      connection.update(toxic.stream, toxic.name, attributes);
      connection.apply(updated);
    }
    return updated;
  }

  removeToxic(toxic: Toxic): void {
    this.#toxics = this.#toxics.filter((found) => found !== toxic);
    for (const connection of this.#connections) connection.remove(toxic.stream, toxic.name);
  }

  #accept(client: Socket): void {
    const { seed, dialTimeoutMs, timers } = this.#settings;
    this.#accepted += 1;
    const connection = new Connection({
      client,
      upstream: parseAddress(this.#upstream)!,
      toxics: this.#toxics,
      chance: `${seed}/${this.name}/${this.#accepted}`,
      dialTimeoutMs,
      timers,
      onGone: (gone) => this.#connections.delete(gone),
    });
    this.#connections.add(connection);
  }
}
