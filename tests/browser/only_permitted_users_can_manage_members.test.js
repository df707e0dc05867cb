/*
 * The dialog about a group lists all members, and offers each change only to users who may make it.
 */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";

import { browse } from "./chromium.js";
import { Page } from "./page.js";
import { Stack, until } from "./stack.js";

let stack, browser, ann, bob;

before(async () => {
  stack = await new Stack().start();
  browser = await browse();
  ann = await Page.open(browser, stack, "ann");
  bob = await Page.open(browser, stack, "bob");
  for (const { page } of [ann, bob]) page.setDefaultTimeout(10000);
});

beforeEach(async () => {
  for (const { page } of [ann, bob]) await page.evaluate(() => document.querySelector("dialog")?.close());
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

const group = async (title, members = ["ann", "bob", "carol"]) =>
  (await stack.request("POST", "/conversations", { type: "group_chat", username: "ann", members, title })).id;

/** Returns the conversation as the server has it. */
const held = async (id) =>
  (await stack.request("GET", "/conversations?username=ann")).conversations.find((each) => each.id === id);

async function details(page, title) {
  await page.button("Details").click();
  const dialog = page.page.getByRole("dialog", { name: title });
  await dialog.getByText("carol", { exact: true }).waitFor();
  return dialog;
}

test("a member can change neither title nor roles, and cannot remove others", async () => {
  await bob.enter(await group("Theirs"));
  const dialog = await details(bob, "Theirs");
  await dialog.getByText("You are a member.").waitFor();
  for (const name of ["Rename", "Remove carol"])
    assert.equal(await dialog.getByRole("button", { name }).count(), 0, name);
  assert.equal(await dialog.getByRole("combobox").count(), 0);
  await dialog.locator("li", { hasText: "ann" }).locator("small", { hasText: "owner" }).waitFor();
  await bob.page.keyboard.press("Escape");
});

test("in a group without an owner every member can rename it, and none can manage members", async () => {
  const members = ["ann", "bob", "carol"];
  const { id } = await stack.request("POST", "/conversations", { type: "group_chat", members, title: "Nobody's" });
  await bob.enter(id);
  const dialog = await details(bob, "Nobody's");
  await dialog.getByLabel("Title").fill("Everybody's");
  await dialog.getByRole("button", { name: "Rename" }).click();
  await bob.page.getByRole("heading", { name: "Everybody's", exact: true }).first().waitFor();
  await until(async () => (await held(id)).title === "Everybody's", "the server has the title");
  const renamed = bob.page.getByRole("dialog", { name: "Everybody's" });
  assert.equal(await renamed.locator(".fault").textContent(), "");
  for (const name of ["Remove carol", "Role of carol", "Who may join"])
    assert.equal(await renamed.getByLabel(name).filter({ visible: true }).count(), 0, name);
  await bob.page.keyboard.press("Escape");
});

test("the owner can give roles and decide who may join", async () => {
  const id = await group("Mine");
  await ann.enter(id);
  const dialog = await details(ann, "Mine");
  await dialog.getByLabel("Role of bob").selectOption("admin");
  await dialog.getByLabel("Who may join").selectOption("invite");
  const roles = async () => (await stack.request("GET", `/conversations/${id}/members?username=ann`)).members;
  await until(async () => (await roles()).some((m) => m.username === "bob" && m.role === "admin"), "bob is an admin");
  await until(async () => (await held(id)).join === "invite", "it is by invitation");
  assert.equal(await dialog.getByLabel("Role of bob").inputValue(), "admin");
  await ann.page.keyboard.press("Escape");
});

test("a removal needs a confirmation, and the removed user sees a notice", async () => {
  const id = await group("Fragile");
  await ann.enter(id);
  await bob.enter(id);
  const dialog = await details(ann, "Fragile");
  await dialog.getByRole("button", { name: "Remove bob" }).click();
  const sure = ann.page.getByRole("dialog", { name: "Remove bob?" });
  await sure.waitFor();
  assert.ok((await held(id)).members.includes("bob"));
  await sure.getByRole("button", { name: "Remove", exact: true }).click();
  await bob.page.getByRole("alert").filter({ hasText: "no longer a member of “Fragile”" }).waitFor();
  await dialog.getByText("bob", { exact: true }).waitFor({ state: "detached" });
  await ann.page.keyboard.press("Escape");
  await bob.page.locator(".empty").getByRole("button", { name: "Back" }).click();
  await bob.page.getByText("Choose a conversation").waitFor();
});

test("adding an unknown name announces a new user, and a refused name stays in the field", async () => {
  await ann.enter(await group("Open"));
  const dialog = await details(ann, "Open"),
    field = dialog.getByLabel("Add a member");
  await dialog.getByText("becomes a new user").waitFor();
  await field.fill("no!name");
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  await dialog.getByRole("alert").filter({ hasText: "no!name" }).waitFor();
  assert.equal(await field.inputValue(), "no!name");
  await field.fill("nobody_yet");
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  await dialog.getByText("nobody_yet", { exact: true }).waitFor();
  await until(async () => (await field.inputValue()) === "", "the field is empty"); // the push may come before the answer
  await ann.page.keyboard.press("Escape");
});

test("a group of 250 without a title is named by its size, and lists all members", async () => {
  const many = Array.from({ length: 248 }, (_, n) => `m${String(n).padStart(3, "0")}`);
  const id = await group(undefined, ["ann", "carol", ...many]);
  await ann.entry(id).filter({ hasText: "Group of 250" }).waitFor();
  await ann.enter(id);
  const dialog = await details(ann, "Group of 250"),
    rows = dialog.locator(".members li");
  assert.ok((await rows.count()) <= 200, "the pages come while one scrolls");
  await until(async () => {
    await dialog.locator(".details").evaluate((element) => (element.scrollTop = element.scrollHeight));
    return (await rows.count()) === 250;
  }, "all members are listed");
  await ann.page.keyboard.press("Escape");
  assert.deepEqual(browser.faults, []);
});

test("the list shows online users, and no user as away whose presence is unknown", async () => {
  const chat = async (other) =>
    (await stack.request("POST", "/conversations", { type: "private_chat", members: ["ann", other] })).id;
  const [here, away] = [await chat("bob"), await chat("carol")];
  const dot = (id) => ann.entry(id).locator(".avatar.here");
  await ann.entry(away).waitFor();
  await ann.page.reload();
  await dot(here).waitFor();
  assert.equal(await dot(away).count(), 0);
});

test("many visits keep no more conversations open than a few", async () => {
  const ids = [];
  for (let n = 0; n < 100; n++) ids.push(await group(`Visit ${n}`));
  await ann.entry(ids.at(-1)).waitFor();
  for (const id of ids) {
    await ann.page.evaluate((id) => (location.hash = id), id);
    await ann.page.getByRole("heading", { name: `Visit ${ids.indexOf(id)}`, exact: true }).waitFor();
  }
  const asked = new Set();
  ann.page.on("request", (request) => {
    const id = request.url().match(/(?:conversations\/|conversation_id=)(\d+)(?:\/changes|&|$)/)?.[1];
    if (id && !request.url().includes("presence")) asked.add(id);
  });
  await browser.context.setOffline(true);
  await ann.page.getByRole("status").filter({ hasText: "Offline" }).waitFor();
  await browser.context.setOffline(false);
  await ann.page.getByRole("status").filter({ hasText: "Offline" }).waitFor({ state: "detached" });
  await until(() => asked.size > 0, "it asks what it missed");
  assert.ok(asked.size <= 5, `it asks about ${asked.size} conversations`);
});
