// Chromium, and what a sound page never does in it.

import { chromium } from 'playwright-core';

const BROWSER = process.env.CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'];

/** Text that is a page's end if it is ever taken for markup. */
export const HOSTILE = '<img src=x onerror="window.pwned = true"><script>window.pwned = true</script> & "name"';

/** Chromium, with these flags too. */
export const launch = (...flags) => chromium.launch({ executablePath: BROWSER, args: [...FLAGS, ...flags] });

/** A list that gathers errors, policy violations and requests to elsewhere than `origin` from now on. */
export async function watch(page, origin) {
  const complaints = [];
  page.on('console', message => message.type() === 'error' && complaints.push(`console: ${message.text()}`));
  page.on('pageerror', error => complaints.push(`exception: ${error.message}`));
  page.on('request', request => new URL(request.url()).origin !== origin && !request.url().startsWith('data:') && complaints.push(`request to ${request.url()}`));
  page.on('websocket', socket => new URL(socket.url()).host !== new URL(origin).host && complaints.push(`socket to ${socket.url()}`));
  await page.exposeBinding('complain', (_, text) => complaints.push(text));
  await page.addInitScript(() => document.addEventListener('securitypolicyviolation', event => window.complain(`policy: ${event.violatedDirective} ${event.blockedURI}`)));
  return complaints;
}
