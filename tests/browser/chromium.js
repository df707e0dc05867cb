/* Debian's Chromium, without a window, with an empty profile. Knows nothing of the pages. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

// NODE_PATH has the directory of the packages.
const require = createRequire(import.meta.url);
const { chromium } = require("playwright-core");
export const AXE = require.resolve("axe-core/axe.min.js");

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Returns the processes that run the pages of the browser with that profile. */
async function renderers(profile) {
  const found = [];
  for (const pid of (await readdir("/proc")).filter(Number)) {
    const words = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split(/[\0 ]/);
    if (words.includes("--type=renderer") && words.includes(`--user-data-dir=${profile}`)) found.push(Number(pid));
  }
  return found;
}

/**
 * Starts a browser with a profile of its own. `options` are those of playwright's context:
 * viewport, colorScheme, locale …
 */
export async function browse(options = {}) {
  const profile = await mkdtemp(join(tmpdir(), "imd-chromium-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: "/usr/bin/chromium",
    args: FLAGS,
    locale: "en-GB",
    viewport: { width: 1280, height: 800 },
    ...options,
  });
  const faults = [];
  context.on("weberror", (error) => faults.push(String(error.error())));
  return {
    context,
    /** Uncaught exceptions of its pages. */
    faults,
    /**
     * Stops all its pages, and returns a function that lets them continue. (DevTools freeze only
     * hidden pages, and a page that is driven never is hidden.)
     */
    async freeze() {
      const pids = await renderers(profile);
      if (!pids.length) throw new Error("no page to freeze");
      for (const pid of pids) process.kill(pid, "SIGSTOP");
      return () => pids.forEach((pid) => process.kill(pid, "SIGCONT"));
    },
    async close() {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}
