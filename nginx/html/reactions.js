/*
 * reactions.js - the dialog with the names of users who reacted to a message. A message lists the
 * first 100 names of each emoji. The dialog reads the others page by page, when the user asks for
 * them (reactors.js).
 */
import { confirm, open, sentence } from "./dialogs.js";
import { h, setText } from "./dom.js";
import { Reactors } from "./reactors.js";
import { t } from "./words.js";

/** Opens the dialog. `mayClear()` says whether the user may remove all users' reactions. */
export function reactions(client, message, mayClear) {
  return new Reactions(client, message, mayClear);
}

class Reactions {
  #client;
  #message;
  #told; // the message of the last event
  #mayClear;
  #sections = new Map(); // emoji: its parts, and a Reactors
  #root = h("div", { class: "details" });
  #fault = h("p", { class: "fault", role: "alert" });

  constructor(client, message, mayClear) {
    this.#client = client;
    this.#message = message;
    this.#mayClear = mayClear;
    this.dialog = open(t("reactions"), this.#root, h("footer", {}, this.#fault));
    const ends = [
      client.on("message", (event) => event.message.id === message.id && this.#apply(event)),
      client.subscribe(() => this.#update()),
    ];
    this.dialog.addEventListener("close", () => ends.forEach((end) => end()));
    this.#draw();
  }

  /** An event without a user name is an edit, or stands for pushes that were missed. */
  #apply({ message, emoji, username, added }) {
    this.#told = message;
    for (const [each, { reactors }] of this.#sections)
      if (!username) reactors.miss();
      else if (each === emoji) reactors.push({ username, added });
  }

  #update() {
    const { id, conversation } = this.#message;
    const message = this.#client.messages(conversation).find((each) => each.id === id) ?? this.#message;
    const changed = message !== this.#message;
    for (const [emoji, { reactors }] of changed ? this.#sections : []) {
      if (message !== this.#told) reactors.miss();
      reactors.expect(message.reactions?.[emoji]?.count);
    }
    this.#message = message;
    this.#draw();
  }

  #draw() {
    const shown = this.#message.reactions ?? {};
    if (!Object.keys(shown).length) return this.dialog.close();
    for (const [emoji, { section }] of this.#sections)
      if (!shown[emoji]) {
        this.#leave(section);
        section.remove();
        this.#sections.delete(emoji);
      }
    for (const [emoji, reaction] of Object.entries(shown)) {
      if (!this.#sections.has(emoji)) this.#add(emoji);
      this.#fill(emoji, reaction);
    }
  }

  #add(emoji) {
    const count = h("span"),
      people = h("ul"),
      more = h("button", { type: "button", class: "more", onclick: () => this.#more(emoji) });
    const asksToClear = () =>
      confirm(t("clearTitle", emoji), t("clearText"), t("clearButton"), () =>
        this.#client.clearReaction(this.#message.id, emoji),
      );
    const attributes = { type: "button", class: "danger", "aria-label": t("clear", emoji), onclick: asksToClear };
    const clear = h("button", attributes, t("clearButton"));
    const heading = h("h3", {}, h("span", { class: "sign" }, emoji), " ", count);
    const section = h("section", {}, h("header", {}, heading, clear), people, more);
    const read = (query) => this.#client.reactions(this.#message.id, emoji, query);
    this.#sections.set(emoji, { section, count, people, more, clear, reactors: new Reactors(read) });
    this.#root.append(section);
  }

  #fill(emoji, reaction) {
    const { section, count, people, more, clear, reactors } = this.#sections.get(emoji);
    reactors.list(reaction);
    if (reactors.stale) this.#read(emoji);
    const { stale, whole } = reactors,
      names = inOrder(reactors.known);
    section.setAttribute("aria-busy", String(stale));
    setText(count, String(whole && !stale ? names.length : reaction.count));
    for (const [n, name] of names.entries()) {
      if (!people.children[n]) people.append(h("li"));
      setText(people.children[n], name === this.#client.user ? `${name} (${t("you")})` : name);
    }
    while (people.children.length > names.length) people.lastChild.remove();
    this.#show(more, !whole);
    setText(more, t("andMore", Math.max(1, reaction.count - names.length)));
    this.#show(clear, this.#mayClear());
  }

  #show(button, shown) {
    if (!shown) this.#leave(button);
    button.hidden = !shown;
  }

  /** Keeps the focus in the dialog when the part that has it disappears. */
  #leave(part) {
    if (part.contains(document.activeElement)) this.dialog.focus();
  }

  /** The button is never disabled, because that would lose the focus. */
  #more(emoji) {
    this.#sections.get(emoji).reactors.want();
    this.#read(emoji);
  }

  async #read(emoji) {
    const { reactors } = this.#sections.get(emoji);
    if (reactors.reading) return;
    try {
      await reactors.read();
      setText(this.#fault, "");
    } catch (error) {
      setText(this.#fault, sentence(error));
    }
    this.#draw();
  }
}

/** Names in byte order, as the server lists them. */
const inOrder = (names) => [...names].sort();
