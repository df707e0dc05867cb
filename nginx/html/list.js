/* list.js - the list of conversations. Knows how an entry looks, not what choosing it does. */
import { avatar, h, setText } from "./dom.js";
import { nameOf, snippet } from "./text.js";
import { fullTimeOf, insteadOf, namelessOf, shortTimeOf, t, today } from "./words.js";

const STEP = 100; // entries drawn at first, and more with each scroll to the end

export class List {
  #root;
  #items = new Map();
  #drawn = STEP;
  #conversations = [];
  #current = null;
  #me = "";
  #today;
  #onlineOf;

  /**
   * `onlineOf(conversation)` returns who is online, or undefined if that is unknown; `scrolled()`
   * is called on scrolling.
   */
  constructor(root, { onlineOf, scrolled }) {
    this.#root = root;
    this.#onlineOf = onlineOf;
    root.addEventListener("scroll", scrolled, { passive: true });
    root.addEventListener("keydown", (event) => this.#move(event));
    root.addEventListener("scroll", () => this.#more(), { passive: true });
  }

  /** Returns the ids of the conversations whose entries are in sight. */
  get inSight() {
    const { top, bottom } = this.#root.getBoundingClientRect();
    const seen = ({ item }) => {
      const box = item.getBoundingClientRect();
      return box.height > 0 && box.bottom > top && box.top < bottom;
    };
    return [...this.#items].filter(([, entry]) => seen(entry)).map(([id]) => id);
  }

  show(conversations, me, current) {
    this.#conversations = conversations;
    this.#me = me;
    this.#current = current;
    this.#today = today();
    const wanted = conversations.slice(0, this.#drawn),
      ids = new Set(wanted.map(({ id }) => id));
    for (const [id, entry] of this.#items)
      if (!ids.has(id)) {
        entry.item.remove();
        this.#items.delete(id);
      }
    const focused = this.#root.contains(document.activeElement) ? document.activeElement : null;
    let place = this.#root.firstChild;
    for (const conversation of wanted) {
      const { item } = this.#entry(conversation);
      if (item === place) place = place.nextSibling;
      else this.#root.insertBefore(item, place);
    }
    if (focused && document.activeElement !== focused) focused.focus({ preventScroll: true });
  }

  #more() {
    const { scrollTop, clientHeight, scrollHeight } = this.#root;
    if (this.#drawn >= this.#conversations.length || scrollTop + clientHeight < scrollHeight - 600) return;
    this.#drawn += STEP;
    this.show(this.#conversations, this.#me, this.#current);
  }

  /** Arrow keys move between entries. */
  #move(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key],
      links = [...this.#root.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement);
    if (!step || at < 0) return;
    event.preventDefault();
    links[Math.max(0, Math.min(links.length - 1, at + step))].focus();
  }

  #entry(conversation) {
    const { id } = conversation,
      entry = this.#items.get(id) ?? newEntry(id),
      chosen = id === this.#current;
    this.#items.set(id, entry);
    const presence = presenceOf(conversation, this.#onlineOf(conversation), this.#me),
      looks = { shown: conversation, chosen, presence, day: this.#today };
    if (Object.keys(looks).some((of) => entry[of] !== looks[of])) {
      Object.assign(entry, looks);
      fill(entry, conversation, this.#me, chosen, presence);
    }
    return entry;
  }
}

/**
 * Returns "here" if another user is online, "away" if the other member of a private chat is not, ""
 * if unknown.
 */
function presenceOf({ type }, online, me) {
  if (online?.some((who) => who !== me)) return "here";
  return online && type === "private_chat" ? "away" : "";
}

function newEntry(id) {
  const parts = {
    face: h("span", { class: "face" }),
    name: h("span", { class: "name", dir: "auto" }),
    present: h("span", { class: "unseen" }),
    time: h("time"),
    last: h("span", { class: "last", dir: "auto" }),
    unread: h("span", { class: "unread", "aria-hidden": "true" }),
    news: h("span", { class: "unseen" }),
  };
  parts.link = h(
    "a",
    { href: `#${id}`, "data-conversation": String(id) },
    parts.face,
    h("span", { class: "top" }, parts.name, parts.present, parts.time),
    h("span", { class: "bottom" }, parts.last, parts.unread, parts.news),
  );
  return { item: h("li", {}, parts.link), ...parts };
}

function fill({ link, face, name, present, time, last, unread, news }, conversation, me, chosen, presence) {
  const called = nameOf(conversation, me, namelessOf(conversation)),
    message = conversation.last_message;
  const moment = message?.timestamp ?? conversation.created_at;
  link.classList.toggle("has-unread", conversation.unread > 0);
  if (chosen) link.setAttribute("aria-current", "true");
  else link.removeAttribute("aria-current");
  face.replaceChildren(avatar(called, presence));
  setText(present, presence ? t(presence === "here" ? "online" : "away") : "");
  setText(name, called);
  setText(time, shortTimeOf(moment));
  time.dateTime = new Date(moment).toISOString();
  time.title = fullTimeOf(moment);
  last.replaceChildren(
    ...(conversation.typing.length ? [t("typing", conversation.typing)] : line(conversation, message, me)),
  );
  last.classList.toggle("typing", conversation.typing.length > 0);
  setText(unread, conversation.unread ? String(conversation.unread > 999 ? "999+" : conversation.unread) : "");
  setText(news, conversation.unread ? t("unread", conversation.unread) : "");
}

/** Shows the last message in one line. Name and text each keep their own writing direction. */
function line(conversation, message, me) {
  if (!message) return [t("members", conversation.member_count)];
  const text = insteadOf(message) ?? snippet(message.content);
  const named = message.sender === me ? t("you") : conversation.type === "group_chat" && message.sender;
  return named ? [h("bdi", {}, named), ": ", h("bdi", {}, text)] : [text];
}
