// All cores in one picture: a row for each, time to the right, deeper colour for more use, and a bar for the present.

import { colour } from './colour.js';
import { attr, el, text } from './dom.js';
import { clock, percent } from './format.js';

/** Rows share this height, in CSS pixels, as long as each has at least two. */
const HEIGHT_MAX = 256;
const ROW_MAX = 22;
const LEFT = 34;
const BAR = 64;
const STEP_S = 5;

/** A core at or above this percentage counts as busy in the words above the picture. */
const BUSY = 80;

export class Cores {
  node;
  #canvas = el('canvas');
  #host = el('div', { class: 'plot', role: 'img' }, this.#canvas);
  #note = el('p', { class: 'fact' });
  #words = el('p', { class: 'value', id: 'cores-summary' }, '–');
  #now = [];
  #history = null;
  #from = 0;
  #to = 1;

  constructor() {
    const head = el('div', { class: 'card-head' }, el('h3', {}, 'CPU cores'), this.#note);
    this.node = el('article', { class: 'card' }, head, this.#words, this.#host);
    new ResizeObserver(() => this.#paint()).observe(this.#host);
    document.addEventListener('themechange', () => this.#paint());
    this.#canvas.addEventListener('pointermove', event => this.#point(event));
    this.#canvas.addEventListener('pointerleave', () => text(this.#note, cores(this.#now.length)));
  }

  /** Draws `now` (`[{name, value}]`, the present of each core) and their history between two times in seconds. */
  draw(now, history, from, to) {
    [this.#now, this.#history, this.#from, this.#to] = [now, history, from, to];
    const busiest = now.reduce((best, core) => (core.value ?? -1) > (best?.value ?? -1) ? core : best, null);
    const busy = now.filter(core => core.value >= BUSY).length;
    text(this.#words, busiest === null ? '–' : `Busiest: core ${busiest.name} at ${percent(busiest.value)}; ${busy} of ${now.length} at ${BUSY} % or more`);
    text(this.#note, cores(now.length));
    attr(this.#host, 'aria-label', `Use of each CPU core over time. ${this.#words.textContent}`);
    this.#paint();
  }

  #layout() {
    const rows = this.#now.length;
    const height = Math.max(2, Math.min(ROW_MAX, Math.floor(HEIGHT_MAX / Math.max(1, rows))));
    const width = Math.floor(this.#host.clientWidth);
    const inner = height - (height > 6 ? 2 : height > 3 ? 1 : 0);
    return { rows, height, inner, width, right: width - BAR - 8 };
  }

  #paint() {
    const at = this.#layout();
    if (at.width === 0 || at.rows === 0) return;
    const scale = devicePixelRatio || 1;
    this.#canvas.width = Math.round(at.width * scale);
    this.#canvas.height = Math.round(at.rows * at.height * scale);
    this.#canvas.style.width = `${at.width}px`;
    const ink = this.#canvas.getContext('2d');
    ink.scale(scale, scale);
    ink.font = '11px system-ui, sans-serif';
    ink.textBaseline = 'middle';
    ink.textAlign = 'right';
    this.#present(ink, at);
    this.#past(ink, at);
  }

  /** The ground, the names and the bars of the present. */
  #present(ink, { height, inner, right }) {
    const named = 2 ** Math.max(0, Math.ceil(Math.log2(14 / height)));
    this.#now.forEach(({ name, value }, row) => {
      const [top, middle] = [row * height, row * height + Math.max(inner / 2, 6) + 1];
      ink.fillStyle = colour('--plain');
      ink.fillRect(LEFT, top, right - LEFT, inner);
      ink.fillRect(right + 8, top, BAR, inner);
      ink.fillStyle = colour('--series-1-bar');
      ink.fillRect(right + 8, top, BAR * Math.min(100, value ?? 0) / 100, inner);
      ink.fillStyle = colour('--text');
      if (height >= 14) ink.fillText(percent(value), right + BAR + 4, middle);
      ink.fillStyle = colour('--muted');
      if (row % named === 0) ink.fillText(name.slice(0, 4), LEFT - 6, middle);
    });
  }

  #past(ink, { height, inner, right }) {
    const { times, cores: columns, step = STEP_S } = this.#history;
    const x = time => Math.round(LEFT + Math.max(0, time - this.#from) / (this.#to - this.#from) * (right - LEFT));
    ink.fillStyle = colour('--series-1');
    columns.forEach((column, i) => {
      if (column === null || times[i] < this.#from) return;
      const before = columns[i - 1] ? Math.max(times[i - 1], times[i] - 3 * step) : times[i] - step;
      column.forEach((value, row) => {
        ink.globalAlpha = value === null ? 0 : depth(value);
        ink.fillRect(x(before), row * height, x(times[i]) - x(before), inner);
      });
    });
  }

  /** Names the core and the time under the pointer. */
  #point({ offsetX, offsetY }) {
    const { height, right } = this.#layout();
    const row = Math.floor(offsetY / height);
    const core = this.#now[row];
    const time = this.#from + (offsetX - LEFT) / (right - LEFT) * (this.#to - this.#from);
    const i = this.#history.times.findIndex(t => t >= time);
    const column = this.#history.cores[i];
    if (core && column) text(this.#note, `core ${core.name}: ${percent(column[row])} at ${clock(this.#history.times[i] * 1000)}`);
  }
}

/** How many there are, in words; nothing when that is not known. */
export const cores = n => n === 0 ? '' : n === 1 ? '1 core' : `${n} cores`;

/** Opacity of a cell; the power brings out the busy ones among many idle. */
const depth = value => 0.04 + 0.96 * (Math.min(100, Math.max(0, value)) / 100) ** 1.3;
