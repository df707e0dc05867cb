import assert from "node:assert/strict";
import { test } from "node:test";

import { guess, indexAt, offsets, range } from "../../nginx/html/heights.js";

const heights = [10, 30, 5, 100, 20],
  found = offsets(heights.length, (i) => heights[i]);

test("each message begins where the one before it ends", () => {
  assert.deepEqual([...found], [0, 10, 40, 45, 145, 165]);
  assert.deepEqual([...offsets(0)], [0]);
});

test("heights before a changed message are not read again", () => {
  const now = [10, 30, 7, 100, 20, 50],
    asked = [];
  const again = offsets(now.length, (i) => (asked.push(i), now[i]), found, 2);
  assert.deepEqual([...again], [...offsets(now.length, (i) => now[i])]);
  assert.deepEqual(asked, [2, 3, 4, 5]);
  assert.deepEqual([...offsets(1, (i) => now[i], found, 1)], [0, 10]);
});

test("the message at a position is found, the first one above all, the last one below all", () => {
  const at = { "-5": 0, 0: 0, 9.9: 0, 10: 1, 39: 1, 40: 2, 44: 2, 45: 3, 144: 3, 145: 4, 164: 4, 165: 4, 9999: 4 };
  for (const [y, i] of Object.entries(at)) assert.equal(indexAt(found, Number(y)), i, y);
  assert.equal(indexAt(offsets(0), 7), 0);
});

test("the drawn messages cover the window and its margins, and no more", () => {
  const many = Array.from({ length: 1000 }, (_, i) => 20 + ((i * 37) % 180)),
    all = offsets(many.length, (i) => many[i]);
  for (let top = -300; top < all.at(-1) + 300; top += 977) {
    const [first, end] = range(all, top, 600, 700);
    assert.ok(all[first] <= Math.max(0, top - 700), `${top}: from ${all[first]}`);
    assert.ok(all[end] >= Math.min(all.at(-1), top + 600 + 700), `${top}: to ${all[end]}`);
    assert.ok(end - first <= 100, `${end - first} messages`);
  }
  assert.deepEqual(range(offsets(0), 0, 600, 700), [0, 0]);
});

test("longer texts and narrower columns get larger estimated heights", () => {
  const text = (content, more) => ({ content, ...more });
  const [short, long] = [text("hello"), text("some more words ".repeat(40))];
  assert.ok(guess(long, 800) > guess(short, 800));
  assert.ok(guess(long, 300) > guess(long, 800));
  assert.ok(guess(text("a\nb\nc"), 800) > guess(short, 800));
  assert.ok(guess(text("hello", { reply_to: 1 }), 800) > guess(short, 800));
  assert.ok(guess(text("hello", { reactions: { x: ["bob"] } }), 800) > guess(short, 800));
});
