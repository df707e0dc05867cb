/*
 * The page in each of its states, on a phone and on a desktop, light and dark, in English and
 * Chinese: axe finds no accessibility fault, and the keyboard is enough for everything. Leaves a
 * picture of each state in build/browser/screenshots.
 */
import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { AXE, browse } from "./chromium.js";
import { Page } from "./page.js";
import { Stack } from "./stack.js";
import { furnish } from "./talk.js";

const PICTURES = fileURLToPath(new URL("../../build/browser/screenshots/", import.meta.url));
const LOOKS = [
  { name: "desk-light", viewport: { width: 1280, height: 800 }, colorScheme: "light", locale: "en-GB" },
  { name: "desk-dark", viewport: { width: 1280, height: 800 }, colorScheme: "dark", locale: "zh-CN" },
  {
    name: "phone-light",
    viewport: { width: 390, height: 844 },
    colorScheme: "light",
    locale: "zh-CN",
    hasTouch: true,
  },
  { name: "phone-dark", viewport: { width: 390, height: 844 }, colorScheme: "dark", locale: "en-GB", hasTouch: true },
];
let stack, talk, axe;

before(async () => {
  await mkdir(PICTURES, { recursive: true });
  axe = await readFile(AXE, "utf8");
  stack = await new Stack().start();
  talk = await furnish(stack);
});

after(() => stack?.stop());

/** Asserts that axe finds no fault, and leaves a picture. */
async function check(page, look, state) {
  await page.screenshot({ path: `${PICTURES}${look.name}-${state}.png` });
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const found = violations.map(
    ({ id, help, nodes }) =>
      `${id}: ${help}: ${nodes.map(({ html, any }) => `${html.slice(0, 120)} ${any[0]?.message ?? ""}`).join(" | ")}`,
  );
  assert.deepEqual(found, [], `${look.name}, ${state}`);
}

/** Finds an element by its name, in either language. */
const named = (page, role, english, chinese) => page.getByRole(role, { name: new RegExp(`^(${english}|${chinese})$`) });

for (const look of LOOKS)
  test(`axe finds no fault on ${look.name} in ${look.locale}`, { timeout: 90000 }, async () => {
    const browser = await browse(look),
      page = await browser.context.newPage();
    const state = (name) => check(page, look, name);
    const dialog = page.getByRole("dialog"),
      closed = () => dialog.waitFor({ state: "detached" });
    try {
      await page.goto(`${stack.url}/im/`);
      await named(page, "textbox", "Your name", "你的名字").waitFor();
      await state("who");
      await page.goto(`${stack.url}/im/?user=alice`);
      await page.locator(`[data-conversation="${talk.group}"]`).waitFor();
      await state("list");
      await named(page, "button", "New conversation", "新会话").click();
      await named(page, "radio", "Group", "群组").check();
      await named(page, "textbox", "Members", "成员").fill("no!name");
      await named(page, "button", "Create", "创建").click();
      await page.getByRole("alert").filter({ hasText: "no!name" }).waitFor();
      await state("new-conversation");
      await page.keyboard.press("Escape");
      await closed();
      await page.locator(`[data-conversation="${talk.group}"]`).click();
      await page.locator(`[data-id="${talk.question}"]`).waitFor();
      await state("conversation");
      const question = page.locator(`[data-id="${talk.question}"]`);
      await question.locator(".text").click();
      await state("message-chosen");
      await named(question, "button", "React", "回应").click();
      await dialog.waitFor();
      await state("emoji");
      await page.keyboard.press("Escape");
      await closed();
      await named(question, "button", "Who reacted", "查看回应").click();
      await dialog.getByRole("heading", { name: "🎉 2" }).waitFor();
      await state("reactions");
      await page.keyboard.press("Escape");
      await closed();
      await named(question, "button", "Reply", "回复").click();
      await state("reply");
      const mine = page.locator(`[data-id="${talk.mine}"]`);
      await mine.locator(".text").click();
      await named(mine, "button", "Delete", "删除").click();
      await dialog.waitFor();
      await state("delete");
      await page.keyboard.press("Escape");
      await closed();
      await named(page, "button", "Details", "详情").click();
      await dialog
        .getByText(/online|在线/)
        .first()
        .waitFor();
      await state("details");
      await page.keyboard.press("Escape");
      await closed();
      await browser.context.setOffline(true);
      await page
        .getByRole("status")
        .filter({ hasText: /Offline|离线/ })
        .waitFor();
      await named(page, "textbox", "Message", "消息").fill("on its way");
      await named(page, "button", "Send", "发送").click();
      await page.locator("li.message.sending").waitFor();
      await state("offline");
      if (look.hasTouch) await named(page, "button", "Back", "返回").click();
      await named(page, "button", "Sign out", "退出").click();
      await dialog.waitFor();
      await state("sign-out");
      assert.deepEqual(browser.faults, []);
    } finally {
      await browser.close();
    }
  });

