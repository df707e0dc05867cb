/*
 * The page asks for a name in mode none, for a token in mode jwt, and for nothing if the host's
 * nginx names the user.
 */
import assert from "node:assert/strict";
import { test } from "node:test";

import { browse } from "./chromium.js";
import { freePort, Stack } from "./stack.js";

/** Runs the function in a browser of its own, against a server of its own. */
async function at(stack, what) {
  await stack.start();
  const browser = await browse();
  try {
    await what(await browser.context.newPage());
    assert.deepEqual(browser.faults, []);
  } finally {
    await browser.close();
    await stack.stop();
  }
}

const isIn = (page, name) => page.getByRole("navigation").getByText(name, { exact: true }).waitFor();

test("in mode none the page asks for a name", async () => {
  const stack = new Stack();
  await at(stack, async (page) => {
    await page.goto(`${stack.url}/im`);
    const field = page.getByLabel("Your name");
    await field.fill("no name!");
    await page.getByRole("button", { name: "Continue" }).click();
    assert.equal(await field.evaluate((input) => input.validity.patternMismatch), true);
    await field.fill("ann");
    await field.press("Enter");
    await isIn(page, "ann");
    await page.reload();
    await isIn(page, "ann");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Your name").waitFor();
  });
});

test("in mode jwt the page asks for a token", async () => {
  const stack = new Stack({ AUTH: "jwt" });
  await at(stack, async (page) => {
    await page.goto(`${stack.url}/im/`);
    await page.getByLabel("Your token").fill("nonsense");
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByLabel("Your token").waitFor();
    await page.getByLabel("Your token").fill(await stack.token("bob"));
    await page.getByRole("button", { name: "Continue" }).click();
    await isIn(page, "bob");
    // A name in the address that is not the token's is refused, but only once.
    await page.goto(`${stack.url}/im/?user=ann`);
    await page.getByText("username must be the authenticated user").waitFor();
    await page.getByRole("button", { name: "Try again" }).click();
    await isIn(page, "bob");
    // A name in the address is taken, and removed from it.
    await page.goto("about:blank");
    await page.goto(`${stack.url}/im/#token=${await stack.token("ann")}`);
    await isIn(page, "ann");
    await page.waitForURL(`${stack.url}/im/`);
    await page.getByRole("button", { name: "New conversation" }).click();
    await page.getByLabel("With whom").fill("bob");
    await page.getByRole("button", { name: "Create" }).click();
    await page.getByRole("textbox", { name: "Message" }).fill("hello");
    await page.keyboard.press("Enter");
    await page.getByRole("img", { name: "Sent" }).waitFor();
  });
});

test("a user named by the host's nginx is signed in", async () => {
  const port = await freePort();
  const door = (state) => `server { listen 127.0.0.1:${port}; set $imd_user ann; include ${state}/imd-server.conf; }`;
  const stack = new Stack({ AUTH: "proxy" }, door);
  await at(stack, async (page) => {
    await page.goto(`http://127.0.0.1:${port}/im/`);
    await isIn(page, "ann");
  });
});

test("the page works under a prefix", async () => {
  const stack = new Stack({ PREFIX: "/chat" });
  await at(stack, async (page) => {
    await page.goto(`${stack.url}/chat/im?user=ann`);
    await isIn(page, "ann");
    await page.getByRole("button", { name: "New conversation" }).click();
    await page.getByLabel("With whom").fill("bob");
    await page.getByRole("button", { name: "Create" }).click();
    await page.getByRole("textbox", { name: "Message" }).waitFor();
  });
});
