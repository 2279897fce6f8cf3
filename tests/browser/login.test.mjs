// The dashboard's login in a real browser: who has no token sees nothing, and who logs out sees nothing any more.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { HOSTILE, launch, watch } from './browser.mjs';
import { Daemon } from './daemon.mjs';

const BINARY = process.env.GZ_MONITOR_BIN;
const run = promisify(execFile);

const daemon = new Daemon(BINARY, 0, '[server.auth]\nrequired = true\n');
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

const tokensFile = () => join(daemon.folder, 'state/gz-monitor/tokens.json');

/** A token, once the daemon knows it. */
async function token(name, role) {
  const { stdout } = await run(BINARY, ['token', 'create', '--name', name, '--role', role, '--tokens-file', tokensFile()]);
  const made = stdout.trim();
  for (;;) {
    const response = await fetch(`${daemon.origin}/api/v1/session`, { headers: { authorization: `Bearer ${made}` } });
    if (response.ok && (await response.json()).kind === 'token') return made;
  }
}

const revoke = name => run(BINARY, ['token', 'revoke', name, '--tokens-file', tokensFile()]);

/** The dashboard in a browser of its own, handed to `use`. */
async function withPage(use, { origin } = daemon) {
  const context = await browser.newContext();
  context.setDefaultTimeout(30_000);
  const page = await context.newPage();
  const complaints = await watch(page, origin);
  try {
    await page.goto(`${origin}/dashboard`);
    await use(page, context, complaints);
  } finally {
    await context.close();
  }
}

async function logIn(page, secret) {
  await page.getByLabel('Token').fill(secret);
  await page.getByRole('button', { name: 'Log in' }).click();
}

const isLive = page => page.locator('#connection', { hasText: /^Live$/ }).waitFor();

test('who has no token sees the login and nothing else', async () => {
  await withPage(async (page, context, complaints) => {
    await page.getByLabel('Token').waitFor();
    assert.equal(await page.locator('main').isVisible(), false);
    assert.equal(await page.locator('#login-token').evaluate(field => document.activeElement === field), true);
    assert.deepEqual(complaints, [], 'nothing was asked for that is refused');
    assert.deepEqual(await context.cookies(), []);
  });
});

test('logging in and out', async () => {
  const secret = await token('me', 'operator');
  await withPage(async (page, context, complaints) => {
    await logIn(page, secret);
    await isLive(page);
    await page.locator('#who', { hasText: 'me (operator)' }).waitFor();
    await page.locator('#collectors-rows tr', { hasText: /^\s*system/ }).waitFor();
    const [cookie] = await context.cookies();
    const { name, httpOnly, sameSite, value } = cookie;
    assert.deepEqual({ name, httpOnly, sameSite }, { name: 'gz-monitor-session', httpOnly: true, sameSite: 'Strict' });
    assert.notEqual(value, secret);
    assert.equal(await page.evaluate(() => document.cookie), '', 'no script sees it');
    assert.equal(await page.evaluate(() => Object.keys(localStorage).concat(Object.keys(sessionStorage)).filter(key => /token|session/.test(key)).length), 0);
    assert.equal(await page.locator('#login-token').inputValue(), '');
    assert.ok(!page.url().includes(secret));
    await page.reload();
    await isLive(page);
    assert.deepEqual(complaints, []);
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByLabel('Token').waitFor();
    assert.equal(await page.locator('main').isVisible(), false);
    assert.deepEqual(await context.cookies(), []);
    const stolen = await fetch(`${daemon.origin}/metrics`, { headers: { cookie: `${name}=${value}` } });
    assert.equal(stolen.status, 401);
  });
});

test('a page whose token is revoked goes back to the login', async () => {
  const secret = await token('brief', 'viewer');
  await withPage(async page => {
    await logIn(page, secret);
    await isLive(page);
    await revoke('brief');
    await page.getByLabel('Token').waitFor();
    assert.equal(await page.locator('main').isVisible(), false);
  });
});

test('a wrong token is refused in words, which are text', async () => {
  const strict = new Daemon(BINARY, 0, '[server.auth]\nrequired = true\nmax_failures_per_minute = 2\n');
  await strict.start();
  const use = async page => {
    await logIn(page, HOSTILE);
    await page.locator('#login-problem', { hasText: 'There is no such token' }).waitFor();
    await page.route('**/api/v1/session', route => route.fulfill({ status: 401, json: { detail: HOSTILE } }));
    await logIn(page, 'gzm_x');
    await page.locator('#login-problem', { hasText: HOSTILE }).waitFor();
    assert.equal(await page.evaluate(() => window.pwned), undefined);
    assert.equal(await page.locator('img').count(), 0);
    await page.unroute('**/api/v1/session');
    const answered = () => page.waitForResponse(response => response.request().method() === 'POST');
    for (const status of [401, 429]) {
      const [response] = await Promise.all([answered(), logIn(page, 'gzm_x')]);
      assert.equal(response.status(), status);
    }
    await page.locator('#login-problem', { hasText: 'Too many wrong tokens' }).waitFor();
  };
  try {
    await withPage(use, strict);
  } finally {
    await strict.remove();
  }
});

test('names that the daemon tells are text, and what is dangerous is said', async () => {
  const secret = await token('viewer', 'viewer');
  await withPage(async page => {
    await page.route('**/api/v1/session', async route => {
      if (route.request().method() !== 'GET') return route.continue();
      const response = await route.fetch();
      const session = await response.json();
      return route.fulfill({ response, json: { ...session, token: session.token && HOSTILE, warnings: [HOSTILE] } });
    });
    await logIn(page, secret);
    await page.locator('#who', { hasText: HOSTILE }).waitFor();
    await page.locator('#warnings', { hasText: `Not safe: ${HOSTILE}` }).waitFor();
    assert.equal(await page.evaluate(() => window.pwned), undefined);
    assert.equal(await page.locator('img').count(), 0);
  });
});
