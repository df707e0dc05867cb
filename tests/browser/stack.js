/*
 * A whole imd for a test: nginx and imd as nginx/serve.sh starts them, in a directory of their own.
 * Knows nothing of browsers.
 */
import { execFile, spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const START_MS = 20000;

/** Returns the first true value of what(), which is called again and again until the deadline. */
export async function until(what, what_for, ms = START_MS) {
  for (const deadline = Date.now() + ms; ;) {
    const value = await what();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`not within ${ms} ms: ${what_for}`);
    await new Promise((later) => setTimeout(later, 10));
  }
}

export async function freePort() {
  for (;;) {
    // Below the ports of outgoing connections.
    const port = 20000 + Math.floor(Math.random() * 12000);
    const server = createServer();
    const free = await new Promise((told) =>
      server.once("error", () => told(false)).listen(port, "127.0.0.1", () => told(true)),
    );
    await new Promise((closed) => server.close(closed));
    if (free) return port;
  }
}

/** Returns the children of a process whose names begin like this. */
async function children(parent, name) {
  const found = [];
  for (const pid of (await readdir("/proc")).filter(Number)) {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    const [, its_name, state, its_parent] = stat.match(/\((.*)\) (\S) (\d+)/s) ?? [];
    if (Number(its_parent) === parent && its_name.startsWith(name) && !"ZX".includes(state)) found.push(Number(pid));
  }
  return found;
}

export class Stack {
  /**
   * `env` is for serve.sh. `http` returns more text for nginx's http{}, from the path of the
   * directory.
   */
  constructor(env = {}, http = null) {
    this.env = env;
    this.http = http;
  }

  async start() {
    this.state = await mkdtemp(join(tmpdir(), "imd-test-"));
    this.port = await freePort();
    this.url = `http://127.0.0.1:${this.port}`;
    if (this.http) {
      this.env.HTTP_EXTRA = join(this.state, "extra.conf");
      await writeFile(this.env.HTTP_EXTRA, this.http(this.state));
    }
    const env = { ...process.env, STATE: this.state, PORT: String(this.port), ...this.env };
    this.serve = spawn(join(ROOT, "nginx/serve.sh"), { env, stdio: ["ignore", "pipe", "pipe"], detached: true });
    let said = "";
    this.ended = new Promise((ended) => this.serve.once("exit", ended));
    for (const stream of [this.serve.stdout, this.serve.stderr]) stream.on("data", (data) => (said += data));
    await until(() => said.includes("imd is ready") || this.serve.exitCode !== null, "imd is ready");
    if (this.serve.exitCode !== null) throw new Error(said);
    return this;
  }

  async stop() {
    this.serve.kill("SIGTERM");
    const status = await this.ended;
    if (status !== 0) throw new Error(`serve.sh ended with ${status}`);
    await rm(this.state, { recursive: true });
  }

  /** Returns a token of imctl. */
  async token(name, lifetime_s = 600) {
    const flags = ["token", `--keys=${join(this.state, "keys")}`, `--sub=${name}`, `--ttl=${lifetime_s}`];
    return (await promisify(execFile)(join(ROOT, "build/imctl"), flags)).stdout.trim();
  }

  async request(method, path, body) {
    const answer = await fetch(this.url + path, { method, body: body && JSON.stringify(body) });
    const json = await answer.json();
    if (!answer.ok) throw new Error(`${method} ${path}: ${JSON.stringify(json)}`);
    return json;
  }

  /** Returns all messages of a conversation. */
  async messages(conversation) {
    const found = [];
    for (let more = true; more;) {
      const after = found.at(-1)?.seq ?? 0;
      const page = await this.request("GET", `/messages?conversation_id=${conversation}&after_seq=${after}&limit=1000`);
      found.push(...page.messages);
      more = page.has_next;
    }
    return found;
  }

  async #pid(of) {
    return Number(await readFile(join(this.state, `${of}.pid`), "utf8"));
  }

  async #healthy() {
    await until(
      () =>
        fetch(`${this.url}/healthz`).then(
          (answer) => answer.ok,
          () => false,
        ),
      "imd is well again",
    );
  }

  /**
   * Kills a worker or the relay with SIGKILL. Returns once another one is there, and all is well.
   */
  async kill(name) {
    const master = await this.#pid("imd"),
      before = await children(master, `imd-${name}`);
    process.kill(before[0], "SIGKILL");
    await until(
      async () => (await children(master, `imd-${name}`)).filter((pid) => !before.includes(pid)).length > 0,
      `another ${name}`,
    );
    await this.#healthy();
  }

  /** Stops and starts nginx. Returns once it serves again. */
  async restartNginx() {
    const pid = await this.#pid("nginx");
    process.kill(pid, "SIGTERM");
    await until(
      async () => !(await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "")).match(/\) [^Z]/),
      "nginx ends",
    );
    const nginx = ["-p", this.state, "-c", join(this.state, "nginx.conf")];
    await promisify(execFile)("nginx", nginx, { env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } });
    await this.#healthy();
  }
}
