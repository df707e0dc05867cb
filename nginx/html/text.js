/*
 * text.js - derives links, snippets and names from texts. Pure functions: knows no page.
 */

// Chinese has no spaces, so its closing punctuation ends an address too. So do characters that
// change the writing direction, which could make an address look like another one.
const LINK = /\bhttps?:\/\/[^\s<>"，。、！？；：（）【】「」『』《》“”‘’…\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gi;
const CLOSERS = { ")": "(", "]": "[", "}": "{" };

/**
 * Returns how much of a candidate is the address: closing punctuation and unmatched brackets at the
 * end are not.
 */
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

/** Splits a text into [{ text, href? }]. Links are http or https, and must be valid URLs. */
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

/** Returns the beginning of a text, in one line. */
export function snippet(text, length = 120) {
  const line = text.replace(/\s+/g, " ").trim();
  const letters = [...line.slice(0, length * 2 + 2)];
  return letters.length > length ? `${letters.slice(0, length).join("")}…` : line;
}

/** Returns the name of a conversation for this user. */
export function nameOf(conversation, me, nameless) {
  const others = (conversation.members ?? []).filter((name) => name !== me);
  return conversation.title || others.join(", ") || nameless;
}

/** Splits the names typed into one field. */
export function names(text) {
  return [...new Set(text.split(/[\s,;，、]+/).filter(Boolean))];
}

export const isName = (name) => /^[A-Za-z0-9_]{1,20}$/.test(name);

/** True if two times are on the same day, in the page's time zone. */
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

/** Returns the first grapheme: a flag or a family emoji is one. */
export const firstLetter = (text) => clusters.segment(text.trim())[Symbol.iterator]().next().value?.segment ?? "";

// A flag, a keycap, or another emoji, with or without U+FE0F: the server adds a missing one.
const EMOJI = /^(?:\p{Regional_Indicator}{2}|[0-9#*]\ufe0f?\u20e3|(?=\p{Emoji})\p{Extended_Pictographic}.*)$/u;

/**
 * True if a text is exactly one emoji. A letter, a digit, half a flag or a sign such as ★ is not.
 */
export const isEmoji = (text) => firstLetter(text) === text && EMOJI.test(text);
