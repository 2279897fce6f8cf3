// The dashboard in a real browser against a real daemon.
//
// GZ_MONITOR_BIN is the daemon's binary, CHROMIUM the browser (default /usr/bin/chromium), and SCREENSHOTS a folder
// to leave pictures in. Run with `npm ci && npm test`.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { HOSTILE, launch, watch } from './browser.mjs';
import { Daemon } from './daemon.mjs';

const BINARY = process.env.GZ_MONITOR_BIN;

// Everybody is told of alerts, by a program that answers with a word.
const daemon = new Daemon(BINARY, 0, `[notify]\ngroup_wait = "0s"\n[notify.channel.desk]\ntype = "command"\ncommand = ["/bin/echo", ${JSON.stringify(HOSTILE)}]\n`);
let browser;

before(async () => {
  assert.ok(BINARY, 'GZ_MONITOR_BIN names the binary to test');
  browser = await launch();
  await daemon.start();
});

after(async () => {
  await browser?.close();
  await daemon.remove();
});

/** Opens the dashboard and hands it, live, to `use`; `complaints` gathers what a sound page never does. */
async function withPage(options, use) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(30_000);
  const page = await context.newPage();
  const complaints = await watch(page, daemon.origin);
  try {
    const response = await page.goto(`${daemon.origin}/dashboard`);
    await isLive(page);
    await use(page, complaints, response);
  } finally {
    await context.close();
  }
}

const isLive = page => page.locator('#connection', { hasText: /^Live$/ }).waitFor();

test('the page loads without errors, policy violations or requests to other hosts', async () => {
  await withPage({}, async (page, complaints, response) => {
    assert.match(response.headers()['content-security-policy'] ?? '', /default-src 'none'/);
    await page.locator('.u-wrap canvas').first().waitFor();
    await page.locator('#cores-summary', { hasText: /Busiest/ }).waitFor();
    await page.locator('#collectors-rows tr', { hasText: /^\s*system/ }).waitFor();
    await page.locator('#filesystems-list .filesystem, #filesystems-empty:not([hidden])').first().waitFor();
    await page.locator('#status', { hasText: /Healthy|Warning|Critical/ }).waitFor();
    assert.deepEqual(complaints, []);
  });
});

test('the root leads to the dashboard', async () => {
  const response = await fetch(`${daemon.origin}/`, { redirect: 'follow' });
  assert.equal(new URL(response.url).pathname, '/dashboard');
});

test('numbers appear and change', async () => {
  await withPage({}, async page => {
    await page.locator('#memory-memory', { hasText: /^[\d.]+ [KMGT]iB$/ }).waitFor();
    await page.locator('#host-uptime', { hasText: /^\d+ (d|h|min|s)/ }).waitFor();
    await page.locator('#uptime', { hasText: /\d/ }).waitFor();
    const cpu = page.locator('#cpu-cpu', { hasText: /^[\d.]+ %$/ });
    await cpu.waitFor();
    const before = [await cpu.textContent(), await page.locator('#memory-memory').textContent()];
    await page.waitForFunction(([cpu, memory]) => document.getElementById('cpu-cpu').textContent !== cpu || document.getElementById('memory-memory').textContent !== memory, before);
    // A machine without a network has loopback alone, which the page leaves out.
    const { samples } = await daemon.call('GET', 'samples');
    const outside = samples.some(({ name, labels }) => name === 'system_network_receive_bytes_total' && labels.interface !== 'lo');
    if (outside) await page.locator('#network-receive', { hasText: /B\/s$/ }).waitFor();
  });
});

