// The WebSocket: opened, watched, and opened again after 1 s to 30 s when it is lost.

import { Place } from './place.js';

const BACKOFF_MIN_MS = 1_000;
const BACKOFF_MAX_MS = 30_000;
const OPEN_TIMEOUT_MS = 10_000;
const PING_AFTER_MS = 15_000;
const SILENCE_MAX_MS = 40_000;

/** A connection that stood this long was a good one: the next loss starts from the least delay. */
const STABLE_MS = 10_000;

const SUBSCRIBE = { type: 'subscribe', filter: { types: ['all'], collectors: ['system'] } };

export class Connection {
  /** 'connecting', 'live' (a message has come) or 'disconnected'. */
  state = 'connecting';
  /** When the next attempt starts, by Date.now(); null while there is none to wait for. */
  retryAt = null;
  /** When the last message came, by Date.now(). */
  lastMessageAt = null;

  #url;
  #onMessage;
  #onState;
  #socket = null;
  #timer = null;
  #openedAt = 0;
  #failures = 0;
  #pinged = false;
  #place = new Place();

  constructor(url, { onMessage, onState }) {
    this.#url = url;
    this.#onMessage = onMessage;
    this.#onState = onState;
  }

  open() {
    clearTimeout(this.#timer);
    this.retryAt = null;
    this.#enter('connecting');
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    this.#openedAt = Date.now();
    this.#timer = setTimeout(() => this.#lost(socket), OPEN_TIMEOUT_MS);
    const since = this.#place.connect();
    socket.onopen = () => socket.send(JSON.stringify({ ...SUBSCRIBE, since }));
    socket.onmessage = event => this.#received(socket, event.data);
    socket.onclose = () => this.#lost(socket);
  }

  /** Skips the rest of a wait; does nothing while there is a socket. */
  retryNow() {
    if (this.state === 'disconnected') this.open();
  }

  /** Opens it if it is neither open nor about to be. */
  ensure() {
    if (this.#socket === null && this.retryAt === null) this.open();
  }

  /** Ends it, and waits for nothing but another `open`. */
  close() {
    const socket = this.#socket;
    this.#socket = null;
    clearTimeout(this.#timer);
    this.retryAt = null;
    socket?.close();
    if (this.state !== 'disconnected') this.#enter('disconnected');
  }

  /** To be called about once a second: asks a silent server whether it is there, and gives up on a dead one. */
  check() {
    if (this.state !== 'live') return;
    const silent = Date.now() - this.lastMessageAt;
    if (silent > SILENCE_MAX_MS) {
      this.#lost(this.#socket);
    } else if (silent > PING_AFTER_MS && !this.#pinged) {
      this.#pinged = true;
      this.#socket.send('{"type":"ping"}');
    }
  }

  #received(socket, data) {
    if (socket !== this.#socket) return;
    this.#pinged = false;
    this.lastMessageAt = Date.now();
    if (this.state !== 'live') {
      clearTimeout(this.#timer);
      this.#enter('live');
    }
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      console.warn('A message is not JSON:', data);
      return;
    }
    if (message !== null && typeof message === 'object') this.#place.hear(message);
    this.#onMessage(message);
  }

  #lost(socket) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    clearTimeout(this.#timer);
    socket.close();
    if (this.state === 'live' && Date.now() - this.#openedAt > STABLE_MS) this.#failures = 0;
    const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** this.#failures);
    const delay = Math.max(BACKOFF_MIN_MS, ceiling * (0.5 + Math.random() / 2));
    this.#failures += 1;
    this.retryAt = Date.now() + delay;
    this.#timer = setTimeout(() => this.open(), delay);
    this.#enter('disconnected');
  }

  #enter(state) {
    this.state = state;
    this.#onState(state);
  }
}
