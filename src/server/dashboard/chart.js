// One line chart over time, drawn by uPlot, with its own legend that doubles as the current numbers.

import uPlot from './vendor/uPlot.esm.js';
import { colour } from './colour.js';
import { attr, el, text } from './dom.js';
import { clock, short } from './format.js';

const HEIGHT = 148;
const FONT = '11px system-ui, sans-serif';
const DASHES = { dashed: [6, 4], dotted: [2, 3] };

export class Chart {
  /** The card to put into the document. */
  node;

  #spec;
  #plot = null;
  #host;
  #note;
  #values = [];
  #times = [];
  #columns = [];
  #from = 0;
  #to = 1;
  #max = null;
  #latest = '';

  /** `spec`: `{id, title, format, incrs?, series: [{key, label, colour, fill?, dash?}]}`. */
  constructor(spec) {
    this.#spec = spec;
    this.#host = el('div', { class: 'plot', role: 'img' });
    this.#note = el('p', { class: 'fact' });
    const legend = el('dl', { class: 'numbers' });
    for (const series of spec.series) {
      const value = el('dd', { class: 'value', id: `${spec.id}-${series.key}` }, '–');
      const swatch = el('span', { class: 'swatch' });
      swatch.style.borderTop = `3px ${series.dash ?? 'solid'} var(${series.colour})`;
      legend.append(el('div', {}, el('dt', {}, swatch, series.label), value));
      this.#values.push(value);
    }
    const title = el('h3', { id: `${spec.id}-title` }, spec.title);
    this.node = el('article', { class: 'card', 'aria-labelledby': `${spec.id}-title` }, el('div', { class: 'card-head' }, title, this.#note), legend, this.#host);
    new ResizeObserver(() => this.#resize()).observe(this.#host);
    document.addEventListener('themechange', () => this.#plot?.redraw(false, true));
  }

  /** Draws the columns of `history` from `from` to `to` (seconds since 1970); `max` is the top of the axis, or null to fit. */
  draw(history, from, to, max, note) {
    this.#times = history.times;
    this.#columns = this.#spec.series.map(series => history.columns[series.key]);
    this.#from = from;
    this.#to = to;
    this.#max = max;
    this.#latest = note;
    this.#plot?.setData([this.#times, ...this.#columns]);
    this.#numbers(this.#plot?.cursor.idx ?? null);
    const now = this.#spec.series.map((series, i) => `${series.label} ${this.#spec.format(this.#columns[i].at(-1))}`);
    attr(this.#host, 'aria-label', `${this.#spec.title} over time; now: ${now.join(', ')}`);
  }

  /** Shows the values under the pointer, or the latest. */
  #numbers(index) {
    const at = index ?? this.#times.length - 1;
    this.#values.forEach((node, i) => text(node, this.#spec.format(this.#columns[i]?.[at])));
    text(this.#note, index === null ? this.#latest : `at ${clock(this.#times[index] * 1000)}`);
  }

  #resize() {
    const width = Math.floor(this.#host.clientWidth);
    if (width === 0) return;
    if (this.#plot) this.#plot.setSize({ width, height: HEIGHT });
    else this.#plot = new uPlot(this.#options(width), [this.#times, ...this.#columns], this.#host);
  }

  #options(width) {
    const grid = { stroke: () => colour('--line'), width: 1 };
    return {
      width,
      height: HEIGHT,
      padding: [8, 8, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: 'time', setSeries: false }, drag: { x: false, y: false }, y: false, points: { size: 6 } },
      scales: {
        x: { time: true, range: () => [this.#from, this.#to] },
        y: { range: (_, __, high) => [0, this.#max ?? (high || 1) * 1.1] },
      },
      axes: [
        { stroke: () => colour('--muted'), font: FONT, size: 26, gap: 6, space: 64, grid: { show: false }, ticks: { show: false }, values: (_, at) => at.map(s => clock(s * 1000).slice(-8, -3)), incrs: [60, 120, 180, 300] },
        { stroke: () => colour('--muted'), font: FONT, size: 62, gap: 6, space: 24, grid, ticks: { show: false }, values: (_, at) => at.map(short(this.#spec.format)), incrs: this.#spec.incrs },
      ],
      series: [{}, ...this.#spec.series.map(lines)],
      hooks: { setCursor: [plot => this.#numbers(plot.cursor.idx ?? null)] },
    };
  }
}

function lines(series) {
  return {
    stroke: () => colour(series.colour),
    fill: series.fill ? () => colour(`${series.colour}-fill`) : undefined,
    width: 1.75,
    dash: DASHES[series.dash],
    points: { show: (_, __, first, last) => last - first < 2, size: 6, fill: () => colour(series.colour) },
  };
}
