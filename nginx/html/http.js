/*
 * http.js - requests to imd as one caller, and their errors. Part of imd.js. Knows nothing of
 * conversations.
 */

export class ImdError extends Error {
  constructor({ error, code, field, request_id }, { status, after_ms } = { status: 0 }) {
    super(error);
    Object.assign(this, { name: "ImdError", code, status, field, request_id, after_ms });
  }
  toJSON() {
    return { ...this, error: this.message };
  }
}

const CALLER = /^(missing_credentials|(invalid|expired)_token|invalid_caller|origin_not_allowed|loopback_only)$/;

/** True if the same request may succeed later. */
export const passing = ({ status }) => !status || status === 408 || status === 429 || status >= 500;
/** True if the error is about the caller, not about the request. */
export const aboutCaller = ({ status, code }) => status === 401 || (status === 403 && CALLER.test(code));
export const unanswered = (why, code = "unanswered") => new ImdError({ error: why.message ?? why, code });
export const refusal = (error, code, status = 400, field) => new ImdError({ error, code, field }, { status });

/** Returns a promise with its own resolve() and reject(). */
export function deferred() {
  const d = {};
  d.promise = new Promise((resolve, reject) => Object.assign(d, { resolve, reject }));
  d.promise.catch(() => {}); // a caller need not handle it
  return d;
}

/** Returns what the function returns; undefined if it throws. */
export function attempt(what) {
  try {
    return what();
  } catch {}
}

/** Removes what the server refuses: NULs and lone surrogates. */
const clean = (text) => text.replace(/\0|\p{Surrogate}/gu, "");

export const isBlank = (text) => /^[\p{Z}\p{Cc}\p{DI}\u2800\ufff9-\ufffb]*$/u.test(text);

const CONTENT_MAX = 65536;

/** Returns a message's content as it can be sent; throws if it is too long. */
export function checked(content) {
  const text = clean(content);
  if (new TextEncoder().encode(text).length <= CONTENT_MAX) return text;
  throw refusal(`content must be at most ${CONTENT_MAX} bytes of UTF-8`, "content_too_long", 413, "content");
}

/**
 * Opens a push connection by the first or the second transport; undefined if there is no such one.
 */
export function openSocket(way, url) {
  const kind = ["WebSocket", "EventSource"].filter((one) => globalThis[one])[way];
  if (kind === "WebSocket") return new WebSocket(url.href.replace(/^http/, "ws"));
  if (kind) return new EventSource(url, { withCredentials: true });
}

const PORTION_MIN = 1 / 256;

export class Http {
  #options;
  #token;
  #portion = 1; // share of a page's limit to ask for

  constructor(options) {
    this.#options = options;
    // The address of a bundle does not tell where imd is.
    const here = attempt(() => /\/http\.js(\?|$)/.test(import.meta.url)) ? import.meta.url : undefined;
    this.url = attempt(() => new URL(options.url ?? "..", options.url ? globalThis.location?.href : here));
    if (this.url && !this.url.pathname.endsWith("/")) this.url.pathname += "/";
  }

  address(path, query = {}) {
    if (!/^http/.test(this.url?.protocol)) throw refusal("url is required here: new Client({ url: … })", "missing_url");
    const url = new URL(path.replace(/^\//, ""), this.url);
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
    return url;
  }

  /** Returns the token. Concurrent callers share one question. */
  async bearer(refused) {
    const { token } = this.#options;
    if (!token) return undefined;
    if (!this.#token || this.#token === refused) this.#token = Promise.resolve(token({ refresh: Boolean(refused) }));
    const asked = this.#token;
    try {
      return await asked;
    } catch (error) {
      if (this.#token === asked) this.#token = null;
      throw unanswered(error);
    }
  }

  /** Returns the name in the token; the server verifies it. */
  async subject() {
    const token = await this.bearer();
    return attempt(() => JSON.parse(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"))).sub);
  }

  /**
   * Requests a page. When an answer breaks off, the next pages are smaller, and grow again after a
   * success.
   */
  async page(path, query) {
    const { limit } = query;
    try {
      const portion = Math.max(1, Math.floor(limit * this.#portion));
      const page = await this.request("GET", path, { ...query, limit: portion });
      if (limit > 1) this.#portion = Math.min(1, this.#portion * 2);
      return page;
    } catch (error) {
      if (limit > 1 && error.cut_short) this.#portion = Math.max(PORTION_MIN, this.#portion / 2);
      throw error;
    }
  }

  /** Sends a request. A refused token is replaced once. */
  async request(method, path, query, body) {
    const url = this.address(path, query);
    for (let refused; ;) {
      const token = await this.bearer(refused),
        used = this.#token;
      const answer = await this.#fetch(method, url, body, token);
      if (answer.ok) return answer.json;
      const error = new ImdError(answer.json, answer);
      if (!aboutCaller(error) || !token || refused) throw error;
      refused = used;
    }
  }

  async #fetch(method, url, body, token) {
    const headers = {};
    const sent = body && JSON.stringify(body, (_, value) => (typeof value === "string" ? clean(value) : value));
    if (body) headers["Content-Type"] = "application/json";
    if (token) headers.Authorization = `Bearer ${token}`;
    const options = { method, headers, body: sent, credentials: "include", cache: "no-store" };
    const { answer, text } = await this.#whole(url, options);
    const { ok, status } = answer,
      json = attempt(() => JSON.parse(text));
    // A proxy in front of imd may answer its own 401. Any other answer that is not JSON says
    // nothing about imd.
    if (!json && status !== 401) throw unanswered(`${status}, not JSON`);
    return {
      ok,
      status,
      after_ms: answer.headers.get("Retry-After") * 1000 || 0,
      json: json ?? { error: "Authentication required", code: "missing_credentials" },
    };
  }

  /** Reads a whole answer. Times out after silence, not after a total time. */
  async #whole(url, options) {
    const silence = new AbortController(),
      decoder = new TextDecoder();
    const late = () => silence.abort((why = "Nothing came for too long"));
    let timer,
      why,
      answer,
      text = "";
    const heard = (more = 0) => {
      clearTimeout(timer);
      timer = setTimeout(late, this.#options.timeout + more);
    };
    try {
      heard(options.body?.length); // allows for uploads as slow as 8 kbit/s
      answer = await fetch(url, { ...options, signal: silence.signal });
      for (const reader = answer.body.getReader(); ;) {
        heard();
        const { done, value } = await reader.read();
        if (done) return { answer, text };
        text += decoder.decode(value, { stream: true });
      }
    } catch (error) {
      // A smaller page may get through.
      throw Object.assign(unanswered(why ?? error), { cut_short: Boolean(why || answer) });
    } finally {
      clearTimeout(timer);
    }
  }
}
