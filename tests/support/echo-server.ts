import { createServer } from 'node:http';

/** A node for tests: answers any request with what it was told to do. `ECHO_PORT` says where. */
const server = createServer((request, response) => response.end(`${request.method} ${request.url}`));
server.listen(Number(process.env.ECHO_PORT), '127.0.0.1');
