// All cores in one picture: a row for each, time to the right, deeper colour for more use, and a bar for the present.

import { colour } from './colour.js';
import { attr, el, text } from './dom.js';
import { clock, percent } from './format.js';

const ROWS_MAX = 128;
const HEIGHT_MAX = 256;
const ROW_MAX = 22;
const LABEL_WIDTH = 34;
const BAR_WIDTH = 64;
const STEP_S = 5;
const FONT = '11px system-ui, sans-serif';

/** A core at or above this percentage counts as busy in the words beside the picture. */
const BUSY = 80;

export class Cores {
  node;
  #canvas = el('canvas', { class: 'heat' });
  #host = el('div', { class: 'plot', role: 'img' });
  #note = el('p', { class: 'fact note' });
  #words = el('p', { class: 'numbers-line value', id: 'cores-summary' }, '–');
  #shown = { cores: [], times: [], history: [], from: 0, to: 1 };

  constructor() {
    this.#host.append(this.#canvas);
    const head = el('div', { class: 'card-head' }, el('h3', { id: 'cores-title' }, 'CPU cores'), this.#note);
    this.node = el('article', { class: 'card chart', 'aria-labelledby': 'cores-title' }, head, this.#words, this.#host);
    new ResizeObserver(() => this.#paint()).observe(this.#host);
    document.addEventListener('themechange', () => this.#paint());
    this.#canvas.addEventListener('pointermove', event => this.#point(event));
    this.#canvas.addEventListener('pointerleave', () => text(this.#note, this.#count()));
  }

  /** Draws `cores` (`[{name, value}]`, the present) and their history between two times in seconds. */
  draw(cores, history, from, to) {
    this.#shown = { cores, times: history.times, history: history.cores, from, to };
    const busiest = cores.reduce((best, core) => (core.value ?? -1) > (best?.value ?? -1) ? core : best, null);
    const busy = cores.filter(core => core.value >= BUSY).length;
    const words = busiest === null ? '–' : `Busiest: core ${busiest.name} at ${percent(busiest.value)}; ${busy} of ${cores.length} at ${BUSY} % or more`;
    text(this.#words, words);
    attr(this.#host, 'aria-label', `Use of each CPU core over time. ${words}`);
    text(this.#note, this.#count());
    this.#paint();
  }

  #count() {
    const n = this.#shown.cores.length;
    return n === 0 ? '' : n === 1 ? '1 core' : `${n} cores`;
  }

  /** Rows of the picture: beyond `ROWS_MAX` cores, neighbours share a row that shows the busiest of them. */
  #layout() {
    const n = this.#shown.cores.length;
    const each = Math.max(1, Math.ceil(n / ROWS_MAX));
    const rows = Math.ceil(n / each);
    const height = Math.max(2, Math.min(ROW_MAX, Math.floor(HEIGHT_MAX / Math.max(1, rows))));
    const width = Math.floor(this.#host.clientWidth);
    return { each, rows, height, width, left: LABEL_WIDTH, right: width - BAR_WIDTH - 8 };
  }

  #paint() {
    const at = this.#layout();
    if (at.width === 0 || at.rows === 0) return;
    const scale = devicePixelRatio || 1;
    const height = at.rows * at.height;
    this.#canvas.width = Math.round(at.width * scale);
    this.#canvas.height = Math.round(height * scale);
    this.#canvas.style.width = `${at.width}px`;
    this.#canvas.style.height = `${height}px`;
    const ink = this.#canvas.getContext('2d');
    ink.scale(scale, scale);
    ink.font = FONT;
    ink.textBaseline = 'middle';
    this.#ground(ink, at);
    this.#heat(ink, at);
    this.#present(ink, at);
  }

  #ground(ink, at) {
    const gap = at.height > 6 ? 2 : at.height > 3 ? 1 : 0;
    at.inner = at.height - gap;
    ink.fillStyle = colour('--heat-ground');
    for (let row = 0; row < at.rows; row += 1) {
      ink.fillRect(at.left, row * at.height, at.right - at.left, at.inner);
      ink.fillRect(at.right + 8, row * at.height, BAR_WIDTH, at.inner);
    }
    ink.fillStyle = colour('--muted');
    ink.textAlign = 'right';
    const every = Math.max(1, 2 ** Math.ceil(Math.log2(14 / at.height)));
    for (let row = 0; row < at.rows; row += every) {
      ink.fillText(this.#shown.cores[row * at.each].name.slice(0, 4), at.left - 6, row * at.height + Math.max(at.inner / 2, 6));
    }
  }

  #heat(ink, at) {
    const { times, history, from, to } = this.#shown;
    const x = time => at.left + (Math.max(time, from) - from) / (to - from) * (at.right - at.left);
    ink.fillStyle = colour('--series-1');
    for (let i = 0; i < times.length; i += 1) {
      if (times[i] < from || history[i] === null) continue;
      const start = Math.max(times[i] - 3 * STEP_S, i > 0 && history[i - 1] !== null ? times[i - 1] : times[i] - STEP_S);
      const left = x(start);
      const width = x(times[i]) - left;
      for (let row = 0; row < at.rows; row += 1) {
        const value = highest(history[i], row * at.each, at.each);
        if (value === null) continue;
        ink.globalAlpha = depth(value);
        ink.fillRect(left, row * at.height, width, at.inner);
      }
    }
    ink.globalAlpha = 1;
  }

  #present(ink, at) {
    const values = this.#shown.cores.map(core => core.value);
    ink.textAlign = 'right';
    for (let row = 0; row < at.rows; row += 1) {
      const value = highest(values, row * at.each, at.each);
      if (value === null) continue;
      ink.fillStyle = colour('--series-1-bar');
      ink.fillRect(at.right + 8, row * at.height, BAR_WIDTH * Math.min(100, value) / 100, at.inner);
      if (at.height < 14) continue;
      ink.fillStyle = colour('--text');
      ink.fillText(percent(value), at.right + BAR_WIDTH + 4, row * at.height + at.inner / 2 + 1);
    }
  }

  /** Names the core and the time under the pointer. */
  #point(event) {
    const at = this.#layout();
    const { cores, times, history, from, to } = this.#shown;
    const first = Math.floor(event.offsetY / at.height) * at.each;
    const time = from + (event.offsetX - at.left) / (at.right - at.left) * (to - from);
    const index = times.findIndex(t => t >= time);
    if (!cores[first] || event.offsetX < at.left) return;
    const past = index >= 0 && event.offsetX <= at.right;
    const values = past ? history[index] : cores.map(core => core.value);
    const value = values === null ? null : highest(values, first, at.each);
    const name = at.each === 1 ? `core ${cores[first].name}` : `cores ${cores[first].name} and up`;
    text(this.#note, `${name}: ${percent(value)}${past ? ` at ${clock(times[index] * 1000)}` : ''}`);
  }
}

/** The highest known of some neighbours; null when none is known. */
function highest(values, first, many) {
  let best = null;
  for (let i = first; i < first + many && i < values.length; i += 1) {
    if (values[i] !== null && (best === null || values[i] > best)) best = values[i];
  }
  return best;
}

/** Opacity of a cell; the square brings out the busy ones among many idle. */
const depth = value => Math.min(1, 0.04 + 0.96 * (Math.max(0, value) / 100) ** 1.3);
