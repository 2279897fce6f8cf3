// One alert by itself, at #alert/ID: what it says, its changes, who was told, and what can be done about it.

import { byId, el, reconcile, text } from './dom.js';
import { plain } from './format.js';
import { get, post } from './rest.js';

const HASH = '#alert/';
const SILENCE = '1h';
/** The stream does not tell of notifications: so often they are asked for, while the view is open. */
const REFRESH_MS = 5000;

let shown = null;

/** The address of an alert's own view. */
export const alertHash = id => `${HASH}${encodeURIComponent(id)}`;

/** Has the view follow the address, from now on. */
export function followAddress() {
  const dialog = byId('alert');
  dialog.addEventListener('close', () => {
    if (location.hash.startsWith(HASH)) history.replaceState(null, '', location.pathname + location.search);
    shown = null;
  });
  byId('alert-close').addEventListener('click', () => dialog.close());
  byId('alert-acknowledge').addEventListener('click', () => act(acknowledge));
  byId('alert-silence').addEventListener('click', () => act(silence));
  addEventListener('hashchange', open);
  setInterval(refreshAlert, REFRESH_MS);
  open();
}

/** Draws the view anew, if it is open and its alert has changed. */
export function refreshAlert(id) {
  if (shown !== null && (id === undefined || String(id) === shown.id)) load(shown.id);
}

function open() {
  if (!location.hash.startsWith(HASH)) return;
  let id;
  try {
    id = decodeURIComponent(location.hash.slice(HASH.length));
  } catch {
    return;
  }
  shown = { id };
  text(byId('alert-title'), id);
  text(byId('alert-problem'), '');
  if (!byId('alert').open) byId('alert').showModal();
  load(id);
}

async function load(id) {
  try {
    const name = encodeURIComponent(id);
    const [alert, { notifications }] = await Promise.all([get(`alerts/${name}`), get(`notifications?alert=${name}`)]);
    if (shown?.id !== id) return;
    draw(shown = alert);
    drawNotifications(notifications);
  } catch (error) {
    text(byId('alert-problem'), error.message);
  }
}

function draw(alert) {
  text(byId('alert-title'), alert.rule_name ?? alert.rule_id);
  text(byId('alert-message'), alert.message);
  const taken = alert.acknowledgement;
  const facts = [
    ['Status', alert.flapping ? `${alert.status}, flapping` : alert.status],
    ['Severity', alert.severity],
    ['Silenced by', alert.silenced_by],
    ['Taken on', taken ? `by ${taken.by} at ${taken.at}${taken.comment ? `: ${taken.comment}` : ''}` : null],
    ['Value', `${plain(alert.value)} (threshold ${plain(alert.threshold)})`],
    ['Since', alert.starts_at],
    ['Until', alert.ends_at],
    ['Rule', alert.rule_id],
    ...Object.entries(alert.labels ?? {}),
    ...Object.entries(alert.annotations ?? {}),
  ].filter(([, value]) => value !== null && value !== undefined);
  const rows = facts.flatMap(([name, value], index) => [{ key: `${index} ${name}`, tag: 'dt', words: name }, { key: `${index} ${name}=`, tag: 'dd', words: value }]);
  reconcile(byId('alert-facts'), rows, row => row.key, row => el(row.tag, { class: 'foreign' }), (node, row) => text(node, row.words));
  const changes = [...alert.transitions ?? []].reverse().map((change, index) => ({ ...change, key: `${change.at} ${index}` }));
  reconcile(byId('alert-changes'), changes, change => change.key, () => el('li', { class: 'foreign' }), (node, change) => {
    text(node, `${change.at} ${change.status}: ${change.cause}`);
  });
  const active = alert.status === 'firing' || alert.status === 'silenced';
  byId('alert-acknowledge').disabled = !active;
  byId('alert-silence').disabled = alert.status === 'silenced' || alert.status === 'resolved';
}

/** Who was told of it, or is to be, newest first. */
function drawNotifications(notifications) {
  byId('alert-told').hidden = notifications.length === 0;
  reconcile(byId('alert-notifications'), notifications, one => one.id, () => el('li', { class: 'foreign' }), (node, one) => {
    text(node, `${one.created_at} ${one.kind} to ${one.channel}: ${one.state}${one.answer === null ? '' : `, ${one.answer}`}`);
  });
}

async function act(deed) {
  const by = byId('alert-by').value.trim();
  const problem = byId('alert-problem');
  // Whoever has logged in is known to the daemon.
  if (by === '' && byId('who').textContent === '') {
    text(problem, 'Say who you are.');
    byId('alert-by').focus();
    return;
  }
  text(problem, '');
  try {
    await deed(shown, { by, comment: byId('alert-comment').value.trim() });
    byId('alert-comment').value = '';
  } catch (error) {
    text(problem, `Not done: ${error.message}`);
  }
  refreshAlert();
}

const acknowledge = (alert, words) => post(`alerts/${encodeURIComponent(alert.id)}/acknowledge`, words);

/** Silences this alert and no other: by its rule and all of its labels. */
function silence(alert, words) {
  const labels = Object.entries({ ...alert.labels, rule_id: alert.rule_id });
  const matchers = labels.map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return post('silences', { ...words, matchers, duration: SILENCE });
}
