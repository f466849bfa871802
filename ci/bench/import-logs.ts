import { closeSync, openSync, writeSync } from 'node:fs';
import { type Random, seeded } from '../../harness/core/random.ts';

/** `shop`: a day of a shop as its nginx writes it; `distinct`: no path comes twice and each line is somebody else's. */
export const LOGS = ['shop', 'distinct'] as const;
export type LogName = (typeof LOGS)[number];

const START_MS = Date.UTC(2026, 10, 11);
const CHUNK_CHARS = 1 << 20;
/** Visitors who are there at the same time; each leaves after some requests, and somebody new comes. */
const PRESENT = 4000;
const PER_SECOND = 2000;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const HEX = '0123456789abcdef';
const WORDS = ['shoes', 'red+dress', 'phone+case', 'tea', 'usb-c', '%E6%89%8B%E6%9C%BA', '%E9%9E%8B%E5%AD%90', 'lamp'];
const PLATFORMS = [
  'X11; Linux x86_64',
  'Windows NT 10.0; Win64; x64',
  'Macintosh; Intel Mac OS X 10_15_7',
  'Linux; Android 14; Pixel 8',
  'iPhone; CPU iPhone OS 17_4 like Mac OS X',
];

/** What the log holds, so that who reads the figures knows what they are of. */
export interface LogFacts {
  name: LogName;
  bytes: number;
  lines: number;
  visitors: number;
  /** Lines with a value that masking must replace, besides the session. */
  privateLines: number;
}

interface Visitor {
  address: string;
  agent: string;
  token: string;
  left: number;
  page: string;
}

/** Writes a log of about `bytes`, the same one each time (nginx's combined format, whole seconds). */
export function writeLog(file: string, name: LogName, bytes: number): LogFacts {
  const fd = openSync(file, 'w');
  const log = new LogMaker(name);
  let written = 0;
  try {
    while (written < bytes) {
      let text = '';
      while (text.length < CHUNK_CHARS && written + text.length < bytes) text += log.line();
      written += writeSync(fd, text, null, 'latin1');
    }
  } finally {
    closeSync(fd);
  }
  const { lines, visitors, privateLines } = log;
  return { name, bytes: written, lines, visitors, privateLines };
}

class LogMaker {
  readonly #name: LogName;
  readonly #random: Random;
  readonly #agents: readonly string[];
  readonly #present: Visitor[] = [];
  #second = -1;
  #stamp = '';
  lines = 0;
  visitors = 0;
  privateLines = 0;

  constructor(name: LogName) {
    this.#name = name;
    this.#random = seeded(`import ${name}`);
    this.#agents = Array.from({ length: 1500 }, () => this.#agent());
  }

  line(): string {
    const second = Math.floor(this.lines++ / PER_SECOND);
    if (second !== this.#second) {
      this.#second = second;
      this.#stamp = stampOf(START_MS + second * 1000);
    }
    return this.#name === 'shop' ? this.#shopLine() : this.#distinctLine();
  }

  #shopLine(): string {
    const place = this.#below(PRESENT);
    let visitor = this.#present[place];
    if (visitor === undefined || visitor.left-- === 0) {
      visitor = this.#newVisitor();
      this.#present[place] = visitor;
    }
    const [method, path, isPage] = this.#request(visitor);
    const referer = visitor.page === '' ? '-' : `https://shop.example${visitor.page}`;
    if (isPage) visitor.page = path;
    const status = this.#below(50) === 0 ? 404 : this.#below(10) === 0 ? 304 : 200;
    return `${visitor.address} - - [${this.#stamp}] "${method} ${path} HTTP/1.1" ${status} ${this.#below(60_000)} "${referer}" "${visitor.agent}"\n`;
  }

  /** Method, path, and whether what follows has it for a referer. */
  #request(visitor: Visitor): [string, string, boolean] {
    const kind = this.#below(100);
    if (kind < 30) return ['GET', `/assets/${WORDS[this.#below(4)]!.length}/app.${this.#below(40)}.js`, false];
    if (kind < 50) return ['GET', `/items/${this.#zipf(200_000)}`, true];
    if (kind < 60) return ['GET', `/img/${this.#zipf(500_000)}_400x400.webp?v=${this.#below(9)}`, false];
    if (kind < 68) return ['GET', `/category/${this.#below(400)}?page=${this.#below(20)}&sort=price&size=48`, true];
    if (kind < 76) return ['GET', `/search?q=${WORDS[this.#below(WORDS.length)]}+${this.#below(5000)}&page=1`, true];
    if (kind < 82) return ['GET', `/api/v2/cart?_=${START_MS + this.lines}`, false];
    if (kind < 88) return ['POST', `/api/v2/users/${10_000_000 + this.#below(9_000_000)}/events`, false];
    if (kind < 93) return ['GET', `/orders/${this.#uuid()}`, true];
    if (kind < 96) return ['GET', `/orders/2026${this.#digits(14)}/status`, false];
    this.privateLines++;
    if (kind < 98) return ['GET', `/api/v2/session?access_token=${visitor.token}`, false];
    if (kind < 99) return ['GET', `/login?phone=13${this.#digits(9)}&next=%2Fcart`, false];
    return ['GET', `/account?email=user${this.#below(1e6)}%40mail.example&tab=orders`, false];
  }

  #distinctLine(): string {
    const visitor = this.#newVisitor();
    this.privateLines += this.lines % 4 === 0 ? 1 : 0;
    const more = this.lines % 4 === 0 ? `&token=${visitor.token}` : `&ref=${this.#hex(8)}`;
    const path = `/p/${this.lines}/${this.#uuid()}?q=${this.#below(1e6)}&_=${START_MS + this.lines}${more}`;
    return `${visitor.address} - - [${this.#stamp}] "GET ${path} HTTP/1.1" 200 ${this.#below(60_000)} "-" "${visitor.agent}"\n`;
  }

  #newVisitor(): Visitor {
    this.visitors++;
    const address = `${1 + this.#below(222)}.${this.#below(256)}.${this.#below(256)}.${this.#below(256)}`;
    const agent = this.#agents[this.#zipf(this.#agents.length) - 1]!;
    return { address, agent, token: this.#hex(32), left: 4 + this.#below(40), page: '' };
  }

  #agent(): string {
    const platform = PLATFORMS[this.#below(PLATFORMS.length)]!;
    const version = `${90 + this.#below(50)}.0.${this.#below(7000)}.${this.#below(200)}`;
    return `Mozilla/5.0 (${platform}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version} Safari/537.36`;
  }

  #below(end: number): number {
    return Math.floor(this.#random.next() * end);
  }

  /** From 1: the first are asked for far more often than the last. */
  #zipf(end: number): number {
    return Math.max(1, Math.floor(end ** this.#random.next()));
  }

  #digits(length: number): string {
    let text = '';
    while (text.length < length) text += this.#below(10);
    return text;
  }

  #hex(length: number): string {
    let text = '';
    while (text.length < length) text += HEX[this.#below(16)];
    return text;
  }

  #uuid(): string {
    return `${this.#hex(8)}-${this.#hex(4)}-4${this.#hex(3)}-a${this.#hex(3)}-${this.#hex(12)}`;
  }
}

function stampOf(ms: number): string {
  const at = new Date(ms);
  const two = (number: number): string => String(number).padStart(2, '0');
  const time = [at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()].map(two).join(':');
  return `${two(at.getUTCDate())}/${MONTHS[at.getUTCMonth()]}/${at.getUTCFullYear()}:${time} +0000`;
}
