/*
 * The button "Leave the group" is visible in a group of many members, on a desktop and on a phone.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { browse } from "./chromium.js";
import { Page } from "./page.js";
import { Stack } from "./stack.js";

const MEMBERS = ["ann", ...Array.from({ length: 29 }, (_, n) => `member_${n}`)];
let stack, id;

before(async () => {
  stack = await new Stack().start();
  id = (await stack.request("POST", "/conversations", { type: "group_chat", members: MEMBERS, title: "Many" })).id;
});

after(() => stack?.stop());

for (const [name, options] of [
  ["a desk", { viewport: { width: 1280, height: 800 } }],
  ["a phone", { viewport: { width: 360, height: 560 }, hasTouch: true, isMobile: true }],
])
  test(`on ${name} the button is wholly in sight and the members scroll`, async () => {
    const browser = await browse(options);
    try {
      const ann = await Page.open(browser, stack, "ann");
      await ann.enter(id);
      await ann.button("Details").click();
      const dialog = ann.page.getByRole("dialog", { name: "Many" });
      await dialog.getByText("member_9", { exact: true }).waitFor();
      const { height } = ann.page.viewportSize();
      const inSight = async (locator) => {
        const box = await locator.boundingBox();
        return box.y >= 0 && box.y + box.height <= height;
      };
      assert.ok(await inSight(dialog.getByRole("button", { name: "Leave the group" })), "the button is cut off");
      await dialog.getByText("member_9", { exact: true }).scrollIntoViewIfNeeded();
      assert.ok(await inSight(dialog.getByText("member_9", { exact: true })), "the members do not scroll");
      await dialog.getByRole("button", { name: "Leave the group" }).click({ trial: true });
      assert.deepEqual(browser.faults, []);
    } finally {
      await browser.close();
    }
  });
