/*
 * dialogs.js - the dialogs: new conversation, emoji, confirmation. Each is a <dialog>, so the
 * browser keeps the focus inside and restores it afterwards.
 */
import { h, iconButton, setText } from "./dom.js";
import { isEmoji, isName, names } from "./text.js";
import { t } from "./words.js";

const EMOJI = ["👍", "❤️", "😂", "🎉", "😮", "😢", "🙏", "✅"];

/** Returns the sentence to show for an error. */
export const sentence = (error) => (error.status === 0 ? t("unreachable") : error.message);

/** Opens a dialog that removes itself when it closes. */
export function open(label, ...children) {
  const dialog = h(
    "dialog",
    { "aria-label": label, onclose: () => dialog.remove() },
    h(
      "header",
      {},
      h("h2", {}, label),
      iconButton("close", t("close"), () => dialog.close()),
    ),
    children,
  );
  dialog.addEventListener("mousedown", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Renames an open dialog. */
export function name(dialog, label) {
  dialog.setAttribute("aria-label", label);
  setText(dialog.querySelector("h2"), label);
}

/**
 * Opens a dialog with a form. `done(form)` may return a sentence to refuse; errors that it throws
 * are shown too.
 */
function ask(label, fields, submit, done) {
  const fault = h("p", { class: "fault", role: "alert" });
  const form = h(
    "form",
    {
      onsubmit: async (event) => {
        event.preventDefault();
        const button = form.querySelector("[type=submit], .primary");
        button.disabled = true;
        try {
          const refusal = await done(form);
          fault.textContent = typeof refusal === "string" ? refusal : "";
          if (!fault.textContent) dialog.close();
        } catch (error) {
          fault.textContent = sentence(error);
        }
        button.disabled = false;
      },
    },
    fields,
    fault,
    h("div", { class: "buttons" }, h("button", { class: "primary" }, submit)),
  );
  const dialog = open(label, form);
  return dialog;
}

const field = (label, attributes) =>
  h("label", { class: "field" }, h("span", {}, label), h("input", { autocomplete: "off", ...attributes }));

/** Returns the first text that is not a valid user name. */
export const firstBad = (list) => list.find((name) => !isName(name));

/** Says beforehand that unknown names become new users. */
export const hint = () => h("p", { class: "note" }, t("newNames"));

/**
 * Gives the same idempotency key for the same content: the server creates it once, however often
 * the user tries.
 */
function idempotencyKeys() {
  const keys = new Map();
  return (what) => {
    const content = JSON.stringify(what);
    if (!keys.has(content)) keys.set(content, crypto.getRandomValues(new Uint32Array(4)).join("-"));
    return keys.get(content);
  };
}

/** Asks for the members, and calls create({ type, members, title, client_id }). */
export function newConversation(create) {
  const title = field(t("groupTitle"), { name: "title", maxLength: 200 });
  const members = field(t("withWhom"), {
    name: "members",
    placeholder: t("namesHint"),
    required: true,
    autocapitalize: "off",
    spellcheck: "false",
  });
  const kind = (value, label, checked) =>
    h(
      "label",
      {},
      h("input", { type: "radio", name: "type", value, checked, onchange: () => show() }),
      h("span", {}, label),
    );
  const kinds = h(
    "fieldset",
    { class: "kinds" },
    h("legend", { class: "unseen" }, t("newConversation")),
    kind("private_chat", t("privateChat"), true),
    kind("group_chat", t("groupChat"), false),
  );
  const type = () => kinds.querySelector(":checked").value;
  const show = () => {
    title.hidden = type() === "private_chat";
    members.firstChild.textContent = t(title.hidden ? "withWhom" : "withWhomMany");
    members.lastChild.placeholder = title.hidden ? "" : t("namesHint");
  };
  const keyOf = idempotencyKeys();
  const dialog = ask(t("newConversation"), [kinds, members, hint(), title], t("create"), async (form) => {
    const list = names(form.members.value),
      bad = firstBad(list);
    if (bad) return t("badName", bad);
    if (type() === "private_chat" && list.length !== 1) return t("oneOther");
    const what = {
      type: type(),
      members: list,
      ...(!title.hidden && form.title.value && { title: form.title.value }),
    };
    await create({ ...what, client_id: keyOf(what) });
  });
  show();
  dialog.querySelector("[name=members]").focus();
}

/** Asks for confirmation. */
export function confirm(title, text, button, done) {
  const dialog = ask(title, [h("p", {}, text)], button, done);
  dialog.querySelector(".primary").classList.add("danger");
}

/** Asks for an emoji, next to the button that was pressed. */
export function pickEmoji(beside, done) {
  const choose = (emoji) => {
    dialog.close();
    done(emoji);
  };
  const fault = h("p", { class: "fault", role: "alert" });
  const other = h("input", { "aria-label": t("otherEmoji"), placeholder: "…", maxLength: 32, autocomplete: "off" });
  const dialog = h(
    "dialog",
    { class: "emoji", "aria-label": t("react"), onclose: () => dialog.remove() },
    EMOJI.map((emoji) => h("button", { type: "button", onclick: () => choose(emoji) }, emoji)),
    h(
      "form",
      {
        onsubmit: (event) => {
          event.preventDefault();
          const emoji = other.value.trim();
          if (isEmoji(emoji)) return choose(emoji);
          setText(fault, emoji && t("noEmoji"));
        },
      },
      other,
    ),
    fault,
  );
  dialog.addEventListener("mousedown", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  const box = beside.getBoundingClientRect(),
    { width, height } = dialog.getBoundingClientRect();
  dialog.style.left = `${Math.max(8, Math.min(box.left - width / 2, innerWidth - width - 8))}px`;
  dialog.style.top = `${box.top - height - 8 > 8 ? box.top - height - 8 : box.bottom + 8}px`;
}
