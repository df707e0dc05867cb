/*
 * imd.js - a client that misses nothing. What each method promises is in imd.d.ts.
 *
 * Pushes, pages of history, and asking what has changed (#recover, #catchUp: at each connect, after a silent minute,
 * where a push does not follow on what is held) are jobs of one queue: nothing is put over something newer. That is
 * also why no answer to a command is applied: its push is. Knows nothing of what is shown.
 */

const UNKNOWN_END = Number.MAX_SAFE_INTEGER;
const PAGE = 200;
const FAR_BEHIND = 1000; // then the newest page is there sooner
const PUSH_DUE_MS = 3000;
const TYPING_EACH_MS = 3000;
const TYPING_FOR_MS = 6000;
const POLL_MS = 3000;
const POLLS = 20; // then it is tried to listen again
const CONTENT_BYTES = 65536;

// About the caller, not about what they ask for: no other request will do better.
const FINAL = /^(missing_credentials|invalid_token|expired_token|invalid_caller|origin_not_allowed|loopback_only)$/;

export class ImdError extends Error {
  constructor({ error, code, field, request_id }, { status, after_ms } = { status: 0 }) {
    super(error);
    Object.assign(this, { name: "ImdError", code, status, field, request_id, after_ms });
  }
}

/** Whether the same request may succeed later. */
const passing = ({ status }) => !status || status === 408 || status === 429 || status >= 500;
const unanswered = (why) => new ImdError({ error: why.message ?? why, code: "unanswered" });
const randomId = () => crypto.getRandomValues(new Uint32Array(4)).join("-");
/** What the server would refuse for its form is left out: NUL, and halves of characters. */
const cleaned = (text) =>
  text.replace(/\0|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "");
const without = (list, one) => list?.filter((each) => each !== one);

function deferred() {
  const d = {};
  d.promise = new Promise((resolve, reject) => Object.assign(d, { resolve, reject }));
  d.promise.catch(() => {}); // nobody has to look
  return d;
}

/** Nothing where it throws. */
function attempt(what) {
  try {
    return what();
  } catch {}
}

/** A listener that throws is reported, and keeps nothing from the others. */
function call(listener, ...what) {
  try {
    listener(...what);
  } catch (error) {
    setTimeout(() => {
      throw error;
    });
  }
}

