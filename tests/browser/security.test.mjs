// Hostile pages in a real browser against a real daemon: a name that is bound to it, a page of another site, a page
// that is listed; and hostile text in every place of the dashboard.
//
// GZ_MONITOR_BIN is the daemon's binary, CHROMIUM the browser. Run with `npm ci && npm test`.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { HOSTILE, launch, watch } from './browser.mjs';
import { Daemon } from './daemon.mjs';

const BINARY = process.env.GZ_MONITOR_BIN;

/** A page of somebody else's, and where it is served. */
const pages = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<!doctype html><title>page</title>'));
let daemon;
let port;
let browser;

before(async () => {
  assert.ok(BINARY, 'GZ_MONITOR_BIN names the binary to test');
  await once(pages.listen(0, '127.0.0.1'), 'listening');
  daemon = new Daemon(BINARY, 0, `[server]\norigins = ["http://dash.example:${pages.address().port}"]\n`);
  await daemon.start();
  port = new URL(daemon.origin).port;
  // A name server in the hands of whoever made the page.
  browser = await launch('--host-resolver-rules=MAP *.example 127.0.0.1');
});

after(async () => {
  await browser?.close();
  await daemon?.remove();
  pages.close();
});

/** Runs `use` in a page that was loaded from `url`, and gives what it gives. */
async function inPage(url, use, argument) {
  const page = await browser.newPage();
  try {
    await page.goto(url);
    return await page.evaluate(use, argument);
  } finally {
    await page.close();
  }
}

/** All that a page can try at `origin`, each as `done` or the reason why not. */
async function attempt({ origin, task }) {
  const settled = async promise => {
    try {
      return await promise;
    } catch (error) {
      return `${error.name ?? error}`;
    }
  };
  const element = (tag, url, attribute = 'src') => new Promise((resolve, reject) => {
    const node = document.createElement(tag);
    node.onload = () => resolve('done');
    node.onerror = () => reject('error');
    node[attribute] = url;
    if (tag === 'link') node.rel = 'stylesheet';
    document.body.append(node);
  });
  const socket = () => new Promise((resolve, reject) => {
    const socket = new WebSocket(`${origin.replace('http', 'ws')}/ws`);
    socket.onmessage = event => resolve(JSON.parse(event.data).type);
    socket.onerror = () => reject('error');
  });
  const read = async (path, options) => (await fetch(`${origin}${path}`, options)).json();
  const json = { 'content-type': 'application/json' };
  return {
    status: typeof (await settled(read('/api/v1/status'))),
    created: await settled(read('/api/v1/tasks', { method: 'POST', headers: json, body: '{"name":"by a page"}' }).then(task => task.name)),
    changed: await settled(read(`/api/v1/tasks/${task}`, { method: 'PATCH', headers: json, body: '{"progress":50}' }).then(task => task.progress)),
    stream: await settled(socket()),
    image: await settled(element('img', `${origin}/dashboard/favicon.svg`)),
    script: await settled(element('script', `${origin}/dashboard/theme.js`)),
    style: await settled(element('link', `${origin}/dashboard/style.css`, 'href')),
    // What no answer is needed for: the simple requests of forms and beacons.
    blind: await settled(Promise.all([
      fetch(`${origin}/api/v1/tasks/${task}/stop`, { method: 'POST', mode: 'no-cors' }),
      fetch(`${origin}/api/v1/reload`, { method: 'POST', mode: 'no-cors' }),
      fetch(`${origin}/api/v1/tasks`, { method: 'POST', mode: 'no-cors', body: '{"name":"by a page"}' }),
      fetch(`${origin}/api/v1/query?query=1`, { mode: 'no-cors' }),
    ]).then(() => 'sent')),
  };
}

const NOTHING = { created: 'TypeError', changed: 'TypeError', stream: 'error', image: 'error', script: 'error', style: 'error' };

