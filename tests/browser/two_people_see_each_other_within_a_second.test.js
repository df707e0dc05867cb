/*
 * Two users, each in a browser of their own, use everything that the page offers. The other one
 * sees it within a second.
 */
import assert from "node:assert/strict";
import { test } from "node:test";

import { browse } from "./chromium.js";
import { Page } from "./page.js";
import { Stack, until } from "./stack.js";

const SOON_MS = 1000,
  PATIENCE = { timeout: 20000 }; // slow steps are measured, not failed at once: the time says more
const steps = [];
let stack, browsers, ann, bob, late;

const step = (name, run) => steps.push({ name, run });

/** Runs all steps, with new browsers and a new imd. Returns the slow ones. */
async function meet(t) {
  late = [];
  browsers = [];
  stack = await new Stack().start();
  try {
    await stack.request("POST", "/conversations", { type: "private_chat", members: ["carol", "dave"] });
    for (let n = 0; n < 2; n++) browsers.push(await browse());
    [ann, bob] = [await Page.open(browsers[0], stack, "ann"), await Page.open(browsers[1], stack, "bob")];
    for (const { page } of [ann, bob]) await page.evaluate(watchShifts);
    for (const { name, run } of steps) await t.test(name, run);
  } finally {
    for (const browser of browsers) await browser.close();
    await stack.stop();
  }
  return late;
}

test("two people see each step within a second", async (t) => {
  const first = await meet(t);
  if (!first.length) return;
  // A machine that hangs for a second is not imd's fault, so only steps that are slow twice fail.
  t.diagnostic(`late, so once more: ${first.join(", ")}`);
  const second = await meet(t);
  assert.deepEqual(
    first.filter((what) => second.includes(what)),
    [],
  );
});

/** Adds up layout shifts. */
function watchShifts() {
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries())
      if (!entry.hadRecentInput)
        window.shifts.push([entry.value, entry.sources.map(({ node }) => node?.outerHTML?.slice(0, 90))]);
  }).observe({ type: "layout-shift", buffered: true });
}

/** Measures how long a step takes; more than a second is too slow. */
async function soon(t, what, wait) {
  const begun = performance.now();
  await wait;
  const took = Math.round(performance.now() - begun);
  t.diagnostic(`${what}: ${took} ms`);
  if (took > SOON_MS) late.push(`${t.name}: ${what}`);
}

const has = (locator, text) => locator.filter({ hasText: text }).waitFor(PATIENCE);

step("a new conversation appears in both lists", async (t) => {
  await ann.button("New conversation").click();
  const dialog = ann.page.getByRole("dialog", { name: "New conversation" });
  await dialog.getByLabel("Group").check();
  await dialog.getByLabel("Members").fill("bob carol");
  await dialog.getByLabel("Title").fill("Tea");
  await dialog.getByRole("button", { name: "Create" }).click();
  await ann.composer.waitFor();
  await soon(t, "bob has it", has(bob.entry(ann.open), "Tea"));
});

step("messages and unread counts appear", async (t) => {
  const id = ann.open;
  await ann.say("hello, bob");
  await soon(t, "it is in his list", has(bob.entry(id), "ann: hello, bob"));
  await soon(t, "as unread", has(bob.entry(id).locator(".unread"), /^1$/));
  await soon(
    t,
    "in his tab's title",
    bob.page.waitForFunction(() => document.title === "(1) imd", null, PATIENCE),
  );
  await bob.enter(id);
  await soon(t, "he reads it", bob.message("hello, bob").waitFor(PATIENCE));
  await soon(
    t,
    "nothing is unread",
    bob.page.waitForFunction(() => document.title === "imd", null, PATIENCE),
  );
  await soon(
    t,
    "she sees that he has read it",
    ann.message("hello, bob").getByRole("img", { name: "Read by bob" }).waitFor(PATIENCE),
  );
  await bob.say("hello, ann\nsecond line");
  await soon(t, "an answer", ann.message("hello, ann\nsecond line").waitFor(PATIENCE));
});

step("a reply shows its target", async (t) => {
  await bob.act("hello, bob", "Reply");
  await bob.say("to this one");
  await soon(
    t,
    "she sees to what",
    ann.message("to this one").locator(".quote").filter({ hasText: "hello, bob" }).waitFor(PATIENCE),
  );
  await ann.message("to this one").locator(".quote").click();
  await soon(
    t,
    "it leads there",
    ann.page.waitForFunction(() => document.activeElement.matches("li.message"), null, PATIENCE),
  );
});

step("an edit appears in place", async (t) => {
  await bob.act("to this one", "Edit");
  await until(async () => (await bob.composer.inputValue()) === "to this one", "its text is in the composer");
  await bob.composer.fill("to that one");
  await bob.composer.press("Enter");
  await soon(t, "she sees it", ann.message("to that one").filter({ hasText: "edited" }).waitFor(PATIENCE));
});

