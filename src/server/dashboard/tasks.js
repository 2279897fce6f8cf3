// The list of tasks: active ones first, then those that ended last.

import { attr, byId, clip, el, reconcile, setIcon, text } from './dom.js';
import { bar, entry, fill } from './entry.js';
import { clock, duration, instant, pace, plain } from './format.js';
import { taskEnded } from './model.js';
import { stopButton } from './stop.js';

const ACTIVE_MAX = 50;
const ENDED_MAX = 15;
const DETAILS_MAX = 12;
/** Of the last lines of output, so many. */
const LINES_MAX = 5;

/** Drawing and colour of each status. */
const STATES = { pending: ['pending'], running: ['running', 'accent'], completed: ['healthy', 'good'], failed: ['critical', 'bad'], cancelled: ['cancelled'] };

export function drawTasks(model) {
  const tasks = model.tasks.values();
  const active = tasks.filter(task => !taskEnded(task)).sort(by('start_time'));
  const ended = tasks.filter(taskEnded).sort(by('end_time'));
  const shown = [...active.slice(0, ACTIVE_MAX), ...ended.slice(0, ENDED_MAX)];
  reconcile(byId('tasks-list'), shown, task => String(task.id), create, (node, task) => update(node, task, model.now()));
  text(byId('tasks-count'), active.length > 0 ? `${active.length} active` : '');
  const more = byId('tasks-more');
  more.hidden = shown.length === tasks.length;
  text(more, `and ${tasks.length - shown.length} more`);
  const empty = byId('tasks-empty');
  empty.hidden = tasks.length > 0;
  text(empty, model.loaded.tasks ? 'No tasks yet.' : 'Waiting for the daemon…');
}

const by = field => (a, b) => (instant(b[field]) ?? 0) - (instant(a[field]) ?? 0);

function create() {
  const node = entry('task', bar('progressbar'));
  node.parts.pace = el('span', { class: 'fact value' });
  node.parts.stop = stopButton();
  node.parts.work = el('div', { class: 'row work' }, node.parts.pace, node.parts.stop);
  node.parts.details = el('dl', { class: 'details' });
  node.append(node.parts.work, node.parts.details);
  node.parts.left.className = 'tag';
  return node;
}

function update(node, task, now) {
  const { icon, name, aside, middle, left, right, details, stop } = node.parts;
  const progress = typeof task.progress === 'number' ? Math.min(100, Math.max(0, task.progress)) : null;
  const stalled = task.stalled === true && !taskEnded(task);
  const [drawing, level] = stalled ? ['warning', 'warn'] : Object.hasOwn(STATES, task.status) ? STATES[task.status] : ['unknown'];
  attr(node, 'data-level', level);
  attr(node, 'data-ended', taskEnded(task) || null);
  setIcon(icon, drawing);
  text(name, task.name ?? task.id);
  text(left, [stalled ? 'stalled' : task.status, task.stop_requested && !taskEnded(task) ? 'stopping' : ''].filter(Boolean).join(', '));
  attr(left, 'title', stalled ? `Nothing was heard since ${clock(instant(task.updated_at))}` : null);
  text(aside, progress === null ? '–' : `${Math.floor(progress)} %`);
  attr(middle, 'aria-label', `Progress of ${clip(task.name ?? task.id)}`);
  attr(middle, 'aria-valuenow', progress === null ? null : Math.floor(progress));
  fill(middle, progress);
  const start = instant(task.start_time);
  const end = instant(task.end_time) ?? (taskEnded(task) ? null : now);
  const lasted = start !== null && end !== null ? ` (${duration((end - start) / 1000)})` : '';
  text(right, start === null ? '' : `${clock(start)}${lasted}`);
  attr(right, 'title', task.start_time);
  stop.show(task);
  drawWork(node.parts, task, now);
  drawDetails(details, task.details);
}

/** What is done of how much, how fast, and how long it will take. */
function drawWork({ work, pace: line, stop }, task, now) {
  const counted = typeof task.processed === 'number';
  const total = typeof task.total === 'number' ? ` of ${plain(task.total)}` : '';
  const eta = instant(task.eta);
  const parts = [
    counted ? `${plain(task.processed)}${total}` : '',
    pace(task.rate, counted ? '' : ' %'),
    eta !== null && eta > now ? `${duration((eta - now) / 1000)} left` : '',
  ];
  text(line, parts.filter(Boolean).join(' · '));
  work.hidden = line.textContent === '' && stop.hidden;
}

function drawDetails(list, details) {
  const entries = details && typeof details === 'object' ? Object.entries(details).slice(0, DETAILS_MAX) : [];
  list.hidden = entries.length === 0;
  reconcile(list, entries, ([key]) => key, pair, (node, [key, value]) => {
    text(node.firstChild, clip(key, 60));
    const lines = Array.isArray(value) && value.length > 0 && value.every(line => typeof line === 'string');
    attr(node, 'class', lines ? 'lines' : null);
    text(node.lastChild, lines ? value.slice(-LINES_MAX).map(line => clip(line, 120)).join('\n') : clip(typeof value === 'string' ? value : JSON.stringify(value), 200));
  });
}

const pair = () => el('div', {}, el('dt', { class: 'foreign' }), el('dd', { class: 'foreign value' }));
