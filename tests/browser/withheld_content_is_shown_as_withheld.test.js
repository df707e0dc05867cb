/*
 * imd withholds the content of a message that was edited after the user had left. The page says so
 * wherever it shows the message. Only former members get such messages, and the page shows them no
 * conversation. So the test removes the content on the way, as the contract describes it.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { browse } from "./chromium.js";
import { Page } from "./page.js";
import { Stack, until } from "./stack.js";

const WORDS = "Edited after you left";
let stack, browser, bob, id;

const withhold = (message) => {
  if (message?.content.includes("secret")) Object.assign(message, { content: "", withheld: true, edited_at: 1 });
};

before(async () => {
  stack = await new Stack().start();
  const members = ["ann", "bob"];
  ({ id } = await stack.request("POST", "/conversations", { type: "group_chat", username: "ann", members }));
  const say = async (username, content, more) =>
    (await stack.request("POST", "/messages", { conversation_id: id, username, content, ...more })).id;
  const plan = await say("ann", "secret plan");
  await say("bob", "my answer", { reply_to: plan });
  await say("bob", "my secret");
  browser = await browse();
  browser.context.setDefaultTimeout(10000);
  await browser.context.route(/\/(messages|conversations)\/?\?/, async (route) => {
    const response = await route.fetch(),
      json = await response.json();
    json.messages?.forEach(withhold);
    json.conversations?.forEach(({ last_message }) => withhold(last_message));
    await route.fulfill({ response, json });
  });
  bob = await Page.open(browser, stack, "bob");
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

test("the list shows that the last message is withheld", async () => {
  await bob
    .entry(id)
    .locator(".last")
    .filter({ hasText: `You: ${WORDS}` })
    .waitFor();
});

test("the message, a quote of it and a reply to it show that it is withheld", async () => {
  await bob.enter(id);
  await bob.message("my answer").locator(".quote").filter({ hasText: WORDS }).waitFor();
  await until(async () => (await bob.message(WORDS).count()) === 2, "both messages say so");
  const theirs = bob.message(WORDS).first();
  await theirs.hover();
  await theirs.getByRole("button", { name: "Reply", exact: true }).click();
  await bob.page.locator(".context").filter({ hasText: WORDS }).waitFor();
  await bob.composer.press("Escape");
});

test("a withheld message can be edited neither by the button nor by Up", async () => {
  const own = bob.message(WORDS).last();
  await own.hover();
  await own.getByRole("button", { name: "Delete", exact: true }).waitFor();
  assert.equal(await own.getByRole("button", { name: "Edit", exact: true }).count(), 0);
  await bob.composer.press("ArrowUp");
  await bob.page.getByText("Edit your message").waitFor();
  await until(async () => (await bob.composer.inputValue()) === "my answer", "the last readable one is edited");
  assert.deepEqual(browser.faults, []);
});
