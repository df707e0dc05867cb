/*
 * close() forgets a conversation: after a hundred visits a client holds and requests no more than
 * before.
 */
import assert from "node:assert/strict";
import test from "node:test";

import { assertTruth, world } from "./world.js";

const VISITS = 100;

/** Alice in this many groups, each with a message; the first one is open. */
async function scene(here) {
  const ids = [];
  for (let n = 0; n <= VISITS; n++) {
    ids.push(here.group("bob", "alice"));
    here.say("bob", ids[n], "hello");
  }
  await here.clock.pass(100);
  const one = await here.online("alice", { open: [ids[0]] });
  return { ids, one, ...one };
}

/** Returns how much is requested after a reconnect, with something new in every group. */
async function askedAnew(here, { ids, host, client }) {
  host.cut();
  for (const id of ids) here.say("bob", id, "again");
  host.asked = [];
  await here.clock.until(() => client.status !== "online");
  await here.clock.until(() => client.status === "online");
  return host.asked.length;
}

test(
  "after a hundred visits a reconnect requests as much as before, and no messages are held",
  world(async (here) => {
    const scenery = await scene(here),
      { ids, one, client } = scenery;
    const before = await askedAnew(here, scenery);
    for (const id of ids.slice(1)) {
      await here.clock.result(client.open(id));
      client.typing(id);
      client.close(id);
    }
    const asked = await askedAnew(here, scenery);
    assert.ok(asked <= before + 2, `${asked} requests instead of ${before}`); // a push may fall between
    assert.deepEqual(
      ids.filter((id) => client.messages(id).length),
      [ids[0]],
    );
    assertTruth(one, here.server);
  }),
);

test(
  "without pushes only the open conversation is polled",
  world(async (here) => {
    const ids = [here.group("bob", "alice"), here.group("bob", "alice")],
      { client, host } = here.client("alice");
    host.socket = () => "refuse";
    await here.clock.result(client.start());
    for (const id of ids) await here.clock.result(client.open(id));
    client.close(ids[0]);
    host.asked = [];
    await here.clock.pass(20000);
    assert.equal(client.status, "polling");
    assert.equal(host.count("GET", `conversations/${ids[0]}`), 0);
    assert.ok(host.count("GET", `conversations/${ids[1]}/changes`) >= 5);
  }),
);
