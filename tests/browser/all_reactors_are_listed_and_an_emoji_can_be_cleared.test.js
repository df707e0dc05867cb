/*
 * The dialog about reactions. A message names 100 users for each emoji, the page reads the others,
 * and a moderator clears an emoji.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { browse } from "./chromium.js";
import { Page } from "./page.js";
import { Stack, until } from "./stack.js";

const CROWD = Array.from({ length: 250 }, (_, n) => `u${String(n).padStart(3, "0")}`);
const AS_SENT = (frame) => [frame];
let stack, browsers, ann, bob, id, message;
/** Returns the frames that bob's page gets instead of one. */
let deliver = AS_SENT;
/** The names after which bob's page asked for more. */
const asked = [];

const reaction = (emoji, name) => `/messages/${message}/reactions/${encodeURIComponent(emoji)}?username=${name}`;
const react = (emoji, name) => stack.request("PUT", reaction(emoji, name));
const unreact = (emoji, name) => stack.request("DELETE", reaction(emoji, name));

/** The users who like the message now. */
const fans = new Set(CROWD);
const like = (name) => react("👍", name).then(() => fans.add(name));
const unlike = (name) => unreact("👍", name).then(() => fans.delete(name));

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
  await browsers[1].context.routeWebSocket(/\/ws\//, (page) => {
    const server = page.connectToServer();
    server.onMessage((frame) => deliver(JSON.parse(frame)).forEach((each) => page.send(JSON.stringify(each))));
  });
  [ann, bob] = [await Page.open(browsers[0], stack, "ann"), await Page.open(browsers[1], stack, "bob")];
  for (const one of [ann, bob]) {
    one.page.setDefaultTimeout(10000);
    await one.enter(id);
  }
  bob.page.on("request", (request) => {
    const { pathname, searchParams } = new URL(request.url());
    if (pathname.endsWith("/reactions")) asked.push(searchParams.get("after"));
  });
});

after(async () => {
  for (const browser of browsers ?? []) await browser.close();
  await stack?.stop();
});

/** Returns the open dialog, and its parts for an emoji. */
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
    busy: root.locator("section[aria-busy=true]"),
  };
}

const shows = (locator, count) =>
  until(async () => (await locator.count()) === count, `${count} names are listed`, 5000);

test("an emoji shows ten names and the number of the others", async () => {
  const names = `${CROWD.slice(0, 10).join(", ")} and 240 more`;
  await bob
    .message("Yes?")
    .getByRole("button", { name: `👍 250 ${names}`, exact: true })
    .waitFor();
});

