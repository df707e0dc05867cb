/* Messages without an answer when a page is left are shown and sent when it is opened again. */
import assert from "node:assert/strict";
import test from "node:test";

import { Memory, world } from "./world.js";

/** Alice sends, the network loses it, and she opens the page again. */
async function reloaded(here, storage, user = "alice") {
  const id = here.group("alice", "bob"),
    before = await here.online("alice", { host: "a", storage, open: [id] });
  before.host.request = () => ({ lost: "before" });
  for (const text of ["one", "two", "three"]) before.client.send(id, text);
  await here.clock.pass(100);
  before.client.stop();
  before.host.request = () => ({});
  return { id, before: before.client.messages(id), ...here.client(user, { host: "a", storage }) };
}

test(
  "unanswered messages are shown at once, and sent in order under the same keys",
  world(async (here) => {
    const storage = new Memory(),
      { id, before, client } = await reloaded(here, storage);
    client.start();
    assert.deepEqual(
      client.messages(id).map(({ content, client_id, state }) => [content, client_id, state]),
      before.map(({ content, client_id }) => [content, client_id, "sending"]),
    );
    await here.clock.pass(5000);
    assert.deepEqual(
      here.server.messages(id).map(({ client_id }) => client_id),
      before.map(({ client_id }) => client_id),
    );
    assert.equal(storage.length, 0);
  }),
);

test(
  "a refused message stays refused until it is retried",
  world(async (here) => {
    here.group("alice", "bob"); // to make her known
    const storage = new Memory(),
      id = here.group("bob"),
      before = await here.online("alice", { host: "a", storage });
    await assert.rejects(here.clock.result(before.client.send(id, "let me in")), { status: 403 });
    before.client.stop();
    here.server.join({ id, body: { username: "alice" } });
    const { client } = await here.online("alice", { host: "a", storage, open: [id] });
    await here.clock.pass(5000);
    assert.deepEqual(
      client.messages(id).map(({ content, state }) => [content, state]),
      [["let me in", "failed"]],
    );
    await here.clock.result(client.retry(id, client.messages(id)[0].client_id));
    assert.deepEqual(
      here.server.messages(id).map(({ content }) => content),
      ["let me in"],
    );
    assert.equal(storage.length, 0);
  }),
);

test(
  "new messages come behind the unanswered ones",
  world(async (here) => {
    const { id, client } = await reloaded(here, new Memory());
    client.start();
    await here.clock.result(client.send(id, "four"));
    assert.deepEqual(
      here.server.messages(id).map(({ content }) => content),
      ["one", "two", "three", "four"],
    );
  }),
);

test(
  "a message stored before the reload is not stored again",
  world(async (here) => {
    const storage = new Memory(),
      id = here.group("alice", "bob"),
      before = await here.online("alice", { host: "a", storage });
    before.host.request = ({ method }) => (method === "POST" ? { lost: "after", silent: true } : {});
    before.host.frame = () => [];
    before.client.send(id, "one");
    await here.clock.pass(10);
    before.client.stop();
    before.host.request = () => ({});
    await here.online("alice", { host: "a", storage });
    await here.clock.pass(5000);
    assert.equal(here.server.messages(id).length, 1);
  }),
);

test(
  "another user of the same storage does not send them",
  world(async (here) => {
    const { id, client } = await reloaded(here, new Memory(), "bob");
    await here.clock.result(client.start());
    await here.clock.pass(5000);
    assert.deepEqual(here.server.messages(id), []);
  }),
);

test(
  "foreign and damaged entries of the storage are ignored",
  world(async (here) => {
    const storage = new Memory(),
      { id, client } = await reloaded(here, storage);
    storage.setItem("theme", "dark");
    storage.setItem(`imd ${here.network.url("a")} alice x`, "{");
    client.start();
    await here.clock.pass(5000);
    assert.equal(here.server.messages(id).length, 3);
    assert.equal(storage.getItem("theme"), "dark");
  }),
);

const full = {
  length: 0,
  key: () => null,
  getItem: () => null,
  removeItem: () => {},
  setItem: () => {
    throw new Error("full");
  },
};
for (const [name, storage] of [
  ["none", null],
  ["a full one", full],
])
  test(
    `with ${name} messages are sent while the page is open`,
    world(async (here) => {
      const id = here.group("alice", "bob"),
        { client } = await here.online("alice", { storage });
      await here.clock.result(client.send(id, "one"));
      assert.equal(here.server.messages(id).length, 1);
    }),
  );
