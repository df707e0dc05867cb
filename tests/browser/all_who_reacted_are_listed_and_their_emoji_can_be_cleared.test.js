/* The dialog about reactions: a message names 100 for each emoji, the page reads the others, and a moderator clears one. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { browse } from "./chromium.js";
import { Page } from "./page.js";
import { Stack, until } from "./stack.js";

const CROWD = Array.from({ length: 250 }, (_, n) => `u${String(n).padStart(3, "0")}`);
let stack, browsers, ann, bob, id, message;

const reaction = (emoji, name) => `/messages/${message}/reactions/${encodeURIComponent(emoji)}?username=${name}`;
const react = (emoji, name) => stack.request("PUT", reaction(emoji, name));
const unreact = (emoji, name) => stack.request("DELETE", reaction(emoji, name));

before(async () => {
  stack = await new Stack().start();
  const members = ["ann", "bob", ...CROWD];
  ({ id } = await stack.request("POST", "/conversations", {
    type: "group_chat",
    username: "ann",
    members,
    title: "Crowd",
  }));
  ({ id: message } = await stack.request("POST", "/messages", {
    conversation_id: id,
    username: "ann",
    content: "Yes?",
  }));
  for (const name of CROWD) await react("👍", name);
  await react("🎉", "bob");
  browsers = [await browse(), await browse()];
  [ann, bob] = [await Page.open(browsers[0], stack, "ann"), await Page.open(browsers[1], stack, "bob")];
  for (const one of [ann, bob]) {
    one.page.setDefaultTimeout(10000);
    await one.enter(id);
  }
});

after(async () => {
  for (const browser of browsers ?? []) await browser.close();
  await stack?.stop();
});

/** The open dialog, with what it shows of an emoji. */
async function dialogOf(one, emoji) {
  const root = one.page.getByRole("dialog", { name: "Reactions" });
  if (!(await root.count())) await one.act("Yes?", "Who reacted");
  const section = root.locator("section", { hasText: emoji });
  return {
    root,
    names: section.locator("li"),
    heading: section.getByRole("heading"),
    more: section.getByRole("button", { name: /^And \d+ more$/ }),
    clear: section.getByRole("button", { name: `Remove all ${emoji}` }),
  };
}

const shows = (locator, count) =>
  until(async () => (await locator.count()) === count, `${count} names are listed`, 5000);

test("beside an emoji stand ten names and the number of the others", async () => {
  const names = `${CROWD.slice(0, 10).join(", ")} and 240 more`;
  await bob
    .message("Yes?")
    .getByRole("button", { name: `👍 250 ${names}`, exact: true })
    .waitFor();
});

test("the first hundred names are there at once, and the others come page by page", async () => {
  const asked = [];
  bob.page.on("request", (request) => {
    const { pathname, searchParams } = new URL(request.url());
    if (pathname.endsWith("/reactions")) asked.push(searchParams.get("after"));
  });
  const { names, more, heading } = await dialogOf(bob, "👍");
  assert.equal(await heading.textContent(), "👍 250");
  await shows(names, 100);
  assert.equal(await more.textContent(), "And 150 more");
  await more.click();
  await shows(names, 200);
  assert.equal(await more.textContent(), "And 50 more");
  await more.press("Enter"); // it still has the focus
  await shows(names, 250);
  assert.deepEqual(await names.allTextContents(), CROWD);
  assert.equal(await more.isVisible(), false);
  assert.deepEqual(asked, ["u099", "u199"]);
  const own = await dialogOf(bob, "🎉");
  assert.deepEqual(await own.names.allTextContents(), ["bob (You)"]);
  assert.equal(await own.more.isVisible(), false);
});

test("a list that was read stays true while others come and go", async () => {
  const { names, heading, more } = await dialogOf(bob, "👍");
  for (const name of ["u000", "u150", "u249"]) await unreact("👍", name);
  await until(async () => (await heading.textContent()) === "👍 247", "three are gone", 5000);
  const left = CROWD.filter((name) => !["u000", "u150", "u249"].includes(name));
  assert.deepEqual(await names.allTextContents(), left);
  await react("👍", "u150");
  await react("👍", "ann");
  await until(async () => (await heading.textContent()) === "👍 249", "two have come", 5000);
  assert.deepEqual(await names.allTextContents(), [...left, "u150", "ann"].sort());
  assert.equal(await more.isVisible(), false);
  await bob.page.keyboard.press("Escape");
});

test("a page that does not come is told, and can be asked for again", async () => {
  const { root, names, more } = await dialogOf(bob, "👍");
  await shows(names, 100);
  await bob.page.route("**/reactions?*", (route) => route.abort());
  await more.click();
  await root.getByRole("alert").filter({ hasText: "The server does not answer." }).waitFor();
  await bob.page.unroute("**/reactions?*");
  await more.click();
  await shows(names, 200);
  await root.getByRole("alert").waitFor({ state: "hidden" });
});

test("only those who may delete the message can clear an emoji, as soon as they may", async () => {
  const { clear, root } = await dialogOf(bob, "👍");
  assert.equal(await clear.isVisible(), false);
  await stack.request("PUT", `/conversations/${id}/members/bob`, { username: "ann", role: "admin" });
  await clear.waitFor();
  await stack.request("PUT", `/conversations/${id}/members/bob`, { username: "ann", role: "member" });
  await clear.waitFor({ state: "hidden" });
  assert.equal(await root.isVisible(), true);
});

test("an emoji is cleared for everybody, and not before the user is sure", async () => {
  const { root, heading, clear } = await dialogOf(ann, "👍"),
    sure = ann.page.getByRole("dialog", { name: "Remove everybody’s 👍?" });
  const held = async () => (await stack.messages(id)).find((each) => each.id === message).reactions;
  await clear.click();
  await sure.waitFor();
  await ann.page.keyboard.press("Escape");
  await sure.waitFor({ state: "detached" });
  assert.equal((await held())["👍"].count, 249);
  await clear.click();
  await sure.getByRole("button", { name: "Remove all", exact: true }).click();
  await heading.waitFor({ state: "detached" });
  assert.deepEqual(Object.keys(await held()), ["🎉"]);
  const theirs = await dialogOf(bob, "👍");
  await theirs.heading.waitFor({ state: "detached" });
  // With the last emoji the dialog goes.
  await unreact("🎉", "bob");
  for (const each of [root, theirs.root]) await each.waitFor({ state: "detached" });
  assert.equal(await ann.message("Yes?").getByRole("button", { name: "Who reacted" }).count(), 0);
  for (const { faults } of browsers) assert.deepEqual(faults, []);
});
