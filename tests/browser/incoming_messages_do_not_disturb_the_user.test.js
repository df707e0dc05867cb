/*
 * While others send ten messages a second, the user's selection, focus, open dialogs and unfinished
 * input stay.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { browse } from "./chromium.js";
import { Page } from "./page.js";
import { Stack, until } from "./stack.js";

const EACH_MS = 100;
let stack, browser, ann, id, flow, sent;

before(async () => {
  stack = await new Stack().start();
  const members = ["ann", "bob", "carol"];
  ({ id } = await stack.request("POST", "/conversations", { type: "group_chat", members, username: "ann" }));
  await stack.request("PATCH", `/conversations/${id}`, { username: "ann", title: "Tea" });
  await say("bob", "What shall we drink?");
  browser = await browse();
  ann = await Page.open(browser, stack, "ann");
  await ann.enter(id);
  await ann.say("green tea");
  await ann.message("green tea").getByRole("img", { name: "Sent" }).waitFor();
  sent = 0;
  flow = setInterval(() => say("bob", `bob ${sent + 1}`).then(() => sent++), EACH_MS);
});

after(async () => {
  clearInterval(flow);
  await browser?.close();
  await stack?.stop();
});

const say = (username, content) => stack.request("POST", "/messages", { conversation_id: id, username, content });

/** Waits until this many more have come. */
async function more(count) {
  const last = async () => Number((await ann.entry(id).locator(".last").textContent()).match(/bob (\d+)/)?.[1] ?? 0);
  const begun = await last();
  await until(async () => (await last()) >= begun + count, `${count} more messages`);
}

test("a selected text stays selected", async () => {
  const question = ann.message("What shall we drink?");
  await question.locator(".text").evaluate((text) => getSelection().selectAllChildren(text));
  await more(5);
  assert.equal(await ann.page.evaluate(() => String(getSelection())), "What shall we drink?");
});

test("a half-typed text keeps its cursor and focus", async () => {
  await ann.composer.fill("black tea");
  await ann.composer.evaluate((field) => field.setSelectionRange(0, 5));
  await more(5);
  const { value, selectionStart, selectionEnd } = await ann.composer.evaluate(
    ({ value, selectionStart, selectionEnd }) => ({ value, selectionStart, selectionEnd }),
  );
  assert.deepEqual([value, selectionStart, selectionEnd], ["black tea", 0, 5]);
  assert.equal(await ann.composer.evaluate((field) => field === document.activeElement), true);
});

test("a focused button of a message keeps its focus", async () => {
  await ann.page.evaluate(() => (document.querySelector("[role=log]").scrollTop = 0));
  const mine = ann.message("green tea"),
    edit = mine.getByRole("button", { name: "Edit", exact: true });
  await edit.focus();
  await more(5);
  assert.equal(await edit.evaluate((button) => button === document.activeElement), true);
});

test("a chosen message that changes stays chosen", async () => {
  const mine = ann.message("green tea");
  await mine.locator(".text").click();
  const { id: message } = (await stack.messages(id)).find(({ content }) => content === "green tea");
  await stack.request("PUT", `/messages/${message}/reactions/${encodeURIComponent("🫖")}?username=bob`);
  await mine.getByRole("button", { name: "🫖 1 bob", exact: true }).waitFor();
  assert.equal(await mine.evaluate((item) => item.matches(".active:focus")), true);
});

test("an open emoji dialog stays open", async () => {
  await ann.act("green tea", "React");
  const dialog = ann.page.getByRole("dialog", { name: "React" });
  await dialog.getByRole("textbox").fill("🍵");
  await more(5);
  await dialog.getByRole("textbox").press("Enter");
  await ann.message("green tea").getByRole("button", { name: "🍵 1 ann", exact: true }).waitFor();
});

test("a button pressed slowly still acts", async () => {
  await ann.button("Details").click();
  const dialog = ann.page.getByRole("dialog", { name: "Tea" });
  await dialog.locator("li", { hasText: "ann" }).filter({ hasText: "online" }).waitFor();
  await dialog.getByLabel("Title").fill("Half a new na");
  await dialog.getByRole("button", { name: "Remove carol" }).hover();
  await ann.page.mouse.down();
  await more(5);
  await ann.page.mouse.up();
  const sure = ann.page.getByRole("dialog", { name: "Remove carol?" });
  await sure.getByRole("button", { name: "Remove", exact: true }).click();
  await dialog.locator("li", { hasText: "carol" }).waitFor({ state: "detached" });
  assert.equal(await dialog.getByLabel("Title").inputValue(), "Half a new na");
  assert.deepEqual(browser.faults, []);
});
