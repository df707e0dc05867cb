/*
 * tabs.js - one tab of a browser holds the socket for all that show the same user at the same imd. imd.js loads it where
 * it can; without it each tab has a socket of its own.
 *
 * Whoever has a Web Lock leads, and passes what is pushed on over a BroadcastChannel. The lock goes to the next tab when
 * the leader ends, and is stolen from a leader that does not answer, being frozen. Nothing is lost at a hand-over: each
 * tab asks for what it missed whenever it is told anew that pushes come. Knows nothing of what is pushed.
 */

const DEAF_AFTER = 1; // questions without an answer

export class Tabs {
  leads = false;
  #name;
  #on;
  #channel;
  #queue;
  #asked = 0;
  #late;
  #end;
  #over = new Promise((resolve) => (this.#end = resolve));
  #chosen;
  /** Resolves when there is a leader. */
  ready = new Promise((resolve) => (this.#chosen = resolve));

  /**
   * on.status(): how pushes come to the leader, "" where they do not. For the others on.told(status), when they ask or
   * it changes, and on.heard(frame). on.lost(): another tab leads from now on, or this one does. on.wanted(): another tab
   * waits for the leader.
   */
  constructor(name, on, patience_ms) {
    this.#name = name;
    this.#on = on;
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = ({ data }) => this.#hear(data);
    this.ask();
    this.#claim();
    this.#late = setTimeout(() => this.steal(), patience_ms);
    this.ready.then(() => clearTimeout(this.#late));
  }

  ask() {
    this.#asked++;
    this.#channel.postMessage({ ask: true });
  }

  /** Asks whether the leader is there still; a leader that has not answered before is one no longer. */
  check() {
    if (this.leads) return;
    if (this.#asked > DEAF_AFTER) this.steal();
    else this.ask();
  }

  /** Tells the other tabs, if this one leads. */
  report() {
    if (this.leads) this.#channel.postMessage({ status: this.#on.status() });
  }
  pass(frame) {
    if (this.leads) this.#channel.postMessage({ frame });
  }

  steal() {
    this.#asked = 0;
    this.#claim(true);
  }

  end() {
    this.leads = false;
    clearTimeout(this.#late);
    this.#end();
    this.#queue.abort();
    this.#channel.close();
    this.#queue = null;
  }

  #claim(steal) {
    this.#queue?.abort();
    const queue = (this.#queue = new AbortController());
    const lead = () => {
      if (this.#queue !== queue) return;
      this.leads = true;
      this.#chosen();
      this.#on.lost();
      return this.#over;
    };
    navigator.locks.request(this.#name, steal ? { steal } : { signal: queue.signal }, lead).catch(() => {
      if (this.#queue !== queue) return; // it was this one that gave up
      this.leads = false;
      this.#claim();
      this.#on.lost();
    });
  }

  #hear({ ask, status, frame }) {
    if (ask && this.leads) {
      if (!this.#on.status()) this.#on.wanted();
      this.report();
    }
    if (ask || this.leads) return;
    this.#chosen();
    this.#asked = 0;
    if (frame) this.#on.heard(frame);
    else this.#on.told(status);
  }
}
