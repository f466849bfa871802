import { nodeHttp } from '../core/node-http.ts';

/** Enough of any answer to tell what it is; the rest is not read into memory. */
const TEXT_MAX = 64 * 1024;

export interface Answer {
  status: number;
  text: string;
}

/**
 * One request over a connection of its own. Node's own client and no library: it runs in the tool's process, whose
 * memory is bounded, and asks a handful of questions.
 */
export function ask(url: string | URL, signal: AbortSignal, post?: string): Promise<Answer> {
  const target = new URL(url);
  const request = target.protocol === 'https:' ? process.getBuiltinModule('node:https').request : nodeHttp.request;
  const options =
    post === undefined
      ? { agent: false, signal }
      : { agent: false, signal, method: 'POST', headers: { 'content-type': 'application/json' } };
  return new Promise((resolve, reject) => {
    const asking = request(target, options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        if (text.length < TEXT_MAX) text += piece;
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.once('error', reject);
    });
    asking.once('error', reject);
    asking.end(post);
  });
}
