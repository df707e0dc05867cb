/*
 * The client reconnects however the connection is lost, and backs off so that it does not overload
 * a server.
 */
import assert from "node:assert/strict";
import test from "node:test";

import { Client } from "../../nginx/html/imd.js";
import { unavailable } from "./fake_network.js";
import { assertTruth, world } from "./world.js";

const kind = (socket) => Object.getPrototypeOf(socket).constructor.name;
const event = (target, name) => target.dispatchEvent(new Event(name));

async function scene(here, options) {
  const id = here.group("bob", "alice");
  return { id, ...(await here.online("alice", { open: [id], ...options })) };
}

test(
  "the status is idle, connecting, online, and idle again after stop()",
  world(async (here) => {
    here.group("bob", "alice");
    const { client } = here.client("alice"),
      seen = [];
    client.subscribe(() => seen.push(client.status));
    assert.equal(client.status, "idle");
    await here.clock.result(client.start());
    assert.equal(client.conversations.length, 1);
    client.stop();
    await here.clock.settle();
    assert.deepEqual(
      seen.filter((one, i) => one !== seen[i - 1]),
      ["connecting", "online", "idle"],
    );
  }),
);

test(
  "start() is idempotent, and rejects if stop() comes first",
  world(async (here) => {
    const { client } = here.client("alice"),
      started = client.start();
    assert.equal(client.start(), started);
    client.stop();
    await assert.rejects(here.clock.result(started), { status: 0 });
    await here.clock.pass(60000);
    assert.equal(here.network.host("alice-0").sockets.size, 0);
  }),
);

test(
  "after stop() the client sends nothing and keeps its state",
  world(async (here) => {
    const { id, client, host } = await scene(here);
    client.stop();
    host.asked = [];
    here.say("bob", id);
    await here.clock.pass(600000);
    assert.deepEqual([host.asked, host.sockets.size, client.messages(id).length], [[], 0, 0]);
    await here.clock.result(client.start());
    assert.equal(client.messages(id).length, 1);
  }),
);

test(
  "a socket that is cut is replaced within half a second",
  world(async (here) => {
    const { id, one, client, host } = { ...(await scene(here)), one: here.clients[0] };
    host.cut();
    here.say("bob", id);
    await here.clock.pass(500);
    assertTruth(one, here.server);
    assert.equal(client.error, null);
  }),
);

test(
  "the back-off doubles up to a limit, with a jitter of up to half",
  world(async (here) => {
    const { client, host } = await scene(here, { pause: 20000 }),
      before = here.network.opened.length;
    host.request = () => ({ lost: "before" });
    host.socket = () => "refuse";
    host.cut();
    await here.clock.pass(300000);
    assert.equal(client.status, "offline");
    assert.equal(client.error.status, 0);
    const times = here.network.opened.slice(before).map(({ at }) => at),
      ratios = [];
    for (let i = 1; i < times.length; i++) ratios.push((times[i] - times[i - 1]) / Math.min(20000, 200 * 2 ** (i - 1)));
    assert.ok(
      ratios.every((ratio) => ratio > 0.49 && ratio < 1.06),
      `${ratios}`,
    );
    assert.ok(new Set(ratios.map((ratio) => ratio.toFixed(2))).size > ratios.length / 2, `no chance in ${ratios}`);
    Object.assign(host, { request: () => ({}), socket: () => "open" });
    await here.clock.until(() => client.status === "online", "online again", 21000);
    host.cut();
    await here.clock.until(() => client.status === "online", "the next pause is short again", 500);
  }),
);

test(
  "the client waits for Retry-After before it reconnects",
  world(async (here) => {
    const { client, host } = await scene(here);
    host.request = () => ({ answer: unavailable(503, 90) });
    host.cut();
    await here.clock.pass(1000);
    const asked = host.asked.length,
      tries = here.network.opened.length;
    await here.clock.pass(85000);
    assert.deepEqual([host.asked.length, here.network.opened.length], [asked, tries]);
    host.request = () => ({});
    await here.clock.until(() => client.status === "online", "online", 10000);
  }),
);

for (const fate of ["refuse", "hang"])
  test(
    `EventSource replaces WebSockets that ${fate} while the server answers`,
    world(async (here) => {
      here.network.host("a").socket = (socket) => (kind(socket) === "WebSocket" ? fate : "open");
      const id = here.group("bob", "alice"),
        one = await here.online("alice", { host: "a", open: [id] });
      assert.deepEqual(here.network.opened.map(kind), ["WebSocket", "EventSource"]);
      here.say("bob", id);
      await here.clock.pass(100);
      assertTruth(one, here.server);
      one.host.cut();
      await here.clock.until(() => one.client.status === "online");
      assert.equal(kind(here.network.opened[2]), "WebSocket", "another chance for it");
    }),
  );

