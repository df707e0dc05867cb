/*
 * frame.js - the fixed parts of the page, empty. Knows neither conversations nor messages; its
 * buttons call `on`.
 */
import { h, icon, iconButton } from "./dom.js";
import { language, NAMES, t } from "./words.js";

/**
 * Adds the fixed parts to the document, and returns them by name. `composer` is the composer's
 * form.
 */
export function frame(composer, on) {
  const parts = { ...sidebarParts(), ...chatParts(on) };
  parts.side = sidebar(parts, on);
  parts.chat = chat(parts, composer, on);
  document.body.append(
    h(
      "main",
      { class: "app" },
      h("h1", { class: "unseen" }, "imd"),
      parts.side,
      h("div", { class: "stage" }, parts.empty, parts.chat),
    ),
    parts.banner,
    parts.voice,
    parts.toasts,
  );
  return parts;
}

function sidebarParts() {
  return {
    name: h("span", { class: "me" }),
    hint: h("p", { class: "hint" }),
    slow: h("p", { class: "slow", role: "status" }),
    entries: h("ul", { class: "entries" }),
    banner: h("p", { class: "banner", role: "status" }),
    voice: h("div", { class: "unseen", role: "status", "aria-live": "polite" }),
    toasts: h("div", { class: "toasts", role: "alert" }),
  };
}

function chatParts(on) {
  const newestCount = h("span", { class: "count" }),
    top = h("p", { class: "top" });
  const items = h("ol", { class: "messages", onclick: on.pointAt });
  const scroll = { class: "messages-scroller", role: "log", "aria-live": "off", tabindex: "0", onkeydown: on.walk };
  const newest = {
    type: "button",
    class: "newest",
    "aria-label": t("newest"),
    title: t("newest"),
    onclick: on.toNewest,
  };
  return {
    title: h("h2", { dir: "auto", tabindex: "-1" }),
    subtitle: h("p", { class: "subtitle" }),
    empty: h("p", { class: "empty" }),
    top,
    items,
    scroller: h("div", scroll, top, items),
    newestCount,
    toNewest: h("button", newest, icon("down"), newestCount),
    typing: h("p", { class: "typing-line" }),
  };
}

function sidebar({ name, hint, slow, entries }, on) {
  return h(
    "nav",
    { class: "side", "aria-label": t("conversations") },
    h(
      "header",
      {},
      h("span", { class: "brand", "aria-hidden": "true" }, "imd"),
      name,
      iconButton("compose", t("newConversation"), on.begin),
    ),
    slow,
    hint,
    entries,
    h("footer", {}, languages(), h("button", { type: "button", onclick: on.signOut }, t("signOut"))),
  );
}

function languages() {
  const choose = () => {
    language.code = select.value;
    location.reload();
  };
  const select = h(
    "select",
    { "aria-label": t("language"), onchange: choose },
    Object.entries(NAMES).map(([code, name]) => h("option", { value: code, selected: code === language.code }, name)),
  );
  return select;
}

function chat({ title, subtitle, scroller, toNewest, typing }, composer, on) {
  return h(
    "section",
    { class: "chat", hidden: true },
    h(
      "header",
      {},
      iconButton("back", t("back"), on.back, { class: "icon back" }),
      h("div", {}, title, subtitle),
      iconButton("people", t("details"), on.details),
    ),
    h("div", { class: "pane" }, scroller, toNewest),
    typing,
    composer,
  );
}
