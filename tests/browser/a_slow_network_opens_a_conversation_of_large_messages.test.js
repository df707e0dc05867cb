/*
 * 50 messages of 12 kB over 400 kbit/s, in real Chromium: they arrive on one connection, in the
 * time that the network needs.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";

import { browse } from "./chromium.js";
import { Stack } from "./stack.js";

const MESSAGES = 50,
  BYTES = 12000,
  BITS_A_SECOND = 400000;
let stack, browser, page, id;

/** Text that hardly compresses: each byte is one of 94. */
const noise = () => Array.from(randomBytes(BYTES), (byte) => String.fromCharCode(33 + (byte % 94))).join("");

before(async () => {
  stack = await new Stack().start();
  ({ id } = await stack.request("POST", "/conversations", { type: "group_chat", members: ["ann", "bob"] }));
  for (let n = 0; n < MESSAGES; n++)
    await stack.request("POST", "/messages", { conversation_id: id, username: "bob", content: noise() });
  browser = await browse();
  page = await browser.context.newPage();
  await page.goto(`${stack.url}/im/imd.d.ts`);
  const line = await browser.context.newCDPSession(page);
  await line.send("Network.enable");
  const rate = BITS_A_SECOND / 8;
  const conditions = { offline: false, latency: 100, downloadThroughput: rate, uploadThroughput: rate };
  await line.send("Network.emulateNetworkConditions", conditions);
});
after(async () => {
  await browser?.close();
  await stack?.stop();
});

test("the conversation opens without a reconnect", { timeout: 120000 }, async (t) => {
  const from = Date.now();
  const sockets = [];
  page.on("websocket", (socket) => sockets.push(socket));
  const { held, lost } = await page.evaluate(async (conversation) => {
    const { Client } = await import("/im/imd.js");
    const client = (window.client = new Client({ user: "ann", url: "/" })),
      statuses = [];
    client.subscribe(() => statuses.push(client.status));
    await client.start();
    await client.open(conversation);
    const after = statuses.slice(statuses.indexOf("online"));
    return { held: client.messages(conversation).length, lost: after.filter((status) => status !== "online") };
  }, id);
  t.diagnostic(`open after ${Date.now() - from} ms`);
  assert.equal(held, MESSAGES);
  assert.deepEqual(lost, []);
  assert.equal(sockets.length, 1);
});

test("pushes arrive and messages go out on the slow network", { timeout: 120000 }, async () => {
  const { content } = await page.evaluate((conversation) => window.client.send(conversation, "hello"), id);
  assert.equal(content, "hello");
  await stack.request("POST", "/messages", { conversation_id: id, username: "bob", content: "hello, ann" });
  await page.waitForFunction(
    (conversation) => window.client.messages(conversation).at(-1).content === "hello, ann",
    id,
    { timeout: 10000 },
  );
});
