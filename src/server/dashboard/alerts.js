// The list of alerts: firing ones by severity, resolved ones folded away.

import { attr, byId, el, icon, reconcile, setIcon, text } from './dom.js';
import { clock, duration, instant, plain } from './format.js';

const FIRING_MAX = 50;
const RESOLVED_MAX = 20;

const SEVERITIES = ['critical', 'high', 'medium', 'low', 'info'];
const ICONS = { critical: 'critical', high: 'warning', medium: 'warning', low: 'info', info: 'info' };

export function drawAlerts(model) {
  const alerts = model.alerts.values();
  const firing = alerts.filter(alert => alert.status === 'firing').sort((a, b) => rank(a) - rank(b) || later(a, b, 'starts_at'));
  const resolved = alerts.filter(alert => alert.status !== 'firing').sort((a, b) => later(a, b, 'ends_at'));
  const draw = (node, alert) => update(node, alert, model.now());
  reconcile(byId('alerts-firing'), firing.slice(0, FIRING_MAX), id, create, draw);
  reconcile(byId('alerts-resolved'), resolved.slice(0, RESOLVED_MAX), id, create, draw);
  text(byId('alerts-count'), firing.length > 0 ? `${firing.length} firing${firing.length > FIRING_MAX ? `, first ${FIRING_MAX} shown` : ''}` : '');
  byId('alerts-resolved-box').hidden = resolved.length === 0;
  text(byId('alerts-resolved-title'), `Resolved (${resolved.length})`);
  const empty = byId('alerts-empty');
  empty.hidden = firing.length > 0;
  text(empty, nothing(model));
}

function nothing(model) {
  if (!model.loaded.alerts) return 'Waiting for the daemon…';
  const rules = model.alertStats?.total_rules;
  const silenced = model.alertStats?.silenced_alerts;
  const watch = typeof rules === 'number' ? ` ${rules} ${rules === 1 ? 'rule watches' : 'rules watch'} this host.` : '';
  return `Nothing is firing.${watch}${silenced > 0 ? ` ${silenced} silenced.` : ''}`;
}

const id = alert => String(alert.id);
const later = (a, b, field) => (instant(b[field]) ?? 0) - (instant(a[field]) ?? 0);

function rank(alert) {
  const at = SEVERITIES.indexOf(alert.severity);
  return at < 0 ? SEVERITIES.length : at;
}

function create() {
  const node = el('li', { class: 'alert' });
  node.parts = {
    icon: icon('unknown'),
    name: el('span', { class: 'name foreign' }),
    severity: el('span', { class: 'tag' }),
    message: el('p', { class: 'message foreign' }),
    value: el('span', { class: 'value' }),
    when: el('span', { class: 'fact' }),
  };
  const { name, severity, message, value, when } = node.parts;
  node.append(el('div', { class: 'row' }, el('span', { class: 'with-icon' }, node.parts.icon, name), severity), message, el('div', { class: 'row' }, value, when));
  return node;
}

function update(node, alert, now) {
  const { name, severity, message, value, when } = node.parts;
  const resolved = alert.status !== 'firing';
  attr(node, 'data-severity', ICONS[alert.severity] ? alert.severity : 'info');
  attr(node, 'data-ended', resolved || null);
  setIcon(node.parts.icon, resolved ? 'healthy' : ICONS[alert.severity] ?? 'unknown');
  text(name, alert.rule_name ?? alert.rule_id ?? alert.id);
  text(severity, alert.severity ?? '–');
  text(message, alert.message);
  text(value, `${plain(alert.value)} (threshold ${plain(alert.threshold)})`);
  text(when, period(alert, resolved, now));
  attr(when, 'title', alert.starts_at);
}

function period(alert, resolved, now) {
  const start = instant(alert.starts_at);
  if (start === null) return '';
  if (!resolved) return `since ${clock(start)}, ${duration((now - start) / 1000)}`;
  const end = instant(alert.ends_at);
  return end === null ? `from ${clock(start)}` : `${clock(start)} to ${clock(end)}`;
}
