/*
 * The client reports at most every three seconds that its user types. It shows others as typing
 * until they send or stop.
 */
import assert from "node:assert/strict";
import test from "node:test";

import { world } from "./world.js";

async function scene(here) {
  const id = here.group("bob", "alice", "carol"),
    { client, host } = await here.online("alice", { open: [id] });
  const types = (user) => here.do(user, "POST", `conversations/${id}/typing`, {});
  return { id, client, host, types, typing: () => client.conversation(id).typing };
}

test(
  "a key every 100 ms sends typing every three seconds",
  world(async (here) => {
    const { id, client, host } = await scene(here),
      other = here.group("bob", "alice");
    await here.clock.pass(10);
    for (let i = 0; i < 90; i++) (client.typing(id), await here.clock.pass(100));
    assert.equal(host.count("POST", `conversations/${id}/typing`), 3);
    client.typing(other);
    await here.clock.settle();
    assert.equal(host.count("POST", `conversations/${other}/typing`), 1);
  }),
);

test(
  "typing while offline is not sent, nor later",
  world(async (here) => {
    const { id, client, host } = await scene(here);
    host.cut();
    await here.clock.settle();
    client.typing(id);
    await here.clock.until(() => client.status === "online");
    await here.clock.pass(1000);
    assert.equal(host.count("POST", `conversations/${id}/typing`), 0);
  }),
);

test(
  "each typing user is shown once, until six seconds after the last key",
  world(async (here) => {
    const { types, typing } = await scene(here);
    types("bob");
    await here.clock.pass(3000);
    (types("bob"), types("carol"));
    await here.clock.pass(5900);
    assert.deepEqual([...typing()].sort(), ["bob", "carol"]);
    await here.clock.pass(200);
    assert.deepEqual(typing(), []);
  }),
);

test(
  "a user who has sent a message is no longer typing",
  world(async (here) => {
    const { id, types, typing } = await scene(here);
    (types("bob"), types("carol"));
    await here.clock.pass(100);
    here.say("bob", id);
    await here.clock.pass(10);
    assert.deepEqual(typing(), ["carol"]);
  }),
);

test(
  "typing ends with leaving the conversation",
  world(async (here) => {
    const { id, client, types } = await scene(here);
    types("bob");
    await here.clock.pass(100);
    here.do("alice", "POST", `conversations/${id}/leave`, {});
    await here.clock.pass(10000);
    assert.equal(client.conversation(id), undefined);
  }),
);
