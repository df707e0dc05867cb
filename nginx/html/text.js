/*
 * text.js - what is read out of texts: links, snippets, names. Pure: knows no page.
 */

// Chinese has no spaces: what closes a sentence or a bracket there ends an address too. And nothing that turns the
// direction of writing, by which an address could look like another one.
const LINK = /\bhttps?:\/\/[^\s<>"，。、！？；：（）【】「」『』《》“”‘’…\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gi;
const CLOSERS = { ")": "(", "]": "[", "}": "{" };

/** How much of what looks like an address is one: what closes a sentence or an outer bracket is none of it. */
function linkLength(text) {
  const open = { "(": 0, "[": 0, "{": 0 };
  for (const letter of text) {
    if (letter in open) open[letter]++;
    else if (letter in CLOSERS) open[CLOSERS[letter]]--;
  }
  for (let length = text.length; length > 0; length--) {
    const last = text[length - 1],
      outer = last in CLOSERS && open[CLOSERS[last]] < 0;
    if (outer) open[CLOSERS[last]]++;
    else if (!/[.,;:!?'*_]/.test(last)) return length;
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

const clusters = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** The first character as a reader counts them: a flag or a family is one. */
export const firstLetter = (text) => clusters.segment(text.trim())[Symbol.iterator]().next().value?.segment ?? "";

// A flag, a keycap, or what Unicode calls an emoji; with or without U+FE0F: the server adds what is missing.
const EMOJI = /^(?:\p{Regional_Indicator}{2}|[0-9#*]\ufe0f?\u20e3|(?=\p{Emoji})\p{Extended_Pictographic}.*)$/u;

/** Whether a text is one emoji and nothing else; a letter, a digit, half a flag or a sign such as ★ is none. */
export const isEmoji = (text) => firstLetter(text) === text && EMOJI.test(text);
