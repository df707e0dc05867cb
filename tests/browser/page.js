/*
 * The chat page as a user uses it: by the names and roles that it shows. Knows nothing of its
 * structure, except that a message is an li.message with its number, and its text in .text.
 */
import { until } from "./stack.js";

export class Page {
  constructor(page, user) {
    this.page = page;
    this.user = user;
  }

  /** Opens a tab of a user, in a browser of browse(). */
  static async open(browser, stack, user) {
    const page = new Page(await browser.context.newPage(), user);
    await page.page.goto(`${stack.url}/im/?user=${user}`);
    await page.button("New conversation").waitFor();
    return page;
  }

  button(name) {
    return this.page.getByRole("button", { name, exact: true });
  }

  entry(id) {
    return this.page.locator(`[data-conversation="${id}"]`);
  }

  /** The id of the open conversation. */
  get open() {
    return Number(new URL(this.page.url()).hash.slice(1));
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

  /** Returns the message with exactly that text, among those that are drawn. */
  message(text) {
    const words = text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&").replace(/\s+/g, "\\s+");
    return this.page.locator("li.message", {
      has: this.page.locator(".text", { hasText: new RegExp(`^${words}$`) }),
    });
  }

  /** Presses a button of a message. */
  async act(text, action) {
    await this.message(text).hover();
    await this.message(text).getByRole("button", { name: action, exact: true }).click();
  }

  /**
   * Returns all messages of the open conversation, as [number, text], from first to last, by
   * scrolling through them. `disorder` lists messages that were drawn twice at a time, or out of
   * order.
   */
  async readAll() {
    await until(
      () =>
        this.page.evaluate(() => {
          document.querySelector("[role=log]").scrollTop = 0;
          return document.querySelector("li.message")?.dataset.seq === "1";
        }),
      `${this.user} sees the first message`,
      60000,
    );
    return this.page.evaluate(async () => {
      const log = document.querySelector("[role=log]"),
        seen = new Map(),
        disorder = [];
      for (let end = false; !end;) {
        await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
        let last = 0;
        for (const item of document.querySelectorAll("li.message")) {
          const seq = Number(item.dataset.seq ?? NaN),
            text = item.querySelector(".text").textContent;
          if (!(seq > last)) disorder.push([last, seq, text]);
          last = seq;
          seen.set(seq, text);
        }
        end = log.scrollTop + log.clientHeight >= log.scrollHeight - 2;
        log.scrollTop += log.clientHeight / 2;
      }
      return { seen: [...seen], disorder };
    });
  }
}