test(
  "the client tries a WebSocket again after the network was away",
  world(async (here) => {
    const { client, host } = await scene(here);
    host.offline = true;
    await here.clock.until(() => client.status === "offline", "it notices", 200000);
    host.offline = false;
    await here.clock.until(() => client.status === "online");
    assert.deepEqual(new Set(here.network.opened.map(kind)), new Set(["WebSocket"]));
  }),
);

test(
  "a browser without WebSocket gets EventSource",
  world(async (here) => {
    delete globalThis.WebSocket;
    await scene(here);
    assert.deepEqual(here.network.opened.map(kind), ["EventSource"]);
  }),
);

test(
  "after a silent minute the client asks once whether it missed something",
  world(async (here) => {
    const { client, host } = await scene(here, { silence: 30000 });
    host.asked = [];
    await here.clock.pass(25000);
    assert.equal(host.asked.length, 0);
    await here.clock.pass(11000);
    assert.deepEqual(
      host.asked.map(({ method, path }) => `${method} ${path}`),
      ["GET conversations"],
    );
    assert.equal(client.status, "online");
    assert.equal(here.network.opened.length, 1);
  }),
);

test(
  "a socket that delivers nothing is replaced",
  world(async (here) => {
    const { id, client, host } = await scene(here),
      [one] = here.clients;
    host.cut("silently");
    here.say("bob", id);
    await here.clock.pass(66000);
    assert.equal(here.network.opened.length, 2);
    assertTruth(one, here.server);
    here.say("bob", id);
    await here.clock.pass(10);
    assert.equal(client.messages(id).length, 2);
  }),
);

test(
  "a socket that does not push the user's own message is replaced",
  world(async (here) => {
    const { id, client, host } = await scene(here);
    here.say("bob", id);
    await here.clock.pass(10);
    host.cut("silently");
    here.say("bob", id, "missed");
    await here.clock.result(client.send(id, "mine"));
    await here.clock.pass(5000);
    assertTruth(here.clients[0], here.server);
  }),
);

for (const [what, wake] of Object.entries({
  "the network comes back": (here) => event(here.window, "online"),
  "a page is shown again": (here) => event(here.window, "pageshow"),
  "a page is thawed": (here) => event(here.document, "resume"),
  "a tab is looked at": (here) => event(here.document, "visibilitychange"),
})) {
  test(
    `when ${what}, the client reconnects at once`,
    world(async (here) => {
      const { client, host } = await scene(here);
      host.offline = true;
      event(here.window, "offline");
      await here.clock.pass(200000);
      assert.equal(client.status, "offline");
      host.offline = false;
      wake(here);
      await here.clock.until(() => client.status === "online", "at once", 100);
    }),
  );

  test(
    `when ${what}, the client asks at once whether it missed something`,
    world(async (here) => {
      const { id, host } = await scene(here);
      host.cut("silently");
      here.say("bob", id);
      wake(here);
      await here.clock.pass(1000);
      assertTruth(here.clients[0], here.server);
      assert.equal(here.network.opened.length, 2);
    }),
  );
}

test(
  "a hidden tab sends no requests",
  world(async (here) => {
    const { host } = await scene(here);
    host.asked = [];
    here.document.hidden = true;
    event(here.document, "visibilitychange");
    await here.clock.pass(100);
    assert.deepEqual(host.asked, []);
  }),
);

test(
  "after the machine slept the client asks at once",
  world(async (here) => {
    const { id } = await scene(here);
    here.network.host("alice-0").cut("silently");
    here.say("bob", id);
    here.clock.sleep(40000);
    await here.clock.pass(6000);
    assertTruth(here.clients[0], here.server);
  }),
);

test(
  "after stop() no event of the browser reconnects the client",
  world(async (here) => {
    const { client, host } = await scene(here);
    client.stop();
    host.asked = [];
    for (const name of ["online", "pageshow"]) event(here.window, name);
    for (const name of ["resume", "visibilitychange"]) event(here.document, name);
    await here.clock.pass(1000);
    assert.deepEqual([host.asked, host.sockets.size], [[], 0]);
  }),
);

test(
  "a request without an answer ends after its timeout",
  world(async (here) => {
    const { client, host } = await scene(here, { timeout: 2000 });
    host.request = () => ({ lost: "before", silent: true });
    const from = here.clock.now;
    await assert.rejects(here.clock.result(client.request("GET", "healthz")), {
      name: "ImdError",
      status: 0,
      code: "unanswered",
    });
    assert.ok(here.clock.now - from <= 2010);
  }),
);

test(
  "imd can be mounted under any prefix, with or without a slash",
  world(async (here) => {
    for (const url of ["http://a/chat", "http://a/chat/", new URL("http://a/chat/")]) {
      const client = new Client({ url, user: "alice", storage: null });
      await here.clock.result(client.start());
      client.stop();
    }
    assert.ok(here.network.host("a").asked.every(({ path }) => path === "conversations"));
  }),
);