test("the first hundred names are shown at once, and the others load page by page", async () => {
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

/** Waits until the dialog shows the names of all fans, and that these are all. */
async function showsFans({ names, heading, more, busy }) {
  const shown = async () => [await heading.textContent(), await names.allTextContents(), await more.isVisible()];
  const expected = JSON.stringify([`👍 ${fans.size}`, [...fans].sort(), false]);
  await until(async () => JSON.stringify(await shown()) === expected, `all ${fans.size} are listed`, 10000);
  await busy.waitFor({ state: "detached" });
}

/**
 * Records the dialog after each change: the count, the number of names, and whether it reads them
 * again.
 */
const watch = ({ root }) =>
  root.evaluate((dialog) => {
    const section = [...dialog.querySelectorAll("section")].find((each) => each.innerText.startsWith("👍"));
    window.shown = [];
    new MutationObserver(() => {
      const count = Number(section.querySelector("h3").lastChild.textContent);
      window.shown.push([count, section.querySelectorAll("li").length, section.ariaBusy === "true"]);
    }).observe(section, { attributes: true, childList: true, subtree: true });
  });
const watched = () => bob.page.evaluate(() => window.shown);

/** Makes changes of which bob's page receives only the last. */
async function losing(pushes, change) {
  let lost = 0;
  deliver = ({ events }) => ((lost += events.length), []);
  await change();
  await until(() => lost === pushes, `${pushes} pushes are lost`, 10000);
  deliver = AS_SENT;
}

test("a list that was read follows others who react and stop reacting", async () => {
  const dialog = await dialogOf(bob, "👍");
  for (const name of ["u000", "u150", "u249"]) await unlike(name);
  await showsFans(dialog);
  for (const name of ["u150", "ann"]) await like(name);
  await showsFans(dialog);
});

test("a list that was read stays complete if a push has a newer message than its change", async () => {
  const dialog = await dialogOf(bob, "👍"),
    before = asked.length,
    events = [];
  await watch(dialog);
  deliver = ({ epoch, events: some }) => {
    if (events.push(...some) < 4) return [];
    const { message } = events.at(-1);
    return events.map((event) => ({ epoch, events: [{ ...event, message }] }));
  };
  for (const name of ["ann", "u100", "u200"]) await unlike(name);
  await like("u200");
  await showsFans(dialog);
  deliver = AS_SENT;
  const shown = await watched();
  for (const [count, listed, again] of shown) assert.deepEqual([count, again], [listed, false]);
  assert.deepEqual([...new Set(shown.map(([count]) => count))], [248, 247, 246]);
  assert.equal(asked.length, before, "no page was asked for");
});

test("after lost pushes the list is read again, and shows the old names meanwhile", async () => {
  const dialog = await dialogOf(bob, "👍"),
    before = asked.length;
  await watch(dialog);
  await losing(3, async () => {
    for (const name of ["u001", "u120", "u248"]) await unlike(name);
  });
  await like("ann");
  await showsFans(dialog);
  for (const [count, listed, again] of await watched()) assert.ok(listed >= fans.size && (again || count === listed));
  assert.equal(asked.length, before + 1, "one page had all missed names");
});

test("a list that cannot be read again says so, and continues from the names of the message", async () => {
  const dialog = await dialogOf(bob, "👍"),
    alert = dialog.root.getByRole("alert");
  await bob.page.route("**/reactions?*", (route) => route.abort());
  await losing(1, () => unlike("u200"));
  await unlike("ann");
  await alert.filter({ hasText: "The server is not responding." }).waitFor();
  await shows(dialog.names, 100);
  assert.equal(await dialog.more.textContent(), `And ${fans.size - 100} more`);
  await bob.page.unroute("**/reactions?*");
  await dialog.more.click();
  await shows(dialog.names, 200);
  await dialog.more.click();
  await showsFans(dialog);
  await bob.page.keyboard.press("Escape");
});

test("a page that fails to load says so, and can be retried", async () => {
  const { root, names, more } = await dialogOf(bob, "👍");
  await shows(names, 100);
  await bob.page.route("**/reactions?*", (route) => route.abort());
  await more.click();
  await root.getByRole("alert").filter({ hasText: "The server is not responding." }).waitFor();
  await bob.page.unroute("**/reactions?*");
  await more.click();
  await shows(names, 200);
  await root.getByRole("alert").waitFor({ state: "hidden" });
});

test("only users who may delete the message can clear an emoji", async () => {
  const { clear, root } = await dialogOf(bob, "👍");
  assert.equal(await clear.isVisible(), false);
  await stack.request("PUT", `/conversations/${id}/members/bob`, { username: "ann", role: "admin" });
  await clear.waitFor();
  await stack.request("PUT", `/conversations/${id}/members/bob`, { username: "ann", role: "member" });
  await clear.waitFor({ state: "hidden" });
  assert.equal(await root.isVisible(), true);
});

test("an emoji is cleared for all users after a confirmation", async () => {
  const { root, heading, clear } = await dialogOf(ann, "👍"),
    sure = ann.page.getByRole("dialog", { name: "Remove everyone’s 👍?" });
  const held = async () => (await stack.messages(id)).find((each) => each.id === message).reactions;
  await clear.click();
  await sure.waitFor();
  await ann.page.keyboard.press("Escape");
  await sure.waitFor({ state: "detached" });
  assert.equal((await held())["👍"].count, fans.size);
  await clear.click();
  await sure.getByRole("button", { name: "Remove all", exact: true }).click();
  await heading.waitFor({ state: "detached" });
  assert.deepEqual(Object.keys(await held()), ["🎉"]);
  const theirs = await dialogOf(bob, "👍");
  await theirs.heading.waitFor({ state: "detached" });
  // With the last emoji the dialog closes.
  await unreact("🎉", "bob");
  for (const each of [root, theirs.root]) await each.waitFor({ state: "detached" });
  assert.equal(await ann.message("Yes?").getByRole("button", { name: "Who reacted" }).count(), 0);
  for (const { faults } of browsers) assert.deepEqual(faults, []);
});
