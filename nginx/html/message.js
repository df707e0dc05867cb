/*
 * message.js - draws one message: an <li> that is created once, and updated when its message
 * changes.
 *
 * Knows no list and no network: its buttons call `act(action, message, …)`.
 */
import { avatar, h, icon, iconButton } from "./dom.js";
import { links, sameDay, snippet } from "./text.js";
import { dayOf, fullTimeOf, insteadOf, t, timeOf } from "./words.js";

const NAMED = 10; // names shown in a reaction's tooltip
const TOGETHER_MS = 5 * 60000; // messages of one sender within this time form a group

/**
 * Returns everything outside a message that its looks depend on. If two are equal, the message
 * looks the same in both.
 */
function surroundings(message, before, view) {
  // Whether the first message held begins a day is unknown, unless it is the very first.
  const begins = before ? !sameDay(before.timestamp, message.timestamp) : !view.older;
  const day = begins && dayOf(message.timestamp);
  const fresh = view.firstUnread === message.seq && message.seq !== undefined;
  const first =
    begins || fresh || before?.sender !== message.sender || message.timestamp - before.timestamp > TOGETHER_MS;
  const mine = message.sender === view.me;
  const readers = mine && message.seq ? view.readersOf(message.seq) : [];
  const quoted = message.reply_to && (view.find(message.reply_to) ?? null);
  const erasable = mine || view.moderates;
  return { day, fresh, first, mine, readers: readers.join(), quoted, erasable, me: view.me, last_seq: view.lastSeq };
}

/**
 * Returns the `draw` of log.js. `view` is { me, moderates, firstUnread, lastSeq, older,
 * readersOf(seq), find(id) }.
 */
export function messageDrawer(view, act) {
  const shown = new WeakMap(); // item: { message, around }
  return (message, before, item = newItem(act, shown)) => {
    const around = surroundings(message, before, view),
      old = shown.get(item);
    const others = Object.keys(around).filter((key) => around[key] !== old?.around[key]),
      same = old?.message === message;
    if (same && others.length === 0) return item;
    shown.set(item, { message, around });
    if (message.seq) item.dataset.seq = message.seq;
    if (message.id) item.dataset.id = message.id;
    item.setAttribute("aria-setsize", String(around.last_seq || -1));
    item.setAttribute("aria-posinset", String(message.seq ?? around.last_seq + 1));
    // If only the list became longer, touch nothing else: a selected text stays selected.
    if (same && others.every((key) => key === "last_seq")) return item;
    keepFocus(item, () => fill(item, message, around, act));
    return item;
  };
}

/**
 * Runs a change that replaces parts of an element. Afterwards the button that had the focus has it
 * again, if it exists.
 */
function keepFocus(item, change) {
  const focused = item.contains(document.activeElement) ? document.activeElement : null;
  change();
  if (focused && document.activeElement !== focused)
    (item.querySelector(`[data-act="${CSS.escape(focused.dataset.act ?? "")}"]`) ?? item).focus({
      preventScroll: true,
    });
}

/** Creates the parts that never change, among them the buttons. */
function newItem(act, shown) {
  const item = h("li", { class: "message", tabindex: "-1" });
  const button = (name, action) =>
    iconButton(
      name,
      t(action),
      (event) => {
        act(action, shown.get(item).message, event.currentTarget);
      },
      { "data-act": action, tabIndex: -1 },
    );
  item.append(
    h("div", { class: "above" }),
    h(
      "div",
      { class: "line" },
      h("div", { class: "gutter" }),
      h("div", { class: "bubble" }),
      h(
        "div",
        { class: "actions" },
        button("react", "react"),
        button("people", "who"),
        button("reply", "reply"),
        button("edit", "edit"),
        button("delete", "delete"),
      ),
    ),
  );
  return item;
}

function fill(item, message, { day, fresh, first, mine, readers, quoted, erasable, me }, act) {
  const [above, line] = item.children,
    [gutter, bubble, actions] = line.children;
  const stored = Boolean(message.id),
    gone = Boolean(message.deleted_at),
    instead = insteadOf(message);
  const looks = {
    mine,
    first,
    gone: instead !== null,
    sending: message.state === "sending",
    failed: message.state === "failed",
  };
  for (const [look, is] of Object.entries(looks)) item.classList.toggle(look, is);
  above.replaceChildren(
    ...[
      day && h("div", { class: "day" }, h("span", {}, day)),
      fresh && h("div", { class: "fresh" }, h("span", {}, t("newMessages"))),
    ].filter(Boolean),
  );
  gutter.replaceChildren(...(first && !mine ? [avatar(message.sender)] : []));
  bubble.replaceChildren(
    ...[
      h("span", { class: first && !mine ? "sender" : "sender unseen" }, mine ? t("you") : message.sender),
      message.reply_to && quote(message, quoted, act),
      h(
        "div",
        { class: "content" },
        h("div", { class: "text", dir: "auto" }, instead ?? textNodes(message.content)),
        meta(message, mine, readers),
      ),
      message.reactions && reactions(message, act),
      message.state === "failed" && failure(message, act),
    ].filter(Boolean),
  );
  const can = {
    react: stored && !gone,
    reply: stored && !gone,
    who: stored && !gone && message.reactions !== undefined,
    edit: stored && instead === null && mine,
    delete: stored && !gone && erasable,
  };
  for (const button of actions.children) button.hidden = !can[button.dataset.act];
  actions.hidden = !stored || gone;
}

function textNodes(text) {
  return links(text).map(({ text, href }) =>
    href ? h("a", { href, target: "_blank", rel: "noopener noreferrer nofollow", tabIndex: -1 }, text) : text,
  );
}

function quote(message, quoted, act) {
  return h(
    "button",
    { type: "button", class: "quote", "data-act": "goto", tabIndex: -1, onclick: () => act("goto", message) },
    h("b", {}, quoted?.sender ?? ""),
    h("span", { dir: "auto" }, quoted ? (insteadOf(quoted) ?? snippet(quoted.content)) : t("earlier")),
  );
}

function meta(message, mine, readers) {
  const moment = h(
    "time",
    { datetime: new Date(message.timestamp).toISOString(), title: fullTimeOf(message.timestamp) },
    timeOf(message.timestamp),
  );
  const label = message.state ? t(message.state) : readers ? t("readBy", readers.split(",")) : t("sent");
  const sign = { sending: "○", failed: "!" }[message.state] ?? (readers ? "✓✓" : "✓");
  return h(
    "div",
    { class: "meta" },
    message.edited_at && !insteadOf(message) && h("span", {}, t("edited")),
    moment,
    mine && h("span", { class: "state", role: "img", "aria-label": label, title: label }, sign),
  );
}

function reactions(message, act) {
  return h(
    "div",
    { class: "reactions" },
    Object.entries(message.reactions).map(([emoji, shown]) => {
      const names = t("someOf", shown.names.slice(0, NAMED), shown.count);
      return h(
        "button",
        {
          type: "button",
          "data-act": `toggle ${emoji}`,
          title: names,
          tabIndex: -1,
          "aria-pressed": String(shown.mine),
          onclick: () => act("toggle", message, emoji),
        },
        `${emoji} ${shown.count} `,
        h("span", { class: "unseen" }, names),
      );
    }),
  );
}

function failure(message, act) {
  const button = (action) =>
    h("button", { type: "button", "data-act": action, onclick: () => act(action, message) }, t(action));
  return h(
    "div",
    { class: "failure" },
    icon("close"),
    h("span", {}, message.error?.message ?? t("failed")),
    button("retry"),
    button("discard"),
  );
}
