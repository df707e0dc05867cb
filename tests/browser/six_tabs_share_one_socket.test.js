/*
 * The tabs of one user in one browser share one socket, whichever tab is closed or frozen, and each
 * tab holds every message. In real Chromium: the leading tab holds a Web Lock, which Chromium takes
 * from a tab that is gone.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { browse } from "./chromium.js";
import { Stack, until } from "./stack.js";

const PATIENCE_MS = 30000;
const FROZEN_MS = 25000;
let stack, browser, id, said;

before(async () => {
  stack = await new Stack().start();
});
after(async () => {
  await browser?.close();
  await stack?.stop();
});

/** Starts a browser and creates a conversation. `prepare` runs in each page first. */
async function scene(prepare) {
  await browser?.close();
  browser = await browse();
  if (prepare) await browser.context.addInitScript(prepare);
  ({ id } = await stack.request("POST", "/conversations", { type: "group_chat", members: ["ann", "bob", "carl"] }));
  said = [];
}

/** Opens a tab with a client, in the named conversation. */
async function tab(user = "ann") {
  const page = await browser.context.newPage(),
    sockets = new Set();
  page.on("websocket", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await page.goto(`${stack.url}/im/imd.d.ts`);
  await page.evaluate(
    async ([name, conversation]) => {
      const { Client } = await import("/im/imd.js");
      window.client = new Client({ user: name, url: "/" });
      await window.client.start();
      await window.client.open(conversation);
    },
    [user, id],
  );
  return { page, sockets, user };
}

async function tabs(count, user) {
  const all = [];
  while (all.length < count) all.push(await tab(user));
  return all;
}

async function say(count) {
  for (let n = 0; n < count; n++) {
    const content = `message ${said.length + 1}`;
    await stack.request("POST", "/messages", { conversation_id: id, username: "bob", content });
    said.push(content);
  }
}

const texts = ({ page }) => page.evaluate((at) => window.client.messages(at).map(({ content }) => content), id);
const status = ({ page }) => page.evaluate(() => window.client.status);

async function holdAll(all) {
  for (const [n, one] of all.entries()) {
    const held = async () => (await texts(one)).length === said.length && (await status(one)) === "online";
    await until(held, `tab ${n + 1} holds ${said.length}`, PATIENCE_MS);
    assert.deepEqual(await texts(one), said);
  }
}

const open = (all) => all.reduce((sum, { sockets }) => sum + sockets.size, 0);
const haveOpen = (all, count) => until(() => open(all) === count, `${count} sockets are open`, PATIENCE_MS);
const leader = (all) => all.find(({ sockets }) => sockets.size);

test("six tabs have one socket, and each holds every message", async () => {
  await scene();
  const all = await tabs(6);
  await say(20);
  await holdAll(all);
  await haveOpen(all, 1);
  assert.equal(leader(all), all[0]);
});

test("another tab takes over when the leading tab is closed, and nothing is missed", async (t) => {
  await scene();
  let all = await tabs(6);
  await say(5);
  const flow = say(60),
    first = leader(all),
    from = Date.now();
  all = all.filter((one) => one !== first);
  await first.page.close();
  await haveOpen(all, 1);
  t.diagnostic(`another one leads after ${Date.now() - from} ms`);
  await flow;
  await holdAll(all);
  await haveOpen(all, 1);
});

test("another tab takes over when the leading tab is frozen, and the frozen one catches up", async (t) => {
  await scene();
  const all = await tabs(4),
    first = leader(all),
    others = all.filter((one) => one !== first);
  await say(5);
  await holdAll(all);
  const from = Date.now();
  const frozen = first.page.evaluate((ms) => {
    for (const end = performance.now() + ms; performance.now() < end;);
  }, FROZEN_MS);
  await until(() => open(others) === 1, "another one leads", FROZEN_MS - 5000);
  t.diagnostic(`another one leads after ${Date.now() - from} ms`);
  await say(5);
  await holdAll(others);
  await frozen;
  await holdAll(all);
  await haveOpen(all, 1);
});

test("after a restart of nginx the tabs have one socket again", async () => {
  await scene();
  const all = await tabs(4);
  await say(5);
  await stack.restartNginx();
  await say(5);
  await holdAll(all);
  await haveOpen(all, 1);
});

test("another tab takes over when the leading tab signs out", async () => {
  await scene();
  const all = await tabs(3),
    first = leader(all);
  await first.page.evaluate(() => window.client.stop());
  await say(5);
  await holdAll(all.filter((one) => one !== first));
  await haveOpen(all, 1);
});

test("another tab takes over with its own token when that of the leading tab expires", async () => {
  await scene();
  const all = await tabs(3),
    first = leader(all);
  const json = { error: "The token has expired", code: "expired_token", status: 401 };
  await first.page.route("**/conversations/**", (route) => route.fulfill({ status: 401, json }));
  await first.page.evaluate((at) => window.client.typing(at), id);
  await until(async () => (await status(first)) === "refused", "it is refused", PATIENCE_MS);
  await say(5);
  await holdAll(all.filter((one) => one !== first));
  await haveOpen(all, 1);
});

test("another user in the same browser has a socket of their own", async () => {
  await scene();
  const all = [...(await tabs(2, "ann")), ...(await tabs(2, "carl"))];
  await say(5);
  await holdAll(all);
  for (const theirs of [all.slice(0, 2), all.slice(2)]) await haveOpen(theirs, 1);
});

for (const missing of ["BroadcastChannel", "LockManager"])
  test(`without ${missing} each tab has a socket of its own`, async () => {
    await scene(
      missing === "LockManager"
        ? () => Object.defineProperty(Navigator.prototype, "locks", { value: undefined })
        : () => delete window.BroadcastChannel,
    );
    const all = await tabs(2);
    await say(5);
    await holdAll(all);
    await haveOpen(all, 2);
  });

test("another tab sends the unsent message of a closed tab, once", async () => {
  await scene();
  const [first, second] = await tabs(2);
  await first.page.route("**/messages", (route) =>
    route.request().method() === "POST" ? route.abort() : route.continue(),
  );
  await first.page.evaluate((at) => void window.client.send(at, "left behind").catch(() => {}), id);
  await first.page.close();
  // It is shown before it is stored, and kept until that is answered.
  await until(async () => (await stack.messages(id)).length > 0, "the other one sends it", 60000);
  const kept = () => second.page.evaluate(() => localStorage.length);
  await until(async () => (await kept()) === 0, "nothing waits any more", 60000);
  await until(async () => (await texts(second)).includes("left behind"), "it is shown", PATIENCE_MS);
  assert.equal((await stack.messages(id)).length, 1);
});

test("a message discarded in one tab is removed in the others", async () => {
  await scene();
  const [first] = await tabs(1);
  await first.page.evaluate((at) => window.client.send(at, "x".repeat(65537)).catch(() => {}), id);
  await first.page.evaluate((at) => window.client.send(at, "one", { reply_to: 99999 }).catch(() => {}), id);
  const second = await tab();
  const failed = (one) =>
    one.page.evaluate((at) => window.client.messages(at).filter(({ state }) => state === "failed").length, id);
  assert.equal(await failed(first), 2);
  await until(async () => (await failed(second)) === 2, "the other one has them too", PATIENCE_MS);
  await first.page.evaluate((at) => {
    for (const { client_id } of window.client.messages(at)) window.client.discard(at, client_id);
  }, id);
  await until(async () => (await failed(second)) === 0, "the other one forgets them", PATIENCE_MS);
});
