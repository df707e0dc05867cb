/*
 * Subscribers are called once for all changes of one batch. Objects that did not change stay the
 * same.
 */
import assert from "node:assert/strict";
import test from "node:test";

import { world } from "./world.js";

async function scene(here) {
  const id = here.group("bob", "alice"),
    other = here.group("bob", "alice");
  for (let i = 0; i < 3; i++) (here.say("bob", id, `${i}`), here.say("bob", other, `${i}`));
  await here.clock.pass(10);
  const { client, host } = await here.online("alice", { open: [id, other] }),
    heard = [];
  await here.clock.settle();
  const stop = client.subscribe((changed) => heard.push([...changed]));
  return { id, other, client, host, heard, stop };
}

test(
  "subscribers are called once for a frame of many changes, with the conversations",
  world(async (here) => {
    const { id, heard } = await scene(here);
    here.server.pushAfter = () => 10;
    for (let i = 0; i < 5; i++) here.say("bob", id, `${i}`);
    await here.clock.pass(5);
    assert.deepEqual(heard, []);
    await here.clock.pass(100);
    assert.deepEqual(
      heard.flat(),
      heard.map(() => id),
    );
    assert.ok(heard.length <= 5, `${heard.length} calls`);
  }),
);

test(
  "subscribers are called once for all calls in one task",
  world(async (here) => {
    const { id, other, client, heard } = await scene(here);
    (client.send(id, "one"), client.send(id, "two"), client.send(other, "three"), client.read(id));
    assert.deepEqual(heard, []);
    await null;
    assert.deepEqual(heard, [[id, other]]);
  }),
);

test(
  "a change of the status alone names no conversation",
  world(async (here) => {
    const { client, heard } = await scene(here);
    client.stop();
    await here.clock.settle();
    assert.deepEqual(heard, [[]]);
  }),
);

test(
  "conversations that were left are named too",
  world(async (here) => {
    const { id, heard } = await scene(here);
    here.do("alice", "POST", `conversations/${id}/leave`, {});
    await here.clock.pass(100);
    assert.deepEqual(heard, [[id]]);
  }),
);

test(
  "all subscribers are called, except those that have ended",
  world(async (here) => {
    const { id, client, heard, stop } = await scene(here),
      others = [];
    client.subscribe((changed) => others.push([...changed]));
    stop();
    here.say("bob", id);
    await here.clock.pass(100);
    assert.deepEqual([heard, others], [[], [[id]]]);
  }),
);

test(
  "a frame that changes nothing calls no subscriber",
  world(async (here) => {
    const { id, host, heard } = await scene(here);
    host.frame = () => [1, 50];
    here.say("bob", id);
    await here.clock.pass(10);
    heard.length = 0;
    await here.clock.pass(100);
    assert.deepEqual(heard, []);
  }),
);

test(
  "unchanged objects stay the same, changed ones are new",
  world(async (here) => {
    const { id, other, client } = await scene(here);
    const held = client.conversations,
      [mine, theirs] = [client.conversation(id), client.conversation(other)];
    const messages = client.messages(id),
      others = client.messages(other),
      before = JSON.stringify(messages);
    assert.equal(client.conversations, held);
    assert.equal(client.messages(id), messages);
    here.do("bob", "PATCH", `messages/${messages[1].id}`, { content: "edited" });
    here.say("bob", id, "new");
    await here.clock.pass(100);
    assert.notEqual(client.conversations, held);
    assert.notEqual(client.conversation(id), mine);
    assert.equal(client.conversation(other), theirs);
    assert.equal(client.messages(other), others);
    const now = client.messages(id);
    assert.deepEqual(
      messages.map((message, i) => message === now[i]),
      [true, false, true],
    );
    assert.equal(JSON.stringify(messages), before);
  }),
);

test(
  "an unchanged object that is requested again stays the same",
  world(async (here) => {
    const { id, client, host } = await scene(here),
      messages = client.messages(id);
    host.cut();
    here.say("bob", id, "new");
    await here.clock.pass(1000);
    const now = client.messages(id);
    assert.deepEqual([now.length, ...messages.map((message, i) => message === now[i])], [4, true, true, true]);
  }),
);

test(
  "conversations are in the order of their last messages, newest first",
  world(async (here) => {
    const { id, other, client } = await scene(here);
    const order = () => client.conversations.map((one) => one.id);
    here.say("bob", id);
    await here.clock.pass(10);
    assert.deepEqual(order(), [id, other]);
    here.say("bob", other);
    await here.clock.pass(10);
    assert.deepEqual(order(), [other, id]);
    here.do("bob", "PATCH", `conversations/${id}`, { title: "no message" });
    await here.clock.pass(10);
    assert.deepEqual(order(), [other, id]);
    const empty = here.group("bob", "alice");
    await here.clock.pass(10);
    assert.deepEqual(order(), [empty, other, id]);
  }),
);
