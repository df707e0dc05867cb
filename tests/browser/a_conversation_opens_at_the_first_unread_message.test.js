/*
 * An opened conversation begins at the first unread message, and only messages that were in sight
 * become read.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { browse } from "./chromium.js";
import { Page } from "./page.js";
import { Stack, until } from "./stack.js";

const MESSAGES = 400, // several pages
  READ = 40;
let stack, browser;

before(async () => {
  stack = await new Stack().start();
  browser = await browse();
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

/** Creates a conversation of a user who has read this many of its messages. */
async function conversation(user, messages, read) {
  const { id } = await stack.request("POST", "/conversations", { type: "group_chat", members: [user, "bob"] });
  for (let n = 1; n <= messages; n++)
    await stack.request("POST", "/messages", { conversation_id: id, username: "bob", content: `message ${n}` });
  await stack.request("PUT", `/conversations/${id}/read`, { username: user, seq: read });
  return id;
}

/** Returns the user's unread count on the server. */
const unread = async (user) => (await stack.request("GET", `/conversations?username=${user}`)).conversations[0].unread;

/** Waits until an element lies in the window of the messages, in its upper half. */
const isAbove = (locator) =>
  until(
    () =>
      locator.evaluate((item) => {
        const { top, height } = document.querySelector("[role=log]").getBoundingClientRect();
        const at = item.getBoundingClientRect().top - top;
        return at >= 0 && at < height / 2;
      }),
    `${locator} is in the upper half`,
  );

test("with many unread messages it opens at the first, and unseen ones stay unread", async () => {
  const id = await conversation("ann", MESSAGES, READ),
    ann = await Page.open(browser, stack, "ann");
  await ann.enter(id);
  const line = ann.page.getByText("New messages", { exact: true });
  await line.waitFor();
  await isAbove(line);
  await isAbove(ann.message(`message ${READ + 1}`));
  const newest = ann.page.getByRole("button", { name: "Newest messages" });
  await newest.filter({ hasText: /^[1-9]\d\d$/ }).waitFor();
  // The messages in sight are read, and none below them.
  await until(async () => (await unread("ann")) < MESSAGES - READ, "what was seen is read");
  assert.ok((await unread("ann")) > MESSAGES - READ - 30, `${await unread("ann")} are unread`);
  const before = await unread("ann");
  await ann.page.evaluate(() => (document.querySelector("[role=log]").scrollTop += 400));
  await until(async () => (await unread("ann")) < before, "what one reads on the way counts");
  assert.ok((await unread("ann")) > before - 30, "and no more than that");
  await newest.click();
  await ann.page.waitForFunction(() => document.title === "imd");
  await newest.waitFor({ state: "hidden" });
  await ann.page.close();
});

test("in a tall window the position is kept while newer messages load", async () => {
  const id = await conversation("finn", MESSAGES, READ),
    finn = await Page.open(browser, stack, "finn");
  await finn.page.setViewportSize({ width: 1280, height: 2400 });
  await finn.enter(id);
  const line = finn.page.getByText("New messages", { exact: true });
  await line.waitFor();
  const newest = finn.page.getByRole("button", { name: "Newest messages" });
  await newest.filter({ hasText: /^[23]\d\d$/ }).waitFor(); // all newer ones are held
  await isAbove(line);
  await until(async () => (await unread("finn")) < MESSAGES - READ, "what was seen is read");
  assert.ok((await unread("finn")) > 200, `${await unread("finn")} are unread`);
  await finn.page.close();
});

test("a few unread messages are all in sight, and become read", async () => {
  const id = await conversation("carol", 60, 57),
    carol = await Page.open(browser, stack, "carol");
  await carol.enter(id);
  await carol.page.getByText("New messages", { exact: true }).waitFor();
  await carol.page.waitForFunction(() => document.title === "imd");
  await carol.page.getByRole("button", { name: "Newest messages" }).waitFor({ state: "hidden" });
  await carol.page.close();
});

test("returning from another window shows where the unread messages begin", async () => {
  const id = await conversation("erin", 30, 30),
    erin = await Page.open(browser, stack, "erin");
  await erin.enter(id);
  await erin.message("message 30").waitFor();
  const look = (at) =>
    erin.page.evaluate((at) => {
      document.hasFocus = () => at;
      dispatchEvent(new Event(at ? "focus" : "blur"));
    }, at);
  await look(false);
  for (let n = 1; n <= 60; n++)
    await stack.request("POST", "/messages", { conversation_id: id, username: "bob", content: `meanwhile ${n}` });
  await erin.message("meanwhile 60").waitFor();
  assert.equal(await unread("erin"), 60);
  await look(true);
  const line = erin.page.getByText("New messages", { exact: true });
  await line.waitFor();
  await isAbove(line);
  await until(async () => (await unread("erin")) < 60, "what is in sight is read");
  assert.ok((await unread("erin")) > 20, "all was marked as read at once");
  await erin.page.close();
});

test("a message that arrives while reading further up moves nothing, and is counted", async () => {
  const id = await conversation("dave", 100, 100),
    dave = await Page.open(browser, stack, "dave");
  await dave.enter(id);
  await dave.message("message 100").waitFor();
  await dave.page.evaluate(() => (document.querySelector("[role=log]").scrollTop -= 500));
  const newest = dave.page.getByRole("button", { name: "Newest messages" });
  await newest.waitFor();
  const top = () => dave.message("message 90").evaluate((item) => item.getBoundingClientRect().top);
  const before = await top();
  await stack.request("POST", "/messages", { conversation_id: id, username: "bob", content: "one more" });
  await newest.filter({ hasText: "1" }).waitFor();
  assert.equal(await top(), before);
  await newest.click();
  await dave.message("one more").waitFor();
  assert.deepEqual(browser.faults, []);
});
