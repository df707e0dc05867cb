/*
 * on() calls listeners with everything that a page needs to describe the event, and no listener
 * affects another.
 */
import assert from "node:assert/strict";
import test from "node:test";

import { Client } from "../../nginx/html/imd.js";
import { Problem } from "./fake_server.js";
import { world } from "./world.js";

const TYPES = ["message", "conversation", "member", "typing", "read", "status", "error", "change"];

/** Alice listens to everything. `heard` has the reported events in order: [type, event]. */
async function scene(here, options = {}) {
  const id = here.group("bob", "alice");
  here.say("bob", id, "before");
  await here.clock.pass(10);
  const { client, host } = await here.online("alice", { open: [id], ...options }),
    heard = [];
  await here.clock.settle();
  for (const type of TYPES) client.on(type, (what) => heard.push([type, what]));
  const of = (type) => heard.filter(([its]) => its === type).map(([, what]) => what);
  return { id, client, host, heard, of };
}

const emoji = (message, name) => `messages/${message}/reactions/${encodeURIComponent(name)}`;

test(
  "events of messages have the message as it is now",
  world(async (here) => {
    const { id, of } = await scene(here);
    const { id: message } = here.say("bob", id, "one");
    await here.clock.pass(50);
    here.do("bob", "PATCH", `messages/${message}`, { content: "two" });
    await here.clock.pass(50);
    here.do("bob", "DELETE", `messages/${message}`);
    await here.clock.pass(50);
    assert.deepEqual(
      of("message").map(({ conversation, type, message: { content } }) => [conversation, type, content]),
      [
        [id, "message.created", "one"],
        [id, "message.updated", "two"],
        [id, "message.deleted", ""],
      ],
    );
  }),
);

test(
  "events of reactions name user and emoji, and say whether it was added or removed",
  world(async (here) => {
    const { of } = await scene(here);
    here.do("bob", "PUT", emoji(1, "👍"));
    await here.clock.pass(50);
    here.do("bob", "DELETE", emoji(1, "👍"));
    await here.clock.pass(50);
    assert.deepEqual(
      of("message").map(({ type, username, emoji, added }) => [type, username, emoji, added]),
      [
        ["message.updated", "bob", "👍", true],
        ["message.updated", "bob", "👍", false],
      ],
    );
  }),
);

test(
  "the event of a cleared emoji has no name",
  world(async (here) => {
    const { of } = await scene(here);
    here.do("alice", "PUT", emoji(1, "👍"));
    await here.clock.pass(50);
    here.do("bob", "DELETE", emoji(1, "👍"), undefined, { all: "true" });
    await here.clock.pass(50);
    const { username, emoji: which, added, message } = of("message").at(-1);
    assert.deepEqual([username, which, added, message.reactions], [undefined, "👍", false, undefined]);
  }),
);

test(
  "events of members name the user and the role",
  world(async (here) => {
    const { id, of } = await scene(here);
    here.do("bob", "PUT", `conversations/${id}/members/carol`, {});
    await here.clock.pass(50);
    here.do("bob", "PUT", `conversations/${id}/members/carol`, { role: "admin" });
    await here.clock.pass(50);
    here.do("carol", "POST", `conversations/${id}/leave`, {});
    await here.clock.pass(50);
    assert.deepEqual(
      of("member").map(({ type, username, role, object }) => [type, username, role, object.member_count]),
      [
        ["member.joined", "carol", undefined, 3],
        ["member.updated", "carol", "admin", 3],
        ["member.left", "carol", undefined, 2],
      ],
    );
  }),
);

test(
  "events of being added and removed have the conversation",
  world(async (here) => {
    const { of } = await scene(here),
      id = here.group("carol", "alice");
    await here.clock.pass(50);
    here.do("carol", "DELETE", `conversations/${id}/members/alice`);
    await here.clock.pass(50);
    assert.deepEqual(
      of("conversation").map(({ conversation, type, object }) => [conversation, type, object.member_count]),
      [
        [id, "conversation.created", 2],
        [id, "conversation.removed", 2],
      ],
    );
  }),
);

test(
  "events of typing and reading have the name",
  world(async (here) => {
    const { id, of } = await scene(here);
    here.do("bob", "POST", `conversations/${id}/typing`, {});
    here.do("bob", "PUT", `conversations/${id}/read`, { seq: 1 });
    await here.clock.pass(50);
    assert.deepEqual(of("typing"), [{ conversation: id, username: "bob" }]);
    assert.deepEqual(of("read"), [{ conversation: id, username: "bob", seq: 1 }]);
  }),
);

