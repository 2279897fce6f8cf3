// The top of the page: the state of the host and of the connection, in words, shape and colour.

import { attr, byId, icon, setIcon, text } from './dom.js';
import { clock, count, duration, NONE, percent } from './format.js';

const WORDS = { healthy: 'Healthy', warning: 'Warning', critical: 'Critical' };
const ICONS = { connecting: 'pending', live: 'live', disconnected: 'cancelled' };
const LEVELS = { healthy: 'good', warning: 'warn', critical: 'bad', live: 'good', disconnected: 'bad' };

export class Header {
  #status = labelled('status', 'unknown');
  #connection = labelled('connection', 'pending');
  #announced = '';

  constructor(connection) {
    text(byId('host'), location.host);
    byId('retry').addEventListener('click', () => connection.retryNow());
  }

  draw(model, connection) {
    this.#drawStatus(model, connection);
    this.#drawConnection(connection);
    this.#announce(model, connection);
    text(byId('daemon-facts'), daemonFacts(model));
  }

  #drawStatus(model, connection) {
    const status = Object.hasOwn(WORDS, model.status?.status) ? model.status.status : 'unknown';
    const word = WORDS[status] ?? 'Unknown';
    attr(byId('status'), 'data-level', LEVELS[status]);
    setIcon(this.#status.icon, status);
    text(this.#status.label, connection.state === 'live' || status === 'unknown' ? word : `${word} when last seen`);
    text(byId('uptime'), model.status?.uptime ?? NONE);
    document.title = `${connection.state === 'disconnected' ? 'Disconnected' : word} · ${location.host} · gz-monitor`;
  }

  #drawConnection(connection) {
    const seconds = connection.retryAt === null ? 0 : Math.max(0, Math.ceil((connection.retryAt - Date.now()) / 1000));
    const words = { connecting: 'Connecting…', live: 'Live', disconnected: `Disconnected, retry in ${seconds} s` }[connection.state];
    attr(byId('connection'), 'data-level', LEVELS[connection.state]);
    attr(document.body, 'data-connection', connection.state);
    setIcon(this.#connection.icon, ICONS[connection.state]);
    text(this.#connection.label, words);
    this.#drawRetry(connection.state);
    const last = connection.lastMessageAt;
    const ago = last === null ? 0 : Math.round((Date.now() - last) / 1000);
    text(byId('last-message'), last === null ? '' : `last message ${clock(last)}${ago > 10 ? ` (${duration(ago)} ago)` : ''}`);
  }

  /** A button that goes away under the keyboard hands its focus on instead of dropping it. */
  #drawRetry(state) {
    const button = byId('retry');
    const held = document.activeElement === button;
    button.hidden = state === 'live' || (state === 'connecting' && !held);
    if (held && button.hidden) byId('theme').focus();
  }

  /** Tells screen readers of changes only, not of the seconds that pass. */
  #announce(model, connection) {
    const status = WORDS[model.status?.status] ?? 'not known';
    const words = connection.state === 'live' ? `Live. The host is ${status.toLowerCase()}.` : connection.state === 'disconnected' ? 'Disconnected. Trying again by itself.' : null;
    if (words === null || words === this.#announced) return;
    this.#announced = words;
    text(byId('announcement'), words);
  }
}

function labelled(id, name) {
  const parts = { icon: icon(name), label: document.createElement('span') };
  byId(id).append(parts.icon, parts.label);
  return parts;
}

/** The daemon's own figures, for the foot of the page. */
function daemonFacts(model) {
  const parts = [];
  if (model.status) parts.push(`${count(model.status.total_requests)} requests served`);
  if (model.summary) parts.push(`${percent(model.summary.error_rate)} errors`, `${model.summary.avg_response_time ?? NONE} mean response`);
  if (model.measuredAt !== null) parts.push(`host measured ${clock(model.measuredAt)}`);
  return parts.join(' · ');
}
