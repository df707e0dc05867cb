/*
 * on() reports single changes to each listener, whatever another listener does. The client knows a
 * reaction as the user's own, though no push says so.
 */
import assert from "node:assert/strict";
import test from "node:test";

import { assertTruth, world } from "./world.js";

/** Alice's client, and the events that it reported by each type. */
async function scene(here) {
  const id = here.group("bob", "alice"),
    one = await here.online("alice", { open: [id] }),
    told = [];
  for (const name of ["message", "conversation", "member", "read", "typing", "status", "error"])
    one.client.on(name, (what) => told.push([name, what.type ?? what.code ?? what.status ?? what.username]));
  return { id, one, told, ...one };
}

test(
  "each change is reported once, by its name",
  world(async (here) => {
    const { id, client, told } = await scene(here);
    const message = here.say("bob", id, "one");
    here.do("bob", "PATCH", `messages/${message.id}`, { content: "two" });
    here.do("bob", "DELETE", `messages/${message.id}`);
    here.do("bob", "PUT", `conversations/${id}/read`, { seq: 1 });
    here.do("bob", "POST", `conversations/${id}/typing`, {});
    await here.clock.pass(50);
    await assert.rejects(here.clock.result(client.send(id, "three", { reply_to: 99 })), { code: "invalid_reply_to" });
    client.stop();
    await here.clock.settle();
    assert.deepEqual(told, [
      ["message", "message.created"],
      ["message", "message.updated"],
      ["message", "message.deleted"],
      ["read", "bob"],
      ["typing", "bob"],
      ["error", "invalid_reply_to"],
      ["status", "idle"],
    ]);
  }),
);

test(
  "missed changes of an open conversation are reported",
  world(async (here) => {
    const { id, host, told } = await scene(here);
    host.frame = () => [];
    const missed = here.say("bob", id, "missed");
    await here.clock.pass(50);
    host.frame = () => [1];
    here.do("bob", "PATCH", `messages/${missed.id}`, { content: "found" });
    await here.clock.pass(1000);
    assert.deepEqual(
      told.filter(([name]) => name === "message"),
      [["message", "message.created"]],
    );
  }),
);

test(
  "a listener that throws is reported, and the others are called",
  world(async (here) => {
    const { id, one, client } = await scene(here),
      heard = [];
    client.on("message", () => {
      throw new Error("a fault of the page");
    });
    const end = client.on("message", ({ message }) => heard.push(message.content));
    here.say("bob", id, "one");
    await assert.rejects(here.clock.pass(100), /a fault of the page/);
    assert.deepEqual(heard, ["one"]);
    end();
    here.say("bob", id, "two");
    await assert.rejects(here.clock.pass(100), /a fault of the page/);
    await here.clock.pass(100);
    assert.deepEqual(heard, ["one"]);
    assertTruth(one, here.server);
  }),
);

test(
  "an own reaction is known even beyond the names that are shown",
  world(async (here) => {
    here.server.namesMax = 1;
    here.server.callerOf = ({ authorization, query }) =>
      authorization?.split(" ")[1] ?? query?.get("token") ?? undefined;
    const id = here.group("bob", "alice", "zoe"),
      message = here.say("bob", id, "who comes?"),
      one = here.client("zoe", { token: () => "zoe" });
    await here.clock.result(one.client.start());
    await here.clock.result(one.client.open(id));
    here.do("alice", "PUT", `messages/${message.id}/reactions/x`);
    await here.clock.result(one.client.react(message.id, "x"));
    await here.clock.pass(100);
    const shown = () => one.client.messages(id)[0].reactions.x;
    assert.deepEqual(shown(), { count: 2, mine: true, names: ["alice"] });
    here.do("bob", "PUT", `messages/${message.id}/reactions/x`);
    await here.clock.pass(100);
    assert.deepEqual(shown(), { count: 3, mine: true, names: ["alice"] });
    await here.clock.result(one.client.unreact(message.id, "x"));
    await here.clock.pass(100);
    assert.deepEqual(shown(), { count: 2, mine: false, names: ["alice"] });
    assertTruth(one, here.server, { by_pushes: true });
  }),
);

test(
  "around() loads until the message is held, and resolves with false if there is none",
  world(async (here) => {
    const id = here.group("bob", "alice");
    for (let i = 0; i < 450; i++) here.say("bob", id, `${i}`);
    const { client } = await here.online("alice");
    assert.equal(await here.clock.result(client.around(id, 120)), true);
    assert.ok(client.messages(id)[0].seq <= 120);
    assert.deepEqual(
      client.messages(id).map(({ seq }) => seq),
      client.messages(id).map((_, i) => client.messages(id)[0].seq + i),
    );
    assert.equal(await here.clock.result(client.around(id, 0)), false);
    await assert.rejects(here.client("alice").client.around(id, 1), { code: "not_started" });
  }),
);

test(
  "creating twice under one key makes one conversation",
  world(async (here) => {
    const { client, host } = await here.online("alice");
    let lost = 0;
    host.request = ({ method, path }) =>
      method === "POST" && path === "conversations" && lost++ === 0 ? { lost: "after" } : {};
    here.do("bob", "POST", "conversations", { type: "private_chat", members: ["alice"] });
    const made = await here.clock.result(client.create({ type: "group_chat", members: ["bob"], title: "Tea" }));
    assert.equal(made.title, "Tea");
    assert.equal(client.conversations.filter(({ type }) => type === "group_chat").length, 1);
    assert.equal(lost, 2);
  }),
);