test('the charts begin with what the daemon remembers', async () => {
  // Two points that are a step apart, so that there is a line.
  const remembered = async () => {
    const now = Math.floor(Date.now() / 10_000) * 10;
    const form = new URLSearchParams({ query: 'system_load1', start: now - 3600, end: now, step: 10 });
    const { data } = await daemon.call('GET', `query_range?${form}`);
    return data.result[0]?.values.length ?? 0;
  };
  while (await remembered() < 2) await new Promise(resolve => setTimeout(resolve, 500));
  const asked = [];
  const context = await browser.newContext();
  const page = await context.newPage();
  page.on('response', response => response.url().includes('query_range') && asked.push(response.status()));
  await page.addInitScript(() => {
    // The stream brings nothing: what is drawn comes from the past.
    window.WebSocket = class extends WebSocket {
      set onmessage(take) {
        super.onmessage = event => !event.data.includes('"collector_update"') && take(event);
      }
    };
  });
  await page.goto(`${daemon.origin}/dashboard`);
  await isLive(page);
  await page.locator('input[name="range"][value="3600"]').check();
  const drawn = () => {
    const canvas = document.querySelectorAll('.u-wrap canvas')[3];
    const ink = canvas?.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    const blue = i => ink[i + 3] > 0 && ink[i + 2] > ink[i] + 40;
    let count = 0;
    for (let i = 0; ink && i < ink.length; i += 4) count += blue(i) ? 1 : 0;
    return count > 10;
  };
  await page.waitForFunction(drawn);
  assert.ok(asked.length > 0 && asked.every(status => status === 200), `${asked}`);
  await picture(page, 'past');
  await context.close();
});

test('the charts reach back over a week by what is on disk, with the range between least and greatest', async () => {
  await withPage({}, async (page, complaints) => {
    // What a daemon would have after some days, which a test has no time for; the form is checked by the other tests.
    const asked = [];
    await page.route('**/query_range**', async route => {
      const form = new URL(route.request().url()).searchParams;
      const [start, end, step, query] = [Number(form.get('start')), Number(form.get('end')), Number(form.get('step')), form.get('query')];
      asked.push({ query, step });
      const answer = await route.fetch();
      assert.equal(answer.status(), 200, query);
      const level = query.startsWith('min_') ? 20 : query.startsWith('max_') ? 80 : 50;
      const values = [];
      for (let at = start; at <= end; at += step) values.push([at, String(level)]);
      await route.fulfill({ json: { status: 'success', data: { resultType: 'matrix', result: [{ metric: {}, values }] } } });
    });
    await page.locator('input[name="range"][value="604800"]').check();
    const band = () => {
      const canvas = document.querySelectorAll('.u-wrap canvas')[0];
      const at = (x, y) => canvas.getContext('2d').getImageData(canvas.width * x, canvas.height * y, 1, 1).data[3];
      // Above the greatest, between it and the mean, and below the least.
      return canvas && at(0.6, 0.12) === 0 && at(0.6, 0.32) > 0 && at(0.6, 0.32) !== at(0.6, 0.7);
    };
    await page.waitForFunction(band);
    assert.ok(asked.filter(({ step }) => step === 1_800).length >= 10, JSON.stringify(asked));
    await picture(page, 'week');
    assert.deepEqual(complaints, []);
  });
});

test('a task shows, moves, and its name stays text', async () => {
  await withPage({}, async (page, complaints) => {
    const name = `${HOSTILE} ${Date.now()}`;
    await daemon.call('POST', 'tasks', { name });
    const row = page.locator('.task').filter({ has: page.getByText(name, { exact: true }) });
    await row.waitFor();
    const { tasks } = await daemon.call('GET', 'tasks');
    const { id } = tasks.find(task => task.name === name);
    for (const progress of [40, 75]) {
      await daemon.call('PATCH', `tasks/${id}`, { progress });
      await row.locator(`[role="progressbar"][aria-valuenow="${progress}"]`).waitFor();
      await row.getByText(`${progress} %`).waitFor();
    }
    await page.reload();
    await row.locator('[role="progressbar"][aria-valuenow="75"]').waitFor();
    await isHarmless(page, complaints);
  });
});

