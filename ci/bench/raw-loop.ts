/**
 * The floor of this platform: sockets of node:net, one request written again and again from one buffer, answers counted
 * by their length alone. It parses nothing, times nothing and checks nothing, so no real tool on Node can cost less.
 *
 *   node raw-loop.ts URL CONNECTIONS SECONDS      prints how many answers it got
 */
import { connect } from 'node:net';

const READ_BYTES = 64 * 1024;

const [address = '', connections = '', seconds = ''] = process.argv.slice(2);
const url = new URL(address);
const request = Buffer.from(`GET ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\n\r\n`);
const end = performance.now() + Number(seconds) * 1000;
let answers = 0;
/** Every answer has the length of the first. */
let answerLength = 0;

function open(): void {
  let left = 0;
  const socket = connect({
    host: url.hostname,
    port: Number(url.port),
    noDelay: true,
    onread: {
      buffer: Buffer.allocUnsafe(READ_BYTES),
      callback: (length) => {
        if (answerLength === 0) answerLength = length;
        left -= length;
        if (left > 0) return true;
        answers++;
        if (performance.now() >= end) socket.destroy();
        else send();
        return true;
      },
    },
  });
  const send = (): void => {
    left = answerLength;
    socket.write(request);
  };
  socket.once('connect', send);
}

for (let connection = 0; connection < Number(connections); connection++) open();
process.once('beforeExit', () => process.stdout.write(`${answers}\n`));