async function makeTask() {
  const { id } = await daemon.call('POST', 'tasks', { name: `to be left alone ${Date.now()}` });
  return id;
}

async function isUntouched(id) {
  const { tasks } = await daemon.call('GET', 'tasks');
  assert.equal(tasks.find(task => task.id === id).stop_requested ?? false, false);
  assert.deepEqual(tasks.filter(task => task.name === 'by a page'), []);
}

test('a page of another site reads nothing and changes nothing', async () => {
  const task = await makeTask();
  const evil = `http://evil.example:${pages.address().port}/`;
  const { status, blind, ...rest } = await inPage(evil, attempt, { origin: daemon.origin, task });
  assert.equal(status, 'string', 'the status is an error');
  assert.deepEqual(rest, NOTHING);
  await isUntouched(task);
});

test('a page of another port of this machine is another site', async () => {
  const task = await makeTask();
  const near = `http://127.0.0.1:${pages.address().port}/`;
  const { status, blind, ...rest } = await inPage(near, attempt, { origin: daemon.origin, task });
  assert.equal(status, 'string', 'the status is an error');
  assert.deepEqual(rest, NOTHING);
  await isUntouched(task);
});

test('a name that is bound to the daemon reads nothing and changes nothing', async () => {
  // The name leads to a page first, and then to the daemon: the browser takes it for the page's own origin.
  const bait = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<!doctype html><title>bait</title>'));
  await once(bait.listen(0, '127.0.0.1'), 'listening');
  const bound = new Daemon(BINARY, bait.address().port);
  const origin = `http://evil.example:${bait.address().port}`;
  const page = await browser.newPage();
  try {
    await page.goto(origin);
    bait.closeAllConnections();
    await once(bait.close(), 'close');
    await bound.start();
    const { id } = await bound.call('POST', 'tasks', { name: 'to be left alone' });
    const { status, blind, ...rest } = await page.evaluate(attempt, { origin, task: id });
    // It may read, and all that it reads is refusals.
    assert.equal(status, 'object');
    assert.deepEqual(rest, { ...NOTHING, created: undefined, changed: undefined });
    const { tasks } = await bound.call('GET', 'tasks');
    assert.deepEqual(tasks.map(task => [task.name, task.stop_requested ?? false]), [['to be left alone', false]]);
    const response = await page.goto(`${origin}/dashboard`);
    assert.equal(response.status(), 421);
    assert.equal((await response.json()).code, 'host_refused');
  } finally {
    bait.close();
    await page.close();
    await bound.remove();
  }
});

test('no page has the dashboard in a frame', async () => {
  const page = await browser.newPage();
  await page.goto(`http://evil.example:${pages.address().port}/`);
  const refused = page.waitForEvent('console', message => /frame/i.test(message.text()) && message.type() === 'error').catch(() => null);
  await page.evaluate(origin => {
    const frame = document.createElement('iframe');
    frame.src = `${origin}/dashboard`;
    document.body.append(frame);
  }, daemon.origin);
  await refused;
  const frame = page.frames().find(frame => frame !== page.mainFrame());
  assert.equal(await frame.locator('#connection').count(), 0);
  await page.close();
});

test('a page that is listed reads, changes and follows', async () => {
  const task = await makeTask();
  const dash = `http://dash.example:${pages.address().port}/`;
  const answers = await inPage(dash, attempt, { origin: daemon.origin, task });
  assert.equal(answers.status, 'object');
  assert.equal(answers.created, 'by a page');
  assert.equal(answers.changed, 50);
  assert.equal(answers.stream, 'initial_state');
  assert.equal(answers.image, 'error', 'images are of no use to it');
  const { tasks } = await daemon.call('GET', 'tasks');
  assert.equal(tasks.filter(task => task.name === 'by a page').length, 1, 'a simple request is no JSON');
});