test('a task shows its pace, that it has stalled, and is asked to stop by two presses', async () => {
  await withPage({}, async (page, complaints) => {
    const id = `stop/${Date.now()}`;
    const path = `tasks/${encodeURIComponent(id)}`;
    const at = ms => new Date(Date.now() - ms).toISOString();
    await daemon.call('POST', 'tasks', { id, name: `Copy ${HOSTILE}`, total: 400, at: at(120_000), heartbeat: '1s' });
    await daemon.call('PATCH', path, { processed: 0, at: at(110_000) });
    await daemon.call('PATCH', path, { processed: 300, at: at(10_000), details: { output: ['first', HOSTILE] } });
    const row = page.locator('.task', { hasText: 'Copy <img' });
    await row.locator('.work', { hasText: /300 of 400 · 3\/s · \d+ s left/ }).waitFor();
    await row.locator('.lines dd', { hasText: HOSTILE }).waitFor();
    await row.locator('.tag', { hasText: /^stalled$/ }).waitFor();
    assert.equal(await row.getAttribute('data-level'), 'warn');
    await picture(page, 'stalled');
    const button = row.getByRole('button');
    await button.click();
    await row.getByRole('button', { name: /^Really stop\?/ }).waitFor();
    assert.equal((await daemon.call('GET', path)).stop_requested, undefined, 'one press asks nobody');
    await page.locator('#theme').focus();
    await row.getByRole('button', { name: /^Stop:/ }).waitFor();
    await button.click();
    await button.click();
    await row.getByRole('button', { name: /^Asked to stop/ }).waitFor();
    assert.equal(await button.isDisabled(), true);
    assert.equal((await daemon.call('GET', path)).stop_requested, true);
    await daemon.call('PATCH', path, { status: 'cancelled' });
    await row.locator('.tag', { hasText: /^cancelled$/ }).waitFor();
    await button.waitFor({ state: 'hidden' });
    await isHarmless(page, complaints);
  });
});

test('what keeps a task from being stopped is said beside its button', async () => {
  await withPage({}, async page => {
    const name = `unstoppable ${Date.now()}`;
    await daemon.call('POST', 'tasks', { name });
    await page.route('**/stop', route => route.fulfill({ status: 409, contentType: 'application/problem+json', body: JSON.stringify({ detail: 'it will not' }) }));
    const row = page.locator('.task', { hasText: name });
    await row.getByRole('button').click();
    await row.getByRole('button').click();
    await row.getByRole('alert').filter({ hasText: 'Not stopped: it will not' }).waitFor();
    await row.getByRole('button', { name: /^Stop:/ }).waitFor();
  });
});