step("reactions appear and disappear", async (t) => {
  await ann.act("to that one", "React");
  await ann.page.getByRole("dialog", { name: "React" }).getByRole("button", { name: "🎉" }).click();
  const his = bob.message("to that one").getByRole("button", { name: "🎉 1 ann", exact: true });
  await soon(t, "he sees it", his.waitFor(PATIENCE));
  await his.click();
  const both = ann.message("to that one").getByRole("button", { name: "🎉 2 ann, bob", exact: true });
  await soon(t, "she sees his", both.waitFor(PATIENCE));
  await both.click();
  await soon(
    t,
    "hers is gone",
    bob.message("to that one").getByRole("button", { name: "🎉 1 bob", exact: true }).waitFor(PATIENCE),
  );
});

step("a deletion leaves a stub", async (t) => {
  await bob.act("to that one", "Delete");
  await bob.page.getByRole("dialog", { name: "Delete this message?" }).getByRole("button", { name: "Delete" }).click();
  await soon(t, "she sees a stub", ann.message("Message deleted").waitFor(PATIENCE));
  await ann.message("to that one").waitFor({ state: "detached" });
});

step("the owner deletes messages of others, and can permit an admin to", async (t) => {
  const deletes = (who, text) => who.message(text).getByRole("button", { name: "Delete", exact: true });
  await ann.act("hello, ann\nsecond line", "Delete");
  await ann.page.getByRole("dialog", { name: "Delete this message?" }).getByRole("button", { name: "Delete" }).click();
  await soon(t, "he sees a stub", bob.message("Message deleted").nth(1).waitFor(PATIENCE));
  await bob.message("hello, bob").hover();
  assert.equal(await deletes(bob, "hello, bob").count(), 0);
  await stack.request("PUT", `/conversations/${ann.open}/members/bob`, { username: "ann", role: "admin" });
  await soon(t, "he may, too", deletes(bob, "hello, bob").waitFor(PATIENCE));
});

step("typing is shown and ends", async (t) => {
  await bob.composer.pressSequentially("hm");
  await soon(t, "she sees it", ann.page.getByText("bob is typing…").first().waitFor(PATIENCE));
  await bob.composer.press("Enter");
  await soon(
    t,
    "and then no more",
    ann.page
      .locator(".typing-line")
      .filter({ hasText: /^$/ })
      .waitFor({ state: "attached", ...PATIENCE }),
  );
});

step("presence, a new title and a new member appear", async (t) => {
  await ann.button("Details").click();
  const dialog = ann.page.getByRole("dialog", { name: "Tea" });
  await dialog.locator("li", { hasText: "bob" }).filter({ hasText: "online" }).waitFor();
  await dialog.locator("li", { hasText: "carol" }).filter({ hasText: "offline" }).waitFor();
  await dialog.getByLabel("Title").fill("Green tea");
  await dialog.getByRole("button", { name: "Rename" }).click();
  await soon(t, "he sees the name", has(bob.entry(ann.open), "Green tea"));
  await dialog.getByLabel("Add a member").fill("a_name_that_is_far_too_long");
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  await dialog.getByRole("alert").filter({ hasText: "is not a valid name" }).waitFor();
  assert.equal(await dialog.getByLabel("Add a member").inputValue(), "a_name_that_is_far_too_long");
  await dialog.getByLabel("Add a member").fill("dave");
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  await soon(t, "he sees how many", has(bob.page.locator(".subtitle"), "4 members"));
  await ann.page.keyboard.press("Escape");
});

step("a screen reader announces messages of other conversations", async (t) => {
  await ann.say("are you still there?");
  await soon(
    t,
    "it is told",
    bob.page
      .getByRole("status")
      .filter({ hasText: "ann: are you still there?" })
      .waitFor({ state: "attached", ...PATIENCE }),
  );
});

step("links can be clicked, and everything else is text", async (t) => {
  const hostile = `<img src=x onerror="document.title='gotcha'"> javascript:alert(1) [x](http://a.example/) (see https://b.example/a?b=c&d=%20#e).`;
  await ann.say(hostile);
  await soon(t, "he sees it", bob.message(hostile).waitFor(PATIENCE));
  const found = await bob
    .message(hostile)
    .locator("a")
    .evaluateAll((all) => all.map(({ href, rel, target }) => [href, rel, target]));
  assert.deepEqual(found, [
    ["http://a.example/", "noopener noreferrer nofollow", "_blank"],
    ["https://b.example/a?b=c&d=%20#e", "noopener noreferrer nofollow", "_blank"],
  ]);
  assert.equal(await bob.message(hostile).locator("img:not([role])").count(), 0);
});

step("a member leaves the group", async (t) => {
  const id = bob.open;
  await bob.button("Details").click();
  await bob.button("Leave the group").click();
  await bob.page
    .getByRole("dialog", { name: "Leave this group?" })
    .getByRole("button", { name: "Leave the group" })
    .click();
  await soon(t, "she sees it", has(ann.page.locator(".subtitle"), "3 members"));
  await soon(t, "he has it no more", bob.entry(id).waitFor({ state: "detached", ...PATIENCE }));
});

step("no layout shifts and no hidden errors happened", async () => {
  for (const { page } of [ann, bob]) {
    const shifts = await page.evaluate(() => window.shifts);
    // A bubble grows and shrinks when others react. A sum of 0.1 is the usual limit for a calm
    // page.
    assert.ok(shifts.reduce((sum, [value]) => sum + value, 0) < 0.01, JSON.stringify(shifts));
  }
  for (const browser of browsers) assert.deepEqual(browser.faults, []);
});
