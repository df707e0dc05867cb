/*
 * heights.js - the position of each message in a long list of which only a few are drawn. Messages
 * that were drawn have their measured height, others one guessed from their text. Pure functions:
 * knows no page.
 */

const ROW = 44,
  LINE = 21,
  LETTER = 8.2;

/**
 * Returns offsets: offsets[i] is where message i begins, offsets[count] where the last ends.
 * `heightOf(i)` is a message's height. The offsets up to `from` are taken from `known`.
 */
export function offsets(count, heightOf, known = [0], from = 0) {
  const found = new Float64Array(count + 1);
  found.set(known.slice(0, from + 1));
  for (let i = from; i < count; i++) found[i + 1] = found[i] + heightOf(i);
  return found;
}

/** Returns the index of the message at y: the first if y is above all, the last if it is below. */
export function indexAt(found, y) {
  let low = 0,
    high = Math.max(0, found.length - 2);
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (found[middle] <= y) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * Returns the range to draw, [first, end): it covers `height` from `top` on, and `margin` above and
 * below.
 */
export function range(found, top, height, margin) {
  if (found.length < 2) return [0, 0];
  return [indexAt(found, top - margin), indexAt(found, top + height + margin) + 1];
}

/** Guesses the height of a message that was never drawn, in a column of that width. */
export function guess(message, width) {
  const letters = Math.max(10, (width * 0.72) / LETTER);
  let lines = 0;
  for (const line of message.content.split("\n")) lines += Math.max(1, Math.ceil(line.length / letters));
  return ROW + (lines - 1) * LINE + (message.reply_to ? 30 : 0) + (message.reactions ? 32 : 0);
}
