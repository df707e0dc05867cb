/*
 * app.js - the page: the user, the open conversation, and its view. It reaches the server only
 * through the client (imd.js).
 */
import { Composer } from "./composer.js";
import { details } from "./details.js";
import { confirm, newConversation, pickEmoji, sentence } from "./dialogs.js";
import { h, setText } from "./dom.js";
import { frame } from "./frame.js";
import { Client } from "./imd.js";
import { List } from "./list.js";
import { Log } from "./log.js";
import { messageDrawer } from "./message.js";
import { lasting, memory } from "./memory.js";
import { reactions } from "./reactions.js";
import { isName, nameOf, snippet } from "./text.js";
import { namelessOf, t, today } from "./words.js";

const PRESENCE_EACH_MS = 20000;
const PRESENCE_KNOWN_MS = 3 * PRESENCE_EACH_MS; // older answers are not shown
const PRESENCE_MEMBERS = 100; // the page asks about larger groups only while they are open
const SCROLLED_MS = 300;
const NEAR = 30; // with more unread messages, the first may not be on the newest page
const KEPT = 3; // left conversations whose messages stay loaded
const CALM_MS = 1000; // a shorter break is not shown
const SEEN_MS = 400; // how long a message must be in sight to count as read
const WIDE = "(min-width: 720px)";

/**
 * Takes the user and the token out of the address. A token is for this tab only, and must not be
 * copied with the address, so it is removed from it.
 */
