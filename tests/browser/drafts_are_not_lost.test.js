/*
 * A draft stays until it is sent: one for each conversation, through a reload, and if an edit is
 * refused.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { browse } from "./chromium.js";
import { Page } from "./page.js";
import { Stack } from "./stack.js";

let stack, browser, ann, ids;

before(async () => {
  stack = await new Stack().start();
  const group = () => stack.request("POST", "/conversations", { type: "group_chat", members: ["ann", "bob"] });
  ids = [(await group()).id, (await group()).id];
  browser = await browse();
  ann = await Page.open(browser, stack, "ann");
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

const written = (text) =>
  ann.page.waitForFunction((text) => document.querySelector("textarea")?.value === text, text, { timeout: 5000 });

test("each conversation keeps its draft, through a reload too", async () => {
  await ann.enter(ids[0]);
  await ann.composer.fill("half of this");
  await ann.enter(ids[1]);
  await written("");
  await ann.composer.fill("half of that");
  await ann.enter(ids[0]);
  await written("half of this");
  await ann.page.reload();
  await written("half of this");
  await ann.enter(ids[1]);
  await written("half of that");
  await ann.composer.press("Enter");
  await ann.message("half of that").waitFor();
  await ann.page.reload();
  await ann.message("half of that").waitFor();
  await written("");
});

test("an edit and its end leave the draft as it was", async () => {
  await ann.composer.fill("half");
  await ann.act("half of that", "Edit");
  await written("half of that");
  await ann.composer.press("Escape");
  await written("half");
  await ann.composer.fill("");
});

test("the text of a refused edit is restored", async () => {
  const refuse = (route) =>
    route.fulfill({
      status: 403,
      contentType: "application/problem+json",
      body: JSON.stringify({ error: "Not any more", code: "not_the_sender", status: 403 }),
    });
  await ann.act("half of that", "Edit");
  await ann.page.route("**/messages/*", refuse);
  await ann.composer.fill("all of that");
  await ann.composer.press("Enter");
  await ann.page.getByRole("alert").filter({ hasText: "Not any more" }).waitFor();
  await written("all of that");
  await ann.page.unroute("**/messages/*");
  await ann.composer.press("Enter");
  await ann.message("all of that").waitFor();
  await written("");
});

test("the Enter that ends a Chinese composition sends nothing", async () => {
  for (const how of [{ isComposing: true }, { keyCode: 229 }]) {
    await ann.composer.fill("你好");
    await ann.composer.dispatchEvent("keydown", { key: "Enter", bubbles: true, cancelable: true, ...how });
    await written("你好");
  }
  await ann.composer.press("Enter");
  await ann.message("你好").waitFor();
});

test("a draft that is too long is reported before sending, and stays", async () => {
  const long = "字".repeat(22000); // of three bytes each
  await ann.composer.fill(long);
  await ann.page.getByRole("alert").filter({ hasText: "Too long by 464 bytes" }).waitFor();
  await ann.composer.press("Enter");
  await written(long);
  await ann.composer.fill(long.slice(200));
  await ann.composer.press("Enter");
  await written("");
  assert.deepEqual(browser.faults, []);
});

test("a half-written edit and a reply target survive another conversation and a closed tab", async () => {
  await ann.say("the draft of all");
  await ann.message("the draft of all").getByRole("img", { name: "Sent" }).waitFor();
  await ann.enter(ids[0]);
  await ann.say("the question");
  await ann.message("the question").getByRole("img", { name: "Sent" }).waitFor();
  await ann.act("the question", "Reply");
  await ann.composer.fill("half an answer");
  const replies = () => ann.page.locator(".context", { hasText: "Reply to ann" }).waitFor();
  await ann.enter(ids[1]);
  await written("");
  await ann.act("the draft of all", "Edit");
  await ann.composer.fill("half an edit");
  await ann.enter(ids[0]);
  await written("half an answer");
  await replies();
  await ann.page.close();
  ann = await Page.open(browser, stack, "ann");
  await ann.enter(ids[1]);
  await written("half an edit");
  await ann.page.locator(".context", { hasText: "Edit your message" }).waitFor();
  await ann.composer.press("Enter");
  await ann.message("half an edit").filter({ hasText: "edited" }).waitFor();
  await written("");
  await ann.enter(ids[0]);
  await written("half an answer");
  await ann.composer.press("Enter");
  await ann.message("half an answer").locator(".quote", { hasText: "the question" }).waitFor();
});

test("another user of the browser does not see the draft", async () => {
  await ann.composer.fill("ann alone sees this");
  const bob = await Page.open(browser, stack, "bob");
  await bob.enter(ids[0]);
  assert.equal(await bob.composer.inputValue(), "");
  await bob.page.close();
  await ann.page.close();
  ann = await Page.open(browser, stack, "ann");
  await ann.enter(ids[0]);
  await written("ann alone sees this");
});

test("signing out removes the drafts", async () => {
  await ann.composer.fill("a secret");
  await ann.button("Sign out").click();
  await ann.page.getByLabel("Your name").waitFor();
  const kept = () => [...Object.values(sessionStorage), ...Object.values(localStorage)];
  assert.deepEqual(await ann.page.evaluate(kept), []);
});
