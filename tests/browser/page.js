/*
 * The chat page as somebody uses it: by the names and roles that it shows. Knows nothing of how it is made.
 */
import { until } from "./stack.js";

export class Page {
  constructor(page, user) {
    this.page = page;
    this.user = user;
    this.list = page.getByRole("log");
  }

  /** A window of a user's, in a browser of browse(). */
  static async open(browser, stack, user) {
    const page = await browser.context.newPage();
    await page.goto(`${stack.url}/im/?user=${user}`);
    const one = new Page(page, user);
    await page.getByRole("button", { name: "New conversation" }).waitFor();
    return one;
  }

  entry(id) {
    return this.page.locator(`[data-conversation="${id}"]`);
  }

  async enter(id) {
    await this.entry(id).click();
    await this.composer.waitFor();
  }

  get composer() {
    return this.page.getByRole("textbox", { name: "Message", exact: true });
  }

  async say(text) {
    await this.composer.fill(text);
    await this.composer.press("Enter");
  }

  /** The message with that text, among those that are drawn. */
  message(text) {
    return this.page.locator("li.message").filter({ has: this.page.locator(".text", { hasText: text }) });
  }

  /** Chooses what may be done with a message. */
  async act(text, action) {
    const message = this.message(text);
    await message.hover();
    await message.getByRole("button", { name: action }).click();
  }

  /**
   * All messages of the open conversation, from the first to the last, as [seq, text], by scrolling through all of it.
   * A message that is drawn twice at a time, or out of order, is there twice or out of order.
   */
  async readAll() {
    await until(() => this.page.evaluate(() => {
      const scroller = document.querySelector(".messages-scroller");
      scroller.scrollTop = 0;
      return document.querySelector("li.message")?.dataset.seq === "1";
    }), `${this.user} sees the first message`, 60000);
    return this.page.evaluate(async () => {
      const scroller = document.querySelector(".messages-scroller"), seen = new Map(), disorder = [];
      const frame = () => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
      for (let at_end = false; !at_end; ) {
        await frame();
        let last = 0;
        for (const item of document.querySelectorAll("li.message")) {
          const seq = Number(item.dataset.seq), text = item.querySelector(".text")?.textContent ?? "";
          if (seq && seq <= last) disorder.push([seq, text]);
          last = seq || last;
          seen.set(seq || `unsent ${text}`, text);
        }
        at_end = scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - 1;
        scroller.scrollTop += scroller.clientHeight / 2;
      }
      return { seen: [...seen], disorder };
    });
  }
}
