/*
 * Presence: requested at a bounded rate whatever the user does, shown in three states, and unknown
 * once it is stale.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { browse } from "./chromium.js";
import { Page } from "./page.js";
import { Stack, until } from "./stack.js";

const CHATS = 40,
  EACH_S = 10, // the shortest time between two questions about one conversation
  STALE_S = 60;
let stack, browsers, ann, here, away, group, asked;

before(async () => {
  stack = await new Stack().start();
  const begin = async (what) => (await stack.request("POST", "/conversations", { username: "ann", ...what })).id;
  for (let n = 0; n < CHATS; n++) await begin({ type: "private_chat", members: ["ann", `u${n}`] });
  group = await begin({ type: "group_chat", members: ["ann", "bob", "carol"], title: "Three" });
  away = await begin({ type: "private_chat", members: ["ann", "carol"] });
  here = await begin({ type: "private_chat", members: ["ann", "bob"] });
  browsers = [await browse(), await browse()];
  for (const { context } of browsers) context.setDefaultTimeout(10000);
  await Page.open(browsers[1], stack, "bob");
  const page = await browsers[0].context.newPage();
  await page.clock.install();
  ann = new Page(page, "ann");
  asked = [];
  page.on("request", (request) => {
    const id = request.url().match(/conversations\/(\d+)\/presence/)?.[1];
    if (id) asked.push(Number(id));
  });
  await page.goto(`${stack.url}/im/?user=ann`);
  await ann.entry(here).waitFor();
});

after(async () => {
  for (const browser of browsers ?? []) await browser.close();
  await stack?.stop();
});

const face = (id, look) => ann.entry(id).locator(`.avatar${look}`);

/** Lets time pass on the page, and waits until its requests are answered. */
async function pass(seconds) {
  const answers = new Set();
  const add = (request) => answers.add(request),
    done = (request) => answers.delete(request);
  ann.page.on("request", add).on("requestfinished", done).on("requestfailed", done);
  await ann.page.clock.runFor(seconds * 1000);
  await until(() => ![...answers].some((request) => request.url().includes("/presence")), "all questions are answered");
  ann.page.off("request", add).off("requestfinished", done).off("requestfailed", done);
}

test("the list shows online users, and whether another member of a group is", async () => {
  await face(here, ".here").waitFor();
  await face(away, ".away").waitFor();
  await face(group, ".here").waitFor();
  await ann.entry(here).filter({ hasText: "online" }).waitFor();
  await ann.entry(away).filter({ hasText: "offline" }).waitFor();
});

test("scrolling requests presence of a conversation at most every ten seconds", async () => {
  asked.length = 0;
  const minutes = 2;
  for (let second = 0; second < minutes * 60; second += 2) {
    await ann.page.evaluate((down) => (document.querySelector(".entries").scrollTop = down), (second % 4) * 20);
    await pass(2);
  }
  const times = new Map();
  for (const id of asked) times.set(id, (times.get(id) ?? 0) + 1);
  const most = Math.max(...times.values());
  assert.ok(most >= 4, `asked again now and then: ${most} times`);
  assert.ok(most <= (minutes * 60) / EACH_S + 1, `one conversation: ${most} times in ${minutes} minutes`);
  assert.ok(times.size < CHATS / 2, `only those in sight: ${times.size}`);
});

test("presence becomes unknown, not away, after a minute without an answer", async () => {
  await ann.page.evaluate(() => (document.querySelector(".entries").scrollTop = 0));
  await ann.enter(here);
  await pass(20);
  const subtitle = ann.page.locator(".chat header").getByText("online", { exact: true });
  await subtitle.waitFor();
  await ann.page.route(/\/presence/, (route) => route.fulfill({ status: 503, json: { error: "busy", code: "x" } }));
  await pass(STALE_S / 2);
  await subtitle.waitFor(); // not yet too old
  await face(here, ".here").waitFor();
  for (let seconds = 0; seconds <= STALE_S; seconds += 10) await pass(10);
  await subtitle.waitFor({ state: "detached" });
  for (const id of [here, away, group]) await face(id, ":is(.here, .away)").waitFor({ state: "detached" });
  await ann.entry(away).filter({ hasText: "offline" }).waitFor({ state: "detached" });
  await ann.page.unroute(/\/presence/);
  await pass(20);
  await subtitle.waitFor();
  for (const { faults } of browsers) assert.deepEqual(faults, []);
});
