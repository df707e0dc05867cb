/*
 * Read markers apply here at once, reach the server soon, and reach every other window in the end.
 */
import assert from "node:assert/strict";
import test from "node:test";

import { assertTruth, world } from "./world.js";

async function scene(here, said = 5) {
  const id = here.group("bob", "alice");
  for (let i = 0; i < said; i++) here.say("bob", id, `${i}`);
  await here.clock.pass(10);
  const one = await here.online("alice", { open: [id] });
  return {
    id,
    one,
    ...one,
    told: () => one.host.asked.filter(({ path }) => path.endsWith("/read")).map(({ body }) => body.seq),
  };
}

test(
  "reading applies at once",
  world(async (here) => {
    const { id, client, one, told } = await scene(here);
    const done = client.read(id);
    assert.deepEqual([client.conversation(id).read_seq, client.conversation(id).unread], [5, 0]);
    await here.clock.result(done);
    assert.deepEqual(told(), [5]);
    await here.clock.pass(1000);
    assertTruth(one, here.server);
  }),
);

test(
  "calls during a request are merged into one",
  world(async (here) => {
    const { id, client, one, told } = await scene(here);
    const done = [1, 2, 4, 3].map((seq) => client.read(id, seq));
    await here.clock.result(Promise.all(done));
    assert.deepEqual(told(), [1, 4]);
    await here.clock.pass(1000);
    assertTruth(one, here.server);
  }),
);

test(
  "nothing is sent for read messages and unknown conversations",
  world(async (here) => {
    const { id, client, told } = await scene(here);
    await here.clock.result(client.read(id));
    await here.clock.result(Promise.all([client.read(id), client.read(id, 2), client.read(99)]));
    assert.deepEqual(told(), [5]);
  }),
);

test(
  "a marker is retried until it is answered, and shown as read meanwhile",
  world(async (here) => {
    const { id, client, host, one, told } = await scene(here);
    host.request = ({ method }) => (method === "PUT" ? { lost: "before" } : {});
    const done = client.read(id);
    await here.clock.pass(70000);
    host.cut();
    here.say("bob", id, "one more");
    await here.clock.pass(1000);
    assert.deepEqual([client.conversation(id).read_seq], [5]);
    host.request = () => ({});
    await here.clock.result(done);
    await here.clock.pass(1000);
    assert.ok(told().length > 3);
    assertTruth(one, here.server);
    assert.equal(client.conversation(id).unread, 1);
  }),
);

test(
  "a marker that stop() kept from being sent is not shown as read after start()",
  world(async (here) => {
    const { id, client, host, one } = await scene(here);
    host.request = ({ method }) => (method === "PUT" ? { lost: "before" } : {});
    client.read(id);
    await here.clock.pass(1000);
    client.stop();
    host.request = () => ({});
    await here.clock.result(client.start());
    assertTruth(one, here.server);
  }),
);

test(
  "reading on another machine applies here",
  world(async (here) => {
    const { id, client, one } = await scene(here);
    here.do("alice", "PUT", `conversations/${id}/read`, { seq: 3 });
    await here.clock.pass(1000);
    assert.deepEqual([client.conversation(id).read_seq, client.conversation(id).unread], [3, 2]);
    assertTruth(one, here.server);
  }),
);

test(
  "the markers of others are shown, and never move back",
  world(async (here) => {
    const { id, client, host } = await scene(here),
      read = () => client.conversation(id).read;
    const marks = (seq) => here.do("bob", "PUT", `conversations/${id}/read`, { seq });
    const late = [[300], [1]];
    host.frame = () => late.shift() ?? [1];
    (marks(2), await here.clock.pass(10), marks(4), await here.clock.pass(10));
    assert.deepEqual(read(), { bob: 4 });
    await here.clock.pass(500);
    assert.deepEqual(read(), { bob: 4 });
  }),
);

test(
  "messages of others are unread, own and deleted ones are not",
  world(async (here) => {
    const { id, client, one } = await scene(here);
    await here.clock.result(client.read(id));
    const { id: gone } = here.say("bob", id, "soon gone");
    (here.say("bob", id, "stays"), here.say("alice", id, "mine"));
    await here.clock.pass(100);
    assert.equal(client.conversation(id).unread, 2);
    here.do("bob", "DELETE", `messages/${gone}`);
    await here.clock.pass(1000);
    assert.equal(client.conversation(id).unread, 1);
    assertTruth(one, here.server);
  }),
);
