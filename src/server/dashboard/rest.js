// Reads from the REST API of the daemon that served this page.

const TIMEOUT_MS = 10_000;

/** Where the daemon is mounted; a reverse proxy may have put it under a prefix. */
export const BASE = new URL('..', import.meta.url);

/** The JSON at `api/v1/NAME`; throws with a text fit to show. */
export async function get(name) {
  const response = await fetch(new URL(`api/v1/${name}`, BASE), { signal: AbortSignal.timeout(TIMEOUT_MS), headers: { accept: 'application/json' } });
  if (!response.ok) throw new Error(`${name}: HTTP ${response.status}`);
  return response.json();
}

/** The address of the WebSocket beside the API. */
export function socketUrl() {
  const url = new URL('ws', BASE);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url;
}
