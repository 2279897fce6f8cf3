// The clients in the protocol's original document, word for word (tests/document), against a real daemon: the
// JavaScript one in a browser, the Go one built by Go with gorilla/websocket. They name port 8080, so it must be free.
//
// GZ_MONITOR_BIN is the daemon's binary, CHROMIUM the browser, GOPATH where Go finds gorilla/websocket (default: where
// Debian puts it). Each test supplies what its sample leaves open: the functions that it calls, and for Go a `main`.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { launch } from './browser.mjs';
import { Daemon } from './daemon.mjs';

const BINARY = process.env.GZ_MONITOR_BIN;
const TIMEOUT_MS = 60_000;
const ALERT = { rule_id: 'cpu-high', rule_name: 'High CPU Usage', message: 'CPU usage above 90% for 5 minutes', value: 92.5, threshold: 90 };

const sample = name => readFile(new URL(`../document/${name}`, import.meta.url), 'utf8');

/** Hands `use` a daemon on the port of the document. */
async function withDaemon(use) {
  assert.ok(BINARY, 'GZ_MONITOR_BIN names the binary to test');
  const daemon = new Daemon(BINARY, 8080);
  try {
    await daemon.start().catch(error => assert.fail(`the document's clients connect to port 8080, which must be free: ${error.message}`));
    await use(daemon);
  } finally {
    await daemon.remove();
  }
}

/** Lists that are waited on: `at(name)` is the list, `until(test, what)` resolves once `test()` is true. */
class Witness {
  #lists = new Map();
  #waiting = new Set();

  add(name, value) {
    this.at(name).push(value);
    for (const look of [...this.#waiting]) look();
  }

  at(name) {
    if (!this.#lists.has(name)) this.#lists.set(name, []);
    return this.#lists.get(name);
  }

  until(test, what) {
    return new Promise((resolve, reject) => {
      const settle = outcome => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        outcome();
      };
      const look = () => test() && settle(resolve);
      const timer = setTimeout(() => settle(() => reject(new Error(`waited in vain for ${what}: ${JSON.stringify(Object.fromEntries(this.#lists))}`))), TIMEOUT_MS);
      this.#waiting.add(look);
      look();
    });
  }
}

function isSystemStatus(data) {
  assert.deepEqual(Object.keys(data).sort(), ['active_tasks', 'cpu_usage', 'disk_usage', 'memory_usage', 'network_io', 'status', 'total_requests', 'uptime']);
  assert.equal(data.status, 'healthy');
  assert.equal(typeof data.memory_usage, 'number');
  assert.match(data.uptime, /^\d+(ms|s|m\d*s?)$/);
}

test('the JavaScript client of the document', async () => {
  const browser = await launch();
  try {
    await withDaemon(daemon => javascript(browser, daemon));
  } finally {
    await browser.close();
  }
});

async function javascript(browser, daemon) {
  // The script is put into a page of the daemon, whose policy is to forbid it.
  const page = await browser.newPage({ bypassCSP: true });
  const seen = new Witness();
  page.on('console', message => {
    // Of itself the browser asks for an icon, which is not there.
    if (message.location().url.endsWith('/favicon.ico')) return;
    seen.add(message.type() === 'error' ? 'complaint' : 'log', message.text());
  });
  page.on('pageerror', error => seen.add('complaint', error.message));
  page.on('websocket', socket => {
    socket.on('framesent', frame => seen.add('sent', JSON.parse(frame.payload).type));
    socket.on('framereceived', frame => seen.add('received', JSON.parse(frame.payload).type));
  });
  await page.clock.install();
  // A page of the daemon that brings no script of its own.
  await page.goto('http://localhost:8080/healthz');
  await page.exposeFunction('updateSystemMetrics', data => seen.add('system_status', data));
  await page.exposeFunction('showAlert', data => seen.add('alert', data));
  await page.addScriptTag({ content: await sample('client.js') });

  await seen.until(() => seen.at('log').includes('Connected to monitoring server'), 'the connection');
  await seen.until(() => seen.at('received').includes('subscribed'), 'the answer to subscribe');
  await seen.until(() => seen.at('system_status').length > 0, 'system_status');
  isSystemStatus(seen.at('system_status')[0]);
  await daemon.call('POST', 'alerts', { ...ALERT, rule_id: 'too-low', severity: 'medium' });
  const alert = await daemon.call('POST', 'alerts', { ...ALERT, severity: 'critical' });
  await seen.until(() => seen.at('alert').length > 0, 'an alert');
  assert.deepEqual(seen.at('alert'), [alert]);

  // The page's clock is the test's: half a minute passes at once.
  await page.clock.runFor(30_000);
  await seen.until(() => seen.at('received').includes('pong'), 'the answer to a ping');
  await daemon.stop();
  await seen.until(() => seen.at('log').includes('Disconnected from monitoring server'), 'the end');
  assert.deepEqual(seen.at('sent'), ['subscribe', 'ping']);
  assert.deepEqual(seen.at('complaint'), []);
}

const GO_ENVIRONMENT = { ...process.env, GO111MODULE: 'off', GOFLAGS: '', GOPATH: process.env.GOPATH ?? '/usr/share/gocode' };
const GO_SUPPLY = `
import (
	"encoding/json"
	"log"
	"os"
)

func handleSystemStatus(data interface{}) { report("system_status", data) }
func handleAlert(data interface{})        { report("alert", data) }

func report(kind string, data interface{}) {
	if err := json.NewEncoder(os.Stdout).Encode([]interface{}{kind, data}); err != nil {
		log.Fatal(err)
	}
}
`;

test('the Go client of the document', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gz-monitor-document-'));
  try {
    const text = await sample('client.go.txt');
    const statements = text.indexOf(')\n') + 2;
    const program = `package main\n\n${text.slice(0, statements)}${GO_SUPPLY}\nfunc main() {\n${text.slice(statements)}}\n`;
    await writeFile(join(folder, 'main.go'), program);
    await promisify(execFile)('go', ['build', '-o', 'client', 'main.go'], { cwd: folder, env: GO_ENVIRONMENT });
    await withDaemon(daemon => go(join(folder, 'client'), daemon));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

async function go(program, daemon) {
  const client = spawn(program, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(client, 'close');
  const seen = new Witness();
  createInterface(client.stdout).on('line', line => seen.add(...JSON.parse(line)));
  createInterface(client.stderr).on('line', line => seen.add('log', line));
  try {
    await seen.until(() => seen.at('system_status').length > 0, 'system_status');
    isSystemStatus(seen.at('system_status')[0]);
    const alert = await daemon.call('POST', 'alerts', { ...ALERT, severity: 'info' });
    await seen.until(() => seen.at('alert').length > 0, 'an alert');
    assert.deepEqual(seen.at('alert'), [alert]);
    await daemon.stop();
    assert.deepEqual(await ended, [0, null]);
    assert.equal(seen.at('log').length, 1);
    assert.match(seen.at('log')[0], /read: websocket: close 1001 \(going away\)/);
  } finally {
    client.kill();
  }
}
