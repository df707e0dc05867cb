/*
 * Signing out removes the user's unsent messages and drafts from the browser. The page asks first
 * if messages would be lost.
 */
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { browse } from "./chromium.js";
import { Page } from "./page.js";
import { Stack } from "./stack.js";

let stack, browser, ann, id;

before(async () => {
  stack = await new Stack().start();
  const members = ["ann", "bob"];
  ({ id } = await stack.request("POST", "/conversations", { type: "group_chat", username: "ann", members }));
});

after(() => stack?.stop());

beforeEach(async () => {
  browser = await browse();
  browser.context.setDefaultTimeout(10000);
  ann = await Page.open(browser, stack, "ann");
});

afterEach(async () => {
  assert.deepEqual(browser.faults, []);
  await browser.close();
});

const kept = () => ann.page.evaluate(() => Object.entries(localStorage).map(String));
const isOut = () => ann.page.getByLabel("Your name").waitFor();

/** Ann writes messages that do not reach the server. */
async function writeUnheard(...texts) {
  await browser.context.route(/\/messages$/, (route) => route.abort());
  await ann.enter(id);
  for (const text of texts) await ann.say(text);
  await ann.message(texts.at(-1)).getByRole("img", { name: "Sending" }).waitFor();
}

const sure = (words) => ann.page.getByRole("dialog", { name: "Sign out?" }).filter({ hasText: words });

test("without unsent messages signing out needs no confirmation, and no draft is left", async () => {
  await ann.enter(id);
  await ann.composer.fill("half a thought");
  assert.ok((await kept()).some((entry) => entry.includes("half a thought")));
  await ann.button("Sign out").click();
  await isOut();
  assert.deepEqual(await kept(), []);
});

test("with unsent messages signing out says how many are lost, and needs a confirmation", async () => {
  await writeUnheard("one", "two");
  await ann.composer.fill("half a thought");
  await ann.button("Sign out").click();
  await sure("2 messages have not been sent and will be lost.").waitFor();
  await ann.page.keyboard.press("Escape");
  await sure("").waitFor({ state: "detached" });
  assert.equal((await kept()).length, 3);
  await ann.message("two").waitFor();
  await ann.button("Sign out").click();
  await sure("").getByRole("button", { name: "Sign out" }).click();
  await isOut();
  assert.deepEqual(await kept(), []);
  // The next user of this tab sends none of them, not even ann.
  await browser.context.unroute(/\/messages$/);
  await ann.page.getByLabel("Your name").fill("ann");
  await ann.page.keyboard.press("Enter");
  await ann.enter(id);
  await ann.say("three");
  await ann.message("three").getByRole("img", { name: "Sent" }).waitFor();
  assert.deepEqual(
    (await stack.messages(id)).map(({ content }) => content),
    ["three"],
  );
});

test("messages of an earlier visit need a confirmation before the list has loaded", async () => {
  await writeUnheard("from before");
  await browser.context.route(/\/conversations\/?\?/, (route) => route.abort());
  await ann.page.goto(`${stack.url}/im/?user=ann`);
  await ann.button("Sign out").click();
  await sure("One message has not been sent and will be lost.").waitFor();
  await browser.context.unroute(/\/conversations\/?\?/);
  await sure("").getByRole("button", { name: "Sign out" }).click();
  await isOut();
  assert.deepEqual(await kept(), []);
});