test('an alert has a page of its own, is taken on and silenced from there, and its words stay text', async () => {
  await withPage({}, async (page, complaints) => {
    const mark = `own-${Date.now()}`;
    const report = { rule_id: mark, rule_name: `${mark} ${HOSTILE}`, severity: 'high', message: HOSTILE, labels: { device: HOSTILE }, annotations: { runbook: HOSTILE }, value: 1 };
    const { id } = await daemon.call('POST', 'alerts', report);
    await page.locator('#alerts-firing .alert a.name', { hasText: mark }).click();
    await page.locator('#alert-changes li', { hasText: /firing: reported$/ }).waitFor();
    assert.equal(new URL(page.url()).hash, `#alert/${id}`);
    assert.equal(await page.locator('#alert-title').textContent(), report.rule_name);
    assert.equal(await page.locator('#alert-message').textContent(), HOSTILE);
    assert.equal(await page.locator('#alert-facts dd', { hasText: HOSTILE }).count(), 2);
    await page.locator('#alert-notifications li', { hasText: /firing to desk: sent/ }).waitFor();
    await page.locator('#alert-acknowledge').click();
    await page.locator('#alert-problem', { hasText: 'Say who you are.' }).waitFor();
    await page.locator('#alert-by').fill(HOSTILE);
    await page.locator('#alert-comment').fill('on it');
    await page.locator('#alert-acknowledge').click();
    await page.locator('#alert-changes li', { hasText: /acknowledged by/ }).waitFor();
    await page.locator('#alert-silence').click();
    await page.locator('#alert-changes li', { hasText: /silenced: silence-/ }).waitFor();
    await page.locator('#alert-close').click();
    assert.equal(new URL(page.url()).hash, '');
    await page.locator('#alerts-quiet-title', { hasText: /Silenced and pending \(1\)/ }).waitFor();
    const { silences } = await daemon.call('GET', 'silences');
    const silence = silences.find(({ by }) => by === HOSTILE);
    assert.deepEqual(silence.matchers.sort(), [`device=${JSON.stringify(HOSTILE)}`, `rule_id=${JSON.stringify(mark)}`]);
    // The address alone shows it as well, and what is over cannot be taken on.
    await daemon.call('POST', `alerts/${id}/resolve`);
    await page.goto(`${daemon.origin}/dashboard#alert/${id}`);
    await page.locator('#alert-changes li', { hasText: /resolved: reported as resolved/ }).waitFor();
    assert.ok(await page.locator('#alert-acknowledge').isDisabled());
    await daemon.call('DELETE', `silences/${silence.id}`);
    assert.deepEqual(complaints, []);
  });
});

test('alerts show, the worst first, and their words stay text', async () => {
  await withPage({}, async (page, complaints) => {
    const mark = `browser-${Date.now()}`;
    for (const severity of ['low', 'critical', 'medium']) {
      await daemon.call('POST', 'alerts', { rule_id: `${mark}-${severity}`, rule_name: `${mark} ${severity} ${HOSTILE}`, severity, message: HOSTILE, value: 92.5, threshold: 90 });
    }
    const rows = page.locator('#alerts-firing .alert', { hasText: mark });
    await page.waitForFunction(mark => [...document.querySelectorAll('#alerts-firing .alert')].filter(row => row.textContent.includes(mark)).length === 3, mark);
    assert.deepEqual(await rows.locator('.tag').allTextContents(), ['critical', 'medium', 'low']);
    assert.equal(await rows.first().locator('.name').textContent(), `${mark} critical ${HOSTILE}`);
    assert.equal(await rows.first().locator('.message').textContent(), HOSTILE);
    assert.match(await rows.first().textContent(), /92\.5 \(threshold 90\)/);
    await page.locator('#status', { hasText: 'Critical' }).waitFor();
    await isHarmless(page, complaints);
  });
});

async function isHarmless(page, complaints) {
  assert.equal(await page.evaluate(() => window.pwned), undefined);
  assert.equal(await page.locator('img, main script').count(), 0);
  assert.deepEqual(complaints, []);
}

test('a killed daemon is said to be gone, and a new one is found without help', async () => {
  await withPage({}, async page => {
    await page.locator('#cpu-cpu', { hasText: '%' }).waitFor();
    await page.evaluate(() => { window.untouched = true; });
    await daemon.kill();
    await page.locator('#connection', { hasText: /^Disconnected, retry in \d+ s$/ }).waitFor();
    await page.locator('#announcement', { hasText: 'Disconnected' }).waitFor({ state: 'attached' });
    await page.locator('#retry').waitFor();
    await picture(page, 'disconnected');
    await daemon.start();
    await isLive(page);
    await page.locator('#retry').waitFor({ state: 'hidden' });
    const name = `after the restart ${Date.now()}`;
    await daemon.call('POST', 'tasks', { name });
    await page.getByText(name, { exact: true }).waitFor();
    assert.equal(await page.evaluate(() => window.untouched), true, 'the page was not reloaded');
  });
});

