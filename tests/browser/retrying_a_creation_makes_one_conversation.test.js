/*
 * The user presses Create again after a failure. If the server received the first request, it
 * creates nothing more.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { browse } from "./chromium.js";
import { Page } from "./page.js";
import { Stack, until } from "./stack.js";

const PATH = /\/conversations$/;
let stack, browser, ann;

before(async () => {
  stack = await new Stack().start();
  browser = await browse();
  ann = await Page.open(browser, stack, "ann");
  ann.page.setDefaultTimeout(15000);
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

/** Fills in the form for a group with bob. Returns its dialog. */
async function form(title) {
  await ann.button("New conversation").click();
  const dialog = ann.page.getByRole("dialog", { name: "New conversation" });
  await dialog.getByRole("radio", { name: "Group" }).check();
  await dialog.getByLabel("Members").fill("bob");
  await dialog.getByLabel("Title").fill(title);
  return dialog;
}

const create = (dialog) => dialog.getByRole("button", { name: "Create" }).click();

/** Presses Create, and loses the answers: the server has received all requests. */
async function createUnheard(dialog) {
  let heard = 0;
  await ann.page.route(PATH, async (route) => {
    if ((await route.fetch()).ok()) heard++;
    await route.abort();
  });
  await create(dialog);
  await dialog.getByRole("alert").filter({ hasText: "The server is not responding." }).waitFor();
  await ann.page.unroute(PATH);
  assert.ok(heard > 0, "the server has received a request");
}

const titles = async () =>
  (await stack.request("GET", "/conversations?username=bob")).conversations.map(({ title }) => title).sort();

test("the same form, sent again after its answer was lost, makes one conversation", async () => {
  const dialog = await form("Tea");
  await createUnheard(dialog);
  await create(dialog);
  await ann.composer.waitFor();
  assert.deepEqual(await titles(), ["Tea"]);
  const [{ id }] = (await stack.request("GET", "/conversations?username=ann")).conversations;
  await until(() => ann.open === id, "it is opened");
});

test("a form that was changed before the second try creates what it says now", async () => {
  const dialog = await form("Coffee");
  await createUnheard(dialog);
  await dialog.getByLabel("Title").fill("Cocoa");
  await create(dialog);
  await ann.page.getByRole("heading", { name: "Cocoa", exact: true }).waitFor();
  assert.deepEqual(await titles(), ["Cocoa", "Coffee", "Tea"]);
});

test("another form with the same content makes another conversation", async () => {
  const before = ann.open;
  await create(await form("Tea"));
  await ann.page.waitForFunction((hash) => location.hash !== hash, `#${before}`);
  assert.deepEqual(await titles(), ["Cocoa", "Coffee", "Tea", "Tea"]);
  assert.deepEqual(browser.faults, []);
});
