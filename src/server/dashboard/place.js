// Where the page is in the stream, so that it goes on from there when it connects again.

export class Place {
  #epoch = null;
  #seq = 0;
  /** 'asked' for what was missed, 'resuming' while that comes, else 'live'. */
  #phase = 'live';

  /** Begins a connection: `EPOCH:SEQ` to ask for; undefined if there is none yet. */
  connect() {
    this.#phase = this.#epoch === null ? 'live' : 'asked';
    return this.#epoch === null ? undefined : `${this.#epoch}:${this.#seq}`;
  }

  /** Takes note of a message. */
  hear({ type, seq, data }) {
    if (type === 'subscribed' && this.#phase === 'asked') {
      this.#phase = 'resuming';
    } else if (type === 'resumed' && this.#phase === 'resuming') {
      // The state that follows says which place this is.
      this.#phase = 'live';
    } else if (type === 'initial_state' && this.#phase === 'live') {
      this.#epoch = data?.stream?.epoch ?? null;
      this.#seq = data?.stream?.seq ?? 0;
    } else if (this.#phase !== 'asked' && Number.isInteger(seq)) {
      // What came before is by the default filter, and may be ahead of what was missed.
      this.#seq = Math.max(this.#seq, seq);
    }
  }
}
