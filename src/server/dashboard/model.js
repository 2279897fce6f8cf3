// All that the page knows of the host. The stream and REST write it, the views read it.

import { Entries } from './entries.js';
import { instant } from './format.js';
import { History, Rate } from './history.js';

const SAME_MS = 200;
const CLOCK_SET_BACK_MS = 10_000;
const ENDED = new Set(['completed', 'failed', 'cancelled']);

export const taskEnded = task => ENDED.has(task.status);

export class Model {
  /** `system_status.data`, `metrics_update.data` and `alert_stats`, or null before the first. */
  status = null;
  summary = null;
  alertStats = null;
  tasks = new Entries(taskEnded);
  alerts = new Entries(alert => alert.status === 'resolved');
  /** Whether the lists have been loaded once, so that an empty one means none. */
  loaded = { tasks: false, alerts: false };
  collectors = null;
  collectorsError = null;
  history = new History();
  /** When the host was last measured, in milliseconds since 1970 by the daemon's clock. */
  measuredAt = null;
  network = { receive: null, transmit: null };

  #series = new Map();
  #clockOffset = 0;
  #receive = new Rate();
  #transmit = new Rate();

  /** The daemon's clock now, in milliseconds since 1970. */
  now() {
    return Date.now() + this.#clockOffset;
  }

  /** Takes a message's timestamp as the daemon's present. */
  heard(timestamp) {
    const at = instant(timestamp);
    if (at !== null) this.#clockOffset = at - Date.now();
  }

  /** The samples of one name: `[{labels, value}]`. */
  all(name) {
    return this.#series.get(name) ?? [];
  }

  /** The value of a name without labels; null when it was not measured. */
  one(name) {
    return this.all(name)[0]?.value ?? null;
  }

  /** Cores with their usage in percent, in the order of their numbers. */
  cores() {
    const cores = this.all('system_cpu_core_usage_percent').map(({ labels, value }) => ({ name: String(labels.core ?? ''), value }));
    return cores.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  }

  /** Takes one measurement of the host, made at `at` (milliseconds since 1970). */
  measure(samples, at) {
    const names = new Map();
    for (const sample of samples) {
      if (typeof sample?.name !== 'string' || !sample.name.startsWith('system_')) continue;
      if (!names.has(sample.name)) names.set(sample.name, []);
      names.get(sample.name).push({ labels: sample.labels ?? {}, value: number(sample.value) });
    }
    if (names.size === 0) return;
    // A daemon whose clock was set back starts a new history instead of a long silence.
    if (this.measuredAt !== null && at < this.measuredAt - CLOCK_SET_BACK_MS) this.history = new History();
    else if (this.measuredAt !== null && at < this.measuredAt) return;
    for (const [name, series] of names) this.#series.set(name, series);
    // The stream and REST may bring the same measurement with times a moment apart.
    if (this.measuredAt !== null && Math.abs(at - this.measuredAt) < SAME_MS) return;
    this.measuredAt = at;
    this.#record(at / 1000);
  }

  #record(time) {
    this.network = {
      receive: this.#receive.next(time, this.#counters('system_network_receive_bytes_total')),
      transmit: this.#transmit.next(time, this.#counters('system_network_transmit_bytes_total')),
    };
    const values = {
      cpu: this.one('system_cpu_usage_percent'),
      memory: this.one('system_memory_used_bytes'),
      swap: this.one('system_swap_used_bytes'),
      load1: this.one('system_load1'),
      load5: this.one('system_load5'),
      load15: this.one('system_load15'),
      ...this.network,
    };
    this.history.push(time, values, this.cores().map(core => core.value));
  }

  /** Counters by interface; what the host says to itself over loopback is no traffic. */
  #counters(name) {
    const series = this.all(name).filter(({ labels, value }) => value !== null && labels.interface !== 'lo');
    return new Map(series.map(({ labels, value }) => [labels.interface, value]));
  }
}

const number = value => typeof value === 'number' && Number.isFinite(value) ? value : null;