/** The name in a token; the server checks it. */
const subject = (token) =>
  attempt(() => JSON.parse(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"))).sub);

/** Over the one that is held, or behind the last; what is older has no place. False: it would leave a hole. */
function place(messages, message) {
  const index = message.seq - (messages[0]?.seq ?? 1);
  if (index >= 0 && index <= messages.length) messages[index] = message;
  return index <= messages.length;
}

/** The text of an answer, chunk by chunk. */
async function everything(answer, heard) {
  const reader = answer.body.getReader(),
    decoder = new TextDecoder();
  for (let text = ""; ;) {
    const { done, value } = await reader.read();
    heard();
    if (done) return text + decoder.decode();
    text += decoder.decode(value, { stream: true });
  }
}

const ways = {
  WebSocket: (url) => new WebSocket(url.href.replace(/^http/, "ws")),
  EventSource: (url) => new EventSource(url, { withCredentials: true }),
};

export class Client {
  #url;
  #options;
  #user;
  #token;
  #epoch;
  #error = null;
  #status = "idle";
  #started;
  #link;
  #failures = 0;
  #way = 0;
  #heard = 0;
  #clock;
  #beat;
  #due;
  #since = 0;
  #jobs = Promise.resolve();
  #online = deferred();
  #pauses = new Set();
  #conversations = new Map(); // id: as it is shown
  #windows = new Map(); // id: { version, marked, messages: without a hole }
  #opened = new Set(); // ids whose messages are wanted
  #outbox = new Map(); // id: [{ message, done }]; answered ones bear their seq
  #sending = new Set();
  #reading = new Map();
  #typed = new Map();
  #types = new Map();
  #lastSent = 0;
  #listeners = new Set();
  #on = new Map(); // name: listeners
  #less = Infinity; // messages of a page, after one that did not come
  #changed = null;
  #sorted = null;
  #shown = new Map();

  constructor(options = {}) {
    const storage = attempt(() => localStorage);
    this.#options = { limit: 50, silence: 60000, timeout: 10000, pause: 30000, storage, ...options };
    const { href } = globalThis.location ?? {};
    // A bundle has no address of its own.
    this.#url = options.url ? new URL(options.url, href) : attempt(() => new URL("..", import.meta.url));
    if (!/^http/.test(this.#url?.protocol)) this.#url = attempt(() => new URL("/", href));
    if (this.#url && !this.#url.pathname.endsWith("/")) this.#url.pathname += "/";
    this.#user = options.user ?? "";
  }

  // --- what is held

  get status() {
    return this.#status;
  }
  get error() {
    return this.#error;
  }
  get user() {
    return this.#user;
  }

  get conversations() {
    const moment = (c) => c.last_message?.timestamp ?? c.created_at;
    return (this.#sorted ??= [...this.#conversations.values()].sort((a, b) => moment(b) - moment(a) || b.id - a.id));
  }

  conversation(id) {
    return this.#conversations.get(id);
  }

  messages(id) {
    if (!this.#shown.has(id)) {
      const own = (this.#outbox.get(id) ?? []).map(({ message }) => message);
      this.#shown.set(id, [...(this.#windows.get(id)?.messages ?? []), ...own]);
    }
    return this.#shown.get(id);
  }

  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  on(name, listener) {
    if (!this.#on.has(name)) this.#on.set(name, new Set());
    this.#on.get(name).add(listener);
    return () => this.#on.get(name).delete(listener);
  }

  #tell(name, what) {
    for (const listener of this.#on.get(name) ?? []) call(listener, what);
  }

  /** Of messages that were asked for: what of them is news. */
  #tellMessages(id, messages, last) {
    for (const message of messages) {
      const type = message.deleted_at ? "deleted" : message.seq > last ? "created" : "updated";
      this.#tell("message", { type: `message.${type}`, conversation: id, message });
    }
  }

  #touch(id) {
    if (!this.#changed) {
      this.#changed = new Set();
      queueMicrotask(() => {
        const changed = this.#changed;
        this.#changed = null;
        for (const listener of this.#listeners) call(listener, changed);
      });
    }
    if (id === undefined) return;
    this.#changed.add(id);
    this.#sorted = null;
    this.#shown.delete(id);
  }

  #put(id, news) {
    if (!this.#conversations.has(id)) return;
    this.#conversations.set(id, { ...this.#conversations.get(id), ...news });
    this.#touch(id);
  }

  #drop(id) {
    this.#conversations.delete(id);
    this.#touch(id);
    this.close(id);
  }

  // --- the connection

  start() {
    if (this.#started) return this.#started.promise;
    const session = (this.#started = deferred());
    const beat = Math.min(5000, this.#options.silence / 4);
    this.#clock = Date.now();
    this.#beat = setInterval(() => this.#tick(beat), beat);
    this.#watch("addEventListener");
    this.#error = null;
    this.#since = 0; // a marker may be untold
    this.#live(session);
    return session.promise;
  }

  stop() {
    this.#end("idle");
  }

  #end(status, error = null) {
    const why = error ?? unanswered("stopped");
    this.#started?.reject(why);
    this.#started = null;
    this.#online.reject(why);
    this.#online = deferred();
    clearInterval(this.#beat);
    this.#watch("removeEventListener");
    this.#error = error;
    this.#link?.end();
    this.#wake();
    this.#become(status);
  }

  get #connected() {
    return this.#status === "online" || this.#status === "polling";
  }

  #become(status) {
    if (status === this.#status) return;
    if (this.#connected) this.#online = deferred();
    this.#status = status;
    if (this.#connected) this.#online.resolve();
    this.#touch();
    this.#tell("status", { status, error: this.#error });
  }

  async #live(session) {
    const current = () => this.#started === session;
    for (this.#failures = 0; current();) {
      this.#become(this.#failures ? "offline" : "connecting");
      try {
        await this.#connect(session, current);
      } catch (error) {
        if (!current()) return;
        if (!passing(error)) return this.#end("refused", error);
        this.#become("offline");
        this.#error = error;
        await this.#pause(this.#failures++, error.after_ms);
      }
    }
  }

  async #connect(session, current) {
    if (!this.#user) await this.#learnName();
    this.#restore();
    const token = await this.#bearer(),
      url = this.#address("ws/", { ...this.#name, token });
    if (!current()) return;
    const link = this.#listen(url);
    try {
      await link.open;
    } catch (error) {
      // The network, the credentials, or this way to listen alone?
      await this.#list({ limit: 1 });
      if (token === (await this.#bearer())) this.#way++;
      if (this.#way && this.#way % this.#ways.length === 0) return this.#poll(session, current);
      throw error;
    }
    await link.caughtUp;
    this.#arrive("online", session);
    await link.over;
    this.#way = 0;
    if (current()) (this.#become("connecting"), await this.#pause(0));
  }

  #arrive(status, session) {
    this.#failures = 0;
    this.#error = null;
    this.#become(status);
    session.resolve();
    this.#wake();
    for (const id of this.#outbox.keys()) this.#flush(id);
  }

  /** No way to listen works, but asking does: a proxy in between holds back what is not complete. */
  async #poll(session, current) {
    for (let polls = 0; polls < POLLS && current(); polls++) {
      await this.#job(() => this.#recover());
      if (!current()) return;
      this.#arrive("polling", session);
      await this.#wait(POLL_MS);
    }
  }

  get #ways() {
    return Object.keys(ways).filter((way) => globalThis[way]);
  }

  #listen(url) {
    const open = deferred(),
      over = deferred(),
      link = { open: open.promise, over: over.promise };
    let socket;
    const job = (what) =>
      this.#job(() => {
        if (this.#link !== link) throw unanswered("not connected");
        return what();
      }).catch((error) => {
        link.end();
        throw error;
      });
    const late = setTimeout(() => link.end(), this.#options.timeout);
    link.end = () => {
      if (this.#link === link) this.#link = null;
      clearTimeout(late);
      socket?.close();
      open.reject(unanswered("not connected"));
      over.resolve();
    };
    this.#link?.end();
    this.#link = link;
    const there = this.#ways;
    socket = ways[there[this.#way % there.length]](url);
    socket.onopen = () => {
      clearTimeout(late);
      this.#heard = Date.now();
      for (const window of this.#windows.values()) window.marked = false; // markers bear no version
      link.caughtUp = job(() => this.#recover());
      link.caughtUp.catch(() => {});
      open.resolve();
    };
    socket.onmessage = ({ data }) => {
      this.#heard = Date.now();
      job(() => this.#take(JSON.parse(data))).catch(() => {});
    };
    socket.onclose = socket.onerror = link.end;
    return link;
  }

  async #learnName() {
    if (this.#options.token) this.#user = subject(await this.#bearer());
    if (!this.#user) this.#user = (await this.#list({ limit: 1 })).username ?? "";
    if (!this.#user) throw new ImdError({ error: "Say who you are", code: "missing_user" }, { status: 400 });
    for (const one of [...this.#outbox.values()].flat()) {
      one.message = { ...one.message, sender: this.#user };
      this.#save(one.message);
      this.#touch(one.message.conversation);
    }
    this.#touch();
  }

  /** Timers stand still while a machine sleeps. */
  #tick(beat) {
    const now = Date.now();
    const slept = now - this.#clock > beat + 15000;
    this.#clock = now;
    if (slept) this.#arise();
    if (now - this.#heard >= this.#options.silence) this.#check();
  }

  #watch(how) {
    for (const event of ["online", "offline", "pageshow"]) globalThis[how]?.(event, this.#arise);
    for (const event of ["visibilitychange", "resume"]) globalThis.document?.[how](event, this.#arise);
  }

  #arise = (event) => {
    if (event?.type === "offline") this.#link?.end();
    else if (event?.type === "visibilitychange" && document.hidden) return;
    else if (this.#link) this.#check();
    else this.#wake();
  };

  /** Was something missed? If so, and still nothing has come, the connection is deaf. */
  async #check() {
    const link = this.#link,
      heard = (this.#heard = Date.now());
    if (!link || this.#status !== "online") return;
    try {
      const ahead = await this.#job(() => this.#link === link && this.#recover());
      if (ahead && this.#heard === heard) link.end();
    } catch {
      link.end();
    }
  }

  /** For what no push tells exactly. */
  #refresh() {
    this.#due ??= setTimeout(() => {
      this.#due = null;
      this.#job(() => this.#started && this.#recover()).catch(() => this.#link?.end());
    }, 300);
  }

  #job(what) {
    const done = this.#jobs.then(what);
    this.#jobs = done.catch(() => {});
    return done;
  }

  #pause(failures, atLeast = 0) {
    const longest = this.#options.pause;
    const pause = Math.min(longest, (longest / 100) * 2 ** Math.min(failures, 20)) * (0.5 + Math.random() / 2);
    return this.#wait(Math.max(pause, atLeast));
  }

  #wait(ms) {
    return new Promise((resolve) => {
      const over = () => {
        clearTimeout(timer);
        this.#pauses.delete(over);
        resolve();
      };
      const timer = setTimeout(over, ms);
      this.#pauses.add(over);
    });
  }

  #wake() {
    for (const over of [...this.#pauses]) over();
  }

  // --- recovery

  #list(query) {
    return this.request("GET", "conversations", { ...this.#name, ...query });
  }

  /** Whether a conversation was ahead of what is held. */
  async #recover() {
    let newest = this.#since,
      before,
      ahead = false,
      page;
    do {
      page = await this.#list({ updated_after: this.#since, updated_before: before, limit: PAGE });
      this.#sameEpoch(page.epoch);
      for (const entry of page.conversations) {
        if (entry.left) this.#drop(entry.id);
        else ahead = this.#takeEntry(entry) || ahead;
        newest = Math.max(newest, entry.updated_at);
      }
      before = page.conversations.at(-1)?.updated_at;
    } while (page.has_next);
    for (const id of this.#opened)
      if (this.#windows.has(id)) await this.#catchUp(id);
      else if (this.#conversations.has(id)) await this.#load(id).catch((error) => this.#loadLater(id, error));
    this.#since = newest; // not before all of it is held
    return ahead;
  }

  #takeEntry(entry) {
    const held = this.#conversations.get(entry.id),
      busy = this.#reading.get(entry.id);
    const added = held ?? { read: {}, typing: [], loaded: false, older: false };
    this.#conversations.set(entry.id, { ...added, members: undefined, ...entry });
    if (busy) this.#haveRead(entry, busy.seq);
    if (!added.loaded) this.#seen(entry.last_message);
    this.#touch(entry.id);
    if (entry.version !== held?.version)
      this.#tell("conversation", { type: held ? "updated" : "created", conversation: entry.id });
    return entry.version > (held?.version ?? 0);
  }

  async #catchUp(id) {
    const window = this.#windows.get(id),
      held = this.#conversations.get(id);
    const last = window.messages.at(-1)?.seq ?? 0;
    if (window.version >= held.version && window.marked) return;
    if (held.last_seq - last > FAR_BEHIND) return this.#reload(id);
    let page,
      after = window.version,
      messages = [];
    do {
      page = await this.#ask(id, `conversations/${id}/changes`, { after, limit: PAGE });
      if (!page) return;
      this.#sameEpoch(page.epoch);
      messages.push(...page.messages);
      after = page.version;
    } while (page.has_next);
    window.version = after; // not before the last page: pushes apply to the whole alone
    window.marked = true;
    messages.sort((a, b) => a.seq - b.seq);
    if (!messages.every((message) => place(window.messages, message))) return this.#reload(id);
    messages.forEach((message) => this.#seen(message));
    this.#tellMessages(id, messages, last);
    this.#put(id, { read: { ...held.read, ...page.read } });
  }

  /** The newest page. What changes meanwhile has a later version. */
  async #load(id) {
    const version = this.#conversations.get(id).version;
    const page = await this.#page(id, UNKNOWN_END);
    if (!page || !this.#opened.has(id)) return;
    this.#windows.set(id, { version, messages: page.messages });
    page.messages.forEach((message) => this.#seen(message));
    for (const one of this.#outbox.get(id) ?? []) if (one.message.seq) this.#forget(one);
    this.#put(id, { loaded: true, older: page.has_prev });
    await this.#catchUp(id);
  }

  /** A page that fails ends no connection. */
  #loadLater(id, error) {
    if (!this.#conversations.has(id)) throw error; // it was another epoch
    this.open(id).catch(() => {});
  }

  #reload(id) {
    this.#windows.delete(id);
    return this.#load(id);
  }

  /** Smaller ones over a line that is too slow for large ones. */
  async #page(id, before_seq, most = this.#options.limit) {
    const limit = Math.min(most, this.#less);
    try {
      const page = await this.#ask(id, "messages", { conversation_id: id, before_seq, limit });
      this.#less = limit * 2;
      return page;
    } catch (error) {
      if (error.cut) this.#less = Math.max(1, limit >> 1);
      throw error;
    }
  }

  /** Nothing: one is no member. */
  async #ask(id, path, query) {
    try {
      const page = await this.request("GET", path, query);
      page.messages.forEach((message) => this.#own(message));
      return page;
    } catch (error) {
      if ((error.status !== 403 && error.status !== 404) || FINAL.test(error.code)) throw error;
      this.#drop(id);
    }
  }

  /** Whether one's own reactions are among them: pushes are for many, and do not tell. */
  #own(message, { emoji, username, added } = {}) {
    for (const [each, shown] of Object.entries(message?.reactions ?? {})) {
      const { conversation: id } = message;
      const held = [...(this.#windows.get(id)?.messages ?? []), this.#conversations.get(id)?.last_message];
      const before = held.find((one) => one?.id === message.id);
      const event = each === emoji && username === this.#user ? added : before?.reactions?.[each]?.mine;
      const named = shown.names.includes(this.#user);
      shown.mine ??= named || (shown.count > shown.names.length && !!event);
    }
  }

  /** Another database, a restored backup: nothing that is held is true. */
  #sameEpoch(epoch) {
    if (epoch === (this.#epoch ??= epoch)) return;
    this.#epoch = epoch;
    this.#since = 0;
    for (const id of this.#conversations.keys()) {
      this.#conversations.delete(id);
      this.#windows.delete(id);
      this.#touch(id);
    }
    for (const one of [...this.#outbox.values()].flat())
      if (one.message.seq) one.message = { ...one.message, seq: undefined, id: undefined, state: "sending" };
    throw unanswered("another epoch");
  }

  // --- pushes

  async #take(frame) {
    this.#sameEpoch(frame.epoch);
    for (const event of frame.events) {
      const held = this.#conversations.get(event.conversation);
      if (event.event === "typing") this.#takeTyping(event);
      else if (event.event === "read") this.#takeMarker(held, event);
      else if (!held || event.version > held.version)
        if (!held || event.version !== held.version + 1 || !this.#apply(held, event)) await this.#recover();
    }
  }

  /** The next change. False: it must be asked for. */
  #apply(held, { event, version, message, object, username, role, ...more }) {
    this.#own(message, { username, ...more });
    const window = this.#windows.get(held.id);
    const news = { version };
    if (window && version > window.version + 1) return false;
    if (event.startsWith("message.") && message) this.#applyMessage(held, event, message, news);
    // What else it tells may be later.
    else if (event.startsWith("conversation.") && object) ((news.title = object.title), (news.join = object.join));
    else if (event === "member.updated") news.role = username === this.#user ? role : held.role;
    else if (event === "member.joined") news.members = held.members && [...without(held.members, username), username];
    else if (event === "member.left" && username === this.#user) return (this.#drop(held.id), true);
    else if (event === "member.left") news.members = without(held.members, username);
    else return false;
    if (event === "member.joined" || event === "member.left")
      news.member_count = news.members?.length ?? held.member_count + (event === "member.joined" ? 1 : -1);
    if (window && version > window.version) {
      window.version = version;
      if (message && !place(window.messages, message)) return (this.#windows.delete(held.id), false);
    }
    this.#put(held.id, news);
    this.#seen(message);
    const [kind] = event.split(".");
    this.#tell(kind, { type: event, conversation: held.id, message, username, role, ...more });
    return true;
  }

  #applyMessage(held, event, message, news) {
    const { seq, sender } = message,
      unread = sender !== this.#user && seq > held.read_seq;
    news.updated_at = Math.max(held.updated_at, message.timestamp, message.edited_at ?? 0, message.deleted_at ?? 0);
    if (event === "message.created" || seq === held.last_message?.seq) news.last_message = message;
    if (event === "message.created") {
      news.last_seq = seq;
      news.typing = without(held.typing, sender);
      if (unread && !message.deleted_at) news.unread = Math.min(1000, held.unread + 1);
    } else if (event === "message.deleted" && unread) this.#refresh();
  }

  #takeMarker(held, { username, seq }) {
    if (!held) return;
    this.#tell("read", { conversation: held.id, username, seq });
    if (seq > (held.read[username] ?? 0)) this.#put(held.id, { read: { ...held.read, [username]: seq } });
    if (username !== this.#user) return;
    this.#haveRead(held, seq);
    if (seq < held.last_seq) this.#refresh();
  }

  #haveRead(held, seq) {
    if (seq <= held.read_seq) return;
    this.#put(held.id, seq >= held.last_seq ? { read_seq: seq, unread: 0 } : { read_seq: seq });
  }

  #takeTyping({ conversation: id, username }) {
    const held = this.#conversations.get(id),
      key = `${id} ${username}`;
    const set = (typing) => this.#put(id, { typing });
    if (!held) return;
    this.#tell("typing", { conversation: id, username });
    clearTimeout(this.#types.get(key));
    if (!held.typing.includes(username)) set([...held.typing, username]);
    this.#types.set(
      key,
      setTimeout(() => set(without(this.conversation(id)?.typing, username)), TYPING_FOR_MS),
    );
  }

  // --- history

  async open(id) {
    if (!this.#started) throw unanswered("Not started");
    this.#opened.add(id);
    for (let failures = 0; this.#opened.has(id) && !this.#windows.has(id);) {
      await this.#online.promise;
      try {
        await this.#job(() => this.#conversations.has(id) && !this.#windows.has(id) && this.#load(id));
      } catch (error) {
        if (!passing(error)) throw error;
        await this.#pause(failures++, error.after_ms);
      }
      if (this.#conversations.has(id)) continue;
      this.#opened.delete(id);
      throw new ImdError({ error: "Not a member of the conversation", code: "not_a_member" }, { status: 403 });
    }
  }

  older(id, limit) {
    return this.#job(async () => {
      const window = this.#windows.get(id);
      if (!window || !this.conversation(id)?.older) return false;
      const page = await this.#page(id, window.messages[0].seq, limit);
      if (!page || this.#windows.get(id) !== window) return false;
      window.messages.unshift(...page.messages);
      this.#put(id, { older: page.has_prev });
      return true;
    });
  }

  async around(id, seq) {
    await this.open(id);
    const held = () => this.#windows.get(id)?.messages[0]?.seq <= seq;
    while (!held() && (await this.older(id, PAGE)));
    return held();
  }

  close(id) {
    this.#opened.delete(id);
    if (this.#windows.delete(id)) this.#put(id, { loaded: false, older: false });
  }

  // --- messages

  static isBlank(text) {
    return /^[\s\p{DI}\p{Cc}\u2800]*$/u.test(text);
  }

  async send(id, content, { reply_to } = {}) {
    content = this.#content(content);
    this.#typed.delete(id);
    return this.#enqueue({ conversation: id, sender: this.#user, content, client_id: randomId(), reply_to });
  }

  async retry(id, client_id) {
    const one = this.#waiting(id, client_id);
    this.discard(id, client_id);
    return this.#enqueue({ ...one.message, state: "sending", error: undefined });
  }

  #content(text) {
    const content = cleaned(String(text));
    if (new TextEncoder().encode(content).length <= CONTENT_BYTES) return content;
    throw new ImdError(
      { error: "The content is too long", code: "content_too_long", field: "content" },
      { status: 413 },
    );
  }

  discard(id, client_id) {
    const one = this.#waiting(id, client_id);
    if (one?.message.state !== "failed") throw new Error("There is no such failed message");
    this.#forget(one);
  }

  async edit(message_id, content) {
    return this.#command("PATCH", `messages/${message_id}`, { content: this.#content(content) });
  }

  delete(message_id) {
    return this.#command("DELETE", `messages/${message_id}`);
  }

  react(message_id, emoji) {
    return this.#command("PUT", `messages/${message_id}/reactions/${encodeURIComponent(emoji)}`);
  }

  unreact(message_id, emoji) {
    return this.#command("DELETE", `messages/${message_id}/reactions/${encodeURIComponent(emoji)}`);
  }

  #waiting(id, client_id) {
    return this.#outbox.get(id)?.find(({ message }) => message.client_id === client_id);
  }

  #save(message) {
    if (!this.#user) return; // not under nobody's key: #learnName() comes back to it
    attempt(() => this.#options.storage?.setItem(this.#key(message.client_id), JSON.stringify(message)));
  }

  #key(client_id = "") {
    return `imd ${this.#url.href} ${this.#user} ${client_id}`;
  }

  #enqueue(message) {
    const id = message.conversation,
      one = { done: deferred() };
    const timestamp = (this.#lastSent = Math.max(Date.now(), this.#lastSent + 1));
    one.message = { state: "sending", ...message, timestamp };
    this.#outbox.set(id, [...(this.#outbox.get(id) ?? []), one]);
    this.#save(one.message);
    this.#touch(id);
    this.#flush(id);
    return one.done.promise;
  }

  #forget(one) {
    const { conversation: id, client_id } = one.message;
    const rest = without(this.#outbox.get(id), one);
    if (rest.length) this.#outbox.set(id, rest);
    else this.#outbox.delete(id);
    this.#options.storage?.removeItem(this.#key(client_id));
    this.#touch(id);
  }

  /** What waited when the page was left. */
  #restore() {
    const { storage } = this.#options,
      found = [];
    for (let i = 0, key; (key = storage?.key(i)); i++)
      if (key.startsWith(this.#key())) found.push(attempt(() => JSON.parse(storage.getItem(key))));
    for (const message of found.filter(Boolean).sort((a, b) => a.timestamp - b.timestamp))
      if (!this.#waiting(message.conversation, message.client_id)) this.#enqueue(message);
  }

  /** Sends what waits, one after the other, each until it is answered. */
  async #flush(id) {
    if (this.#sending.has(id)) return;
    this.#sending.add(id);
    for (let one, failures = 0; this.#started && (one = this.#next(id));) {
      try {
        this.#answered(one, await this.#post(one.message));
        failures = 0;
      } catch (error) {
        if (passing(error)) await this.#pause(failures++, error.after_ms);
        else if (!FINAL.test(error.code)) this.#fail(one, error);
      }
    }
    this.#sending.delete(id);
  }

  #next(id) {
    return this.#outbox.get(id)?.find(({ message }) => message.state === "sending");
  }

  #post({ conversation, content, reply_to, client_id }) {
    return this.#named("POST", "messages", { conversation_id: conversation, content, reply_to, client_id });
  }

  #answered(one, message) {
    const { conversation: id } = message,
      messages = this.#windows.get(id)?.messages;
    const waits = () => this.#outbox.get(id)?.includes(one);
    one.done.resolve(message);
    if (!waits()) return; // its push was faster
    if (!messages || place(messages, message)) return this.#forget(one);
    one.message = message; // behind others that are still to come
    this.#touch(id);
    this.#expect(() => !waits());
  }

  #fail(one, error) {
    one.message = { ...one.message, state: "failed", error };
    this.#save(one.message);
    one.done.reject(error);
    this.#touch(one.message.conversation);
    this.#tell("error", error);
  }

  /** One that is held waits no longer. */
  #seen(message) {
    const one = message?.sender === this.#user && this.#waiting(message.conversation, message.client_id);
    if (!one) return;
    one.done.resolve(message);
    this.#forget(one);
  }

  /** A push is due: if none comes, something is wrong. */
  #expect(come) {
    setTimeout(() => {
      if (!come()) this.#check();
    }, PUSH_DUE_MS);
  }

  /** What may be asked again and again. */
  async #command(method, path, fields, tries = 3) {
    const asked = Date.now();
    for (let failures = 0; ;) {
      try {
        const answer = await this.#named(method, path, fields);
        this.#expect(() => this.#heard >= asked);
        return answer;
      } catch (error) {
        if (!passing(error) || ++failures === tries || !this.#started) throw error;
        await this.#pause(failures, error.after_ms);
      }
    }
  }

  // --- attention

  read(id, seq = this.conversation(id)?.last_seq ?? 0) {
    const held = this.conversation(id);
    if (!held || seq <= held.read_seq) return Promise.resolve();
    this.#haveRead(held, seq);
    const busy = this.#reading.get(id);
    if (busy) {
      busy.seq = Math.max(busy.seq, seq);
      return busy.promise;
    }
    const reading = { seq };
    this.#reading.set(id, reading);
    return (reading.promise = this.#mark(id, reading).finally(() => this.#reading.delete(id)));
  }

  async #mark(id, reading) {
    for (let told = 0; told < reading.seq;) {
      told = reading.seq;
      await this.#command("PUT", `conversations/${id}/read`, { seq: told }, Infinity);
    }
  }

  typing(id) {
    if (Date.now() - (this.#typed.get(id) ?? 0) < TYPING_EACH_MS || !this.#connected) return;
    this.#typed.set(id, Date.now());
    this.#named("POST", `conversations/${id}/typing`, {}).catch(() => {});
  }

  async presence(id) {
    const { online } = await this.request("GET", `conversations/${id}/presence`);
    this.#put(id, { online });
    return online;
  }

  // --- conversations

  async create({ type, members, title, join, client_id = randomId() }) {
    members = [...new Set([this.#user, ...members])];
    title ||= undefined;
    const { id } = await this.#command("POST", "conversations", { type, members, title, join, client_id });
    await this.#job(() => this.#recover());
    return this.conversation(id);
  }

  async update(id, { title, join }) {
    await this.#command("PATCH", `conversations/${id}`, { title, join });
  }

  async join(id) {
    await this.#command("POST", `conversations/${id}/join`, {});
    await this.#job(() => this.#recover());
  }

  async leave(id) {
    await this.#command("POST", `conversations/${id}/leave`, {});
    await this.#job(() => this.#recover());
  }

  async setMember(id, name, role) {
    await this.#command("PUT", `conversations/${id}/members/${name}`, { role });
  }

  async removeMember(id, name) {
    await this.#command("DELETE", `conversations/${id}/members/${name}`);
  }

  // --- requests

  #address(path, query = {}) {
    if (!this.#url) throw new ImdError({ error: "url is needed here", code: "missing_url" }, { status: 400 });
    const url = new URL(path.replace(/^\//, ""), this.#url);
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
    return url;
  }

  /** Asked for once, for all who need it at a time. */
  async #bearer(refused) {
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

  /** Beside the fields, if there are any, else in the query. */
  get #name() {
    return { username: this.#user || undefined };
  }

  #named(method, path, fields) {
    return this.request(method, path, fields ? {} : this.#name, fields && { ...this.#name, ...fields });
  }

  async request(method, path, query, body) {
    for (let refused; ;) {
      const token = await this.#bearer(refused),
        used = this.#token;
      const answer = await this.#fetch(method, path, query, body, token);
      if (answer.ok) return answer.json;
      if (answer.status === 401 && token && !refused) refused = used;
      else throw this.#refusal(new ImdError(answer.json, answer));
    }
  }

  /** Whatever request met it: about the caller it is final. */
  #refusal(error) {
    if (FINAL.test(error.code) && this.#started) this.#end("refused", error);
    return error;
  }

  async #fetch(method, path, query, body, token) {
    const headers = {};
    if (body) headers["Content-Type"] = "application/json";
    if (token) headers.Authorization = `Bearer ${token}`;
    const url = this.#address(path, query),
      silence = new AbortController();
    let timer, cut;
    // For silence, not for the whole: a slow line may take its time.
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), this.#options.timeout);
    };
    try {
      heard();
      const answer = await fetch(url, {
        method,
        headers,
        body: body && JSON.stringify(body),
        credentials: "include",
        cache: "no-store",
        signal: silence.signal,
      });
      cut = true; // unless all of it comes
      const { ok, status } = answer,
        after_ms = answer.headers.get("Retry-After") * 1000 || 0,
        json = JSON.parse(await everything(answer, heard));
      return { ok, status, after_ms, json };
    } catch (error) {
      throw Object.assign(unanswered(error), { cut });
    } finally {
      clearTimeout(timer);
    }
  }
}
