// The last hour of the host as columns for the charts, and counters turned into rates.

export const HOUR_S = 3_600;
const KEPT_S = HOUR_S + 15;
const POINTS_MAX = 1_000;

/** A pause longer than this many usual steps breaks the line instead of bridging it. */
const GAP_STEPS = 3;
const STEP_S = 5;

export class History {
  /** Seconds since 1970 by the daemon's clock, ascending. */
  times = [];
  columns = { cpu: [], memory: [], swap: [], receive: [], transmit: [], load1: [], load5: [], load15: [] };
  /** Per time an array of percentages, one a core, in the order of the cores; null in a gap. */
  cores = [];

  #step = STEP_S;

  /** Adds what was measured at `time`; a time that is not after the last one is ignored. */
  push(time, values, cores) {
    const last = this.times.at(-1);
    if (last !== undefined) {
      const step = time - last;
      if (!(step > 0)) return;
      if (step > GAP_STEPS * Math.max(this.#step, STEP_S)) this.#add(last + 0.001, {}, null);
      this.#step = step;
    }
    this.#add(time, values, cores);
    this.#trim(time - KEPT_S);
  }

  /** Puts in `past`, which is ascending: `[{time, values, cores}]`. What was measured here before and after it stays. */
  fill(past) {
    if (past.length === 0) return;
    const [first, last] = [past[0].time, past.at(-1).time];
    const own = this.times.map((time, i) => ({
      time,
      values: Object.fromEntries(Object.entries(this.columns).map(([name, column]) => [name, column[i]])),
      cores: this.cores[i],
    }));
    this.times = [];
    this.cores = [];
    for (const name of Object.keys(this.columns)) this.columns[name] = [];
    const outside = [own.filter(point => point.time < first), own.filter(point => point.time > last)];
    for (const { time, values, cores } of [...outside[0], ...past, ...outside[1]]) this.push(time, values, cores);
  }

  #add(time, values, cores) {
    this.times.push(time);
    for (const [name, column] of Object.entries(this.columns)) column.push(values[name] ?? null);
    this.cores.push(cores);
  }

  #trim(oldest) {
    let drop = Math.max(0, this.times.length - POINTS_MAX);
    while (this.times[drop] < oldest) drop += 1;
    if (drop === 0) return;
    for (const column of [this.times, this.cores, ...Object.values(this.columns)]) column.splice(0, drop);
  }
}

/** Sums counters over their series and gives the rate between two readings. */
export class Rate {
  #last = new Map();
  #time = null;

  /**
   * Per second since the reading before; null for the first one. A counter that went down has begun anew at zero: what
   * it says is what it has grown by.
   */
  next(time, counters) {
    const step = this.#time === null ? 0 : time - this.#time;
    let sum = null;
    if (step > 0) {
      for (const [name, value] of counters) {
        const before = this.#last.get(name);
        if (before !== undefined) sum = (sum ?? 0) + (value < before ? value : value - before) / step;
      }
    }
    this.#last = counters;
    this.#time = time;
    return sum;
  }
}
