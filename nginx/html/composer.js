/*
 * composer.js - where one writes: a new message, a reply, or an edit. What is half written is kept for each conversation.
 * Knows no network: `send(text, { reply_to })`, `edit(message, text)` and `typing()` are told; `drafts` is like a Map.
 */
import { h, iconButton, setText } from "./dom.js";
import { snippet } from "./text.js";
import { t } from "./words.js";

const LONGEST_BYTES = 65536;
const bytes = (text) => new TextEncoder().encode(text).length;

export class Composer {
  #on;
  #context;
  #warning;
  #button;
  #drafts;
  #refused = new Map(); // message id: what it was to become
  #id = null;
  #reply = null;
  #edited = null;

  constructor({ drafts, ...on }) {
    this.#drafts = drafts;
    this.#on = on;
    this.field = h("textarea", {
      rows: 1,
      "aria-label": t("message"),
      placeholder: t("placeholder"),
      dir: "auto",
      autocomplete: "off",
      enterkeyhint: "send",
      "aria-describedby": "too-long",
      oninput: () => this.#typed(),
      onkeydown: (event) => this.#key(event),
    });
    this.#context = h("div", { class: "context", hidden: true });
    this.#warning = h("p", { class: "warning", id: "too-long", role: "alert" });
    this.#button = h("button", { class: "icon send", "aria-label": t("send"), title: t("send") });
    this.#button.append(iconButton("send", "").firstChild);
    this.form = h(
      "form",
      {
        class: "composer",
        onsubmit: (event) => {
          event.preventDefault();
          this.#submit();
        },
      },
      this.#context,
      this.#warning,
      h("div", { class: "write" }, this.field, this.#button),
    );
  }

  /** The conversation that is written to. */
  open(id) {
    if (id === this.#id) return;
    this.#leave();
    this.#id = id;
    this.field.value = this.#drafts.get(id) ?? "";
    this.#fit();
  }

  reply(message) {
    this.#leave();
    this.#reply = message;
    this.#say(t("replyingTo", message.sender), message.content);
  }

  edit(message) {
    if (!this.#edited) this.#drafts.set(this.#id, this.field.value);
    this.#reply = null;
    this.#edited = message;
    this.field.value = this.#refused.get(message.id) ?? message.content;
    this.#refused.delete(message.id);
    this.#say(t("editing"), message.content);
  }

  /** An edit that was refused: its text is there when that message is edited again; now, if nothing is being written. */
  giveBack(message, text) {
    this.#refused.set(message.id, text);
    if (message.conversation === this.#id && !this.field.value && this.#context.hidden) this.edit(message);
  }

  focus() {
    this.field.focus();
  }

  /** Back to a plain message, with what was half written before. */
  #leave() {
    if (this.#edited) this.field.value = this.#drafts.get(this.#id) ?? "";
    else if (this.#id !== null) this.#drafts.set(this.#id, this.field.value);
    this.#reply = this.#edited = null;
    this.#context.hidden = true;
    this.#fit();
  }

  #say(what, content) {
    const cancel = iconButton("close", t("cancel"), () => {
      this.#leave();
      this.focus();
    });
    this.#context.replaceChildren(h("div", {}, h("b", {}, what), h("span", { dir: "auto" }, snippet(content))), cancel);
    this.#context.hidden = false;
    this.#fit();
    this.focus();
  }

  #typed() {
    if (!this.#edited) this.#drafts.set(this.#id, this.field.value);
    if (!this.#edited && this.field.value) this.#on.typing();
    this.#fit();
  }

  #fit() {
    const { field } = this,
      beyond = bytes(field.value) - LONGEST_BYTES;
    setText(this.#warning, beyond > 0 ? t("tooLong", beyond) : "");
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight}px`;
  }

  #key(event) {
    if (event.isComposing || event.keyCode === 229) return; // ends a word of Chinese; Safari says 229
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === "Escape" && !this.#context.hidden) {
      event.stopPropagation();
      this.#leave();
    } else if (event.key === "ArrowUp" && !this.field.value && !this.#reply) {
      const message = this.#on.lastOwn();
      if (message) (event.preventDefault(), this.edit(message));
    }
  }

  #submit() {
    const text = this.field.value.trim(),
      edited = this.#edited,
      reply = this.#reply;
    if (!text || bytes(text) > LONGEST_BYTES) return;
    if (!edited) this.field.value = "";
    this.#leave();
    if (!edited) this.#on.send(text, reply ? { reply_to: reply.id } : {});
    else if (text !== edited.content) this.#on.edit(edited, text);
    this.focus();
  }
}
