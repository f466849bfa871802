/**
 * Node's http module, not imported by name: an import of `node:http` from an ES module touches each of its exports, one of
 * which loads all of Node's built-in undici, and that is more than half of the processor time of a service's start.
 */
export const nodeHttp: typeof import('node:http') = process.getBuiltinModule('node:http');
