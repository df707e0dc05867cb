/*
 * tabs.js - lets one tab of a browser, the leader, hold the socket for all tabs that show the same
 * user at the same imd. imd.js loads it if it can; otherwise each tab has its own socket.
 *
 * The tab that holds a Web Lock leads, and forwards pushes over a BroadcastChannel. The lock passes
 * to the next tab when the leader closes. It is stolen from a leader that does not answer because
 * it is frozen. A change of leader loses nothing: each tab asks for missed changes whenever it
 * learns that pushes come again. Knows nothing of the content of pushes.
 */

const DEAF_AFTER = 1; // unanswered questions after which the lock is stolen

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
   * on.status() returns the leader's transport, "" without one. The other tabs get on.told(status),
   * when they ask and when it changes, and on.heard(frame). on.lost(): the leader has changed, to
   * this tab or another. on.wanted(): another tab waits for the leader to connect.
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

  /** Asks whether the leader is alive. If it has not answered before, takes over. */
  check() {
    if (this.leads) return;
    if (this.#asked > DEAF_AFTER) this.steal();
    else this.ask();
  }

  /** Tells the other tabs the status, if this one leads. */
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
      if (this.#queue !== queue) return; // this tab aborted the request itself
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
