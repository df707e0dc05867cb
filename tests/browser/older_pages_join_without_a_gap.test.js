/*
 * History: the newest page and the pages before it, with nothing repeated, missing or out of order.
 */
import assert from "node:assert/strict";
import test from "node:test";

import { assertTruth, world } from "./world.js";

async function scene(here, said, options) {
  const id = here.group("bob", "alice");
  for (let i = 1; i <= said; i++) here.say("bob", id, `${i}`);
  await here.clock.pass(10);
  const one = await here.online("alice", { limit: 10, ...options });
  return { id, one, ...one, seqs: () => one.client.messages(id).map(({ seq }) => seq) };
}

const from = (first, last) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

test(
  "a conversation holds no messages before open()",
  world(async (here) => {
    const { id, client, host } = await scene(here, 25);
    assert.deepEqual(client.messages(id), []);
    const { loaded, older, last_message } = client.conversation(id);
    assert.deepEqual([loaded, older, last_message.seq], [false, false, 25]);
    assert.equal(host.count("GET", "messages"), 0);
  }),
);

test(
  "older pages load up to the first message",
  world(async (here) => {
    const { id, client, seqs } = await scene(here, 25);
    await here.clock.result(client.open(id));
    assert.deepEqual([client.conversation(id).loaded, client.conversation(id).older], [true, true]);
    assert.deepEqual(seqs(), from(16, 25));
    assert.equal(await here.clock.result(client.older(id)), true);
    assert.deepEqual(seqs(), from(6, 25));
    assert.equal(await here.clock.result(client.older(id)), true);
    assert.deepEqual(seqs(), from(1, 25));
    assert.equal(client.conversation(id).older, false);
    assert.equal(await here.clock.result(client.older(id)), false);
  }),
);

test(
  "two concurrent calls load two pages",
  world(async (here) => {
    const { id, client, seqs } = await scene(here, 45);
    await here.clock.result(client.open(id));
    await here.clock.result(Promise.all([client.older(id), client.older(id)]));
    assert.deepEqual(seqs(), from(16, 45));
  }),
);

test(
  "a message pushed while a page loads comes behind it",
  world(async (here) => {
    const { id, one, client, host, seqs } = await scene(here, 25);
    host.request = () => ({ there: 50, back: 200 });
    const opened = client.open(id);
    await here.clock.pass(100);
    (here.say("bob", id, "26"), here.do("bob", "PATCH", "messages/20", { content: "edited" }));
    await here.clock.result(opened);
    const older = client.older(id);
    await here.clock.pass(100);
    (here.say("bob", id, "27"), here.do("bob", "PATCH", "messages/10", { content: "edited" }));
    await here.clock.result(older);
    await here.clock.pass(1000);
    assert.deepEqual(seqs(), from(6, 27));
    assertTruth(one, here.server);
  }),
);

test(
  "open() of a held conversation sends no request, and close() forgets it",
  world(async (here) => {
    const { id, one, client, host } = await scene(here, 25);
    await here.clock.result(client.open(id));
    const asked = host.asked.length;
    await here.clock.result(client.open(id));
    assert.equal(host.asked.length, asked);
    client.close(id);
    const { loaded, older } = client.conversation(id);
    assert.deepEqual([client.messages(id), loaded, older], [[], false, false]);
    assert.equal(await here.clock.result(client.older(id)), false);
    here.say("bob", id);
    await here.clock.pass(100);
    assertTruth(one, here.server);
  }),
);

test(
  "open() waits for the network, however long it is away",
  world(async (here) => {
    const { id, client, host, seqs } = await scene(here, 5);
    host.offline = true;
    const opened = client.open(id);
    await here.clock.pass(100000);
    host.offline = false;
    await here.clock.result(opened, 60000);
    assert.deepEqual(seqs(), from(1, 5));
  }),
);

test(
  "a lost page rejects, and no message is missing later",
  world(async (here) => {
    const { id, client, host, seqs } = await scene(here, 25);
    await here.clock.result(client.open(id));
    host.request = () => ({ lost: "after" });
    await assert.rejects(here.clock.result(client.older(id)), { name: "ImdError", status: 0 });
    host.request = () => ({});
    await here.clock.result(client.older(id));
    assert.deepEqual(seqs(), from(6, 25));
  }),
);

test(
  "open() of a stranger's conversation rejects",
  world(async (here) => {
    const { client } = await scene(here, 1);
    await assert.rejects(here.clock.result(client.open(99)), { name: "ImdError", status: 403, code: "not_a_member" });
  }),
);

test(
  "an empty conversation is held after open()",
  world(async (here) => {
    const { id, one, client } = await scene(here, 0);
    await here.clock.result(client.open(id));
    assert.deepEqual([client.conversation(id).loaded, client.conversation(id).older], [true, false]);
    assert.equal(await here.clock.result(client.older(id)), false);
    here.say("bob", id);
    await here.clock.pass(100);
    assertTruth(one, here.server);
  }),
);

test(
  "a page that arrives after close() is dropped",
  world(async (here) => {
    const { id, client } = await scene(here, 25);
    await here.clock.result(client.open(id));
    const older = client.older(id);
    await here.clock.pass(1);
    client.close(id);
    assert.equal(await here.clock.result(older), false);
    assert.equal(client.conversation(id).older, false);
  }),
);

test(
  "around() loads the page around a message, then all up to the newest without a gap",
  world(async (here) => {
    const id = here.group("bob", "alice");
    for (let i = 1; i <= 1500; i++) here.say("bob", id, `${i}`);
    const one = await here.online("alice"),
      { client, host } = one;
    host.asked = [];
    assert.equal(await here.clock.result(client.around(id, 700)), true);
    const seqs = () => client.messages(id).map(({ seq }) => seq);
    assert.deepEqual([seqs()[0], seqs().at(-1), client.conversation(id).newer], [676, 725, true]);
    assert.equal(host.asked[0].query.get("around_seq"), "700");
    here.say("bob", id, "meanwhile");
    here.do("bob", "PATCH", `messages/${client.messages(id)[0].id}`, { content: "edited" });
    await here.clock.until(() => !client.conversation(id).newer, "the newest is there", 5000);
    assert.deepEqual(
      seqs(),
      Array.from({ length: 1501 - 675 }, (_, i) => 676 + i),
    );
    await here.clock.pass(100);
    assertTruth(one, here.server);
  }),
);

test(
  "the messages after a page in the middle load though the connection is lost",
  world(async (here) => {
    const id = here.group("bob", "alice");
    for (let i = 1; i <= 1500; i++) here.say("bob", id, `${i}`);
    const one = await here.online("alice"),
      { client, host } = one;
    await here.clock.result(client.around(id, 100));
    host.request = () => ({ lost: "before" });
    host.cut();
    await here.clock.pass(5000);
    assert.equal(client.conversation(id).newer, true);
    host.request = () => ({});
    here.say("bob", id, "the last one");
    await here.clock.until(() => !client.conversation(id).newer && client.status === "online", "the newest is there");
    await here.clock.pass(1000);
    assertTruth(one, here.server);
  }),
);