test(
  "events of the status have the previous status",
  world(async (here) => {
    const { host, of } = await scene(here);
    host.cut();
    await here.clock.pass(2000);
    assert.deepEqual(
      of("status").map(({ before, status }) => `${before} → ${status}`),
      ["online → connecting", "connecting → online"],
    );
  }),
);

test(
  "refused messages and refused connections are error events",
  world(async (here) => {
    const { id, client, of } = await scene(here);
    await assert.rejects(here.clock.result(client.send(id, "one", { reply_to: 99 })));
    here.server.callerOf = () => {
      throw new Problem(401, "expired_token");
    };
    client.typing(id);
    await here.clock.pass(50);
    assert.deepEqual(
      of("error").map(({ code }) => code),
      ["invalid_reply_to", "expired_token"],
    );
  }),
);

test(
  "changes made while the network was away become events after recovery",
  world(async (here) => {
    const { id, host, of } = await scene(here);
    host.cut();
    const { id: message } = here.say("bob", id, "one");
    here.do("bob", "PATCH", "messages/1", { content: "edited" });
    await here.clock.pass(2000);
    assert.deepEqual(
      of("message")
        .map(({ type, message: { id: its, content } }) => [its, type, content])
        .sort((a, b) => a[0] - b[0]),
      [
        [1, "message.updated", "edited"],
        [message, "message.created", "one"],
      ],
    );
  }),
);

test(
  "a gap in a conversation that is not open makes an event of its last message",
  world(async (here) => {
    const { host, of } = await scene(here),
      other = here.group("bob", "alice");
    await here.clock.pass(50);
    host.cut();
    for (const text of ["one", "two"]) here.say("bob", other, text);
    await here.clock.pass(2000);
    assert.deepEqual(
      of("message").map(({ conversation, message }) => [conversation, message.content]),
      [[other, "two"]],
    );
  }),
);

test(
  "listeners find a change wholly applied, and subscribers are called last",
  world(async (here) => {
    const { id, client, heard } = await scene(here);
    let held;
    client.on("message", () => (held = client.messages(id).map(({ content }) => content)));
    here.say("bob", id, "one");
    await here.clock.pass(50);
    assert.deepEqual(held, ["before", "one"]);
    assert.deepEqual(
      heard.map(([type]) => type),
      ["message", "change"],
    );
  }),
);

test(
  "the function that on() returns ends the subscription, even during an event",
  world(async (here) => {
    const { id, client } = await scene(here),
      heard = [];
    const stop = client.on("message", () => (heard.push("once"), stop()));
    for (const text of ["one", "two"]) (here.say("bob", id, text), await here.clock.pass(50));
    assert.deepEqual(heard, ["once"]);
  }),
);

// --- before start() and after stop()

test(
  "a message sent before the name is known is stored without one, and sent with the user's",
  world(async (here) => {
    const id = here.group("bob", "alice"),
      storage = new Map();
    const store = {
      get length() {
        return storage.size;
      },
      key: (index) => [...storage.keys()][index],
      getItem: (key) => storage.get(key) ?? null,
      setItem: (key, value) => storage.set(key, value),
      removeItem: (key) => storage.delete(key),
    };
    here.server.callerOf = () => "alice";
    const { client } = here.client(undefined, { host: "a", storage: store });
    const sent = client.send(id, "early");
    assert.deepEqual([...storage.keys()], []);
    await here.clock.result(client.start());
    assert.equal((await here.clock.result(sent)).sender, "alice");
    await here.clock.pass(1000);
    assert.equal(here.server.messages(id).length, 1);
    assert.deepEqual([...storage.keys()], []);
  }),
);

test(
  "open() before start() rejects at once",
  world(async (here) => {
    const id = here.group("bob", "alice"),
      { client } = here.client("alice");
    await assert.rejects(here.clock.result(client.open(id), 10), { name: "ImdError", code: "not_started" });
    await here.clock.result(client.start());
    await here.clock.result(client.open(id));
  }),
);

test(
  "open() that waits for the network rejects after stop()",
  world(async (here) => {
    const { id, client, host } = await scene(here);
    client.close(id);
    host.offline = true;
    host.cut();
    await here.clock.pass(1000);
    const opened = client.open(id);
    client.stop();
    await assert.rejects(here.clock.result(opened, 10), { code: "stopped" });
  }),
);

test("start() names the missing option if imd's address is unknown", async () => {
  for (const options of [{ user: "alice" }, { user: "alice", url: "/chat" }]) {
    const client = new Client({ storage: null, ...options }); // from a file: not an address of imd
    await assert.rejects(client.start(), { name: "ImdError", code: "missing_url", message: /^url is required/ });
    assert.equal(client.status, "refused");
  }
});
