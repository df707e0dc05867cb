/*
 * dialogs.js - what is asked beside the conversation: with whom to begin one, which emoji, whether one is sure; and what
 * a conversation's members are. Each is a <dialog>: the browser keeps the focus in it, and gives it back.
 */
import { avatar, h, iconButton, setText } from "./dom.js";
import { isName, nameOf, names } from "./text.js";
import { t } from "./words.js";

const EMOJI = ["👍", "❤️", "😂", "🎉", "😮", "😢", "🙏", "✅"];

/** What went wrong, to be shown. */
export const sentence = (error) => (error.status === 0 ? t("unreachable") : error.message);

/** Opens a dialog that is gone when it closes. */
function open(label, ...children) {
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

function name(dialog, label) {
  dialog.setAttribute("aria-label", label);
  setText(dialog.querySelector("h2"), label);
}

/** A form in a dialog. `done(form)` may refuse with a sentence; what it throws is shown too. */
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

const firstBad = (list) => list.find((name) => !isName(name));

/** Asks with whom, and calls create({ type, members, title }). */
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
  const dialog = ask(t("newConversation"), [kinds, members, title], t("create"), async (form) => {
    const list = names(form.members.value),
      bad = firstBad(list);
    if (bad) return t("badName", bad);
    if (type() === "private_chat" && list.length !== 1) return t("oneOther");
    await create({
      type: type(),
      members: list,
      ...(!title.hidden && form.title.value && { title: form.title.value }),
    });
  });
  show();
  dialog.querySelector("[name=members]").focus();
}

/** Asks whether one is sure. */
export function confirm(title, text, button, done) {
  const dialog = ask(title, [h("p", {}, text)], button, done);
  dialog.querySelector(".primary").classList.add("danger");
}

/** Asks for an emoji, beside the button that was pressed. */
export function pickEmoji(beside, done) {
  const choose = (emoji) => {
    dialog.close();
    done(emoji);
  };
  const other = h("input", { "aria-label": t("otherEmoji"), placeholder: "…", maxLength: 16, autocomplete: "off" });
  const dialog = h(
    "dialog",
    { class: "emoji", "aria-label": t("react"), onclose: () => dialog.remove() },
    EMOJI.map((emoji) => h("button", { type: "button", onclick: () => choose(emoji) }, emoji)),
    h(
      "form",
      {
        onsubmit: (event) => {
          event.preventDefault();
          if (other.value.trim()) choose(other.value.trim());
        },
      },
      other,
    ),
  );
  dialog.addEventListener("mousedown", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  const box = beside.getBoundingClientRect(),
    { width, height } = dialog.getBoundingClientRect();
  dialog.style.left = `${Math.max(8, Math.min(box.left - width / 2, innerWidth - width - 8))}px`;
  dialog.style.top = `${box.top - height - 8 > 8 ? box.top - height - 8 : box.bottom + 8}px`;
}

/** A conversation's members, and what its own user may change. `client` is imd's. */
export function details(client, id) {
  const group = client.conversation(id).type === "group_chat";
  const fault = h("p", { class: "fault", role: "alert" }),
    role = h("p", { class: "role" }),
    list = h("div");
  const run = (what) =>
    what.then(
      () => (fault.textContent = ""),
      (error) => (fault.textContent = sentence(error)),
    );
  const leave = () => {
    dialog.close();
    confirm(t("leaveTitle"), t("leaveText"), t("leave"), () => client.leave(id));
  };
  const dialog = open(
    nameOf(client.conversation(id), client.user, t("nobody")),
    h("div", { class: "details" }, group && rename(client, id, run), list, group && add(client, id, run)),
    // Outside of what scrolls: in reach however many members there are.
    group &&
      h(
        "footer",
        {},
        fault,
        h(
          "div",
          { class: "buttons" },
          role,
          h("button", { type: "button", class: "danger", onclick: leave }, t("leave")),
        ),
      ),
    !group && fault,
  );
  let shown = {};
  const draw = () => {
    const conversation = client.conversation(id);
    if (!conversation) return dialog.close();
    const same = (of) => conversation[of] === shown[of];
    if (["title", "members", "member_count", "online", "role"].every(same)) return; // what is being clicked stays
    shown = conversation;
    name(dialog, nameOf(conversation, client.user, t("nobody")));
    setText(role, t("youAre", conversation.role));
    const focused = list.contains(document.activeElement);
    list.replaceChildren(members(client, conversation, run));
    if (focused) dialog.focus();
  };
  const stop = client.subscribe((changed) => changed.has(id) && draw());
  dialog.addEventListener("close", stop);
  draw();
  client.presence(id).catch(() => {});
}

/** One line with a field and a button. */
function line(label, attributes, button, done) {
  const input = h("input", { "aria-label": label, placeholder: label, autocomplete: "off", ...attributes });
  return h(
    "form",
    {
      class: "line",
      onsubmit: (event) => {
        event.preventDefault();
        done(input.value, input);
      },
    },
    input,
    h("button", {}, button),
  );
}

const rename = (client, id, run) =>
  line(t("groupTitle"), { maxLength: 200, value: client.conversation(id).title }, t("rename"), (value) =>
    run(client.update(id, { title: value.trim() })),
  );

const add = (client, id, run) =>
  line(t("addMember"), { autocapitalize: "off", spellcheck: "false" }, t("add"), (value, input) => {
    input.value = "";
    names(value).forEach((name) => run(client.setMember(id, name)));
  });

function members(client, { id, members, member_count, online = [], role, type }, run) {
  if (!members) return h("p", {}, `${t("members", member_count)}. ${t("manyMembers")}`);
  return h(
    "ul",
    { class: "members" },
    members.map((name) => {
      const here = online.includes(name);
      return h(
        "li",
        {},
        avatar(name, here ? "here" : ""),
        h("span", {}, name === client.user ? `${name} (${t("you")})` : name),
        h("small", {}, here ? t("online") : t("away")),
        type === "group_chat" &&
          role !== "member" &&
          name !== client.user &&
          iconButton("close", t("remove", name), () => run(client.removeMember(id, name))),
      );
    }),
  );
}
