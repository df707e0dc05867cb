/* A page that stays open overnight does not call yesterday today. */
import { after, before, test } from "node:test";

import { browse } from "./chromium.js";
import { Page } from "./page.js";
import { Stack } from "./stack.js";

let stack, browser;

before(async () => {
  stack = await new Stack().start();
  browser = await browse();
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

test("messages and list show the new day after midnight", async () => {
  const { id } = await stack.request("POST", "/conversations", { type: "private_chat", members: ["ann", "bob"] });
  await stack.request("POST", "/messages", { conversation_id: id, username: "bob", content: "good night" });
  await browser.context.clock.install();
  const ann = await Page.open(browser, stack, "ann");
  await ann.enter(id);
  await ann.page.getByText("Today", { exact: true }).waitFor();
  await browser.context.clock.fastForward("24:00:00");
  await ann.page.locator("li.message").getByText("Yesterday", { exact: true }).waitFor();
  await ann.entry(id).getByText("Yesterday", { exact: true }).waitFor();
});
