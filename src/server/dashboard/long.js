// The charts' columns over more than an hour: means of each step, and between which values they lie.

import { loadLong } from './past.js';

/** Seconds between two points, by seconds shown; some 300 points are as many as a chart has room for. */
const STEPS = new Map([[21_600, 60], [86_400, 300], [604_800, 1_800], [2_592_000, 7_200], [31_536_000, 86_400]]);

/** What failed is tried again after this. */
const RETRY_MS = 10_000;

export class Long {
  #redraw;
  #range = null;
  #history = null;
  #busy = false;
  #nextAt = 0;
  #failed = false;

  /** `redraw` is called when there is something new. */
  constructor(redraw) {
    this.#redraw = redraw;
  }

  /** Whether so many seconds are shown from here. */
  static covers(range) {
    return STEPS.has(range);
  }

  /** The columns of the last `range` seconds until `now`, in the form of the charts' history, and words about them. */
  show(range, now) {
    if (range !== this.#range) [this.#range, this.#history, this.#nextAt, this.#failed] = [range, null, 0, false];
    if (!this.#busy && Date.now() >= this.#nextAt) this.#load(range, now);
    const words = this.#history ? null : this.#failed ? 'could not be loaded' : 'loading…';
    return { history: this.#history ?? { times: [], columns: {}, cores: [], step: STEPS.get(range) }, words };
  }

  async #load(range, now) {
    const step = STEPS.get(range);
    this.#busy = true;
    try {
      const history = await loadLong(now, range, step);
      if (range === this.#range) [this.#history, this.#failed, this.#nextAt] = [history, false, Date.now() + step * 1_000];
    } catch (error) {
      console.warn('The past could not be loaded:', error.message);
      if (range === this.#range) [this.#failed, this.#nextAt] = [true, Date.now() + RETRY_MS];
    } finally {
      this.#busy = false;
      this.#redraw();
    }
  }
}
