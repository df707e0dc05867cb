/*
 * log.js - the messages of the open conversation, of which only those near the window are drawn.
 *
 * What one looks at stays where it is: the first message in sight is the anchor, and whatever becomes known above it
 * (heights, older pages), it keeps its place; or, at the end, the end does. Heights are measured when drawn, guessed
 * before (heights.js). Knows how messages lie, not what they look like (message.js), nor where they come from.
 */
import { guess, indexAt, offsets, range } from "./heights.js";

const MARGIN = 700; // drawn above and below what is in sight
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
  #settled = 0; // so many of them stand
  #drawn = new Map(); // key: item
  #width = 0;
  #placed = 0;
  #anchor = null; // { key, below }: so far below the upper edge; null: the end stays at the lower edge

  /**
   * `draw(message, before, item)` gives the <li> of a message, made over from `item` if there is one; `before` is the
   * message above. `key(message)` stays the same for as long as a message lives. `nearTop()` asks for older ones,
   * `newer()` says whether newer ones are on their way, `moved()` tells that one looks elsewhere.
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

  /** Whether the newest message is in sight. The last one held is not the newest while newer ones are on their way. */
  get atEnd() {
    return this.#anchor === null && !this.#newer();
  }

  /** The messages, oldest first, whatever was there before. */
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

  /** From there on they are others, or lie elsewhere. */
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

  /** Draws again what is drawn: something else than a message has changed. */
  refresh() {
    this.#aim();
    this.#layout();
    this.#lookUp();
  }

  /** Another conversation: nothing of the last one counts. */
  clear() {
    for (const item of this.#drawn.values()) item.remove();
    this.#drawn.clear();
    this.#heights.clear();
    this.#anchor = null;
    this.show([]);
  }

  /** The message with that id, if it is held. */
  find(id) {
    return this.#messages[this.#ids.get(id)];
  }

  /** What lies beside a message: -1 above, 1 below. */
  beside(item, step) {
    const entry = [...this.#drawn].find(([, drawn]) => drawn === item);
    const next = this.#messages[entry ? this.#index.get(entry[0]) + step : this.#messages.length - 1];
    return next ? this.reveal(next) : null;
  }

  /** Brings a message into sight, with room around it; gives its <li>. */
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

  /** How many of those that `counts` lie below what is in sight. */
  below(counts) {
    const { scrollTop, clientHeight } = this.#scroller;
    const edge = scrollTop + clientHeight - this.#list.offsetTop;
    let n = 0;
    for (let i = this.#messages.length - 1; i >= 0 && this.#offsets[i] >= edge; i--) if (counts(this.#messages[i])) n++;
    return n;
  }

  /** The last message whose end is in sight. */
  get lastInSight() {
    const { scrollTop, clientHeight } = this.#scroller;
    const edge = scrollTop + clientHeight - this.#list.offsetTop + 1,
      i = indexAt(this.#offsets, edge);
    return this.#messages[this.#offsets[i + 1] <= edge ? i : i - 1];
  }

  /** Where a message begins, in the scroller's own measure. */
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

  /** Takes what is in sight for the anchor, where one has scrolled since it was last put in its place. */
  #aim() {
    const { scrollTop, clientHeight, scrollHeight } = this.#scroller;
    if (Math.abs(scrollTop - this.#placed) < 1) return;
    // The first that begins in sight: what grows or shrinks above it then does so upwards. Not the very first: that one
    // may look different when it is known what came before it.
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
    if (this.#anchor) this.#aim(); // at the end one stays there
    this.#layout();
    this.#moved();
  }

  /** Draws what is to be seen, measures it, and puts the anchor where it was. */
  #layout() {
    const scroller = this.#scroller,
      height = scroller.clientHeight,
      margin = this.#list.offsetTop;
    if (height === 0) return; // not on show
    this.#measureWidth();
    let top,
      drawn = "";
    // What is drawn for the first time may be smaller than was guessed, and leave room for more.
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

  /** In another width nothing is as high as it was. */
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

  /** Whether a height is another than was thought. */
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
