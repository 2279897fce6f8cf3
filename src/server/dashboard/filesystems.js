// How full each filesystem is.

import { attr, byId, reconcile, text } from './dom.js';
import { bar, entry, fill } from './entry.js';
import { bytes, percent } from './format.js';

const ROWS_MAX = 40;

/** From these percentages on a filesystem is said to be filling up, or nearly full. */
const FILLING = 80;
const FULL = 90;

export function drawFilesystems(model) {
  const all = filesystems(model);
  reconcile(byId('filesystems-list'), all.slice(0, ROWS_MAX), row => row.id, create, update);
  const empty = byId('filesystems-empty');
  empty.hidden = all.length > 0 && all.length <= ROWS_MAX;
  if (all.length > ROWS_MAX) text(empty, `and ${all.length - ROWS_MAX} more`);
  else text(empty, model.measuredAt === null ? 'Waiting for the first measurement…' : 'No filesystem was measured.');
}

/** The three series of each filesystem as one row, fullest first. */
function filesystems(model) {
  const rows = new Map();
  for (const [field, name] of [['total', 'system_disk_total_bytes'], ['used', 'system_disk_used_bytes'], ['usage', 'system_disk_usage_percent']]) {
    for (const { labels, value } of model.all(name)) {
      const id = JSON.stringify([labels.mountpoint, labels.device]);
      if (!rows.has(id)) rows.set(id, { id, labels, total: null, used: null, usage: null });
      rows.get(id)[field] = value;
    }
  }
  const list = [...rows.values()].filter(row => row.labels.mountpoint !== undefined);
  for (const row of list) row.usage ??= row.total > 0 && row.used !== null ? row.used / row.total * 100 : null;
  return list.sort((a, b) => (b.usage ?? -1) - (a.usage ?? -1) || String(a.labels.mountpoint).localeCompare(String(b.labels.mountpoint)));
}

function create() {
  const node = entry('filesystem', bar('meter'));
  node.parts.icon.remove();
  return node;
}

function update(node, row) {
  const { name, aside, middle, left, right } = node.parts;
  const [level, word] = row.usage >= FULL ? ['bad', ', nearly full'] : row.usage >= FILLING ? ['warn', ', filling up'] : ['accent', ''];
  text(name, row.labels.mountpoint);
  text(left, [row.labels.device, row.labels.fstype].filter(Boolean).join(' · '));
  text(aside, percent(row.usage) + word);
  text(right, `${bytes(row.used)} of ${bytes(row.total)}`);
  attr(node, 'data-level', level);
  attr(middle, 'aria-label', `Use of ${row.labels.mountpoint}`);
  attr(middle, 'aria-valuenow', row.usage === null ? 0 : row.usage.toFixed(1));
  attr(middle, 'aria-valuetext', percent(row.usage));
  fill(middle, row.usage);
}
