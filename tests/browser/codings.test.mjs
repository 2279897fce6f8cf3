// The encodings of the stream with clients that others wrote: `ws` and `@msgpack/msgpack` of npm, and Chromium's.
//
// GZ_MONITOR_BIN is the daemon's binary, CHROMIUM the browser. Run with `npm ci && npm test`.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { decode, encode } from '@msgpack/msgpack';
import { chromium } from 'playwright-core';
import { WebSocket } from 'ws';
import { Daemon } from './daemon.mjs';

const BINARY = process.env.GZ_MONITOR_BIN;
const BROWSER = process.env.CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'];
const TIMEOUT_MS = 60_000;
const MSGPACK = 'gz-monitor.v1.msgpack';
const DETAILS = { text: 'é😀\n'.repeat(100), numbers: [0, -1, 1.5, 2 ** 40, 1e300, 0.1], nothing: null, empty: [{}, [], ''] };

const daemon = new Daemon(BINARY);

before(async () => {
  assert.ok(BINARY, 'GZ_MONITOR_BIN names the binary to test');
  await daemon.start();
});

after(() => daemon.remove());

/** A client of `ws`: what it was told, and what it says, in its encoding. */
class Client {
  #socket;
  #messages = [];
  #waiting = [];

  constructor(protocols, options) {
    this.#socket = new WebSocket(daemon.origin.replace('http', 'ws') + '/ws', protocols, options);
    this.#socket.on('message', (data, isBinary) => {
      assert.equal(isBinary, this.#packs);
      const message = isBinary ? decode(data) : JSON.parse(data.toString());
      const taker = this.#waiting.shift();
      if (taker) taker(message); else this.#messages.push(message);
    });
  }

  get #packs() {
    return this.#socket.protocol === MSGPACK;
  }

  async opened() {
    await once(this.#socket, 'open');
    return [this.#socket.protocol, this.#socket.extensions];
  }

  say(message) {
    this.#socket.send(this.#packs ? encode(message) : JSON.stringify(message));
  }

  async told(type) {
    for (;;) {
      const message = this.#messages.shift() ?? await new Promise(resolve => this.#waiting.push(resolve));
      if (message.type === type) return message;
    }
  }

  close() {
    this.#socket.close();
  }
}

test('ws is told the same in every coding', { timeout: TIMEOUT_MS }, async () => {
  const clients = [];
  for (const protocols of [[], ['gz-monitor.v1.json'], ['unknown', MSGPACK], [MSGPACK, 'gz-monitor.v1.json']]) {
    // With a threshold of 0 it compresses whatever it sends; a window of 10 bits is one that the server has not.
    for (const perMessageDeflate of [false, true, { threshold: 0 }, { threshold: 0, clientMaxWindowBits: 9 }, { serverMaxWindowBits: 10 }]) {
      const client = new Client(protocols, { perMessageDeflate });
      const [protocol, extensions] = await client.opened();
      assert.equal(protocol, protocols.find(name => name.startsWith('gz-monitor')) ?? '');
      const agrees = perMessageDeflate && !perMessageDeflate.serverMaxWindowBits;
      assert.equal(extensions !== '', Boolean(agrees), `${JSON.stringify(perMessageDeflate)}: ${extensions}`);
      await client.told('initial_state');
      client.say({ type: 'subscribe', filter: { types: ['task_update'] } });
      assert.deepEqual((await client.told('subscribed')).data.filter.types, ['task_update']);
      clients.push(client);
    }
  }
  await daemon.call('POST', 'tasks', { name: 'coded', progress: 12.5, details: DETAILS });
  const updates = await Promise.all(clients.map(client => client.told('task_update')));
  assert.deepEqual(updates[0].data.details, DETAILS);
  for (const update of updates) assert.deepEqual(update, updates[0]);
  for (const client of clients) client.close();
});

test('a browser compresses by itself, and takes MessagePack', { timeout: TIMEOUT_MS }, async () => {
  const browser = await chromium.launch({ executablePath: BROWSER, args: FLAGS });
  try {
    const page = await browser.newPage();
    await page.goto(`${daemon.origin}/dashboard`);
    const [protocol, extensions, first] = await page.evaluate(protocol => new Promise((resolve, reject) => {
      const socket = new WebSocket(`ws://${location.host}/ws`, protocol);
      socket.binaryType = 'arraybuffer';
      socket.onerror = () => reject(new Error('the handshake failed'));
      socket.onmessage = event => resolve([socket.protocol, socket.extensions, [...new Uint8Array(event.data)]]);
    }), MSGPACK);
    assert.equal(protocol, MSGPACK);
    assert.match(extensions, /^permessage-deflate; server_no_context_takeover; client_no_context_takeover$/);
    assert.equal(decode(Uint8Array.from(first)).type, 'initial_state');
    const { clients } = await daemon.call('GET', 'clients');
    const codings = clients.map(client => `${client.encoding} ${client.deflate}`).sort();
    assert.deepEqual(codings, ['json true', 'msgpack true'], 'the dashboard and the socket of this test');
  } finally {
    await browser.close();
  }
});
