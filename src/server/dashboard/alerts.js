// The list of alerts: firing ones by severity; silenced, pending and resolved ones folded away.

import { alertHash } from './alert.js';
import { attr, byId, el, reconcile, setIcon, text } from './dom.js';
import { entry } from './entry.js';
import { clock, duration, instant, plain } from './format.js';

const FIRING_MAX = 50;
const QUIET_MAX = 50;
const RESOLVED_MAX = 20;

/** Drawing and colour of each severity, the worst first. */
const SEVERITIES = { critical: ['critical', 'bad'], high: ['warning', 'bad'], medium: ['warning', 'warn'], low: ['info'], info: ['info'] };
const ORDER = Object.keys(SEVERITIES);

export function drawAlerts(model) {
  const alerts = model.alerts.values();
  const firing = alerts.filter(alert => alert.status === 'firing').sort((a, b) => rank(a) - rank(b) || later(a, b, 'starts_at'));
  const quiet = alerts.filter(alert => alert.status === 'silenced' || alert.status === 'pending').sort((a, b) => rank(a) - rank(b) || later(a, b, 'starts_at'));
  const resolved = alerts.filter(alert => alert.status === 'resolved').sort((a, b) => later(a, b, 'ends_at'));
  const draw = (node, alert) => update(node, alert, model.now());
  reconcile(byId('alerts-firing'), firing.slice(0, FIRING_MAX), id, create, draw);
  reconcile(byId('alerts-quiet'), quiet.slice(0, QUIET_MAX), id, create, draw);
  reconcile(byId('alerts-resolved'), resolved.slice(0, RESOLVED_MAX), id, create, draw);
  text(byId('alerts-count'), firing.length > 0 ? `${firing.length} firing${firing.length > FIRING_MAX ? `, first ${FIRING_MAX} shown` : ''}` : '');
  byId('alerts-quiet-box').hidden = quiet.length === 0;
  text(byId('alerts-quiet-title'), `Silenced and pending (${quiet.length})`);
  byId('alerts-resolved-box').hidden = resolved.length === 0;
  text(byId('alerts-resolved-title'), `Resolved (${resolved.length})`);
  const empty = byId('alerts-empty');
  empty.hidden = firing.length > 0;
  text(empty, nothing(model));
}

function nothing(model) {
  if (!model.loaded.alerts) return 'Waiting for the daemon…';
  const rules = model.alertStats?.total_rules;
  const watch = typeof rules === 'number' ? ` ${rules} ${rules === 1 ? 'rule watches' : 'rules watch'} this host.` : '';
  return `Nothing is firing.${watch}`;
}

const id = alert => String(alert.id);
const later = (a, b, field) => (instant(b[field]) ?? 0) - (instant(a[field]) ?? 0);

function rank(alert) {
  const at = ORDER.indexOf(alert.severity);
  return at < 0 ? ORDER.length : at;
}

function create() {
  const node = entry('alert', el('p', { class: 'message foreign' }));
  node.parts.link = el('a', { class: 'name foreign' });
  node.parts.name.replaceWith(node.parts.link);
  node.parts.aside.className = 'tag';
  node.parts.left.className = 'value';
  return node;
}

function update(node, alert, now) {
  const { icon, link, aside, middle, left, right } = node.parts;
  const resolved = alert.status === 'resolved';
  const [drawing, level] = ORDER.includes(alert.severity) ? SEVERITIES[alert.severity] : ['unknown'];
  attr(node, 'data-level', resolved ? null : level);
  attr(node, 'data-ended', resolved || null);
  setIcon(icon, resolved ? 'healthy' : drawing);
  text(link, alert.rule_name ?? alert.rule_id ?? alert.id);
  attr(link, 'href', alertHash(alert.id));
  const status = alert.status === 'firing' || resolved ? '' : `, ${alert.status}`;
  text(aside, `${alert.severity ?? '–'}${status}${alert.acknowledgement && !resolved ? ', taken on' : ''}`);
  text(middle, alert.message);
  text(left, `${plain(alert.value)} (threshold ${plain(alert.threshold)})`);
  text(right, period(alert, resolved, now));
  attr(right, 'title', alert.starts_at);
}

function period(alert, resolved, now) {
  const start = instant(alert.starts_at);
  if (start === null) return '';
  if (!resolved) return `since ${clock(start)} (${duration((now - start) / 1000)})`;
  const end = instant(alert.ends_at);
  return end === null ? `from ${clock(start)}` : `${clock(start)} to ${clock(end)}`;
}
