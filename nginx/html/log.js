/*
 * log.js - the messages of the open conversation, of which only those near the window are drawn.
 *
 * The user's place does not move. The first message in sight is the anchor. It keeps its position
 * when something above it changes, such as a height or older pages. At the end of the log, the end
 * is the anchor. Heights are measured when drawn and guessed before (heights.js). Knows where
 * messages are, not what they look like (message.js) or where they come from.
 */
import { guess, indexAt, offsets, range } from "./heights.js";

const MARGIN = 700; // pixels drawn above and below the window
const NEAR_TOP = 1500;

export class Log {
  #scroller;
  #list;
  #draw;
  #key;
  #nearTop;
  #moved;
  #newer;
  #messages = [];
  #index = new Map();
  #ids = new Map();
  #heights = new Map();
  #offsets = offsets(0);
  #settled = 0; // the number of offsets that are up to date
  #drawn = new Map(); // key: item
  #width = 0;
  #placed = 0;
  #anchor = null; // { key, below }: pixels below the upper edge; null: stay at the end

  /**
   * `draw(message, before, item)` returns the <li> of a message, updating `item` if there is one;
   * `before` is the message above. `key(message)` is the same throughout a message's life.
   * `nearTop()` loads older messages. `newer()` says whether newer ones are still loading.
   * `moved()` is called when the position changes.
   */
  constructor({ scroller, list, draw, key, nearTop, newer, moved }) {
    this.#scroller = scroller;
    this.#list = list;
    this.#draw = draw;
    this.#key = key;
    this.#nearTop = nearTop;
    this.#newer = newer;
    this.#moved = moved;
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    new ResizeObserver(() => this.#resized()).observe(scroller);
  }

  /**
   * True if the newest message is in sight. While newer ones are loading, the last one held is not
   * the newest.
   */
  get atEnd() {
    return this.#anchor === null && !this.#newer();
  }

  /** Shows these messages, oldest first, instead of the previous ones. */
  show(messages) {
    const old = this.#messages;
    let same = 0;
    while (same < old.length && old[same] === messages[same]) same++;
    if (same === messages.length && same === old.length) return;
    this.#aim();
    this.#messages = messages;
    this.#renumber(old, same);
    if (this.#anchor && !this.#index.has(this.#anchor.key)) this.#anchor = null;
    this.#layout();
    this.#lookUp();
  }

  /** Updates the indexes of the messages that changed, from position `from` on. */
  #renumber(old, from) {
    for (let i = from; i < old.length; i++) {
      this.#index.delete(this.#key(old[i]));
      this.#ids.delete(old[i].id);
    }
    for (let i = from; i < this.#messages.length; i++) {
      const message = this.#messages[i];
      this.#index.set(this.#key(message), i);
      if (message.id) this.#ids.set(message.id, i);
    }
    this.#settled = Math.min(this.#settled, from);
  }

  /** Redraws the drawn messages, because something beside the messages has changed. */
  refresh() {
    this.#aim();
    this.#layout();
    this.#lookUp();
  }

  /** Empties the log for another conversation. */
  clear() {
    for (const item of this.#drawn.values()) item.remove();
    this.#drawn.clear();
    this.#heights.clear();
    this.#anchor = null;
    this.show([]);
  }

  /** Returns the message with that id, if it is held. */
  find(id) {
    return this.#messages[this.#ids.get(id)];
  }

  /** Reveals and returns the neighbour of a message: -1 above, 1 below. */
  beside(item, step) {
    const entry = [...this.#drawn].find(([, drawn]) => drawn === item);
    const next = this.#messages[entry ? this.#index.get(entry[0]) + step : this.#messages.length - 1];
    return next ? this.reveal(next) : null;
  }

  /** Scrolls a message into sight, with room around it; returns its <li>. */
  reveal(message, share = 0.3) {
    const key = this.#key(message),
      drawn = this.#drawn.get(key);
    const box = drawn?.getBoundingClientRect(),
      frame = this.#scroller.getBoundingClientRect();
    const follows = this.#anchor === null && this.#newer(); // the newest messages would push it out of sight
    if (!box || follows || box.top < frame.top || box.bottom > frame.bottom) {
      this.#anchor = { key, below: frame.height * share };
      this.#layout();
      this.#lookUp();
      this.#moved();
    }
    return this.#drawn.get(key) ?? null;
  }

  toEnd() {
    this.#anchor = null;
    this.#layout();
    this.#moved();
  }

  /** Returns how many messages below the window satisfy `counts`. */
  below(counts) {
    const { scrollTop, clientHeight } = this.#scroller;
    const edge = scrollTop + clientHeight - this.#list.offsetTop;
    let n = 0;
    for (let i = this.#messages.length - 1; i >= 0 && this.#offsets[i] >= edge; i--) if (counts(this.#messages[i])) n++;
    return n;
  }

  /** Returns the last message whose end is in sight. */
  get lastInSight() {
    const { scrollTop, clientHeight } = this.#scroller;
    const edge = scrollTop + clientHeight - this.#list.offsetTop + 1,
      i = indexAt(this.#offsets, edge);
    return this.#messages[this.#offsets[i + 1] <= edge ? i : i - 1];
  }

  /** Returns where a message begins, in the scroller's coordinates. */
  #top(i) {
    return this.#list.offsetTop + this.#offsets[i];
  }

  #heightOf = (i) => {
    const message = this.#messages[i],
      key = this.#key(message);
    if (!this.#heights.has(key)) this.#heights.set(key, guess(message, this.#width));
    return this.#heights.get(key);
  };

  #scrolled() {
    this.#aim();
    this.#layout();
    this.#lookUp();
    this.#moved();
  }

  /** Chooses a new anchor, if the user has scrolled since the last layout. */
  #aim() {
    const { scrollTop, clientHeight, scrollHeight } = this.#scroller;
    if (Math.abs(scrollTop - this.#placed) < 1) return;
    // The first message that begins in sight, so that changes above it grow upwards. Not the very
    // first one: it may change when the message before it is loaded.
    const next = indexAt(this.#offsets, scrollTop - this.#list.offsetTop - 1) + 1;
    const i = Math.min(Math.max(next, 1), this.#messages.length - 1);
    const end = scrollTop + clientHeight >= scrollHeight - 2 && !this.#newer(),
      message = this.#messages[i];
    this.#anchor = end || !message ? null : { key: this.#key(message), below: this.#top(i) - scrollTop };
  }

  #lookUp() {
    if (this.#messages.length && this.#scroller.scrollTop < NEAR_TOP) this.#nearTop();
  }

  #resized() {
    if (this.#anchor) this.#aim(); // at the end, stay there
    this.#layout();
    this.#moved();
  }

  /** Draws and measures what is in sight, and puts the anchor back in its place. */
  #layout() {
    const scroller = this.#scroller,
      height = scroller.clientHeight,
      margin = this.#list.offsetTop;
    if (height === 0) return; // not visible
    this.#measureWidth();
    let top,
      drawn = "";
    // A message may be smaller than guessed, so that more must be drawn.
    for (let tries = 0; tries < 8; tries++) {
      this.#offsets = offsets(this.#messages.length, this.#heightOf, this.#offsets, this.#settled);
      this.#settled = this.#messages.length;
      const all = margin + this.#offsets.at(-1);
      const at = this.#anchor && this.#index.get(this.#anchor.key);
      top = Math.max(0, Math.min(this.#anchor ? this.#top(at) - this.#anchor.below : all, all - height));
      const [first, end] = range(this.#offsets, top - margin, height, MARGIN);
      if (drawn === `${first} ${end}`) break;
      drawn = `${first} ${end}`;
      this.#drawRange(first, end);
      if (!this.#measure(first, end)) break;
    }
    if (margin + this.#offsets.at(-1) - height - top < 1 && !this.#newer()) this.#anchor = null;
    if (Math.abs(scroller.scrollTop - top) >= 0.5) scroller.scrollTop = top;
    this.#placed = scroller.scrollTop;
  }

  /** A new width invalidates all heights. */
  #measureWidth() {
    if (this.#list.clientWidth === this.#width) return;
    this.#width = this.#list.clientWidth;
    this.#heights.clear();
    this.#settled = 0;
  }

  #drawRange(first, end) {
    const wanted = new Set();
    for (let i = first; i < end; i++) wanted.add(this.#key(this.#messages[i]));
    for (const [key, item] of this.#drawn)
      if (!wanted.has(key)) {
        if (item.contains(document.activeElement)) this.#scroller.focus({ preventScroll: true });
        item.remove();
        this.#drawn.delete(key);
      }
    this.#list.style.paddingTop = `${this.#offsets[first]}px`;
    let place = this.#list.firstChild;
    for (let i = first; i < end; i++) {
      const message = this.#messages[i],
        key = this.#key(message),
        old = this.#drawn.get(key);
      const item = this.#draw(message, this.#messages[i - 1], old);
      if (!old) this.#drawn.set(key, item);
      if (item === place) place = place.nextSibling;
      else this.#list.insertBefore(item, place);
    }
  }

  /** Measures the drawn messages. Returns whether a height differs from what was assumed. */
  #measure(first, end) {
    let changed = false;
    for (let i = first; i < end; i++) {
      const key = this.#key(this.#messages[i]),
        { height } = this.#drawn.get(key).getBoundingClientRect();
      if (this.#heightOf(i) === height) continue;
      this.#heights.set(key, height);
      this.#settled = Math.min(this.#settled, i);
      changed = true;
    }
    this.#list.style.paddingBottom = `${this.#offsets.at(-1) - this.#offsets[end]}px`;
    return changed;
  }
}
