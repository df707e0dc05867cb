/*
 * While ten messages a second are sent, processes are killed, nginx restarts, and a window goes
 * offline, reloads and freezes. In the end both windows show all messages, once, in order.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { browse } from "./chromium.js";
import { Page } from "./page.js";
import { Stack, until } from "./stack.js";

const EACH_MS = 100,
  PATIENCE_MS = 60000;
const OFFLINE_MS = 20000,
  FROZEN_MS = 6000,
  BETWEEN_MS = 1500;
let stack, browsers, ann, bob, id, flow;

const pass = (ms) => new Promise((over) => setTimeout(over, ms)); // one that is part of the test

before(async () => {
  stack = await new Stack().start();
  ({ id } = await stack.request("POST", "/conversations", { type: "group_chat", members: ["ann", "bob", "carol"] }));
  browsers = [await browse(), await browse()];
  [ann, bob] = [await Page.open(browsers[0], stack, "ann"), await Page.open(browsers[1], stack, "bob")];
  for (const page of [ann, bob]) await page.enter(id);
});

after(async () => {
  flow?.stop();
  for (const browser of browsers ?? []) await browser.close();
  await stack?.stop();
});

/**
 * Carol sends ten messages a second, each until it is answered. Both windows send one now and then.
 */
function startFlow() {
  const said = [],
    perhaps = [],
    under_way = new Set(),
    work = [];
  let ended = false;
  const send = async (text) => {
    const body = { conversation_id: id, username: "carol", content: text, client_id: text.replaceAll(" ", "-") };
    for (let sent = false; !sent;)
      sent = await stack.request("POST", "/messages", body).then(
        () => true,
        () => pass(EACH_MS),
      );
  };
  const timer = setInterval(() => {
    const text = `carol ${said.length + 1}`,
      sending = send(text).finally(() => under_way.delete(sending));
    said.push(text);
    under_way.add(sending);
  }, EACH_MS);
  const talk = async (page, user) => {
    for (let n = 1; !ended; n++) {
      const text = `${user} ${n}`;
      // While a page reloads, it may miss the text or the key: then nothing was sent, and the text
      // is still in the field.
      const sent = async () => {
        await page.composer.fill(text);
        if ((await page.composer.inputValue()) !== text) return false;
        await page.composer.press("Enter");
        return (await page.composer.inputValue()) === "";
      };
      ((await sent().catch(() => false)) ? said : perhaps).push(text);
      await pass(700);
    }
  };
  work.push(talk(ann, "ann"), talk(bob, "bob"));
  return {
    said,
    perhaps,
    stop() {
      ended = true;
      clearInterval(timer);
    },
    async end() {
      this.stop();
      await Promise.all([...work, ...under_way]);
    },
  };
}

/** Records for how long nothing ran. */
function watchTheClock() {
  let last = performance.now();
  window.longest_gap = 0;
  setInterval(() => {
    window.longest_gap = Math.max(window.longest_gap, performance.now() - last);
    last = performance.now();
  }, 50);
}

const troubles = {
  "a worker is killed": () => stack.kill("worker"),
  "the relay is killed": () => stack.kill("relay"),
  "nginx is restarted": () => stack.restartNginx(),
  "ann is offline": async () => {
    await browsers[0].context.setOffline(true);
    await ann.page.getByRole("status").filter({ hasText: "Offline" }).waitFor();
    await pass(OFFLINE_MS);
    await browsers[0].context.setOffline(false);
  },
  "bob loads the page anew": () => bob.page.reload(),
  "ann's tab is frozen": async () => {
    await ann.page.evaluate(watchTheClock);
    const thaw = await browsers[0].freeze();
    await pass(FROZEN_MS);
    thaw();
    await ann.page.waitForFunction((gap) => window.longest_gap > gap, FROZEN_MS - 1000); // it was frozen
  },
};

test("processes, nginx and windows fail while messages are sent", { timeout: 180000 }, async (t) => {
  flow = startFlow();
  for (const [what, happens] of Object.entries(troubles)) {
    await pass(BETWEEN_MS);
    const begun = performance.now();
    await happens();
    t.diagnostic(`${what}: ${Math.round(performance.now() - begun)} ms`);
  }
  await pass(BETWEEN_MS);
  await flow.end();
});

test("the server stores every message once", async (t) => {
  const missing = async () => {
    const stored = new Set((await stack.messages(id)).map(({ content }) => content));
    return flow.said.filter((text) => !stored.has(text));
  };
  await until(async () => !(await missing()).length, "all messages are stored", PATIENCE_MS).catch(() => {});
  assert.deepEqual(await missing(), [], "all messages are stored");
  const stored = (await stack.messages(id)).map(({ content }) => content);
  t.diagnostic(`${stored.length} messages`);
  const expected = [...flow.said, ...flow.perhaps.filter((text) => stored.includes(text))];
  assert.deepEqual(stored.toSorted(), expected.toSorted());
  for (const user of ["ann", "bob"]) {
    const own = stored.filter((text) => text.startsWith(user)).map((text) => Number(text.split(" ")[1]));
    assert.deepEqual(
      own,
      own.toSorted((a, b) => a - b),
      `what ${user} said is stored in the order in which it was said`,
    );
  }
});

test("both windows show every message once, in order", async () => {
  const stored = (await stack.messages(id)).map(({ seq, content }) => [seq, content]);
  for (const page of [ann, bob]) {
    if (await page.button("Newest messages").isVisible()) await page.button("Newest messages").click();
    await until(
      async () => (await page.page.locator("li.message").last().getAttribute("data-seq")) === String(stored.length),
      `${page.user} sees the last message`,
      PATIENCE_MS,
    );
    const { seen, disorder } = await page.readAll();
    assert.deepEqual(disorder, []);
    assert.deepEqual(seen, stored);
  }
  for (const browser of browsers) assert.deepEqual(browser.faults, []);
});
