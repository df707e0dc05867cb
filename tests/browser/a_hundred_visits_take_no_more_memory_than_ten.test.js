/*
 * A page that is open all day: after a hundred visited conversations it uses as much memory as
 * after ten.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { browse } from "./chromium.js";
import { Page } from "./page.js";
import { Stack } from "./stack.js";

const HEAP_MORE_MAX = 1 << 20, // about 0.4 MB is measured; 3.4 MB if no conversation is closed
  VISITS = 100,
  FEW = 10,
  MESSAGES = 50, // in each conversation: a page of them
  TEXT = "A line of some length, as people write them to each other. ".repeat(10);
let stack, browser, ann, devtools;
const ids = [];

before(async () => {
  stack = await new Stack().start();
  for (let n = 0; n < VISITS; n++) {
    const members = ["ann", "bob"];
    const { id } = await stack.request("POST", "/conversations", { type: "group_chat", members, title: `Visit ${n}` });
    ids.push(id);
  }
  const fill = async (id, n) => {
    for (let m = 0; m < MESSAGES; m++)
      await stack.request("POST", "/messages", { conversation_id: id, username: "bob", content: `${m} ${n} ${TEXT}` });
  };
  await Promise.all(ids.map(fill));
  browser = await browse();
  browser.context.setDefaultTimeout(10000);
  ann = await Page.open(browser, stack, "ann");
  devtools = await browser.context.newCDPSession(ann.page);
  await devtools.send("Performance.enable");
  await devtools.send("HeapProfiler.enable");
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

/** Returns the memory in use after garbage collection. */
async function usage() {
  for (let n = 0; n < 3; n++) await devtools.send("HeapProfiler.collectGarbage");
  const { metrics } = await devtools.send("Performance.getMetrics");
  const of = (name) => metrics.find((metric) => metric.name === name).value;
  return { heap: of("JSHeapUsedSize"), nodes: of("Nodes"), listeners: of("JSEventListeners") };
}

async function visit(n) {
  await ann.page.evaluate((id) => (location.hash = id), ids[n]);
  await ann.page.getByRole("heading", { name: `Visit ${n}`, exact: true }).waitFor();
  await ann.page
    .locator("li.message .text", { hasText: new RegExp(`^\\d+ ${n} `) })
    .first()
    .waitFor();
}

test("heap, nodes and listeners do not grow with the visits", { timeout: 120000 }, async (t) => {
  for (let n = 0; n < FEW; n++) await visit(n);
  const few = await usage();
  for (let n = FEW; n < VISITS; n++) await visit(n);
  const many = await usage();
  t.diagnostic(`after ${FEW} visits ${JSON.stringify(few)}, after ${VISITS} ${JSON.stringify(many)}`);
  assert.ok(many.heap - few.heap < HEAP_MORE_MAX, `${many.heap - few.heap} bytes more`);
  assert.ok(many.nodes < few.nodes * 1.2, `${many.nodes} nodes instead of ${few.nodes}`);
  assert.ok(many.listeners < few.listeners * 1.2, `${many.listeners} listeners instead of ${few.listeners}`);
  assert.deepEqual(browser.faults, []);
});