test('the dashboard by the name localhost, and by a link from another site', async () => {
  const page = await browser.newPage();
  const complaints = await watch(page, `http://localhost:${port}`);
  await page.goto(`http://localhost:${port}/dashboard`);
  await page.locator('#connection', { hasText: /^Live$/ }).waitFor();
  await page.locator('.u-wrap canvas').first().waitFor();
  assert.deepEqual(complaints, []);
  await page.close();
  const linked = await browser.newPage();
  await linked.goto(`http://evil.example:${pages.address().port}/`);
  await linked.evaluate(origin => {
    const link = document.createElement('a');
    link.href = `${origin}/dashboard`;
    link.textContent = 'dashboard';
    document.body.append(link);
  }, daemon.origin);
  await linked.getByText('dashboard').click();
  await linked.locator('#connection', { hasText: /^Live$/ }).waitFor();
  await linked.close();
});

/** A program that stands in for the collector `system`, with hostile text wherever a sample has text. */
const LABELS = JSON.stringify({ mountpoint: `/${HOSTILE}`, device: HOSTILE, fstype: HOSTILE });
const SAMPLES = [
  `{"name":"system_disk_total_bytes","labels":${LABELS},"value":100}`,
  `{"name":"system_disk_used_bytes","labels":${LABELS},"value":95}`,
  `{"name":"system_disk_usage_percent","labels":${LABELS},"value":95}`,
  `{"name":"system_cpu_core_usage_percent","labels":${JSON.stringify({ core: HOSTILE })},"value":95}`,
  `{"name":"system_cpu_usage_percent","value":95}`,
].join('\n');
const HOSTILE_CONFIG = `
[[collector]]
name = "system"
command = ["/bin/cat", "samples"]
interval = "1s"

[[collector]]
name = "broken"
command = ["/bin/sh", "-c", ${JSON.stringify(`echo '${HOSTILE}' >&2; exit 1`)}]
interval = "1s"
`;

test('hostile text stays text in every place', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gz-monitor-hostile-'));
  const samples = join(folder, 'samples');
  await writeFile(samples, `${SAMPLES}\n`);
  const hostile = new Daemon(BINARY, 0, HOSTILE_CONFIG.replace('"samples"', JSON.stringify(samples)));
  const page = await browser.newPage();
  try {
    await hostile.start();
    const complaints = await watch(page, hostile.origin);
    await hostile.call('POST', 'tasks', { id: HOSTILE, name: HOSTILE, progress: 5, details: { [HOSTILE]: HOSTILE, list: [HOSTILE] } });
    const alert = { rule_id: HOSTILE, rule_name: HOSTILE, message: HOSTILE, severity: 'high', value: 1, threshold: 0 };
    await hostile.call('POST', 'alerts', alert);
    const { id } = await hostile.call('POST', 'alerts', { ...alert, rule_id: `${HOSTILE} resolved` });
    await hostile.call('POST', `alerts/${encodeURIComponent(id)}/resolve`);
    await page.goto(`${hostile.origin}/dashboard#${HOSTILE}`);
    const text = (selector, words) => page.locator(selector, { hasText: words }).first().waitFor({ state: 'attached' });
    await text('.task .name', HOSTILE);
    await text('.task dt', HOSTILE.slice(0, 59));
    await text('.task dd', HOSTILE);
    await text('#alerts-firing .name', HOSTILE);
    await text('#alerts-firing .message', HOSTILE);
    await text('#alerts-resolved .name', HOSTILE);
    await text('#collectors-rows .reason', '<img src=x');
    await text('#filesystems-list .name', HOSTILE);
    await text('#filesystems-list .foreign', HOSTILE);
    await text('#cores-summary', HOSTILE);
    assert.equal(await page.evaluate(() => window.pwned), undefined);
    assert.equal(await page.locator('img, main script').count(), 0);
    assert.deepEqual(complaints, []);
  } finally {
    await page.close();
    await hostile.remove();
    await rm(folder, { recursive: true });
  }
});