test("a refused message has no accessibility fault", async () => {
  const look = LOOKS[0],
    browser = await browse(look);
  try {
    const alice = await Page.open(browser, stack, "alice");
    await alice.enter(talk.group);
    // The server refuses: she was removed while she was offline.
    await browser.context.setOffline(true);
    await alice.say("too late");
    await alice.page.route("**/messages", (route) =>
      route.fulfill({
        status: 403,
        contentType: "application/problem+json",
        body: JSON.stringify({
          error: "Sender is not a member of the conversation",
          code: "not_a_member",
          status: 403,
          request_id: "0".repeat(32),
        }),
      }),
    );
    await browser.context.setOffline(false);
    await alice.button("Retry").waitFor();
    await check(alice.page, look, "refused");
    await alice.page.unroute("**/messages");
    await alice.button("Retry").click();
    await alice.message("too late").getByRole("img", { name: "Sent" }).waitFor();
  } finally {
    await browser.close();
  }
});

test("on a phone the page's and the browser's back button return to the list", async () => {
  const browser = await browse(LOOKS[3]);
  try {
    const alice = await Page.open(browser, stack, "alice");
    const listed = () => alice.entry(talk.group).waitFor();
    await alice.enter(talk.group);
    assert.equal(await alice.entry(talk.group).isVisible(), false);
    await alice.button("Back").click();
    await listed();
    await alice.page.waitForFunction((id) => document.activeElement.dataset.conversation === String(id), talk.group);
    await alice.enter(talk.group);
    await alice.page.goBack();
    await listed();
    await alice.page.goForward();
    await alice.composer.waitFor();
    // There is no page to go back to: this was the first one.
    const other = new Page(await browser.context.newPage(), "alice");
    await other.page.goto(`${stack.url}/im/?user=alice#${talk.group}`);
    await other.button("Back").click();
    await other.entry(talk.group).waitFor();
  } finally {
    await browser.close();
  }
});

test("the keyboard alone is enough for everything", async () => {
  const browser = await browse();
  try {
    const { page } = await Page.open(browser, stack, "keys");
    const focus = () =>
      page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent);
    const press = async (...keys) => {
      for (const key of keys) await page.keyboard.press(key);
    };
    const tabTo = async (name) => {
      for (let n = 0; n < 30 && (await focus()) !== name; n++) await press("Tab");
      assert.equal(await focus(), name);
    };
    await tabTo("New conversation");
    await press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.type("bob");
    await press("Enter");
    await page.getByRole("log").waitFor();
    await page.waitForFunction(() => document.activeElement.getAttribute("aria-label") === "Message");
    await page.keyboard.type("first");
    await press("Shift+Enter");
    await page.keyboard.type("line two");
    await press("Enter");
    await page.getByRole("img", { name: "Sent" }).waitFor();
    await press("ArrowUp"); // the last own one is edited
    await page.keyboard.type("!");
    await press("Enter");
    await page.getByText("edited").waitFor();
    await press("ArrowUp", "Escape", "Shift+Tab"); // not again; back to the messages
    assert.match(await page.evaluate(() => document.activeElement.getAttribute("role")), /log/);
    await press("ArrowUp", "Enter");
    assert.equal(await focus(), "React");
    await press("Enter");
    await page.getByRole("dialog").waitFor();
    await press("Enter");
    await page.getByRole("button", { name: "👍 1 keys" }).waitFor();
    await page.waitForFunction(() => document.activeElement.closest("li.message"));
    await press("Escape", "Escape");
    assert.equal(await focus(), "Message");
    assert.equal(await page.locator(".text").textContent(), "first\nline two!");
  } finally {
    await browser.close();
  }
});
