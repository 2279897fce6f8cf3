// A bounded set of things with an id (tasks, alerts), fed by two sources: the stream, and REST lists.

const KEPT_MAX = 500;

export class Entries {
  #items = new Map();
  #turn = 0;
  #ended;

  /** `ended` tells what may be forgotten first. */
  constructor(ended) {
    this.#ended = ended;
  }

  /** One entry from the stream. */
  put(item) {
    if (!item || item.id === undefined || item.id === null) return;
    this.#turn += 1;
    this.#items.set(String(item.id), { item, turn: this.#turn });
    this.#bound();
  }

  /** To be taken before a REST list is asked for, and given to `replace` with the answer. */
  mark() {
    return this.#turn;
  }

  /** A whole REST list. What the stream said since `mark` may be newer than the list, and stays. */
  replace(list, mark) {
    const newer = new Map([...this.#items].filter(([, entry]) => entry.turn > mark));
    this.#items = new Map(list.filter(item => item && item.id !== undefined).map(item => [String(item.id), { item, turn: mark }]));
    for (const [id, entry] of newer) this.#items.set(id, entry);
    this.#bound();
  }

  values() {
    return [...this.#items.values()].map(entry => entry.item);
  }

  #bound() {
    while (this.#items.size > KEPT_MAX) {
      const ended = [...this.#items].find(([, entry]) => this.#ended(entry.item));
      this.#items.delete((ended ?? this.#items.entries().next().value)[0]);
    }
  }
}
