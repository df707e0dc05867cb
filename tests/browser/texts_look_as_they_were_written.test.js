/*
 * A text is sent and shown as its author wrote it: lines, indentation, both directions of writing,
 * whole emoji.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { isEmoji } from "../../nginx/html/text.js";
import { browse } from "./chromium.js";
import { Page } from "./page.js";
import { Stack, until } from "./stack.js";

const FAMILY = "👨‍👩‍👧‍👦",
  FLAG = "🇩🇪";
let stack, browser, ann, id;

const group = async (title) =>
  (await stack.request("POST", "/conversations", { type: "group_chat", members: ["ann", "bob"], title })).id;
const contents = async () => (await stack.messages(id)).map(({ content }) => content);

before(async () => {
  stack = await new Stack().start();
  id = await group("Texts");
  browser = await browse();
  ann = await Page.open(browser, stack, "ann");
  ann.page.setDefaultTimeout(10000);
  await ann.enter(id);
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

test("code keeps its indentation, on the first line too", async () => {
  const code = "    if (a)\n\tb();";
  await ann.say(`\n  \n${code}\n\n`);
  await until(async () => (await contents()).includes(code), "it is stored as it was written");
  const shown = ann.page.locator("li.message .text").last();
  await until(async () => (await shown.textContent()) === code, "it is shown as it was written");
  // The message is drawn again when the server has it. An element that is replaced meanwhile has no
  // style.
  const spaced = () => shown.evaluate((element) => getComputedStyle(element).whiteSpace.startsWith("pre-wrap"));
  await until(spaced, "its white space is kept");
});

test("an invisible message is not sent, and NUL is removed", async () => {
  const before = await contents();
  for (const nothing of ["\u200b", " \u2060\n\t", "\ufeff"]) await ann.say(nothing);
  await ann.composer.evaluate((field) => {
    field.value = "a\0b";
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  await ann.composer.press("Enter");
  await ann.message("ab").getByRole("img", { name: "Sent" }).waitFor();
  assert.deepEqual(await contents(), [...before, "ab"]);
});

test("in a message each line has its own direction", async () => {
  const text = "a line from the left that is long enough\nمرحبا\nb";
  await ann.say(text);
  const shown = ann.message(text).locator(".text");
  await shown.waitFor();
  const [box, arabic, latin] = await shown.evaluate((element) => {
    const at = (letter) => {
      const node = element.firstChild,
        start = node.data.indexOf(letter),
        range = document.createRange();
      range.setStart(node, start);
      range.setEnd(node, start + 1);
      return range.getBoundingClientRect().toJSON();
    };
    return [element.getBoundingClientRect().toJSON(), at("م"), at("\nb") && at("b")];
  });
  assert.ok(Math.abs(arabic.right - box.right) < 2, `the Arabic line begins at ${arabic.right} of ${box.right}`);
  assert.ok(Math.abs(latin.left - box.left) < 2, `the Latin line begins at ${latin.left} of ${box.left}`);
});

test("in the list the name and the text each have their own direction", async () => {
  await stack.request("POST", "/messages", { conversation_id: id, username: "bob", content: "مرحبا (1)" });
  const last = ann.entry(id).locator(".last");
  await last.filter({ hasText: "bob: مرحبا (1)" }).waitFor();
  const parts = await last
    .locator("bdi")
    .evaluateAll((all) => all.map((each) => [each.textContent, each.getBoundingClientRect().x]));
  assert.deepEqual(
    parts.sort((a, b) => a[1] - b[1]).map(([text]) => text),
    ["bob", "مرحبا (1)"],
  );
});

test("an avatar shows a whole flag or family", async () => {
  for (const emoji of [FLAG, FAMILY]) {
    const other = await group(`${emoji} together`);
    await ann
      .entry(other)
      .locator(".avatar", { hasText: new RegExp(`^${emoji}$`) })
      .waitFor();
  }
});

test("a reaction must be an emoji", async () => {
  for (const [n, text] of ["hm", "7", "👍👍", "a👍", "©️ x"].entries()) {
    await ann.act("ab", "React");
    const dialog = ann.page.getByRole("dialog", { name: "React" });
    await dialog.getByLabel("Another emoji").fill(text);
    await dialog.getByLabel("Another emoji").press("Enter");
    await dialog.getByRole("alert").filter({ hasText: "one emoji" }).waitFor();
    assert.equal(await ann.message("ab").locator(".reactions").count(), 0, `${n}: ${text}`);
    await ann.page.keyboard.press("Escape");
  }
  for (const emoji of [FAMILY, FLAG, "❤️", "1️⃣", "👍🏽"]) {
    await ann.act("ab", "React");
    await ann.page.getByLabel("Another emoji").fill(emoji);
    await ann.page.getByLabel("Another emoji").press("Enter");
    await ann.message("ab").locator(".reactions button", { hasText: emoji }).waitFor();
  }
  assert.deepEqual(browser.faults, []);
});

test("on a phone Enter starts a new line, and the button sends", async () => {
  const phone = await browse({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  try {
    const bob = await Page.open(phone, stack, "bob");
    await bob.enter(id);
    await bob.composer.fill("one");
    await bob.composer.press("Enter");
    await bob.composer.pressSequentially("two");
    assert.equal(await bob.composer.inputValue(), "one\ntwo");
    await bob.button("Send").click();
    await bob.message("one\ntwo").waitFor();
  } finally {
    await phone.close();
  }
});

test("page and server agree on which texts are emoji, in every spelling", async () => {
  const { id: message } = await stack.request("POST", "/messages", {
    conversation_id: id,
    username: "bob",
    content: "emoji",
  });
  const spellings = { "❤": "❤️", "❤️": "❤️", "©": "©️", "®️": "®️", "1⃣": "1️⃣", "#️⃣": "#️⃣", "☝🏽": "☝🏽", "🏳‍🌈": "🏳️‍🌈" };
  for (const plain of [FLAG, FAMILY, "👍🏿"]) spellings[plain] = plain;
  for (const [spelling, shown] of Object.entries(spellings)) {
    assert.equal(isEmoji(spelling), true, spelling);
    const path = `/messages/${message}/reactions/${encodeURIComponent(spelling)}?username=ann`;
    assert.ok(Object.keys((await stack.request("PUT", path)).reactions).includes(shown), `${spelling} is ${shown}`);
  }
  for (const text of ["", " ", "1", "#", "*", "a", "ab", "好", "★", "🇩", "a🏽", "1️", "👍👍", "👍 ", "\ufe0f"])
    assert.equal(isEmoji(text), false, text);
});
