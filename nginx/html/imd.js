/*
 * imd.js - a client that misses nothing. imd.d.ts says what each method promises.
 *
 * Pushes, pages of history and recovery are jobs of one queue, so nothing replaces something newer.
 * For the same reason the answer to a command is not applied: its push is. Recovery (#recover,
 * #catchUp) runs at each connect, seconds after it, after a silent minute, and when a push does not
 * follow on what is held. Knows no page.
 */

import { aboutCaller, checked, deferred, Http, isBlank, openSocket, passing, refusal, unanswered } from "./http.js";
import { Kept } from "./kept.js";

export { ImdError } from "./http.js";

const UNKNOWN_END = Number.MAX_SAFE_INTEGER;
const PAGE = 200;
const FAR_BEHIND = 1000; // beyond this a fresh page is faster
const PUSH_DUE_MS = 3000;
const TYPING_EACH_MS = 3000;
const TYPING_FOR_MS = 6000;
const ADOPT_MS = 30000;
const PATIENCE_MS = 5000;

const randomId = () => crypto.getRandomValues(new Uint32Array(4)).join("-");
const without = (list, one) => list?.filter((each) => each !== one);

/** Replaces a held message, or appends it; drops an older one. False: it would leave a gap. */
function place({ messages, newer }, message) {
  const index = message.seq - (messages[0]?.seq ?? 1);
  if (index >= 0 && index <= messages.length) messages[index] = message;
  return index <= messages.length || newer;
}

export class Client {
  #options;
  #http;
  #kept;
  #user;
  #epoch;
  #error = null;
  #status = "idle";
  #session; // start()'s promise, until the end
  #up; // resolves when there is a connection
  #link;
  #trying; // the next link, until it is open
  #failures = 0;
  #way = 0;
  #heard = 0;
  #patience = PATIENCE_MS;
  #clock;
  #beat;
  #due;
  #behind = 0;
  #since = 0;
  #jobs = Promise.resolve();
  #pauses = new Set();
  #conversations = new Map(); // id: as it is shown
  #windows = new Map(); // id: { version, marked, messages: without a hole, newer: up to the newest or not }
  #opened = new Set(); // ids whose messages are wanted
  #outbox = new Map(); // id: [{ message, done }]; answered ones bear their seq
  #sending = new Set();
  #reading = new Map();
  #typed = new Map();
  #types = new Map();
  #lastSent = 0;
  #listeners = {}; // type: a set
  #changed = null;
  #events = []; // [type, what happened]
  #sorted = null;
  #shown = new Map();

  constructor(options = {}) {
    const defaults = { limit: 50, silence: 60000, timeout: 10000, pause: 30000, poll: 3000, share: true };
    this.#options = { ...defaults, ...options };
    this.#http = new Http(this.#options);
    this.#kept = new Kept(options.storage, this.#http.url?.href);
    this.#setUser(options.user ?? "");
  }

