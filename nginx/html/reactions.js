/*
 * reactions.js - the dialog that shows who reacted to a message, and how. A message lists the first
 * 100 names of each emoji. The dialog reads the others page by page, when the user asks for them.
 */
import { confirm, open, sentence } from "./dialogs.js";
import { h, setText } from "./dom.js";
import { t } from "./words.js";

/** Opens the dialog. `mayClear()` says whether the user may remove everybody's reactions. */
export function reactions(client, message, mayClear) {
  return new Reactions(client, message, mayClear);
}

class Reactions {
  #client;
  #message;
  #mayClear;
  #sections = new Map(); // emoji: its parts. `known` holds the names read so far, without a gap before the last
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

  /**
   * Applies a push to the names read so far. A push that names nobody makes them unknown, except
   * those in the message.
   */
  #apply({ emoji, username, added }) {
    if (!username) for (const { known } of this.#sections.values()) known.clear();
    const parts = username && this.#sections.get(emoji);
    if (!parts) return;
    const { known, counted } = parts;
    if (!added) known.delete(username);
    else if (known.size === counted || username < inOrder(known).at(-1)) known.add(username);
    parts.counted += added ? 1 : -1;
  }

  #update() {
    const { id, conversation } = this.#message;
    this.#message = this.#client.messages(conversation).find((each) => each.id === id) ?? this.#message;
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
      this.#fill(this.#sections.get(emoji), reaction);
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
    this.#sections.set(emoji, { section, count, people, more, clear, known: new Set(), counted: 0, reading: false });
    this.#root.append(section);
  }

  #fill(parts, { count, names }) {
    const { known, people, more, clear } = parts;
    if (parts.counted !== count) known.clear();
    parts.counted = count;
    for (const name of names) known.add(name);
    setText(parts.count, String(count));
    for (const [n, name] of inOrder(known).entries()) {
      if (!people.children[n]) people.append(h("li"));
      setText(people.children[n], name === this.#client.user ? `${name} (${t("you")})` : name);
    }
    while (people.children.length > known.size) people.lastChild.remove();
    this.#show(more, known.size < count);
    setText(more, t("andMore", count - known.size));
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

  async #more(emoji) {
    const parts = this.#sections.get(emoji),
      after = inOrder(parts.known).at(-1);
    if (parts.reading) return;
    parts.reading = true; // a disabled button would lose the focus
    try {
      const { names, count } = await this.#client.reactions(this.#message.id, emoji, { after });
      setText(this.#fault, "");
      // If the counts differ, somebody reacted meanwhile, and their push may have come or not. Then
      // the user must ask again.
      if (parts.counted === count) names.forEach((name) => parts.known.add(name));
      this.#draw();
    } catch (error) {
      setText(this.#fault, sentence(error));
    } finally {
      parts.reading = false;
    }
  }
}

/** Names in byte order, as the server lists them. */
const inOrder = (names) => [...names].sort();
