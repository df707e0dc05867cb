/*
 * A conversation of 10,000 messages. Its newest page is drawn at once. Scrolling back to the first
 * message loads page after page, with few messages in the document, and none of them jumps.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { browse } from "./chromium.js";
import { Page } from "./page.js";
import { Stack } from "./stack.js";

const MESSAGES = 10000,
  AT_ONCE = 50,
  FIRST_PAINT_MS = 300,
  DRAWN_MAX = 120;
let stack, browser, id;

before(async () => {
  stack = await new Stack().start();
  ({ id } = await stack.request("POST", "/conversations", { type: "group_chat", members: ["ann", "bob"] }));
  for (let n = 0; n < MESSAGES; n += AT_ONCE)
    await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => stack.request("POST", "/messages", content(n + i))));
  await stack.request("PUT", `/conversations/${id}/read`, { username: "ann", seq: MESSAGES });
  browser = await browse();
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

/** Texts of many heights. */
function content(n) {
  return {
    conversation_id: id,
    username: n % 3 ? "bob" : "ann",
    content: `message ${n} ${"and some more words ".repeat((n * 7) % 7)}${"\nline".repeat(n % 3)}`,
  };
}

/** Records when the newest page came, and when it was painted. */
function watchFirstPaint() {
  new MutationObserver((_, observer) => {
    if (!document.querySelector("li.message")) return;
    observer.disconnect();
    requestAnimationFrame(() => {
      const channel = new MessageChannel(); // the first task after the paint
      channel.port1.onmessage = () => {
        const page = performance.getEntriesByType("resource").find(({ name }) => name.includes("before_seq"));
        window.first_paint_ms = performance.now() - page.responseEnd;
      };
      channel.port2.postMessage(0);
    });
  }).observe(document, { childList: true, subtree: true });
}

/**
 * Scrolls up to the first message, a part of a window at a time. Returns by how much the message in
 * view was, at worst, displaced from where scrolling should put it, and the largest number of
 * messages in the document.
 */
async function scrollToTheFirst() {
  const log = document.querySelector("[role=log]"),
    seen = new Set();
  const frame = () => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
  const items = () => [...document.querySelectorAll("li.message")];
  // The position of the text: the sender's name above it may go when the message before turns out
  // to be theirs too.
  const place = (item) => item.querySelector(".text").getBoundingClientRect().top;
  const inSight = () => items().find((item) => place(item) >= log.getBoundingClientRect().top) ?? items().at(-1);
  let jump = 0,
    drawn = 0,
    blank = 0,
    idle = 0;
  while (idle < 300) {
    const item = inSight(),
      { seq } = item.dataset,
      before = place(item),
      top = log.scrollTop;
    const step = Math.min(top, log.clientHeight);
    log.scrollTop -= step;
    await frame();
    const same = document.querySelector(`[data-seq="${seq}"]`);
    if (same) jump = Math.max(jump, Math.abs(place(same) - before - step));
    else blank++;
    for (const each of items()) seen.add(Number(each.dataset.seq));
    drawn = Math.max(drawn, items().length);
    idle = seen.has(1) && step < 1 ? idle + 100 : step < 1 ? idle + 1 : 0;
  }
  return { jump, drawn, blank, seen: seen.size };
}

test("the newest page is painted soon after its data arrive", async (t) => {
  const times = [];
  for (let round = 0; round < 3; round++) {
    const page = await browser.context.newPage();
    await page.addInitScript(watchFirstPaint);
    await page.goto(`${stack.url}/im/?user=ann#${id}`);
    times.push(await (await page.waitForFunction(() => window.first_paint_ms)).jsonValue());
    await page.locator(`li.message[data-seq="${MESSAGES}"]`).waitFor();
    await page.close();
  }
  t.diagnostic(`first paint ${times.map(Math.round).join(", ")} ms after the data`);
  assert.ok(times.sort((a, b) => a - b)[1] < FIRST_PAINT_MS, String(times));
});

test("scrolling back to the first message loads pages without a jump", { timeout: 120000 }, async (t) => {
  const ann = await Page.open(browser, stack, "ann");
  await ann.enter(id);
  await ann.page.locator(`[data-seq="${MESSAGES}"]`).waitFor();
  const begun = performance.now();
  const { jump, drawn, blank, seen } = await ann.page.evaluate(scrollToTheFirst);
  t.diagnostic(
    `${seen} messages in ${Math.round(performance.now() - begun)} ms, ${drawn} drawn at most, moved by ${jump.toFixed(2)} px at most`,
  );
  assert.equal(seen, MESSAGES);
  assert.equal(blank, 0);
  assert.ok(drawn <= DRAWN_MAX, String(drawn));
  assert.ok(jump <= 1, `a message moved by ${jump} px`);

  // All 10,000 are held now. The end is shown at once, and so are new messages.
  await ann.button("Newest messages").click();
  await ann.say("the last one");
  await ann.message("the last one").waitFor();
  assert.ok((await ann.page.locator("li.message").count()) <= DRAWN_MAX);

  // Wherever the scroll bar is dragged, there are messages.
  const empty = await ann.page.evaluate(async () => {
    const log = document.querySelector("[role=log]"),
      box = log.getBoundingClientRect();
    let empty = 0;
    for (let i = 0; i < 100; i++) {
      log.scrollTop = (((i * 37) % 100) / 100) * (log.scrollHeight - log.clientHeight);
      await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
      for (const y of [0.1, 0.5, 0.9]) {
        const at = box.top + box.height * y;
        const there = [...document.querySelectorAll("li.message")].some(
          (item) => item.getBoundingClientRect().top <= at && item.getBoundingClientRect().bottom >= at,
        );
        if (!there && log.scrollTop > 60) empty++;
      }
    }
    return empty;
  });
  assert.equal(empty, 0);
  assert.deepEqual(browser.faults, []);
});
