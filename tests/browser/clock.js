/*
 * Time that passes only when a test says so: timers fire in order, and everything that a timer
 * causes is done before the next. Knows nothing of the code that waits.
 */
const settled = setImmediate;

export class Clock {
  now = Date.UTC(2026, 0, 1);
  #timers = []; // the next one last
  #numbers = 0;
  #before;

  /** Replaces the global timers by this clock's. */
  install() {
    const { setTimeout, clearTimeout, setInterval, clearInterval } = globalThis;
    this.#before = {
      setTimeout,
      clearTimeout,
      setInterval,
      clearInterval,
      now: Date.now,
    };
    globalThis.setTimeout = (what, ms) => this.#add(what, ms);
    globalThis.setInterval = (what, ms) => this.#add(what, ms, ms);
    globalThis.clearTimeout = globalThis.clearInterval = (timer) => this.#remove(timer);
    Date.now = () => this.now;
  }

  uninstall() {
    const { now, ...timers } = this.#before;
    Object.assign(globalThis, timers);
    Date.now = now;
  }

  /** Lets this many milliseconds pass. */
  async pass(ms) {
    const end = this.now + ms;
    await this.settle();
    while (this.#timers.at(-1)?.at <= end) await this.#fire();
    this.now = end;
  }

  /** Lets time pass until the function returns a true value, and returns it. */
  async until(what, sentence, ms = 600000) {
    const end = this.now + ms;
    for (await this.settle(); !what(); await this.#fire())
      if (!(this.#timers.at(-1)?.at <= end)) throw new Error(`not within ${ms} ms: ${sentence ?? what}`);
    return what();
  }

  /** Lets time pass until the promise settles; returns its value, or throws its error. */
  async result(promise, ms) {
    let done = false;
    const over = () => {
      done = true;
    };
    promise.then(over, over);
    await this.until(() => done, "a promise is kept", ms);
    return promise;
  }

  /** The machine sleeps: no timer fires, and those that were due fire immediately afterwards. */
  sleep(ms) {
    this.now += ms;
  }

  settle() {
    return new Promise((done) => settled(done));
  }

  async #fire() {
    const timer = this.#timers.pop();
    this.now = Math.max(this.now, timer.at);
    if (timer.every) this.#insert(Object.assign(timer, { at: this.now + timer.every }));
    timer.what();
    await this.settle();
  }

  #add(what, ms = 0, every = 0) {
    return this.#insert({ what, every, at: this.now + Math.max(1, Math.floor(ms)), number: this.#numbers++ });
  }

  #insert(timer) {
    const later = (one) => one.at > timer.at || (one.at === timer.at && one.number > timer.number);
    let place = this.#timers.length;
    while (place > 0 && !later(this.#timers[place - 1])) place--;
    this.#timers.splice(place, 0, timer);
    return timer;
  }

  #remove(timer) {
    const place = this.#timers.indexOf(timer);
    if (place >= 0) this.#timers.splice(place, 1);
  }
}
