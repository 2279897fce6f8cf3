// The table of collectors: whether each works, how long it takes and what went wrong.

import { attr, byId, el, icon, reconcile, setIcon, text } from './dom.js';
import { count, instant, clock, NONE } from './format.js';

const ROWS_MAX = 100;

/** Words, drawing and colour of each state. */
const STATES = { ok: ['ok', 'healthy', 'good'], waiting: ['waiting', 'pending'], failing: ['failing', 'critical', 'bad'], timed_out: ['timed out', 'warning', 'warn'], broken: ['broken', 'critical', 'bad'], stopped: ['stopped', 'cancelled'], absent: ['absent', 'cancelled'] };

/** Nothing is wrong with a collector in these. */
const WELL = ['ok', 'waiting', 'absent'];

export function drawCollectors(model) {
  const all = [...(model.collectors ?? [])].sort((a, b) => String(a.name).localeCompare(String(b.name)));
  const rows = byId('collectors-rows');
  reconcile(rows, all.slice(0, ROWS_MAX), collector => String(collector.name), create, update);
  rows.parentElement.hidden = all.length === 0;
  const ill = all.filter(collector => !WELL.includes(collector.state)).length;
  text(byId('collectors-count'), all.length === 0 ? '' : ill === 0 ? `${all.length}, all well` : `${all.length}, ${ill} in trouble`);
  const empty = byId('collectors-empty');
  const note = model.collectorsError ? `The list could not be read: ${model.collectorsError}` : model.collectors === null ? 'Waiting for the daemon…' : all.length === 0 ? 'No collector is configured.' : '';
  empty.hidden = note === '';
  text(empty, note);
}

function create() {
  const node = el('tr', { role: 'row' });
  const cell = (label, name = '') => el('td', { role: 'cell', 'data-label': label, class: name });
  node.parts = {
    icon: icon('unknown'),
    name: el('span', { class: 'foreign' }),
    plugin: el('span', { class: 'fact foreign' }),
    state: el('span'),
    interval: cell('every', 'right value'),
    took: cell('took', 'right value'),
    samples: cell('samples', 'right value'),
    error: cell('', 'reason foreign'),
  };
  const { name, plugin, state, interval, took, samples, error } = node.parts;
  const named = el('th', { role: 'rowheader', scope: 'row' }, name, plugin);
  const stated = cell('', 'word');
  stated.append(el('span', { class: 'with-icon' }, node.parts.icon, state));
  node.append(named, stated, interval, took, samples, error);
  return node;
}

function update(node, collector) {
  const { name, plugin, state, interval, took, samples, error } = node.parts;
  const [word, drawing, level] = Object.hasOwn(STATES, collector.state) ? STATES[collector.state] : ['unknown', 'unknown'];
  attr(node, 'data-level', level);
  setIcon(node.parts.icon, drawing);
  text(name, collector.name);
  text(plugin, collector.plugin && collector.plugin !== collector.name ? collector.plugin : '');
  const failures = collector.consecutive_failures;
  text(state, failures > 0 ? `${word} (${count(failures)}×)` : word);
  const success = instant(collector.last_success);
  attr(state, 'title', success === null ? 'no success yet' : `last success ${clock(success)}`);
  text(interval, collector.interval ?? NONE);
  text(took, collector.last_duration ?? NONE);
  text(samples, count(collector.samples));
  const refused = collector.config_error && `new configuration refused: ${collector.config_error}`;
  text(error, collector.error ?? collector.reason ?? refused ?? '');
}
