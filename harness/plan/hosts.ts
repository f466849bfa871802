import { isIP } from 'node:net';

/** Whether a host name or address, as `URL` writes it, can only mean this machine. */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, '$1');
  if (isIP(address) === 4) return address.startsWith('127.');
  if (isIP(address) === 6) return address === '::1';
  return address === 'localhost' || address.endsWith('.localhost');
}
