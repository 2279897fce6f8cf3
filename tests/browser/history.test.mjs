// The arithmetic of the charts, without a browser.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

// By its text: the page is served as modules, and no package.json says so where it lies.
const source = await readFile(new URL('../../src/server/dashboard/history.js', import.meta.url), 'utf8');
const { Rate } = await import(`data:text/javascript,${encodeURIComponent(source)}`);

test('a rate is never negative: a counter that went down has grown by what it says', () => {
  const rate = new Rate();
  const next = (time, counters) => rate.next(time, new Map(Object.entries(counters)));
  assert.equal(next(0, { eth0: 1000, eth1: 50 }), null);
  assert.equal(next(10, { eth0: 1500, eth1: 60 }), 51);
  assert.equal(next(20, { eth0: 30, eth1: 70 }), 4);
  assert.equal(next(30, { eth0: 0, eth1: 0 }), 0);
  assert.equal(next(40, { eth0: 10, eth1: 0, eth2: 9e9 }), 1, 'one that comes has no reading before');
  assert.equal(next(40, { eth0: 20 }), null, 'no time has passed');
});
