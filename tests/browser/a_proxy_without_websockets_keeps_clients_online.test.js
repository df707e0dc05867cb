/*
 * imd behind another nginx that forwards no Upgrade headers and buffers answers. The client uses
 * EventSource if the proxy heeds X-Accel-Buffering, else it polls. It uses a WebSocket again as
 * soon as it can. In real Chromium.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { browse } from "./chromium.js";
import { Page } from "./page.js";
import { freePort, Stack, until } from "./stack.js";

let stack, browser, id, ports;

const PROXY = "proxy_pass http://127.0.0.1:IMD; proxy_set_header Host $http_host;";
const servers = ([plain, deaf]) => `
  server { listen 127.0.0.1:${plain}; location / { ${PROXY} } }
  server { listen 127.0.0.1:${deaf}; location / { ${PROXY} proxy_ignore_headers X-Accel-Buffering; } }`;

before(async () => {
  ports = [await freePort(), await freePort()];
  stack = new Stack({}, () => servers(ports).replaceAll("IMD", stack.port));
  await stack.start();
  ({ id } = await stack.request("POST", "/conversations", { type: "group_chat", members: ["ann", "bob"] }));
  browser = await browse();
});
after(async () => {
  await browser?.close();
  await stack?.stop();
});

const say = (content) => stack.request("POST", "/messages", { conversation_id: id, username: "bob", content });

/** Opens a page through the proxy at that port, with a client that is online. */
async function through(port) {
  const page = await browser.context.newPage();
  await page.goto(`http://127.0.0.1:${port}/im/imd.d.ts`);
  await page.evaluate(async (conversation) => {
    const { Client } = await import("/im/imd.js");
    window.client = new Client({ user: "ann", url: "/", timeout: 4000, pause: 2000 });
    await window.client.start();
    await window.client.open(conversation);
  }, id);
  return page;
}

const status = (page) => page.evaluate(() => window.client.status);
const holds = (page, content) =>
  page.evaluate(([at, text]) => window.client.messages(at).some((m) => m.content === text && !m.state), [id, content]);

test("a proxy that heeds X-Accel-Buffering delays no event", async () => {
  const page = await through(ports[0]);
  assert.equal(await status(page), "online");
  await say("by EventSource");
  await until(() => holds(page, "by EventSource"), "the event comes");
  await page.evaluate((at) => window.client.send(at, "sent by EventSource"), id);
  await until(() => holds(page, "sent by EventSource"), "one's own comes");
  await page.close();
});

test("behind a proxy that buffers everything the client lists, sends and polls", { timeout: 60000 }, async () => {
  const page = await through(ports[1]);
  assert.equal(await status(page), "polling");
  await say("by asking");
  await until(() => holds(page, "by asking"), "it is asked for");
  await page.evaluate((at) => window.client.send(at, "sent while asking"), id);
  await until(() => holds(page, "sent while asking"), "it is asked for");
  assert.equal((await stack.messages(id)).filter(({ content }) => content === "sent while asking").length, 1);
  await page.close();
});

test("the page says that it polls, until messages are pushed again", async () => {
  const page = new Page(await browser.context.newPage(), "ann"),
    words = page.page.getByRole("status").filter({ hasText: "New messages appear every few seconds." });
  await page.page.goto(`http://127.0.0.1:${ports[1]}/im/?user=ann`);
  await words.waitFor();
  await page.enter(id);
  await page.say("sent from the page");
  await page.message("sent from the page").getByRole("img", { name: "Sent" }).waitFor();
  assert.equal(await page.page.getByRole("status").filter({ hasText: "Offline" }).count(), 0);
  await page.page.goto(`http://127.0.0.1:${ports[0]}/im/?user=ann`);
  await page.entry(id).waitFor();
  await page.page.locator(".hint").waitFor({ state: "hidden" });
  await words.waitFor({ state: "hidden" });
  await page.page.close();
  assert.deepEqual(browser.faults, []);
});
