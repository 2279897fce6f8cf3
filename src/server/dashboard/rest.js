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

/** Has the daemon do what `api/v1/NAME` stands for, with this body if there is one; throws with what it says. */
export const post = (name, body) => change('POST', name, body);

/** Has the daemon do away with what `api/v1/NAME` stands for; throws with what it says. */
export const remove = name => change('DELETE', name);

async function change(method, name, body) {
  const headers = { accept: 'application/json', ...(body && { 'content-type': 'application/json' }) };
  const response = await fetch(new URL(`api/v1/${name}`, BASE), { method, signal: AbortSignal.timeout(TIMEOUT_MS), headers, body: body && JSON.stringify(body) });
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw new Error(answer?.detail ?? `HTTP ${response.status}`);
  return answer;
}

/** The series that PromQL gives over a time: `[{metric, values: [[time, text]]}]`; times are seconds since 1970. */
export async function queryRange(query, start, end, step) {
  const answer = await get(`query_range?${new URLSearchParams({ query, start, end, step })}`);
  return answer.data.result;
}

/** The address of the WebSocket beside the API. */
export function socketUrl() {
  const url = new URL('ws', BASE);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url;
}
