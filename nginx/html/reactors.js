/*
 * reactors.js - who reacted to a message with one emoji, as far as the user has read. Pushes keep
 * the names true. If pushes were missed, reads the same pages again. Knows no page and no client.
 *
 * A push has the message as it is when pushed, which can be newer than the push's own change. The
 * count of a message can thus include changes whose pushes are still to come, so a count that
 * differs from the number of names does not mean that a push was missed.
 */

const AGAIN = 1000; // names on a page that the user has read before

export class Reactors {
  /** All names up to `last`, in byte order; if `whole`, all that there are. */
  known = new Set();
  last;
  whole = false;
  reading = false;
  #page;
  #listed = []; // what the message lists
  #further = false; // the user has read more than the message lists
  #wanted = false;
  #missed = false; // pushes were missed since the pages were read
  #again = false; // the pages are being read again
  #pushes = []; // since the first of the pages that are being read

  /** `page({ after, limit })` reads names from the server. */
  constructor(page) {
    this.#page = page;
  }

  /** True if the names may be out of date: read() reads them again. */
  get stale() {
    return this.#missed || this.#again;
  }

  /** Takes the names that the message lists, and their count. */
  list({ names, count }) {
    this.#listed = names;
    const whole = names.length === count;
    if (this.#further && !whole) return;
    this.#missed = false;
    this.#set(names, names.at(-1), whole);
  }

  /** Applies a push about this emoji. */
  push(push) {
    if (this.reading) this.#pushes.push(push);
    this.#apply(push);
  }

  /** Notes that pushes may have been missed. */
  miss() {
    this.#missed = this.#further;
  }

  /**
   * The message has changed. If no name is left to read, reads again, to see that these are all.
   */
  expect(count) {
    if (!this.whole && this.known.size >= count) this.miss();
  }

  /** Notes that the user wants the next page. */
  want() {
    this.#wanted = this.#further = true;
  }

  /**
   * Reads the missing or wanted names. If that fails, of stale names only those that the message
   * lists remain.
   */
  async read() {
    this.reading = true;
    try {
      while (this.#missed || this.#wanted) await (this.#missed ? this.#readAgain() : this.#readNext());
    } catch (error) {
      if (this.stale) this.#further = false;
      throw error;
    } finally {
      this.reading = this.#wanted = this.#missed = this.#again = false;
    }
  }

  async #readNext() {
    this.#pushes = [];
    const { names, has_next } = await this.#page({ after: this.last });
    if (this.#missed) return; // read() comes back to it
    this.#wanted = false;
    this.#take([...this.known, ...names], names.at(-1) ?? this.last, !has_next);
  }

  /** Reads up to where the user had read, while the old names are still known. */
  async #readAgain() {
    const goal = this.whole ? undefined : this.last,
      names = [...this.#listed];
    this.#pushes = [];
    this.#missed = false;
    this.#again = true;
    let more = true;
    while (more && !(names.at(-1) >= goal)) {
      const page = await this.#page({ after: names.at(-1), limit: AGAIN });
      names.push(...page.names);
      more = page.has_next;
    }
    this.#again = false;
    this.#take(names, names.at(-1), !more);
  }

  /**
   * Applies pushes that came meanwhile. They can be older or newer than a page; in their order they
   * end with the right names.
   */
  #take(names, last, whole) {
    this.#set(names, last, whole);
    for (const push of this.#pushes) this.#apply(push);
  }

  #apply({ username, added }) {
    if (!added) this.known.delete(username);
    else if (this.whole || username <= this.last) this.known.add(username);
  }

  #set(names, last, whole) {
    this.known = new Set(names);
    this.last = last;
    this.whole = whole;
  }
}
