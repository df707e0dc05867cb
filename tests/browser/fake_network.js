/*
 * The network between a page and its server: fetch, WebSocket and EventSource that lose, repeat,
 * delay and cut as a test orders. Each host is like a machine of its own. Knows nothing of the
 * content.
 */
import { FakeServer, Problem } from "./fake_server.js";

const MOUNT = "/chat/";

/** A client machine. Its fates decide about the next request, socket and frame. */
export class Host {
  /**
   * { there, back: ms; lost: "before" or "after" the server did it; silent: the loss shows by
   * nothing but time;
   *   answer: { status, headers, json } that comes instead, `done`: after the server did it, each,
   *   chunk, cut: the answer comes in chunks of so many bytes, so many milliseconds apart, and ends
   *   after so many }
   */
  request = () => ({});
  /** "open"; "refuse"; "hang" */
  socket = () => "open";
  /** Milliseconds after which the copies of a frame come. */
  frame = () => [1];
  sockets = new Set();
  /** The requests made: { at, method, path, query, body, authorization } */
  asked = [];
  #offline = false;

  get offline() {
    return this.#offline;
  }

  /** Nothing comes through any more. Open connections receive nothing, and get no error. */
  set offline(value) {
    this.#offline = value;
    if (value) this.cut("silently");
  }

  cut(how = "loudly") {
    for (const socket of [...this.sockets]) socket.cut(how);
  }

  /** Returns the number of such requests; `path` may be the beginning of a path. */
  count(method, path) {
    return this.asked.filter((one) => one.method === method && one.path.startsWith(path)).length;
  }
}

class FakeSocket {
  #network;
  #host;
  #end;
  #state = "new";

  constructor(network, url) {
    this.#network = network;
    this.url = new URL(url);
    this.#host = network.host(this.url.hostname);
    this.#host.sockets.add(this);
    this.at = Date.now();
    const fate = this.#host.socket(this);
    network.opened.push(this);
    if (fate !== "hang") setTimeout(() => this.#open(fate), 1);
  }

  #open(fate) {
    if (this.#state !== "new" || this.#host.offline) return;
    try {
      if (fate === "refuse") throw new Problem(403, "refused");
      const { hostname: host, searchParams: query } = this.url;
      this.#end = this.#network.server.subscribe({ host, query }, (text) => this.#deliver(text));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return this.cut("loudly");
    }
    this.#state = "open";
    this.onopen?.({ type: "open" });
  }

  #deliver(data) {
    for (const ms of this.#host.frame(data))
      setTimeout(() => {
        if (this.#state === "open") this.onmessage?.({ type: "message", data });
      }, ms);
  }

  /** Silently: the socket stays open, but receives nothing. */
  cut(how) {
    this.#end?.();
    this.#state = "deaf";
    if (how === "silently") return;
    this.close();
    this.lost();
  }

  close() {
    this.#end?.();
    this.#state = "over";
    this.#host.sockets.delete(this);
  }
}

export class Network {
  /** All sockets that a client tried to open. */
  opened = [];
  #hosts = new Map();
  #before;

  constructor(server) {
    this.server = server;
  }

  host(name) {
    if (!this.#hosts.has(name)) this.#hosts.set(name, new Host());
    return this.#hosts.get(name);
  }

  get hosts() {
    return [...this.#hosts.values()];
  }

  url(name) {
    return `http://${name}${MOUNT}`;
  }

  install() {
    const network = this,
      { fetch, WebSocket, EventSource } = globalThis;
    this.#before = { fetch, WebSocket, EventSource };
    globalThis.fetch = (url, options) => this.#fetch(new URL(url), options);
    globalThis.WebSocket = class WebSocket extends FakeSocket {
      constructor(url) {
        super(network, url);
        if (this.url.protocol !== "ws:") throw new SyntaxError(`no address of a WebSocket: ${url}`);
      }
      lost() {
        (this.onerror?.({ type: "error" }), this.onclose?.({ type: "close" }));
      }
    };
    globalThis.EventSource = class EventSource extends FakeSocket {
      constructor(url) {
        super(network, url);
      }
      lost() {
        this.onerror?.({ type: "error" });
      }
    };
  }

  uninstall() {
    Object.assign(globalThis, this.#before);
  }

  #fetch(url, { method, headers = {}, body, signal }) {
    const host = this.host(url.hostname);
    const request = {
      at: Date.now(),
      host: url.hostname,
      method,
      path: url.pathname.replace(MOUNT, ""),
      query: url.searchParams,
      body: body && JSON.parse(body),
      authorization: headers.Authorization,
    };
    host.asked.push(request);
    const fate = { there: 1, back: 1, ...host.request(request) };
    return new Promise((resolve, reject) => {
      const lost = () => fate.silent || reject(new TypeError("fetch failed"));
      signal?.addEventListener("abort", () => reject(signal.reason));
      setTimeout(() => {
        if (host.offline || fate.lost === "before") return lost();
        const answer = fate.answer && !fate.answer.done ? fate.answer : this.server.answer(request);
        setTimeout(() => {
          if (host.offline || fate.lost === "after") return lost();
          resolve(response(fate.answer ?? answer, { ...fate, signal }));
        }, fate.back);
      }, fate.there);
    });
  }
}

/**
 * As bytes, so that client and server share no object. In at least two chunks, `each` milliseconds
 * apart.
 */
function response({ status, headers = {}, json, text = JSON.stringify(json) }, { signal, ...fate }) {
  const lower = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return {
    ok: status >= 200 && status < 300,
    status,
    headers: { get: (name) => lower.get(name.toLowerCase()) ?? null },
    body: { getReader: () => reader(new TextEncoder().encode(text), signal, fate) },
  };
}

/** Chunks end anywhere, even inside characters. */
function reader(bytes, signal, { each, chunk = Math.ceil(bytes.length / 2), cut = Infinity }) {
  let at = 0;
  const next = () => {
    const value = bytes.subarray(at, (at += chunk));
    return value.length ? { done: false, value } : { done: true };
  };
  const read = (resolve, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason));
    if (at >= cut) reject(new TypeError("network error"));
    else if (each) setTimeout(() => resolve(next()), each);
    else resolve(next());
  };
  return { read: () => new Promise(read) };
}

/** The answer of a server that is unavailable, or of the proxy in front of it. */
export const unavailable = (status, after) =>
  FakeServer.problem({ status, code: "unavailable", message: "Not now", after });
