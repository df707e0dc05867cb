/*
 * text.js - what is read out of texts: links, snippets, names. Pure: knows no page.
 */

const LINK = /\bhttps?:\/\/[^\s<>"]+/gi;
const CLOSERS = { ")": "(", "]": "[", "}": "{" };

/** How much of what looks like an address is one: what closes a sentence or an outer bracket is none of it. */
function linkLength(text) {
  for (let length = text.length; length > 0; length--) {
    const last = text[length - 1],
      head = text.slice(0, length);
    if (last in CLOSERS && head.split(last).length <= head.split(CLOSERS[last]).length) return length;
    if (!/[.,;:!?'*_)\]}…。，、！？；：）】」》]/.test(last)) return length;
  }
  return 0;
}

/** A text as [{ text, href? }]. Only http and https, and only what the address parser takes. */
export function links(text) {
  const parts = [];
  let from = 0;
  for (const { 0: found, index } of text.matchAll(LINK)) {
    const href = found.slice(0, linkLength(found));
    if (!URL.canParse(href)) continue;
    if (index > from) parts.push({ text: text.slice(from, index) });
    parts.push({ text: href, href });
    from = index + href.length;
  }
  if (from < text.length) parts.push({ text: text.slice(from) });
  return parts;
}

/** The beginning of a text, in one line. */
export function snippet(text, length = 120) {
  const line = text.replace(/\s+/g, " ").trim();
  const letters = [...line.slice(0, length * 2 + 2)];
  return letters.length > length ? `${letters.slice(0, length).join("")}…` : line;
}

/** What a conversation is called, by whom it is shown to. */
export function nameOf(conversation, me, nameless) {
  const others = (conversation.members ?? []).filter((name) => name !== me);
  return conversation.title || others.join(", ") || nameless;
}

/** Names as they are typed into one field. */
export function names(text) {
  return [...new Set(text.split(/[\s,;，、]+/).filter(Boolean))];
}

export const isName = (name) => /^[A-Za-z0-9_]{1,20}$/.test(name);

/** Whether two moments are of one day, where the page is. */
export function sameDay(a, b) {
  const one = new Date(a),
    other = new Date(b);
  return (
    one.getFullYear() === other.getFullYear() &&
    one.getMonth() === other.getMonth() &&
    one.getDate() === other.getDate()
  );
}
