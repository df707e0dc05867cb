/*
 * composer.js - the field for writing a new message, a reply or an edit. It keeps a draft for each
 * conversation. Knows no network: it calls `send(text, { reply_to })`, `edit(message, text)` and
 * `typing()`. `isBlank(text)` is true if a text shows nothing. `drafts` is like a Map.
 */
import { h, iconButton, setText } from "./dom.js";
import { snippet } from "./text.js";
import { insteadOf, t } from "./words.js";

const LONGEST_BYTES = 65536;
const bytes = (text) => new TextEncoder().encode(text).length;

/** The fields that a draft keeps of the message that it answers or edits. */
const pick = ({ id, conversation, sender, content, withheld }) => ({ id, conversation, sender, content, withheld });

/** On a touch screen Enter starts a new line: there is no Shift to hold, and a button sends. */
const onGlass = () => matchMedia("(pointer: coarse)").matches;

/** Removes blank lines around a text. The indentation of its first line stays: it may be code. */
const trimmed = (text) => text.replace(/^(?:[^\S\n]*\n)+/, "").trimEnd();

export class Composer {
  #on;
  #context;
  #warning;
  #button;
  #drafts;
  #refused = new Map(); // message id: the text of a refused edit
  #id = null;
  #plain = ""; // the draft of a new message while editing
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
      enterkeyhint: onGlass() ? "enter" : "send",
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

  /** Opens a conversation with its draft: a text, a reply or an edit. */
  open(id) {
    if (id === this.#id) return;
    this.#id = id;
    const { text = "", reply = null, edited = null, edit = "" } = this.#drafts.get(id) ?? {};
    this.#plain = text;
    this.#reply = reply;
    this.#edited = edited;
    this.field.value = edited ? edit : text;
    this.#showContext();
  }

  reply(message) {
    this.#endEdit();
    this.#reply = pick(message);
    this.#changed();
    this.focus();
  }

  /** Begins an edit. The draft and its reply target come back when the edit ends. */
  edit(message) {
    if (!this.#edited) this.#plain = this.field.value;
    this.#edited = pick(message);
    this.field.value = this.#refused.get(message.id) ?? message.content;
    this.#refused.delete(message.id);
    this.#changed();
    this.focus();
  }

  /**
   * Keeps the text of a refused edit for the next edit of that message; begins it now if the field
   * is free.
   */
  giveBack(message, text) {
    this.#refused.set(message.id, text);
    if (message.conversation === this.#id && !this.field.value && this.#context.hidden) this.edit(message);
  }

  focus() {
    this.field.focus();
  }

  #endEdit() {
    if (this.#edited) this.field.value = this.#plain;
    this.#edited = null;
  }

  /** Cancels the edit, or else the reply. The text stays. */
  #cancel() {
    if (this.#edited) this.#endEdit();
    else this.#reply = null;
    this.#changed();
  }

  #changed() {
    this.#keep();
    this.#showContext();
  }

  #keep() {
    const edited = this.#edited,
      text = edited ? this.#plain : this.field.value;
    const draft = { text, reply: this.#reply, edited, edit: edited ? this.field.value : "" };
    this.#drafts.set(this.#id, text || draft.reply || edited ? draft : undefined);
  }

  #showContext() {
    const about = this.#edited ?? this.#reply;
    if (about) this.#say(this.#edited ? t("editing") : t("replyingTo", about.sender), about);
    else this.#context.hidden = true;
    this.#fit();
  }

  #say(what, about) {
    const cancel = iconButton("close", t("cancel"), () => {
      this.#cancel();
      this.focus();
    });
    this.#context.replaceChildren(
      h("div", {}, h("b", {}, what), h("span", { dir: "auto" }, insteadOf(about) ?? snippet(about.content))),
      cancel,
    );
    this.#context.hidden = false;
  }

  #typed() {
    this.#keep();
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
    if (event.isComposing || event.keyCode === 229) return; // ends an input-method composition; Safari reports 229
    const sends = event.ctrlKey || event.metaKey || (!event.shiftKey && !onGlass());
    if (event.key === "Enter" && sends) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === "Escape" && !this.#context.hidden) {
      event.stopPropagation();
      this.#cancel();
    } else if (event.key === "ArrowUp" && !this.field.value && !this.#reply) {
      const message = this.#on.lastOwn();
      if (message) (event.preventDefault(), this.edit(message));
    }
  }

  #submit() {
    const text = trimmed(this.field.value),
      edited = this.#edited,
      reply = this.#reply;
    if (this.#on.isBlank(text) || bytes(text) > LONGEST_BYTES) return;
    if (edited) this.#endEdit();
    else ((this.field.value = ""), (this.#reply = null));
    this.#changed();
    if (!edited) this.#on.send(text, reply ? { reply_to: reply.id } : {});
    else if (text !== edited.content) this.#on.edit(edited, text);
    this.focus();
  }
}
