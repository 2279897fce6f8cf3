// One line chart over time, drawn by uPlot, with its own legend that doubles as the current numbers.

import uPlot from './vendor/uPlot.esm.js';
import { colour } from './colour.js';
import { attr, el, text } from './dom.js';
import { clock, minute, short } from './format.js';

const HEIGHT = 148;
const AXIS = { stroke: () => colour('--muted'), font: '11px system-ui, sans-serif', gap: 6, ticks: { show: false } };
const DASHES = { dashed: [6, 4], dotted: [2, 3] };

export class Chart {
  /** The card to put into the document. */
  node;

  #spec;
  #plot = null;
  #host;
  #note;
  #values = [];
  #columns = [[]];
  #now = {};

  /** `spec`: `{id, title, format, incrs?, least?, series: [{key, label, colour, fill?, dash?}]}`. */
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
    const head = el('div', { class: 'card-head' }, el('h3', {}, spec.title), this.#note);
    this.node = el('article', { class: 'card' }, head, legend, this.#host);
    new ResizeObserver(() => this.#resize()).observe(this.#host);
    document.addEventListener('themechange', () => this.#plot?.redraw(false, true));
  }

  /** Draws `history`; `now` is `{from, to, max, note}`: seconds since 1970, the top of the axis (null to fit), and words beside the title. */
  draw(history, now) {
    this.#now = now;
    this.#columns = [history.times, ...this.#spec.series.map(series => history.columns[series.key])];
    this.#plot?.setData(this.#columns);
    this.#numbers(this.#plot?.cursor.idx);
    const words = this.#spec.series.map((series, i) => `${series.label} ${this.#spec.format(this.#columns[i + 1].at(-1))}`);
    attr(this.#host, 'aria-label', `${this.#spec.title} over time; now: ${words.join(', ')}`);
  }

  /** Shows the values under the pointer, or the latest. */
  #numbers(index) {
    const [times, ...columns] = this.#columns;
    const at = times[index] === undefined ? times.length - 1 : index;
    this.#values.forEach((node, i) => text(node, this.#spec.format(columns[i]?.[at])));
    text(this.#note, at === index ? `at ${clock(times[at] * 1000)}` : this.#now.note);
  }

  #resize() {
    const width = Math.floor(this.#host.clientWidth);
    if (width === 0) return;
    if (this.#plot) this.#plot.setSize({ width, height: HEIGHT });
    else this.#plot = new uPlot(this.#options(width), this.#columns, this.#host);
  }

  #options(width) {
    return {
      width,
      height: HEIGHT,
      padding: [8, 8, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: 'time', setSeries: false }, drag: { x: false, y: false }, y: false, points: { size: 6 } },
      scales: {
        x: { time: true, range: () => [this.#now.from, this.#now.to] },
        y: { range: (_, __, high) => [0, this.#now.max ?? Math.max(high ?? 0, this.#spec.least ?? 0) * 1.1] },
      },
      axes: [
        { ...AXIS, size: 26, space: 64, grid: { show: false }, values: (_, at) => at.map(s => minute(s * 1000)), incrs: [60, 120, 180, 300, 600, 900, 1200] },
        { ...AXIS, size: 62, space: 24, grid: { stroke: () => colour('--line'), width: 1 }, values: (_, at) => at.map(short(this.#spec.format)), incrs: this.#spec.incrs },
      ],
      series: [{}, ...this.#spec.series.map(lines)],
      hooks: { setCursor: [plot => this.#numbers(plot.cursor.idx)] },
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