test('a page that was cut off is sent what it has missed', async () => {
  await withPage({}, async page => {
    const mark = Date.now();
    await daemon.call('POST', 'tasks', { id: `before-${mark}`, name: `before ${mark}` });
    await page.getByText(`before ${mark}`, { exact: true }).waitFor();
    const sent = [];
    const received = [];
    page.on('websocket', socket => {
      socket.on('framesent', ({ payload }) => sent.push(JSON.parse(payload)));
      socket.on('framereceived', ({ payload }) => received.push(JSON.parse(payload)));
    });
    await daemon.kill();
    await page.locator('#retry').waitFor();
    // Where the page does not look for it.
    const home = daemon.origin;
    await daemon.start(0);
    await daemon.call('PATCH', `tasks/before-${mark}`, { status: 'completed' });
    await daemon.call('DELETE', `tasks/before-${mark}`);
    await daemon.call('POST', 'tasks', { id: `missed-${mark}`, name: `missed ${mark}` });
    await daemon.stop();
    daemon.origin = home;
    await daemon.start();
    await isLive(page);
    await page.getByText(`missed ${mark}`, { exact: true }).waitFor();
    assert.match(sent[0].since, /^[0-9a-f]+:[0-9]+$/);
    const resumed = received.find(message => message.type === 'resumed');
    assert.equal(resumed.data.complete, true);
    const replayed = received.slice(0, received.indexOf(resumed)).filter(message => message.type === 'task_update');
    assert.deepEqual(replayed.map(({ data }) => [data.id, data.status]), [[`before-${mark}`, 'completed'], [`missed-${mark}`, 'running']]);
    // It comes back with what was missed, and goes again with the lists.
    await page.getByText(`before ${mark}`, { exact: true }).waitFor({ state: 'detached' });
  });
});

test('the controls are reached and worked by keyboard, with a visible focus', async () => {
  await withPage({}, async page => {
    const wanted = new Set(['skip', 'theme', 'range']);
    for (let i = 0; i < 20 && wanted.size > 0; i += 1) {
      await page.keyboard.press('Tab');
      const [name, outline] = await page.evaluate(() => {
        const node = document.activeElement;
        const shown = node.name === 'range' ? node.nextElementSibling : node;
        return [node.id || node.name || node.className, getComputedStyle(shown).outlineStyle];
      });
      if (wanted.delete(name)) assert.notEqual(outline, 'none', `the focus of ${name} is visible`);
    }
    assert.deepEqual([...wanted], []);
    await page.keyboard.press('ArrowLeft');
    assert.equal(await page.locator('input[name="range"]:checked').getAttribute('value'), '300');
    await page.locator('#theme').focus();
    for (const theme of ['light', 'dark']) {
      await page.keyboard.press('Enter');
      await page.locator('#theme', { hasText: `Theme: ${theme}` }).waitFor();
    }
    await page.reload();
    await page.locator('html[data-theme="dark"]').waitFor();
    await page.locator('#theme', { hasText: 'Theme: dark' }).waitFor();
  });
});

for (const [name, width, colorScheme] of [['desktop-light', 1280, 'light'], ['desktop-dark', 1280, 'dark'], ['phone-light', 360, 'light'], ['phone-dark', 360, 'dark']]) {
  test(`nothing sticks out of the page: ${name}`, async () => {
    await withPage({ viewport: { width, height: 800 }, colorScheme }, async page => {
      await page.locator('#cpu-cpu', { hasText: '%' }).waitFor();
      await page.locator('.u-wrap canvas').nth(3).waitFor();
      const [content, screen, ground] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth, getComputedStyle(document.body).backgroundColor]);
      assert.ok(content <= screen, `${content} px of content on ${screen} px`);
      const lightness = ground.match(/\d+/g).map(Number)[0];
      assert.equal(lightness < 128, colorScheme === 'dark', `the ground is ${ground}`);
      await picture(page, name);
    });
  });
}

async function picture(page, name) {
  const folder = process.env.SCREENSHOTS;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}
