// The dashboard's composition: messages and lists go into the model, the views draw what changed.

import { Access } from './access.js';
import { followAddress, refreshAlert } from './alert.js';
import { drawAlerts } from './alerts.js';
import { drawCollectors } from './collectors.js';
import { Connection } from './connection.js';
import { drawFilesystems } from './filesystems.js';
import { instant } from './format.js';
import { Header } from './header.js';
import { Metrics } from './metrics.js';
import { Model } from './model.js';
import { loadPast } from './past.js';
import { get, socketUrl } from './rest.js';
import { drawTasks } from './tasks.js';

/** Collectors, and alerts that are pending, are in no message that this page gets. */
const LISTS_EVERY_MS = 5_000;

/** A gap or an error reloads the lists, but a flood of them not more often than this. */
const RELOAD_EVERY_MS = 2_000;

const model = new Model();
const connection = new Connection(socketUrl(), { onMessage: receive, onState: changed });
const access = new Access({ onEnter: () => connection.ensure(), onLeave: () => connection.close() });
const header = new Header(connection);
const metrics = new Metrics(() => dirty('metrics'));

const draw = {
  header: () => header.draw(model, connection),
  metrics: () => metrics.draw(model),
  filesystems: () => drawFilesystems(model),
  tasks: () => drawTasks(model),
  alerts: () => drawAlerts(model),
  collectors: () => drawCollectors(model),
};

const pending = new Set();
let reloadAt = 0;
let reloadTimer = null;

/** Draws these views with the next frame, however many messages come until then. */
function dirty(...views) {
  if (pending.size === 0) requestAnimationFrame(paint);
  for (const view of views) pending.add(view);
}

function paint() {
  const views = [...pending];
  pending.clear();
  for (const view of views) {
    try {
      draw[view]();
    } catch (error) {
      console.error(`The ${view} could not be drawn:`, error);
    }
  }
}

/** What each type of message changes; what a handler returns is the view to draw. */
const HANDLERS = {
  initial_state(data) {
    model.status = data.system_status ?? model.status;
    model.summary = data.metrics_summary ?? model.summary;
    model.alertStats = data.alert_stats ?? model.alertStats;
    for (const task of data.active_tasks ?? []) model.tasks.put(task);
    return ['tasks', 'alerts'];
  },
  system_status: data => { model.status = data; },
  metrics_update: data => { model.summary = data; },
  collector_update(data, timestamp) {
    if (data.collector === 'system') model.measure(data.samples ?? [], instant(timestamp) ?? model.now());
    return ['metrics', 'filesystems'];
  },
  task_update(data) {
    model.tasks.put(data);
    return ['tasks'];
  },
  alert(data) {
    model.alerts.put(data);
    refreshAlert(data.id);
    return ['alerts'];
  },
  /** What was missed has come, in its order; what was deleted meanwhile is not in it. */
  resumed: () => { reload(); },
  gap: complaint,
  error: complaint,
};

/** Something was missed or refused: the lists by REST are whole again. */
function complaint(data) {
  console.warn('The daemon says:', data);
  reload();
}

function receive(message) {
  if (typeof message !== 'object' || message === null) return;
  model.heard(message.timestamp);
  const handle = Object.hasOwn(HANDLERS, message.type) ? HANDLERS[message.type] : null;
  if (handle && typeof message.data === 'object' && message.data !== null) dirty(...handle(message.data, message.timestamp) ?? []);
  dirty('header');
}

function changed(state) {
  dirty('header');
  if (state === 'live') {
    reload();
    fillPast();
  } else if (state === 'disconnected' && !access.isLocked) {
    // It may be that the token has ended.
    access.check();
  }
}

/** Has the charts show what was before this page, or while it was cut off. */
async function fillPast() {
  try {
    model.history.fill(await loadPast(model.now() / 1000));
    dirty('metrics');
  } catch (error) {
    console.warn('The past could not be loaded:', error.message);
  }
}

function reload() {
  if (reloadTimer !== null) return;
  const wait = Math.max(0, reloadAt + RELOAD_EVERY_MS - Date.now());
  reloadTimer = setTimeout(() => {
    reloadTimer = null;
    reloadAt = Date.now();
    loadAll();
  }, wait);
}

function loadAll() {
  load('samples', data => {
    const samples = data.samples.filter(sample => String(sample.name).startsWith('system_'));
    const at = samples.reduce((latest, sample) => Math.max(latest, instant(sample.timestamp) ?? 0), 0);
    if (at > 0) model.measure(samples, at);
    dirty('metrics', 'filesystems');
  });
  loadList('tasks');
  loadList('alerts');
  loadCollectors();
}

function loadList(name) {
  const mark = model[name].mark();
  load(name, data => {
    model[name].replace(data[name], mark);
    model.loaded[name] = true;
    dirty(name);
  });
}

function loadCollectors() {
  const done = (collectors, error) => {
    model.collectors = collectors ?? model.collectors;
    model.collectorsError = error;
    const system = model.collectors?.find(collector => collector.name === 'system');
    document.body.toggleAttribute('data-unmeasured', ['failing', 'timed_out', 'broken', 'stopped'].includes(system?.state));
    dirty('collectors');
  };
  load('collectors', data => done(data.collectors, null), error => done(null, error.message));
}

async function load(name, take, failed = () => {}) {
  try {
    take(await get(name));
  } catch (error) {
    console.warn('A list could not be loaded:', error.message);
    failed(error);
  }
}

setInterval(() => {
  connection.check();
  dirty('header');
  // Ages grow while they are known to be true.
  if (connection.state === 'live') dirty('tasks', 'alerts');
}, 1_000);
setInterval(() => {
  if (document.hidden || connection.state !== 'live') return;
  loadCollectors();
  loadList('alerts');
}, LISTS_EVERY_MS);
addEventListener('online', again);
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) again();
});

function again() {
  if (!access.isLocked) connection.retryNow();
}

followAddress();
access.check();
dirty(...Object.keys(draw));
