// One line chart over time, drawn by uPlot, with its own legend that doubles as the current numbers.

import uPlot from './vendor/uPlot.esm.js';
import { colour } from './colour.js';
import { attr, el, text } from './dom.js';
import { clock, day, minute, short } from './format.js';

const HEIGHT = 148;
const AXIS = { stroke: () => colour('--muted'), font: '11px system-ui, sans-serif', gap: 6, ticks: { show: false } };
/** Distances of the times on the axis, and from which on they are days. */
const DAY_S = 86_400;
const TIMES = [60, 120, 180, 300, 600, 900, 1200, 3600, 7200, 10_800, 14_400, 21_600, 43_200, ...[1, 2, 4, 7, 14, 30, 60, 90].map(days => days * DAY_S)];
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
  #latest = [];
  #now = {};

  /** `spec`: `{id, title, format, incrs?, least?, series: [{key, label, colour, fill?, dash?, band?}]}`; a `band` lies between `KEY-min` and `KEY-max` where there is that. */
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

  /** Draws `history`; `now` is `{from, to, max, note, latest}`: seconds since 1970, the top of the axis (null to fit), words beside the title, and columns whose ends are the present. */
  draw(history, now) {
    this.#now = now;
    const column = key => history.columns[key] ?? history.times.map(() => null);
    const keys = [...this.#spec.series.map(series => series.key), ...bounds(this.#spec)];
    this.#columns = [history.times, ...keys.map(column)];
    this.#latest = this.#spec.series.map(series => now.latest[series.key]?.at(-1));
    this.#plot?.setData(this.#columns);
    this.#numbers(this.#plot?.cursor.idx);
    const words = this.#spec.series.map((series, i) => `${series.label} ${this.#spec.format(this.#latest[i])}`);
    attr(this.#host, 'aria-label', `${this.#spec.title} over time; now: ${words.join(', ')}`);
  }

  /** Shows the values under the pointer, or the latest. */
  #numbers(index) {
    const [times, ...columns] = this.#columns;
    const past = times[index] !== undefined;
    this.#values.forEach((node, i) => text(node, this.#spec.format(past ? columns[i]?.[index] : this.#latest[i])));
    text(this.#note, past ? `at ${clock(times[index] * 1000)}` : this.#now.note);
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
      padding: [8, 20, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: 'time', setSeries: false }, drag: { x: false, y: false }, y: false, points: { size: 6 } },
      scales: {
        x: { time: true, range: () => [this.#now.from, this.#now.to] },
        y: { range: (_, __, high) => [0, this.#now.max ?? Math.max(high ?? 0, this.#spec.least ?? 0) * 1.1] },
      },
      axes: [
        { ...AXIS, size: 26, space: 64, grid: { show: false }, values: (_, at, __, ___, apart) => at.map(s => (apart < DAY_S ? minute : day)(s * 1000)), incrs: TIMES },
        { ...AXIS, size: 62, space: 24, grid: { stroke: () => colour('--line'), width: 1 }, values: (_, at) => at.map(short(this.#spec.format)), incrs: this.#spec.incrs },
      ],
      series: [{}, ...this.#spec.series.map(lines), ...bounds(this.#spec).map(() => ({ stroke: null, width: 0, points: { show: false } }))],
      bands: this.#spec.series.filter(series => series.band).map((series, i) => {
        const least = this.#spec.series.length + 1 + 2 * i;
        return { series: [least + 1, least], fill: () => colour(`${series.colour}-band`) };
      }),
      hooks: { setCursor: [plot => this.#numbers(plot.cursor.idx)] },
    };
  }
}

/** The columns between which the bands lie. */
const bounds = spec => spec.series.filter(series => series.band).flatMap(({ key }) => [`${key}-min`, `${key}-max`]);

function lines(series) {
  return {
    stroke: () => colour(series.colour),
    fill: series.fill ? () => colour(`${series.colour}-fill`) : undefined,
    width: 1.75,
    dash: DASHES[series.dash],
    points: { show: (_, __, first, last) => last - first < 2, size: 6, fill: () => colour(series.colour) },
  };
}