function readAddress() {
  const token = location.hash.match(/^#token=(.+)$/)?.[1],
    user = new URLSearchParams(location.search).get("user");
  if (token) (memory.set("token", token), memory.set("user"));
  if (token) history.replaceState(null, "", location.pathname + location.search);
  if (user && isName(user) && user !== memory.get("user")) memory.set("user", user);
}

/** Parses a value from storage; undefined if another version or another program wrote it. */
function parsed(json) {
  try {
    return JSON.parse(json) ?? undefined;
  } catch {
    return undefined;
  }
}

class App {
  #client;
  #id = null;
  #shown = null;
  #firstUnread = null;
  #heard = 0;
  #late = null;
  #loading = null;
  #begun = false; // the messages are shown, from the first unread one
  #today = today();
  #fromList = false;
  #leaving = false;
  #asked = new Map(); // conversation id: { at, known }, when presence was last asked for, and whether there was an answer
  #asking = false;
  #seen = null; // the timer that marks as read what was seen
  #missed = false; // messages came while the window had no focus
  #settles = null;
  #visited = []; // the conversations that were left last, newest first
  #quit = null; // the conversation that the user asked to leave
  #changed = new Set(); // ids of all conversations that have changed; all with unsent messages are among them

  constructor() {
    const token = memory.get("token");
    this.#client = new Client({ user: memory.get("user"), ...(token && { token: () => token }) });
    this.#build();
    this.#client.subscribe((changed) => {
      for (const id of changed) this.#changed.add(id);
      this.#show();
    });
    this.#client.on("status", () => setTimeout(() => this.#askPresence()));
    this.#client.start().catch(() => {}); // the status shows the error
    addEventListener("hashchange", () => this.#go());
    for (const event of ["focus", "visibilitychange"]) addEventListener(event, () => this.#return());
    addEventListener("focusin", () => this.#read());
    addEventListener("visibilitychange", () => this.#look(), true);
    addEventListener("keydown", (event) => this.#escape(event));
    setInterval(() => this.#look(), PRESENCE_EACH_MS);
    this.#go();
  }

  // --- the state

  #build() {
    this.composer = new Composer({
      send: (text, more) => {
        this.#client.send(this.#id, text, more).catch(() => {});
        this.log.toEnd();
      },
      edit: (message, text) =>
        this.#client.edit(message.id, text).catch((error) => {
          this.#fail(error);
          this.composer.giveBack(message, text);
        }),
      isBlank: Client.isBlank,
      typing: () => this.#client.typing(this.#id),
      drafts: {
        get: (id) => parsed(lasting.get(this.#draftKey(id))),
        set: (id, draft) => lasting.set(this.#draftKey(id), draft && JSON.stringify(draft)),
      },
      lastOwn: () =>
        this.#client
          .messages(this.#id)
          .findLast((m) => m.sender === this.#client.user && m.id && !m.deleted_at && !m.withheld),
    });
    Object.assign(
      this,
      frame(this.composer.form, {
        begin: () => this.#begin(),
        back: () => this.#back(),
        details: () => this.#details(this.#id),
        signOut: () => this.#signOut(),
        toNewest: () => this.log.toEnd(),
        walk: (event) => this.#walk(event),
        pointAt: (event) => this.#pointAt(event),
      }),
    );
    this.list = new List(this.entries, {
      onlineOf: (conversation) => this.#onlineOf(conversation),
      scrolled: () => {
        clearTimeout(this.#settles);
        this.#settles = setTimeout(() => this.#askPresence(), SCROLLED_MS);
      },
    });
    this.log = this.#buildLog();
  }

  get #moderates() {
    return ["owner", "admin"].includes(this.#client.conversation(this.#id)?.role);
  }

  /**
   * Drafts belong to a user, not to a tab: they outlive the tab, and other users of this browser do
   * not see them.
   */
  #draftKey(id) {
    return `draft ${this.#client.user} ${id}`;
  }

  #buildLog() {
    const app = this;
    const view = {
      get me() {
        return app.#client.user;
      },
      get moderates() {
        return app.#moderates;
      },
      get firstUnread() {
        return app.#firstUnread;
      },
      get lastSeq() {
        return app.#client.conversation(app.#id)?.last_seq ?? 0;
      },
      get older() {
        return app.#client.conversation(app.#id)?.older ?? false;
      },
      readersOf: (seq) => app.#readersOf(seq),
      find: (id) => app.log.find(id),
    };
    return new Log({
      scroller: this.scroller,
      list: this.items,
      draw: messageDrawer(view, (...what) => this.#act(...what)),
      // The user's own messages keep the key that they had before the server gave them a seq.
      key: (message) => (message.client_id && message.sender === this.#client.user ? message.client_id : message.seq),
      nearTop: () => this.#older(),
      newer: () => app.#client.conversation(app.#id)?.newer ?? false,
      moved: () => this.#moved(),
    });
  }

  // --- drawing

  #show() {
    const { status, conversations, user } = this.#client;
    if (status === "refused") return this.#refused(this.#client.error);
    setText(this.name, user ?? "");
    this.list.show(conversations, user, this.#id);
    setText(this.hint, conversations.length ? "" : t(status === "online" ? "noConversations" : "loadingFirst"));
    this.hint.hidden = conversations.length > 0;
    this.#showConnection(status);
    const unread = conversations.reduce((sum, { unread }) => sum + unread, 0);
    document.title = unread ? `(${unread}) imd` : "imd";
    if (this.#id !== null) this.#showConversation();
  }

  #showConnection(status) {
    const lost = status === "connecting" || status === "offline";
    if (!lost) (clearTimeout(this.#late), (this.#late = null), (this.banner.hidden = true));
    else if (this.banner.hidden)
      this.#late ??= setTimeout(() => {
        this.banner.hidden = false;
        this.#show();
      }, CALM_MS);
    setText(this.banner, lost && !this.banner.hidden ? t(status) : "");
    setText(this.slow, status === "polling" ? t("polling") : "");
  }

  #showConversation() {
    const conversation = this.#client.conversation(this.#id);
    this.#frame(conversation);
    if (!conversation) return this.#shown && this.#gone();
    const { user } = this.#client,
      messages = this.#client.messages(this.#id);
    setText(this.title, nameOf(conversation, user, namelessOf(conversation)));
    this.scroller.setAttribute("aria-label", t("messagesOf", this.title.textContent));
    setText(this.subtitle, this.#subtitle(conversation));
    setText(this.typing, conversation.typing.length ? t("typing", conversation.typing) : "");
    const old = this.#shown;
    this.#shown = conversation;
    if (!old) (this.composer.open(this.#id), this.#arrive());
    if (!conversation.loaded) this.#begun = false;
    const begins = conversation.loaded && !this.#begun && !this.#seeks(conversation, messages);
    if (begins) this.#firstUnread = this.#firstUnreadOf(conversation, messages);
    if (begins) this.#begun = true;
    setText(this.top, t(!this.#begun ? "loadingFirst" : conversation.older ? "loading" : "beginning"));
    if (conversation.loaded && !this.#begun) return;
    this.log.show(messages);
    const looks = ["read", "older", "newer", "role"]; // fields of the conversation that its messages show
    if (old && (begins || looks.some((of) => old[of] !== conversation[of]))) this.log.refresh();
    if (begins) this.#lookAtUnread(messages);
    this.#announce(messages, begins || conversation.newer || old?.newer);
    this.#moved();
  }

  /** Focuses the composer; on a phone, where that would open the keyboard, the heading. */
  #arrive() {
    if (document.querySelector("dialog[open]")) return;
    (matchMedia(WIDE).matches ? this.composer : this.title).focus();
  }

  /** Loads older pages up to the first unread message. Returns whether they are still missing. */
  #seeks({ id, unread, read_seq, older }, [first]) {
    const beyond = unread > 0 && older && first?.seq > read_seq + 1;
    if (beyond) this.#older(() => this.#client.around(id, read_seq + 1));
    return beyond;
  }

  /** Shows the chat, or the notice in its place if there is no conversation. */
  #frame(conversation) {
    document.body.classList.toggle("open", this.#id !== null);
    this.chat.hidden = !conversation;
    this.empty.hidden = Boolean(conversation);
  }

  /**
   * The user is no longer a member: back to the list after leaving, else a notice in place of the
   * conversation.
   */
  #gone() {
    if (this.#quit === this.#id) return this.#back();
    for (const dialog of document.querySelectorAll("dialog")) dialog.close();
    const back = h("button", { type: "button", class: "primary", onclick: () => this.#back() }, t("back"));
    this.empty.replaceChildren(h("span", { role: "alert" }, t("noMember", this.title.textContent)), back);
    this.#shown = null;
    this.log.clear();
    back.focus();
  }

  #subtitle(conversation) {
    const { type, member_count, members } = conversation,
      online = this.#onlineOf(conversation);
    const others = online?.filter((name) => name !== this.#client.user) ?? [];
    if (type === "private_chat") return online ? t(others.length ? "online" : "away") : "";
    const count = t("members", members?.length ?? member_count);
    return online?.length ? `${count}, ${t("onlineCount", online.length)}` : count;
  }

  #firstUnreadOf({ unread, read_seq }, messages) {
    const others = (message) => message.seq > read_seq && message.sender !== this.#client.user;
    return unread && messages[0]?.seq <= read_seq + 1 ? (messages.find(others)?.seq ?? null) : null;
  }

  #lookAtUnread(messages) {
    const first = messages.find(({ seq }) => seq === this.#firstUnread && seq);
    if (first) this.log.reveal(first, 0.15);
    else this.log.toEnd();
  }

  #readersOf(seq) {
    const { read = {} } = this.#client.conversation(this.#id) ?? {};
    return Object.keys(read).filter((name) => name !== this.#client.user && read[name] >= seq);
  }

  /** Announces new messages to screen readers. */
  #announce(messages, known) {
    const last = messages.findLast(({ seq }) => seq)?.seq ?? 0;
    if (known) this.#heard = last;
    const others = ({ seq, sender }) => seq > this.#heard && sender !== this.#client.user;
    const fresh = messages.slice(-20).filter(others).slice(-3);
    this.#heard = Math.max(this.#heard, last);
    for (const { sender, content } of fresh) this.voice.append(h("p", {}, `${sender}: ${snippet(content)}`));
    while (this.voice.children.length > 5) this.voice.firstChild.remove();
  }

  // --- navigation

  #go() {
    const id = Number(location.hash.slice(1)) || null;
    if (id === this.#id) return;
    const left = this.#id;
    this.#forget(left, id);
    setText(this.empty, t("choose"));
    this.#fromList = left === null && this.#client.conversations.length > 0;
    this.#id = id;
    this.#shown = null;
    this.#begun = this.#leaving = this.#missed = false;
    clearTimeout(this.#seen);
    this.#seen = null;
    this.#firstUnread = null;
    this.log.clear();
    if (id !== null) {
      this.#open(id).then(
        () => this.#askPresence(),
        () => this.#id === id && !this.empty.querySelector("[role=alert]") && this.#back(),
      );
    }
    this.#show();
    this.#frame(this.#client.conversation(id));
    if (id === null) this.entries.querySelector(`[data-conversation="${left}"]`)?.focus();
  }

  /**
   * Opens a conversation where the user goes on reading: at the first unread message, or at the
   * newest page.
   */
  #open(id) {
    const { unread = 0, read_seq } = this.#client.conversation(id) ?? {};
    return unread > NEAR ? this.#client.around(id, read_seq + 1) : this.#client.open(id);
  }

  /**
   * Closes all but the last few conversations, so that a long visit costs no more memory or
   * requests than a short one.
   */
  #forget(left, id) {
    this.#visited = [left, ...this.#visited.filter((each) => each !== left)].filter((each) => each && each !== id);
    for (const each of this.#visited.splice(KEPT)) this.#client.close(each);
  }

  /** Goes to the list. If the user came from there, it goes back in the browser's history. */
  #back() {
    if (this.#leaving) return;
    this.#leaving = true;
    if (this.#fromList) return history.back();
    history.pushState(null, "", location.pathname + location.search);
    this.#go();
  }

  #moved() {
    this.toNewest.hidden = this.log.atEnd;
    const { user } = this.#client,
      { read_seq = 0 } = this.#client.conversation(this.#id) ?? {};
    const below = this.log.atEnd ? 0 : this.log.below(({ sender, seq }) => sender !== user && seq > read_seq);
    setText(this.newestCount, below ? String(below) : "");
    this.#read();
  }

  /**
   * Marks as read the messages that were seen: everything at the end, else up to the last message
   * that stayed in sight.
   */
  #read() {
    const conversation = this.#client.conversation(this.#id);
    if (!conversation || !this.#begun || conversation.read_seq >= conversation.last_seq) return;
    if (document.hidden || !document.hasFocus()) return void (this.#missed = true);
    if (this.#missed) return; // until the user is shown where the new messages begin
    if (this.log.atEnd && !conversation.newer) return void this.#client.read(this.#id).catch(() => {});
    const seen = this.log.lastInSight?.seq ?? 0;
    this.#seen ??= setTimeout(() => this.#readSeen(seen), SEEN_MS);
  }

  /**
   * Marks as read the messages that stayed in sight. `before` is the last message that was in sight
   * SEEN_MS ago, so messages that were only scrolled past do not count.
   */
  #readSeen(before) {
    this.#seen = null;
    const conversation = this.#client.conversation(this.#id),
      now = this.log.lastInSight?.seq ?? 0,
      seq = Math.min(before, now);
    if (now > before) this.#read();
    if (!conversation || !this.#begun || document.hidden || !document.hasFocus() || this.#missed) return;
    if (seq > conversation.read_seq) this.#client.read(this.#id, seq).catch(() => {});
  }

  /**
   * The window has the focus again. Messages that came meanwhile start at a divider, and are read
   * when they are seen.
   */
  #return() {
    if (document.hidden || !document.hasFocus()) return;
    const conversation = this.#client.conversation(this.#id),
      missed = this.#missed;
    this.#missed = false;
    if (missed && conversation?.unread && this.#begun) {
      const messages = this.#client.messages(this.#id),
        { atEnd } = this.log;
      this.#firstUnread = this.#firstUnreadOf(conversation, messages);
      this.log.refresh();
      if (this.#firstUnread && atEnd) this.#lookAtUnread(messages);
    }
    this.#read();
  }

  #older(load = (id) => this.#client.older(id)) {
    const id = this.#id;
    if (!this.#client.conversation(id)?.older || this.#loading) return;
    const done = (more) => {
      this.#loading = null;
      if (!this.#begun) this.#show();
      else if (more && this.#id === id) this.log.refresh(); // more may be needed
    };
    this.#loading = load(id).then(done, () => setTimeout(done, CALM_MS));
  }

  /** Updates the parts that no push announces: presence, and the date. */
  #look() {
    this.#askPresence();
    this.#show();
    if (this.#today === today()) return;
    this.#today = today();
    this.log.refresh();
  }

  get #connected() {
    return ["online", "polling"].includes(this.#client.status);
  }

  /** Returns the online users of a conversation; undefined if the last answer is too old. */
  #onlineOf({ id, online }) {
    const { at, known } = this.#asked.get(id) ?? {};
    return this.#connected && known && Date.now() - at < PRESENCE_KNOWN_MS ? online : undefined;
  }

  /**
   * Asks for presence in the open conversation and in those in sight in the list, one after the
   * other. It asks about each at most every 10 s.
   */
  async #askPresence() {
    if (this.#asking) return;
    this.#asking = true;
    const small = (id) => this.#client.conversation(id)?.member_count <= PRESENCE_MEMBERS;
    for (const id of new Set([this.#id, ...this.list.inSight.filter(small)])) {
      if (document.hidden || !this.#connected) break;
      if (!this.#client.conversation(id) || Date.now() - (this.#asked.get(id)?.at ?? 0) < PRESENCE_EACH_MS / 2)
        continue;
      const error = await this.#client.presence(id).then(
        () => null,
        (error) => error,
      );
      if (error && !(error.status >= 400 && error.status < 429)) break; // the next requests would fail too
      this.#asked.set(id, { at: Date.now(), known: !error });
      this.#show();
    }
    this.#asking = false;
  }

  #details(id) {
    const leave = () => {
      this.#quit = id;
      return this.#client.leave(id).catch((error) => {
        this.#quit = null;
        throw error;
      });
    };
    details(this.#client, id, { onlineOf: (conversation) => this.#onlineOf(conversation), leave });
  }

  /** Arrow keys move between messages; Enter goes to a message's buttons. */
  #walk(event) {
    const item = document.activeElement.closest?.("li.message"),
      step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (event.target.closest("input, textarea")) return;
    if (step && (item || step < 0)) {
      event.preventDefault();
      this.#focus(item ? this.log.beside(item, step) : this.log.beside(null, 0));
    } else if (event.key === "Enter" && event.target === item) {
      event.preventDefault();
      item.querySelector(".actions button:not([hidden])")?.focus();
    } else if (event.key === "Escape" && item) {
      (event.target === item ? this.composer : item).focus();
    }
  }

  /** Shows a message's buttons when it is touched, for devices that cannot hover. */
  #pointAt(event) {
    const item = event.target.closest("li.message");
    if (item && !event.target.closest("a, button") && getSelection().isCollapsed) this.#focus(item);
  }

  /** Only the focused message and its buttons are in the tab order. */
  #focus(item) {
    for (const active of this.items.querySelectorAll(".active")) this.#activate(active, false);
    if (!item) return;
    this.#activate(item, true);
    item.focus({ preventScroll: true });
  }

  #activate(item, active) {
    item.classList.toggle("active", active);
    // On a phone the buttons float above the message, or at the top edge if that is out of sight.
    const hidden = this.scroller.getBoundingClientRect().top - item.getBoundingClientRect().top;
    item.style.setProperty("--hidden", `${hidden}px`);
    for (const control of item.querySelectorAll("a, button")) control.tabIndex = active ? 0 : -1;
  }

  #escape(event) {
    if (
      event.key === "Escape" &&
      this.#id !== null &&
      document.activeElement === document.body &&
      !document.querySelector("dialog")
    )
      this.#back();
  }

  // --- commands

  #act(action, message, more) {
    const does = {
      reply: () => this.composer.reply(message),
      edit: () => this.composer.edit(message),
      delete: () => confirm(t("deleteTitle"), t("deleteText"), t("delete"), () => this.#client.delete(message.id)),
      react: () => pickEmoji(more, (emoji) => this.#toggle(message, emoji, true)),
      who: () => reactions(this.#client, message, () => message.sender === this.#client.user || this.#moderates),
      toggle: () => this.#toggle(message, more, !message.reactions[more]?.mine),
      retry: () => this.#client.retry(this.#id, message.client_id).catch(() => {}),
      discard: () => this.#client.discard(this.#id, message.client_id),
      goto: () => this.#goTo(message.reply_to),
    };
    does[action]();
  }

  #toggle(message, emoji, on) {
    this.#run(on ? this.#client.react(message.id, emoji) : this.#client.unreact(message.id, emoji));
  }

  /** Shows a message, loading older pages until it is there. */
  async #goTo(message_id) {
    const id = this.#id;
    while (!this.log.find(message_id))
      if (this.#id !== id || !(await this.#client.older(id).catch(() => false))) return;
    const item = this.log.reveal(this.log.find(message_id));
    this.#focus(item);
    item.classList.add("pointed");
    item.addEventListener("animationend", () => item.classList.remove("pointed"), { once: true });
  }

  #begin() {
    newConversation(async (what) => {
      location.hash = (await this.#client.create(what)).id;
    });
  }

  #run(what) {
    what.catch((error) => this.#fail(error));
  }

  #fail(error) {
    const toast = h("p", {}, sentence(error));
    this.toasts.append(toast);
    setTimeout(() => toast.remove(), 6000);
  }

  // --- the user

  /**
   * Removes all of the user's messages and drafts from this browser. If some are unsent, it asks
   * first.
   */
  #signOut() {
    const all = [...this.#changed].flatMap((id) => this.#client.messages(id)),
      waiting = all.filter(({ state }) => state).length;
    if (waiting) confirm(t("signOutTitle"), t("signOutText", waiting), t("signOut"), () => this.#leaveNothing());
    else this.#leaveNothing();
  }

  #leaveNothing() {
    this.#client.stop();
    this.#client.forget();
    lasting.forget(this.#draftKey(""));
    for (const key of ["user", "token"]) memory.forget(key);
    location.replace(location.pathname);
  }

  /** Asks for the missing user name or token, and starts again. */
  #refused(error) {
    const asked = error.code === "missing_user" ? "user" : error.status === 401 ? "token" : null;
    const input = h("input", {
      name: "who",
      required: true,
      autocomplete: asked === "user" ? "username" : "off",
      autocapitalize: "off",
      spellcheck: "false",
      ...(asked === "user" && { pattern: "[A-Za-z0-9_]{1,20}", title: t("nameRule") }),
    });
    const form = h(
      "form",
      {
        class: "who",
        onsubmit: (event) => {
          event.preventDefault();
          this.#enter(asked, input.value.trim());
        },
      },
      h("h1", {}, "imd"),
      h("h2", {}, t({ user: "whoTitle", token: "tokenTitle" }[asked] ?? "refusedTitle")),
      h("p", {}, asked ? t({ user: "whoText", token: "tokenText" }[asked]) : error.message),
      asked && h("label", { class: "field" }, h("span", {}, t(asked === "user" ? "yourName" : "yourToken")), input),
      h("button", { class: "primary" }, t(asked ? "enter" : "again")),
    );
    document.body.replaceChildren(h("main", { class: "gate" }, form));
    if (asked) input.focus();
  }

  /** Stores the answer and reloads. The earlier name was refused, or is not the token's. */
  #enter(asked, value) {
    memory.forget("user");
    if (asked) memory.set(asked, value);
    history.replaceState(null, "", location.pathname + location.hash);
    location.reload();
  }
}

readAddress();
new App();
