/*
 * details.js - the dialog about a conversation: its members, and the settings that the user may
 * change. It reads the members page by page, because a large conversation does not list them, and
 * because only those pages have the roles.
 */
import { confirm, firstBad, hint, name as rename, open, sentence } from "./dialogs.js";
import { avatar, h, iconButton, setText } from "./dom.js";
import { nameOf, names } from "./text.js";
import { namelessOf, t } from "./words.js";

const PAGE = 100,
  NEAR_END = 400; // pixels from the end of the list at which the next page is loaded
const ROLES = ["member", "admin", "owner"];
const rank = (role) => ROLES.indexOf(role);

/**
 * Opens the dialog. `onlineOf(conversation)` returns who is online, or undefined if that is
 * unknown; `leave()` leaves.
 */
export function details(client, id, { onlineOf, leave }) {
  return new Details(client, id, onlineOf, leave);
}

class Details {
  #client;
  #id;
  #onlineOf;
  #people = new Map(); // name: role
  #rows = new Map(); // name: the parts of its row
  #last = ""; // the last name read so far
  #more = true;
  #reading = false;
  #fault = h("p", { class: "fault", role: "alert" });
  #list = h("ul", { class: "members" });
  #role = h("p", { class: "role" });
  #parts = {};

  constructor(client, id, onlineOf, leave) {
    this.#client = client;
    this.#id = id;
    this.#onlineOf = onlineOf;
    this.#build(leave);
    const ends = [
      client.subscribe((changed) => (changed.has(id) || !changed.size) && this.#draw()),
      client.on("member", (event) => event.conversation === id && this.#apply(event)),
    ];
    this.dialog.addEventListener("close", () => ends.forEach((end) => end()));
    this.#draw();
    this.#read();
  }

  get #conversation() {
    return this.#client.conversation(this.#id);
  }

  #build(leave) {
    const group = this.#conversation.type === "group_chat",
      parts = this.#parts;
    const asksToLeave = () => {
      this.dialog.close();
      confirm(t("leaveTitle"), t("leaveText"), t("leave"), leave);
    };
    if (group) {
      parts.title = this.#titleForm();
      parts.join = this.#joinField();
      parts.add = this.#addForm();
    }
    const scroll = { class: "details", onscroll: () => this.#scrolled() };
    this.#parts.scroller = h("div", scroll, parts.title, parts.join, parts.add, this.#list);
    const button = h("button", { type: "button", class: "danger", onclick: asksToLeave }, t("leave"));
    // Outside the scrolling part, so that it stays in reach however many members there are.
    const footer = h("footer", {}, this.#fault, group && h("div", { class: "buttons" }, this.#role, button));
    this.dialog = open(this.#called(), this.#parts.scroller, footer);
  }

  #called() {
    return nameOf(this.#conversation, this.#client.user, namelessOf(this.#conversation));
  }

  #titleForm() {
    const done = (value) => this.#run(this.#client.update(this.#id, { title: value.trim() }));
    return line(t("groupTitle"), { maxLength: 200, value: this.#conversation.title }, t("rename"), done);
  }

  #joinField() {
    const change = () => this.#run(this.#client.update(this.#id, { join: select.value }));
    const option = (value) => h("option", { value }, t(value === "open" ? "joinOpen" : "joinInvite"));
    const select = h("select", { onchange: change }, option("open"), option("invite"));
    return h("label", { class: "choice" }, h("span", {}, t("whoJoins")), select);
  }

  #addForm() {
    const attributes = { autocapitalize: "off", spellcheck: "false" };
    const form = line(t("addMember"), attributes, t("add"), (value, input) => this.#add(names(value), input));
    return h("div", { class: "add" }, form, hint());
  }

  /** Adds the names one by one. Refused names stay in the field, with the reason. */
  async #add(list, input) {
    const bad = firstBad(list),
      refused = [];
    let said = bad ? t("badName", bad) : "";
    for (const each of bad ? [] : list)
      await this.#client.setMember(this.#id, each).catch((error) => {
        refused.push(each);
        said ||= `${each}: ${sentence(error)}`;
      });
    if (!bad) input.value = refused.join(" ");
    setText(this.#fault, said);
  }

  #run(what) {
    const said = (error) => (setText(this.#fault, error ? sentence(error) : ""), this.#draw());
    return what.then(() => said(), said);
  }

  // --- the members

  async #read() {
    if (this.#reading || !this.#more) return;
    this.#reading = true;
    try {
      const page = await this.#client.members(this.#id, { after: this.#last || undefined, limit: PAGE });
      for (const { username, role } of page.members) this.#people.set(username, role);
      this.#last = page.members.at(-1)?.username ?? this.#last;
      this.#more = page.has_next;
    } catch (error) {
      setText(this.#fault, sentence(error));
      return;
    } finally {
      this.#reading = false;
    }
    this.#draw();
    this.#scrolled();
  }

  #scrolled() {
    const { scrollTop, clientHeight, scrollHeight } = this.#parts.scroller;
    if (this.dialog.open && scrollTop + clientHeight > scrollHeight - NEAR_END) this.#read();
  }

  #apply({ type, username, role }) {
    if (type === "member.left") this.#people.delete(username);
    else if (!this.#more || username <= this.#last) this.#people.set(username, role ?? "member");
    this.#draw();
  }

  #draw() {
    const conversation = this.#conversation;
    if (!conversation) return this.dialog.close();
    const { role, type, join, member_count } = conversation,
      leads = rank(role) > 0;
    rename(this.dialog, this.#called());
    setText(this.#role, type === "group_chat" ? t("youAre", role) : "");
    if (type === "group_chat") {
      // A member may set the title only if the group has no owner.
      const owned = this.#more || [...this.#people.values()].includes("owner");
      this.#parts.title.hidden = !leads && owned;
      this.#parts.join.hidden = !leads;
      this.#parts.join.lastChild.value = join;
    }
    this.#list.setAttribute("aria-label", t("members", member_count));
    this.#drawRows(conversation);
  }

  #drawRows(conversation) {
    const online = this.#onlineOf(conversation);
    for (const [each, { item }] of this.#rows)
      if (!this.#people.has(each)) {
        if (item.contains(document.activeElement)) this.dialog.focus();
        item.remove();
        this.#rows.delete(each);
      }
    let place = this.#list.firstChild;
    for (const each of [...this.#people.keys()].sort()) {
      const row = this.#rows.get(each) ?? this.#newRow(each);
      this.#rows.set(each, row);
      this.#fill(row, each, conversation, online);
      if (row.item === place) place = place.nextSibling;
      else this.#list.insertBefore(row.item, place);
    }
  }

  #newRow(each) {
    const face = h("span", { class: "face" }, avatar(each)),
      here = h("small", {}),
      is = h("small", { class: "is" });
    const change = () => this.#give(each, role.value);
    const options = ROLES.map((value) => h("option", { value }, t("role", value)));
    const role = h("select", { "aria-label": t("roleOf", each), onchange: change }, options);
    const remove = iconButton("close", t("remove", each), () =>
      confirm(t("removeTitle", each), t("removeText", each), t("removeButton"), () =>
        this.#client.removeMember(this.#id, each),
      ),
    );
    const called = h("span", {}, each === this.#client.user ? `${each} (${t("you")})` : each);
    const who = h("span", { class: "person" }, called, here);
    return { item: h("li", {}, face, who, is, role, remove), face, here, is, role, remove };
  }

  #fill({ face, here, is, role, remove }, each, { role: own, type }, online) {
    const itsRole = this.#people.get(each),
      group = type === "group_chat",
      other = group && each !== this.#client.user;
    const present = online?.includes(each);
    face.firstChild.classList.toggle("here", Boolean(present));
    setText(here, online ? t(present ? "online" : "away") : "");
    role.hidden = !(other && own === "owner");
    role.value = itsRole;
    setText(is, group && role.hidden && itsRole !== "member" ? t("role", itsRole) : "");
    remove.hidden = !(other && rank(own) > 0 && rank(own) > rank(itsRole));
  }

  /** Gives a role. Giving ownership away cannot be undone, so it asks first. */
  #give(each, role) {
    const give = () => this.#client.setMember(this.#id, each, role);
    if (role !== "owner") return this.#run(give());
    this.#draw(); // the old role, until the question is answered
    confirm(t("ownerTitle", each), t("ownerText", each), t("ownerButton"), give);
  }
}

/** A form with one field and a button. */
function line(label, attributes, button, done) {
  const input = h("input", { "aria-label": label, placeholder: label, autocomplete: "off", ...attributes });
  const submit = (event) => {
    event.preventDefault();
    done(input.value, input);
  };
  return h("form", { class: "line", onsubmit: submit }, input, h("button", {}, button));
}
