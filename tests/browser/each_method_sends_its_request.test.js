/*
 * Each method of the client sends the request that it names, as the caller. It rejects if the
 * server refuses, and retries if the server is unavailable.
 */
import assert from "node:assert/strict";
import test from "node:test";

import { ImdError } from "../../nginx/html/imd.js";
import { unavailable } from "./fake_network.js";
import { assertTruth, world } from "./world.js";

async function scene(here) {
  const id = here.group("alice", "bob");
  (here.say("alice", id, "one"), here.say("bob", id, "two"));
  await here.clock.pass(10);
  const one = await here.online("alice", { open: [id] });
  one.host.asked = [];
  return { id, one, ...one };
}

const thumb = encodeURIComponent("👍");
const COMMANDS = {
  edit: [(c) => c.edit(1, "edited"), "PATCH messages/1 -", { content: "edited" }],
  delete: [(c) => c.delete(1), "DELETE messages/1 alice"],
  react: [(c) => c.react(2, "👍"), `PUT messages/2/reactions/${thumb} alice`],
  unreact: [(c) => c.unreact(2, "👍"), `DELETE messages/2/reactions/${thumb} alice`],
  update: [
    (c) => c.update(1, { title: "Tea", join: "invite" }),
    "PATCH conversations/1 -",
    { title: "Tea", join: "invite" },
  ],
  join: [(c) => c.join(1), "POST conversations/1/join -", {}],
  leave: [(c) => c.leave(1), "POST conversations/1/leave -", {}],
  setMember: [(c) => c.setMember(1, "bob", "admin"), "PUT conversations/1/members/bob -", { role: "admin" }],
  removeMember: [(c) => c.removeMember(1, "bob"), "DELETE conversations/1/members/bob alice"],
  read: [(c) => c.read(1), "PUT conversations/1/read -", { seq: 2 }],
};

for (const [name, [call, request, body]] of Object.entries(COMMANDS)) {
  test(
    `${name}() sends its request, and the push shows the result`,
    world(async (here) => {
      const { client, one, host } = await scene(here);
      await here.clock.result(call(client));
      const [{ method, path, query, body: sent }] = host.asked;
      assert.equal(`${method} ${path} ${query.get("username") ?? "-"}`, request);
      assert.deepEqual(sent, body && { username: "alice", ...body });
      await here.clock.pass(1000);
      assertTruth(one, here.server, { by_pushes: true });
    }),
  );

  test(
    `${name}() is retried while the server is unavailable`,
    world(async (here) => {
      const { client, one, host } = await scene(here);
      const fates = [{ lost: "after" }, { answer: unavailable(503) }];
      host.request = () => fates.shift() ?? {};
      await here.clock.result(call(client));
      await here.clock.pass(1000);
      assert.equal(host.asked.filter(({ method, path }) => request.startsWith(`${method} ${path} `)).length, 3);
      assertTruth(one, here.server, { by_pushes: true });
    }),
  );
}

test(
  "commands other than send() and read() give up after three tries",
  world(async (here) => {
    const { client, host } = await scene(here);
    host.request = () => ({ answer: unavailable(503) });
    await assert.rejects(here.clock.result(client.edit(1, "x")), {
      name: "ImdError",
      status: 503,
      code: "unavailable",
    });
    assert.equal(host.count("PATCH", "messages/1"), 3);
  }),
);

test(
  "a refused command rejects at once, with the server's problem",
  world(async (here) => {
    const { client, host } = await scene(here);
    const error = await here.clock.result(client.edit(2, "not mine")).catch((reason) => reason);
    assert.ok(error instanceof ImdError && error instanceof Error);
    const { name, status, code, request_id } = error;
    assert.deepEqual([name, status, code, request_id], ["ImdError", 403, "not_the_sender", "0".repeat(32)]);
    assert.equal(host.asked.length, 1);
  }),
);

test(
  "a command is tried while the connection is down",
  world(async (here) => {
    const { client, host } = await scene(here);
    host.socket = () => "refuse";
    host.cut();
    await here.clock.pass(1000);
    assert.equal((await here.clock.result(client.edit(1, "edited"))).content, "edited");
  }),
);

test(
  "a socket that does not push the result of a command is replaced",
  world(async (here) => {
    const { client, one, host } = await scene(here);
    host.cut("silently");
    await here.clock.result(client.edit(1, "edited"));
    await here.clock.pass(5000);
    assertTruth(one, here.server);
  }),
);

test(
  "create() resolves with the conversation that the client holds",
  world(async (here) => {
    const { client, one } = await scene(here);
    const group = await here.clock.result(
      client.create({ type: "group_chat", members: ["carol"], title: "Tea", join: "invite" }),
    );
    assert.equal(client.conversation(group.id), group);
    assert.deepEqual(
      [group.members, group.title, group.join, group.role],
      [["alice", "carol"], "Tea", "invite", "owner"],
    );
    const chat = await here.clock.result(client.create({ type: "private_chat", members: ["bob"] }));
    const again = await here.clock.result(client.create({ type: "private_chat", members: ["alice", "bob"] }));
    assert.equal(again.id, chat.id);
    await assert.rejects(here.clock.result(client.create({ type: "private_chat", members: [] })), { status: 400 });
    await here.clock.pass(1000);
    assertTruth(one, here.server);
  }),
);

test(
  "join() and leave() resolve when the client holds the conversation, or no longer",
  world(async (here) => {
    const { id, client } = await scene(here),
      other = here.group("bob", "carol");
    await here.clock.result(client.join(other));
    assert.equal(client.conversation(other).role, "member");
    await here.clock.result(client.leave(id));
    assert.equal(client.conversation(id), undefined);
  }),
);

test(
  "presence() returns the online users, and keeps them",
  world(async (here) => {
    const { id, client } = await scene(here);
    assert.equal(client.conversation(id).online, undefined);
    await here.online("bob");
    assert.deepEqual(await here.clock.result(client.presence(id)), ["alice", "bob"]);
    assert.deepEqual(client.conversation(id).online, ["alice", "bob"]);
  }),
);

test(
  "request() sends any request as the same caller, and rejects with ImdError",
  world(async (here) => {
    const { client, host } = await scene(here);
    const page = await here.clock.result(
      client.request("GET", "/messages", { conversation_id: 1, after_seq: 0, limit: undefined }),
    );
    assert.equal(page.messages.length, 2);
    assert.equal(host.asked[0].query.has("limit"), false);
    await assert.rejects(here.clock.result(client.request("GET", "nowhere")), { name: "ImdError", status: 404 });
    host.request = () => ({ lost: "before" });
    await assert.rejects(here.clock.result(client.request("GET", "messages")), { name: "ImdError", status: 0 });
  }),
);