  #setUser(name) {
    this.#user = this.#kept.user = name;
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
    return this.on("change", listener);
  }

  on(type, listener) {
    (this.#listeners[type] ??= new Set()).add(listener);
    return () => this.#listeners[type].delete(listener);
  }

  #emit(type, what) {
    this.#events.push([type, what]);
    this.#touch();
  }

  /** A listener that throws does not stop the others. */
  #tell(type, what) {
    for (const listener of this.#listeners[type] ?? [])
      try {
        listener(what);
      } catch (error) {
        setTimeout(() => {
          throw error;
        });
      }
  }

  /** Listeners are called once all of a change is held. */
  #touch(id) {
    if (!this.#changed) {
      this.#changed = new Set();
      queueMicrotask(() => {
        const changed = this.#changed;
        this.#changed = null;
        for (const event of this.#events.splice(0)) this.#tell(...event);
        this.#tell("change", changed);
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
    const object = this.#conversations.get(id);
    if (object) this.#emit("conversation", { type: "conversation.removed", conversation: id, object });
    this.#conversations.delete(id);
    this.#touch(id);
    this.close(id);
  }

  // --- the connection

  start() {
    if (this.#session) return this.#session.promise;
    const session = (this.#session = Object.assign(deferred(), { over: deferred() }));
    const beat = Math.min(5000, this.#options.silence / 4);
    this.#up = deferred();
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
    const { over } = this.#session ?? {};
    for (const waits of [this.#session, this.#up]) waits?.reject(error ?? unanswered("stopped", "stopped"));
    clearInterval(this.#beat);
    this.#watch("removeEventListener");
    this.#error = error;
    this.#become(status);
    this.#session = this.#up = null;
    this.#cut();
    this.#wake();
    over?.resolve();
    if (error) this.#emit("error", error);
  }

  get #isUp() {
    return this.#status === "online" || this.#status === "polling";
  }

  #become(status) {
    const before = this.#status;
    if (status === before) return;
    const wasUp = this.#isUp;
    this.#status = status;
    if (this.#isUp) this.#up.resolve();
    else if (wasUp) this.#up = deferred();
    this.#emit("status", { status, before, error: this.#error });
    this.#session?.tabs?.report?.();
  }

  #cut() {
    this.#trying?.end();
    this.#link?.end();
  }

  async #live(session) {
    const current = () => this.#session === session;
    for (this.#failures = 0; current();) {
      this.#become(this.#failures ? "offline" : "connecting");
      try {
        await this.#connect(session, current);
      } catch (error) {
        if (!current()) return;
        if (!passing(error)) return this.#end("refused", error);
        this.#error = error;
        this.#become("offline");
        await this.#pause(this.#failures++, error.after_ms);
      }
    }
  }

  async #connect(session, current) {
    this.#http.address(""); // throws without a url
    if (!this.#user) await this.#learnName();
    this.#restore();
    session.tabs ??= await this.#findTabs(session);
    let link = await this.#reach(session, this.#way);
    while (link && current()) {
      await link.caughtUp;
      this.#failures = 0;
      this.#error = null;
      this.#become(link.polls ? "polling" : "online");
      session.resolve();
      this.#wake();
      for (const id of this.#outbox.keys()) this.#flush(id);
      link = await (link.polls && !link.told ? this.#improve(session, link) : link.over);
    }
    if (this.#status !== "polling") this.#way = 0;
    if (current()) (this.#become("connecting"), await this.#pause(0));
  }

  /** Opens a link. The last way is polling. */
  async #reach(session, way) {
    const token = await this.#http.bearer(),
      url = this.#http.address("ws/", { ...this.#name, token });
    if (this.#session !== session) return;
    const link = this.#listen(session, url, way);
    try {
      await link.open;
      return link;
    } catch (error) {
      // Is it the network, the credentials, or only this way?
      await this.#list({ limit: 1 });
      if (link.told) session.tabs.check();
      else if (token === (await this.#http.bearer())) this.#way++;
      throw error;
    }
  }

  /** Tries pushes now and then. Returns a link that has them, unless this one is over. */
  async #improve(session, link) {
    for (let way = 0; this.#link === link; way++) {
      await Promise.race([link.over, this.#pause(20)]);
      const better = this.#link === link && (await this.#reach(session, way % 2).catch(() => {}));
      if (better) return better;
    }
  }

  #listen(session, url, way) {
    const open = deferred(),
      over = deferred(),
      link = { open: open.promise, over: over.promise },
      { tabs } = session;
    let socket;
    let timer = setTimeout(() => link.end(), this.#options.timeout / 2);
    link.end = () => {
      clearTimeout(timer);
      if (this.#link === link) this.#link = null;
      if (this.#trying === link) this.#trying = null;
      socket?.close();
      open.reject(unanswered("not connected"));
      over.resolve();
    };
    link.opened = (polls) => {
      if (this.#trying !== link) return;
      clearTimeout(timer);
      this.#trying = null;
      this.#link?.end();
      this.#link = link;
      link.polls = polls;
      this.#heard = Date.now();
      this.#unmark();
      link.caughtUp = this.#sync(link);
      link.caughtUp.catch(() => {});
      if (polls) this.#poll(link);
      else link.ping = true;
      open.resolve();
    };
    const take = (data) => {
      if (this.#link !== link) return;
      link.works = true;
      this.#heard = Date.now();
      this.#job(() => this.#link === link && this.#take(JSON.parse(data))).catch(() =>
        this.#sync(link).catch(() => {}),
      );
    };
    // nginx may subscribe a socket late, or never.
    link.verify = () => {
      link.ping = undefined;
      timer = setTimeout(() => {
        if (link.works || link.told) {
          this.#patience = PATIENCE_MS;
          this.#sync(link).catch(() => {});
        } else {
          this.#patience *= 2;
          link.end();
        }
      }, this.#patience);
    };
    this.#trying?.end();
    this.#trying = link;
    if (tabs.leads === false) {
      link.heard = take;
      link.told = (status) => {
        if (link === this.#trying) status && link.opened(status === "polling");
        else if (status !== (link.polls ? "polling" : "online")) link.end();
      };
      tabs.ask();
    } else if (!(socket = openSocket(way, url))) link.opened(true);
    else {
      socket.onopen = () => link.opened(false);
      socket.onclose = socket.onerror = link.end;
      socket.onmessage = ({ data }) => (tabs.pass?.(data), take(data));
    }
    return link;
  }

  async #poll(link) {
    for (; this.#link === link; await this.#sync(link).catch(() => {})) {
      await this.#sleep(this.#options.poll * (globalThis.document?.hidden ? 10 : 1));
      this.#unmark();
    }
  }

  /** Markers have no version. */
  #unmark() {
    for (const window of this.#windows.values()) window.marked = false;
  }

  /** Finds the tabs that share one socket. */
  async #findTabs(session) {
    if (!this.#options.share || !globalThis.navigator?.locks || !globalThis.BroadcastChannel) return {};
    const { Tabs } = await import("./tabs.js").catch(() => ({}));
    if (!Tabs || this.#session !== session) return {};
    const tabs = new Tabs(
      this.#kept.key(),
      {
        status: () => (this.#isUp ? this.#status : ""),
        lost: () => this.#cut(),
        wanted: () => this.#wake(),
        heard: (data) => this.#link?.heard?.(data),
        told: (status) => (this.#trying ?? this.#link)?.told?.(status),
      },
      this.#options.timeout / 2,
    );
    session.over.promise.then(() => tabs.end());
    await tabs.ready;
    return tabs;
  }

  async #learnName() {
    const name = (await this.#http.subject()) || (await this.#list({ limit: 1 })).username;
    if (!name) throw refusal("user is required where the server does not know the caller", "missing_user");
    this.#setUser(name);
    for (const one of [...this.#outbox.values()].flat()) {
      one.message = { ...one.message, sender: name };
      this.#kept.save(one.message);
      this.#touch(one.message.conversation);
    }
    this.#touch();
  }

  /** Timers stop while a machine sleeps. */
  #tick(beat) {
    const now = Date.now();
    const slept = now - this.#clock > beat + 15000;
    this.#clock = now;
    if (slept) this.#arise();
    if (now - this.#heard >= this.#options.silence) this.#check();
    if (this.#link?.told) this.#session.tabs.check();
  }

  #watch(how) {
    for (const event of ["online", "offline", "pageshow"]) globalThis[how]?.(event, this.#arise);
    for (const event of ["visibilitychange", "resume"]) globalThis.document?.[how](event, this.#arise);
    globalThis[how]?.("storage", this.#stored);
  }

  #arise = (event) => {
    if (event?.type === "offline") this.#cut();
    else if (event?.type === "visibilitychange" && document.hidden) return;
    else if (this.#link) this.#check();
    else this.#wake();
  };

  /** Was something missed? If so, and no push came, the link is dead. */
  async #check() {
    const link = this.#link,
      heard = (this.#heard = Date.now());
    if (!link || !this.#isUp) return;
    try {
      const ahead = await this.#job(() => this.#link === link && this.#recover());
      if (ahead && !link.polls && this.#heard === heard) link.end();
    } catch (error) {
      if (error.status) this.#refresh();
      else link.end();
    }
  }

  /** Recovers later: a push was missing, or did not say everything. */
  #refresh() {
    this.#due ??= setTimeout(
      () => {
        this.#due = null;
        if (this.#link) this.#sync(this.#link).catch(() => {});
      },
      300 * 2 ** Math.min(this.#behind, 7),
    );
  }

  /** Recovers until it succeeds. Without an answer, the link is over. */
  #sync(link) {
    return (link.syncing ??= (async () => {
      for (let failures = 0; ;)
        try {
          return await this.#job(() => {
            if (this.#link !== link) throw unanswered("not connected");
            return this.#recover();
          });
        } catch (error) {
          if (this.#link !== link || !passing(error) || (!error.status && failures > 1)) {
            link.end();
            throw error;
          }
          if (error.code === "another_epoch") continue;
          this.#error = error;
          if (!this.#isUp) this.#become("offline");
          await this.#pause(failures++, error.after_ms);
        }
    })().finally(() => {
      link.syncing = null;
    }));
  }

  #job(what) {
    const done = this.#jobs.then(what);
    this.#jobs = done.catch(() => {});
    return done;
  }

  #pause(failures, atLeast = 0) {
    const longest = this.#options.pause;
    const pause = Math.min(longest, (longest / 100) * 2 ** Math.min(failures, 20)) * (0.5 + Math.random() / 2);
    return this.#sleep(Math.max(pause, atLeast));
  }

  #sleep(ms) {
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
    return this.#get("conversations", { ...this.#name, ...query });
  }

  /** Returns whether a conversation was ahead of what is held. */
  async #recover() {
    const link = this.#link;
    let newest = this.#since,
      before,
      ahead = false,
      page;
    do {
      page = await this.#list({ updated_after: this.#since, updated_before: before, limit: PAGE, ping: link.ping });
      if (link.ping) link.verify();
      this.#sameEpoch(page.epoch);
      for (const entry of page.conversations) {
        if (entry.left) this.#drop(entry.id);
        else ahead = this.#takeEntry(entry) || ahead;
        newest = Math.max(newest, entry.updated_at);
      }
      before = page.conversations.at(-1)?.updated_at;
    } while (page.has_next);
    this.#since = newest; // not before all of it is held
    let failed = 0;
    for (const id of this.#opened)
      try {
        if (this.#conversations.has(id)) await (this.#windows.has(id) ? this.#catchUp(id) : this.#load(id));
        this.#fill(id);
      } catch (error) {
        if (!passing(error) || error.code === "another_epoch") throw error;
        failed = this.#behind + 1;
      }
    this.#behind = failed;
    if (failed) this.#refresh();
    return ahead;
  }

  #takeEntry(entry) {
    const held = this.#conversations.get(entry.id),
      busy = this.#reading.get(entry.id);
    const { last_message: last } = entry;
    const added = held ?? { read: {}, typing: [], loaded: false, older: false, newer: false };
    if (last) this.#fillMine(last);
    this.#conversations.set(entry.id, { ...added, members: undefined, ...entry });
    if (busy) this.#haveRead(entry, busy.seq);
    if (!added.loaded) this.#seen(last);
    this.#touch(entry.id);
    const type = `conversation.${held ? "updated" : "created"}`;
    if (entry.version !== held?.version) this.#emit("conversation", { type, conversation: entry.id, object: entry });
    if (held && !held.loaded && entry.last_seq > held.last_seq) this.#happened("created", last);
    return entry.version > (held?.version ?? 0);
  }

  #happened(change, message, { username, emoji, added } = {}) {
    const what = { type: `message.${change}`, conversation: message?.conversation, message, username, emoji, added };
    if (message) this.#emit("message", what);
  }

  /** A push for many users does not say which reactions are the user's. */
  #fillMine(message, held, { username, emoji: changed, added } = {}) {
    for (const [emoji, one] of Object.entries(message.reactions ?? {})) {
      const whole = one.count === one.names.length,
        own = changed === emoji && username === this.#user;
      one.mine ??=
        one.names.includes(this.#user) || (!whole && (own ? added : held?.reactions?.[emoji]?.mine)) || false;
    }
  }

  async #catchUp(id) {
    const window = this.#windows.get(id),
      held = this.#conversations.get(id);
    const last = window.messages.at(-1)?.seq ?? 0;
    if (window.version >= held.version && window.marked) return;
    const far = window.newer ? held.version - window.version : held.last_seq - last;
    if (far > FAR_BEHIND) return this.#load(id, window.newer && last);
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
    window.version = after; // only after the last page, because pushes apply to the whole
    window.marked = true;
    messages.sort((a, b) => a.seq - b.seq);
    for (const message of messages) this.#fillMine(message, window.messages[message.seq - window.messages[0]?.seq]);
    if (!messages.every((message) => place(window, message))) return this.#load(id);
    for (const message of messages) {
      this.#seen(message);
      this.#happened(message.deleted_at ? "deleted" : message.seq > last ? "created" : "updated", message);
    }
    this.#put(id, { read: { ...held.read, ...page.read } });
  }

  /** The newest page, or one around a message. What changes meanwhile has a later version. */
  async #load(id, seq) {
    const { version, last_seq } = this.#conversations.get(id);
    const around_seq = seq && last_seq ? Math.max(1, Math.min(seq, last_seq)) : undefined;
    const page = await this.#page(id, around_seq ? { around_seq } : { before_seq: UNKNOWN_END });
    if (!page || !this.#opened.has(id)) return false;
    const { messages, has_prev: older } = page,
      newer = Boolean(around_seq) && page.has_next;
    this.#windows.set(id, { version, messages, newer });
    messages.forEach((message) => this.#seen(message));
    for (const one of this.#outbox.get(id) ?? []) if (one.message.seq) this.#forget(one);
    this.#put(id, { loaded: true, older, newer });
    await this.#catchUp(id);
    this.#fill(id);
    return true;
  }

  async #page(id, query) {
    const page = await this.#ask(id, "messages", {
      conversation_id: id,
      ...query,
      limit: query.limit ?? this.#options.limit,
    });
    page?.messages.forEach((message) => this.#fillMine(message));
    return page;
  }

  /** Undefined: not a member. */
  async #ask(id, path, query) {
    try {
      return await this.#get(path, query);
    } catch (error) {
      if ((error.status !== 403 && error.status !== 404) || aboutCaller(error)) throw error;
      this.#drop(id);
    }
  }

  /** Another database or a restored backup: drop what is held. */
  #sameEpoch(epoch) {
    if (epoch === (this.#epoch ??= epoch)) return;
    this.#epoch = epoch;
    this.#since = 0;
    this.#reading.clear();
    for (const id of this.#conversations.keys()) {
      this.#conversations.delete(id);
      this.#windows.delete(id);
      this.#touch(id);
    }
    for (const one of [...this.#outbox.values()].flat())
      if (one.message.seq) one.message = { ...one.message, seq: undefined, id: undefined, state: "sending" };
    if (this.#isUp) this.#link?.end();
    throw unanswered("The server has another database than before", "another_epoch");
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

  /** Applies the next change. False: a change is missing. */
  #apply(held, change) {
    const { event, version, message, object, username, role } = change;
    const window = this.#windows.get(held.id);
    const news = { version };
    if (window && version > window.version + 1) return false;
    if (event.startsWith("message.") && message) this.#applyMessage(held, change, news);
    // Its other fields may be of a later version.
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
      if (message && !place(window, message)) return (this.#windows.delete(held.id), false);
    }
    this.#put(held.id, news);
    this.#seen(message);
    const [kind] = event.split("."),
      what = { type: event, conversation: held.id, object: this.#conversations.get(held.id), username, role };
    if (kind === "member") this.#emit("member", what);
    else if (kind === "conversation") this.#emit("conversation", what);
    return true;
  }

  #applyMessage(held, change, news) {
    const { event, message } = change,
      { seq, sender } = message,
      before = this.#windows.get(held.id)?.messages,
      last = held.last_message,
      unread = sender !== this.#user && seq > held.read_seq;
    this.#fillMine(message, before?.[seq - before[0]?.seq] ?? (last?.seq === seq ? last : undefined), change);
    this.#happened(event.slice(8), message, change);
    news.updated_at = Math.max(held.updated_at, message.timestamp, message.edited_at ?? 0, message.deleted_at ?? 0);
    if (event === "message.created" || seq === last?.seq) news.last_message = message;
    if (event === "message.created") {
      news.last_seq = seq;
      news.typing = without(held.typing, sender);
      if (unread && !message.deleted_at) news.unread = Math.min(1000, held.unread + 1);
    } else if (event === "message.deleted" && unread) this.#refresh();
  }

  #takeMarker(held, { username, seq }) {
    if (!held) return;
    if (seq > (held.read[username] ?? 0)) this.#put(held.id, { read: { ...held.read, [username]: seq } });
    this.#emit("read", { conversation: held.id, username, seq });
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
    clearTimeout(this.#types.get(key));
    const over = () => {
      this.#types.delete(key);
      set(without(this.conversation(id)?.typing, username));
    };
    if (!held.typing.includes(username)) set([...held.typing, username]);
    this.#types.set(key, setTimeout(over, TYPING_FOR_MS));
    this.#emit("typing", { conversation: id, username });
  }

  // --- history

  open(id) {
    return this.#enter(id, () => this.#windows.has(id));
  }

  async around(id, seq) {
    const held = () => {
      const { messages } = this.#windows.get(id) ?? {};
      return messages && (!this.conversation(id)?.older || messages[0].seq <= seq);
    };
    await this.#enter(id, held, seq);
    return this.#windows.get(id)?.messages[0]?.seq <= seq;
  }

  async #enter(id, held, seq) {
    this.#opened.add(id);
    for (let failures = 0; this.#opened.has(id) && !held();)
      try {
        if (!this.#up) throw unanswered("Call start() first", "not_started");
        await this.#up.promise;
        if (await this.#job(() => this.#conversations.has(id) && !held() && this.#load(id, seq))) return;
        if (!this.#conversations.has(id)) throw refusal("Not a member of the conversation", "not_a_member", 403);
      } catch (error) {
        if (this.#up && passing(error)) {
          await this.#pause(failures++, error.after_ms);
          continue;
        }
        if (!this.#windows.has(id)) this.#opened.delete(id);
        throw error;
      }
  }

  older(id, limit) {
    return this.#more(id, "older", limit);
  }

  #more(id, where, limit) {
    return this.#job(async () => {
      const window = this.#windows.get(id),
        { messages } = window ?? {};
      if (!window || !this.conversation(id)?.[where]) return false;
      const older = where === "older",
        from = older ? { before_seq: messages[0].seq } : { after_seq: messages.at(-1).seq };
      const page = await this.#page(id, { ...from, limit });
      if (!page || this.#windows.get(id) !== window) return false;
      if (older) messages.unshift(...page.messages);
      else (messages.push(...page.messages), (window.newer = page.has_next));
      this.#put(id, { [where]: older ? page.has_prev : page.has_next });
      return true;
    });
  }

  /** Loads what lies between a page in the middle and the newest message. */
  async #fill(id) {
    const window = this.#windows.get(id),
      session = this.#session;
    if (!window?.newer || window.filling) return;
    window.filling = true;
    for (let failures = 0; window.newer && this.#windows.get(id) === window && this.#session === session;)
      await this.#more(id, "newer", PAGE).then(
        (more) => (more ? (failures = 0) : (window.newer = false)),
        (error) => this.#pause(failures++, error.after_ms),
      );
    window.filling = false;
  }

  close(id) {
    this.#opened.delete(id);
    this.#typed.delete(id);
    if (this.#windows.delete(id)) this.#put(id, { loaded: false, older: false, newer: false });
  }

  // --- messages

  static isBlank(text) {
    return isBlank(text);
  }

  send(id, content, { reply_to } = {}) {
    this.#typed.delete(id);
    return this.#enqueue({ conversation: id, sender: this.#user, content, client_id: randomId(), reply_to });
  }

  async retry(id, client_id) {
    const one = this.#waiting(id, client_id);
    this.discard(id, client_id);
    return this.#enqueue({ ...one.message, state: "sending", error: undefined });
  }

  discard(id, client_id) {
    const one = this.#waiting(id, client_id);
    if (one?.message.state !== "failed") throw refusal("There is no such failed message", "not_failed");
    this.#forget(one);
  }

  async edit(message_id, content) {
    return this.#command("PATCH", `messages/${message_id}`, { content: checked(content) });
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

  clearReaction(message_id, emoji) {
    const path = `messages/${message_id}/reactions/${encodeURIComponent(emoji)}`;
    return this.#command("DELETE", path, undefined, { all: true });
  }

  reactions(message_id, emoji, { after, limit } = {}) {
    return this.request("GET", `messages/${message_id}/reactions`, { emoji, after, limit });
  }

  #waiting(id, client_id) {
    return this.#outbox.get(id)?.find(({ message }) => message.client_id === client_id);
  }

  // --- what outlives the tab

  forget() {
    for (const one of [...this.#outbox.values()].flat()) this.#forget(one);
    this.#kept.forget();
  }

  /** Sends what another tab wrote, but did not send in time. The key keeps it unique. */
  #stored = (event) => {
    if (!this.#kept.concerns(event)) return;
    if (event.newValue) return setTimeout(() => this.#session && this.#restore(), ADOPT_MS);
    const one = [...this.#outbox.values()]
      .flat()
      .find(({ message }) => this.#kept.key(message.client_id) === event.key);
    if (one?.message.state === "failed") this.#forget(one);
  };

  #enqueue(message) {
    const id = message.conversation,
      one = { done: deferred() };
    const timestamp = (this.#lastSent = Math.max(Date.now(), this.#lastSent + 1));
    one.message = { state: "sending", ...message, timestamp };
    this.#outbox.set(id, [...(this.#outbox.get(id) ?? []), one]);
    this.#touch(id);
    try {
      one.message.content = checked(message.content);
      this.#kept.save(one.message);
      this.#flush(id);
    } catch (error) {
      this.#fail(one, error);
    }
    return one.done.promise;
  }

  #forget(one) {
    const { conversation: id } = one.message;
    const rest = without(this.#outbox.get(id), one);
    if (rest?.length) this.#outbox.set(id, rest);
    else this.#outbox.delete(id);
    this.#kept.remove(one.message);
    this.#touch(id);
  }

  /** Adopts what an earlier tab did not send. */
  #restore() {
    for (const message of this.#kept.messages)
      if (!this.#waiting(message.conversation, message.client_id)) this.#enqueue(message);
  }

  /** Sends what waits, one by one, each until it is answered. */
  async #flush(id) {
    if (this.#sending.has(id)) return;
    this.#sending.add(id);
    for (let one, failures = 0; this.#session && this.#user && (one = this.#next(id));) {
      try {
        this.#answered(one, await this.#post(one.message));
        failures = 0;
      } catch (error) {
        if (passing(error) || aboutCaller(error)) await this.#pause(failures++, error.after_ms);
        else this.#fail(one, error);
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
      window = this.#windows.get(id);
    const waits = () => this.#outbox.get(id)?.includes(one);
    one.done.resolve(message);
    if (!waits()) return; // its push was faster
    if (!window || place(window, message)) return this.#forget(one);
    one.message = message; // earlier ones are still missing
    this.#touch(id);
    this.#expect(() => !waits());
  }

  #fail(one, error) {
    one.message = { ...one.message, state: "failed", error };
    this.#kept.save(one.message);
    one.done.reject(error);
    this.#emit("error", error);
    this.#touch(one.message.conversation);
  }

  /** A message that is held waits no longer. */
  #seen(message) {
    const one = message?.sender === this.#user && this.#waiting(message.conversation, message.client_id);
    if (!one) return;
    one.done.resolve(message);
    this.#forget(one);
  }

  /** A push is due; if none comes, checks the link. */
  #expect(come) {
    setTimeout(() => {
      if (!come()) this.#check();
    }, PUSH_DUE_MS);
  }

  /** Sends an idempotent command, with retries. */
  async #command(method, path, fields, { tries = 3, all } = {}) {
    const asked = Date.now();
    for (let failures = 0; ;) {
      try {
        const answer = await this.#named(method, path, fields, { all });
        this.#expect(() => this.#heard >= asked);
        return answer;
      } catch (error) {
        if (!passing(error) || ++failures === tries || !this.#session) throw error;
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
      await this.#command("PUT", `conversations/${id}/read`, { seq: told }, { tries: Infinity });
    }
  }

  typing(id) {
    if (Date.now() - (this.#typed.get(id) ?? 0) < TYPING_EACH_MS || !this.#isUp) return;
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
    members = [...new Set([this.#user, ...members])].filter(Boolean);
    const fields = { type, members, title: title || undefined, join, client_id };
    const made = await this.#command("POST", "conversations", fields);
    await this.#learn();
    return this.conversation(made.id) ?? made;
  }

  #learn() {
    return this.#job(() => this.#recover()).catch(() => this.#refresh());
  }

  members(id, { after, limit } = {}) {
    return this.request("GET", `conversations/${id}/members`, { after, limit });
  }

  async update(id, { title, join }) {
    await this.#command("PATCH", `conversations/${id}`, { title, join });
  }

  async join(id) {
    await this.#command("POST", `conversations/${id}/join`, {});
    await this.#learn();
  }

  async leave(id) {
    await this.#command("POST", `conversations/${id}/leave`, {});
    await this.#learn();
  }

  async setMember(id, name, role) {
    await this.#command("PUT", `conversations/${id}/members/${name}`, { role });
  }

  async removeMember(id, name) {
    await this.#command("DELETE", `conversations/${id}/members/${name}`);
  }

  // --- requests

  /** The user's name: in the body if there is one, else in the query. */
  get #name() {
    return { username: this.#user || undefined };
  }

  #named(method, path, fields, query) {
    return this.request(method, path, { ...query, ...(!fields && this.#name) }, fields && { ...this.#name, ...fields });
  }

  request(method, path, query, body) {
    return this.#asking(this.#http.request(method, path, query, body));
  }

  #get(path, query) {
    return this.#asking(this.#http.page(path, query));
  }

  /** A refused caller keeps no socket that was granted before. */
  async #asking(answer) {
    const session = this.#session;
    try {
      return await answer;
    } catch (error) {
      if (aboutCaller(error) && session && session === this.#session) this.#end("refused", error);
      throw error;
    }
  }
}
