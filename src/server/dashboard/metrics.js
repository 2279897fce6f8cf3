// The numbers and charts of the host.

import { Chart } from './chart.js';
import { cores, Cores } from './cores.js';
import { byId, clip, el, text } from './dom.js';
import { bytes, celsius, count, duration, load, percent, rate } from './format.js';
import { Long } from './long.js';

/** Steps of an axis of bytes: 1, 2, 4, … and so on in powers of two. */
const BINARY = Array.from({ length: 56 }, (_, i) => 2 ** i);

const MEMORY = 'system_memory_total_bytes';
const SWAP = 'system_swap_total_bytes';
const coreCount = model => cores(model.cores().length);

/** `max` is the top of the axis, null to fit but for `least`; `note` stands at the right of the title. */
const CHARTS = [
  { id: 'cpu', title: 'CPU', format: percent, max: () => 100, note: coreCount, series: [{ key: 'cpu', label: 'Total', colour: '--series-1', fill: true, band: true }] },
  {
    id: 'memory',
    title: 'Memory',
    format: bytes,
    incrs: BINARY,
    max: model => Math.max(model.one(MEMORY) ?? 0, model.one(SWAP) ?? 0) || null,
    note: model => `of ${bytes(model.one(MEMORY))}, swap ${bytes(model.one(SWAP))}`,
    series: [
      { key: 'memory', label: 'Used', colour: '--series-1', fill: true, band: true },
      { key: 'swap', label: 'Swap used', colour: '--series-2', dash: 'dashed' },
    ],
  },
  {
    id: 'network',
    title: 'Network',
    format: rate,
    least: 1000,
    max: () => null,
    note: () => 'all interfaces but loopback',
    series: [
      { key: 'receive', label: 'In', colour: '--series-1', fill: true },
      { key: 'transmit', label: 'Out', colour: '--series-2', dash: 'dashed' },
    ],
  },
  {
    id: 'load',
    title: 'Load',
    format: load,
    least: 1,
    max: () => null,
    note: coreCount,
    series: [
      { key: 'load1', label: '1 min', colour: '--series-1', band: true },
      { key: 'load5', label: '5 min', colour: '--series-2', dash: 'dashed' },
      { key: 'load15', label: '15 min', colour: '--series-3', dash: 'dotted' },
    ],
  },
];

export class Metrics {
  #charts = CHARTS.map(spec => ({ spec, chart: new Chart(spec) }));
  #cores = new Cores();
  #facts = {};
  #range = 900;
  #long;

  constructor(redraw) {
    this.#long = new Long(redraw);
    byId('charts').append(...this.#charts.map(({ chart }) => chart.node), this.#cores.node);
    for (const [key, label] of [['uptime', 'Up'], ['processes', 'Processes'], ['temperature', 'Hottest sensor']]) {
      this.#facts[key] = el('dd', { class: 'value', id: `host-${key}` }, '–');
      byId('facts').append(el('div', {}, el('dt', {}, label), this.#facts[key]));
    }
    for (const radio of document.querySelectorAll('input[name="range"]')) {
      if (radio.checked) this.#range = Number(radio.value);
      radio.addEventListener('change', () => {
        this.#range = Number(radio.value);
        redraw();
      });
    }
  }

  draw(model) {
    const now = Math.max(model.now() / 1000, (model.measuredAt ?? 0) / 1000);
    const from = now - this.#range;
    const { history, words } = Long.covers(this.#range) ? this.#long.show(this.#range, now) : { history: model.history, words: null };
    const latest = model.history.columns;
    for (const { spec, chart } of this.#charts) chart.draw(history, { from, to: now, max: spec.max(model), note: words ?? spec.note(model), latest });
    this.#cores.draw(model.cores(), history, from, now);
    text(this.#facts.uptime, duration(model.one('system_uptime_seconds')));
    text(this.#facts.processes, count(model.one('system_processes')));
    text(this.#facts.temperature, hottest(model.all('system_temperature_celsius')));
  }
}

function hottest(sensors) {
  const known = sensors.filter(sensor => sensor.value !== null).sort((a, b) => b.value - a.value)[0];
  return known ? `${celsius(known.value)} (${clip(known.labels.sensor ?? '?', 40)})` : celsius(null);
}
