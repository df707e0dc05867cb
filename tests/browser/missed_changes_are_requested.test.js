/*
 * The client applies a push that is the next change, ignores one that it knows, and requests
 * everything else.
 */
import assert from "node:assert/strict";
import test from "node:test";

import { assertTruth, world } from "./world.js";

async function scene(here) {
  const id = here.group("bob", "alice");
  here.say("bob", id, "before");
  await here.clock.pass(10);
  const one = await here.online("alice", { open: [id] });
  one.host.asked = [];
  /** Frames get these fates, one after the other; then all come. */
  one.fates = (...fates) => {
    one.host.frame = () => fates.shift() ?? [1];
  };
  return { id, one, ...one };
}

const texts = (client, id) => client.messages(id).map(({ content }) => content);

test(
  "pushes alone keep the client up to date",
  world(async (here) => {
    const { id, one, host } = await scene(here),
      say = () => here.say("bob", id),
      emoji = `reactions/${encodeURIComponent("👍")}`;
    say();
    here.do("bob", "PATCH", `messages/${say().id}`, { content: "edited" });
    here.do("bob", "DELETE", `messages/${say().id}`);
    here.do("alice", "PUT", `messages/1/${emoji}`);
    here.do("bob", "PATCH", `conversations/${id}`, { title: "Tea", join: "invite" });
    here.group("carol");
    here.do("bob", "PUT", `conversations/${id}/members/carol`, { role: "admin" });
    here.do("bob", "PUT", `conversations/${id}/members/alice`, { role: "owner" });
    here.do("carol", "POST", `conversations/${id}/leave`, {});
    here.do("bob", "PUT", `conversations/${id}/read`, { seq: 2 });
    here.server.push();
    await here.clock.pass(100);
    assertTruth(one, here.server, { by_pushes: true });
    assert.deepEqual(one.client.conversation(id).read, { bob: 2 });
    assert.deepEqual(host.asked, []);
  }),
);

test(
  "the next frame reveals a lost one",
  world(async (here) => {
    const { id, one, client, fates } = await scene(here);
    fates([]);
    for (const text of ["lost", "heard"]) (here.say("bob", id, text), await here.clock.pass(50));
    assert.deepEqual(texts(client, id), ["before", "lost", "heard"]);
    assertTruth(one, here.server);
  }),
);

test(
  "a push that is lost as the socket opens is recovered within seconds",
  world(async (here) => {
    const id = here.group("bob", "alice"),
      { client, host } = here.client("alice");
    await here.clock.result(client.start());
    await here.clock.result(client.open(id));
    await here.clock.pass(10);
    host.frame = () => [];
    here.say("bob", id, "lost");
    host.asked = [];
    await here.clock.pass(1000);
    assert.deepEqual(texts(client, id), []);
    await here.clock.pass(5000);
    assert.deepEqual(texts(client, id), ["lost"]);
    assert.deepEqual(
      host.asked.map(({ path }) => path),
      ["conversations", `conversations/${id}/changes`],
    );
    assert.equal(here.network.opened.length, 1);
  }),
);

test(
  "a socket that is never subscribed is replaced, more and more slowly",
  world(async (here) => {
    here.group("bob", "alice");
    const { client, host } = here.client("alice");
    host.frame = () => [];
    await here.clock.result(client.start());
    const { opened } = here.network;
    await here.clock.pass(4900);
    assert.equal(opened.length, 1);
    await here.clock.pass(5100);
    assert.equal(opened.length, 2);
    await here.clock.pass(60000);
    assert.ok(opened.length <= 5, `${opened.length} sockets`);
    host.frame = () => [1];
    const before = opened.length;
    await here.clock.pass(600000);
    assert.ok(opened.length <= before + 1, `${opened.length} sockets`);
    assert.equal(client.status, "online");
  }),
);

test("after lost and late frames the next one restores every conversation, open or not", async () => {
  for (let seed = 1; seed <= 60; seed++) await world(gaps, seed)();
});

async function gaps(here) {
  const ids = [here.group("bob", "alice"), here.group("bob", "alice")];
  const one = await here.online("alice", { open: ids.slice(1) }),
    any = (list) => list[Math.floor(here.chance() * list.length)];
  one.host.frame = () => any([[], [1], [1], [1, 700], [300], [900]]);
  for (let i = 0; i < 30; i++) {
    const id = any(ids),
      said = any(here.server.messages(id).filter(({ deleted_at }) => !deleted_at));
    any([
      () => here.say("bob", id, `${i}`),
      () => here.say("bob", id, `${i}`),
      () => here.do("bob", "PATCH", `conversations/${id}`, { title: `${i}` }),
      () => said && here.do("bob", "PATCH", `messages/${said.id}`, { content: `edited ${i}` }),
      () => said && here.do("bob", "DELETE", `messages/${said.id}`),
    ])();
    await here.clock.pass(here.chance() * 300);
  }
  await here.clock.pass(1000);
  one.host.frame = () => [1];
  for (const id of ids) here.say("bob", id, "the last one");
  await here.clock.pass(1000);
  assertTruth(one, here.server, { by_pushes: true });
}

test(
  "reordered and repeated frames show each message once, in order",
  world(async (here) => {
    const { id, one, client, fates } = await scene(here);
    fates([200, 300], [1, 250], [100]);
    for (const text of ["one", "two", "three"]) (here.say("bob", id, text), await here.clock.pass(10));
    await here.clock.pass(500);
    assert.deepEqual(texts(client, id), ["before", "one", "two", "three"]);
    assertTruth(one, here.server);
  }),
);

test(
  "a known change is ignored",
  world(async (here) => {
    const { id, client, host, fates } = await scene(here);
    fates([1, 50, 90]);
    here.say("bob", id, "one");
    await here.clock.pass(10);
    const held = client.messages(id),
      conversation = client.conversation(id);
    await here.clock.pass(200);
    assert.deepEqual(host.asked, []);
    assert.equal(client.messages(id), held);
    assert.equal(client.conversation(id), conversation);
  }),
);

test(
  "several changes of one frame are applied in order",
  world(async (here) => {
    const { id, one, host } = await scene(here);
    here.server.pushAfter = () => 100;
    for (let i = 0; i < 10; i++) here.say("bob", id, `${i}`);
    await here.clock.pass(200);
    assert.equal(one.client.messages(id).length, 11);
    assert.deepEqual(host.asked, []);
  }),
);

for (const [what, act] of Object.entries({
  "a message": (here, id) => here.say("bob", id, "thin"),
  "a title": (here, id) => here.do("bob", "PATCH", `conversations/${id}`, { title: "thin" }),
}))
  test(
    `${what} pushed without its object is requested`,
    world(async (here) => {
      const { id, one } = await scene(here);
      here.server.thin = () => true;
      act(here, id);
      await here.clock.pass(50);
      assertTruth(one, here.server);
    }),
  );

test(
  "an unknown conversation is requested, and a late push restores none that was left",
  world(async (here) => {
    const { one, client, fates } = await scene(here);
    fates([5000]);
    const id = here.group("carol", "alice");
    await here.clock.pass(50);
    assert.equal(client.conversation(id), undefined);
    here.do("alice", "POST", `conversations/${id}/leave`, {});
    await here.clock.pass(6000);
    assertTruth(one, here.server);
    here.do("alice", "POST", `conversations/${id}/join`, {});
    await here.clock.pass(50);
    assert.equal(client.conversation(id).role, "member");
    assertTruth(one, here.server);
  }),
);

test(
  "a conversation left while disconnected is removed",
  world(async (here) => {
    const { id, one, client, host } = await scene(here);
    host.cut();
    here.do("alice", "POST", `conversations/${id}/leave`, {});
    await here.clock.until(() => client.status === "online");
    assert.equal(client.conversation(id), undefined);
    assert.deepEqual(client.messages(id), []);
    assertTruth(one, here.server);
  }),
);

test(
  "messages and read markers of the time without a socket are recovered",
  world(async (here) => {
    const { id, one, client, host } = await scene(here);
    host.cut();
    here.say("bob", id, "missed");
    here.do("bob", "PUT", `conversations/${id}/read`, { seq: 2 });
    here.do("alice", "PUT", `conversations/${id}/read`, { seq: 1 });
    await here.clock.until(() => client.status === "online");
    assertTruth(one, here.server);
    assert.equal(client.conversation(id).unread, 1);
    host.cut();
    here.do("bob", "PUT", `conversations/${id}/read`, { seq: 1 });
    here.do("bob", "PUT", `conversations/${id}/read`, { seq: 3 });
    await here.clock.until(() => client.status === "online");
    assertTruth(one, here.server);
  }),
);

test(
  "a client far behind loads the newest page only",
  world(async (here) => {
    const { id, one, client, host } = await scene(here);
    host.cut();
    for (let i = 0; i < 1500; i++) here.say("bob", id, `${i}`);
    await here.clock.until(() => client.status === "online");
    assert.ok(client.messages(id).length <= 50);
    assert.equal(client.conversation(id).unread, 1000);
    assertTruth(one, here.server);
  }),
);

test(
  "all pages of changes and of conversations are read",
  world(async (here) => {
    const { id, one, client, host } = await scene(here);
    here.server.pageMax = 3;
    host.cut();
    for (let i = 0; i < 20; i++) (here.group("carol", "alice"), here.say("bob", id, `${i}`));
    await here.clock.until(() => client.status === "online");
    assert.equal(client.conversations.length, 21);
    assertTruth(one, here.server);
  }),
);

test(
  "groups of more than 100 members are shown by their count",
  world(async (here) => {
    const crowd = Array.from({ length: 105 }, (_, i) => `user${i}`),
      id = here.group("alice", ...crowd);
    const one = await here.online("alice", { open: [id] }),
      { client } = one;
    assert.equal(client.conversation(id).members, undefined);
    here.do("user1", "POST", `conversations/${id}/leave`, {});
    await here.clock.pass(50);
    assert.equal(client.conversation(id).member_count, 105);
  }),
);

test(
  "after a restored backup the client starts over",
  world(async (here) => {
    const { id, one, client } = await scene(here),
      backup = here.server.backup();
    here.say("bob", id, "after the backup");
    await here.clock.result(client.send(id, "mine"));
    await here.clock.pass(100);
    here.server.restore(backup);
    here.say("bob", id, "another history");
    await here.clock.until(() => client.status !== "online", "the push tells", 10);
    await here.clock.until(() => client.status === "online", "at once", 1000);
    assert.deepEqual(texts(client, id), ["before", "another history"]);
    assertTruth(one, here.server);
  }),
);

test(
  "own messages that a restored backup lost are sent again if not shown as stored",
  world(async (here) => {
    const { id, one, client, fates } = await scene(here),
      backup = here.server.backup();
    fates([60000]);
    here.say("bob", id, "late");
    await here.clock.result(client.send(id, "mine"));
    here.server.restore(backup);
    await here.clock.pass(70000);
    assert.deepEqual(texts(client, id), ["before", "mine"]);
    assertTruth(one, here.server);
  }),
);

test(
  "an old message that was changed later keeps its place",
  world(async (here) => {
    const { id, one, client, host } = await scene(here);
    host.cut();
    const { id: first } = here.say("bob", id, "first");
    (here.say("bob", id, "second"), here.do("bob", "PATCH", `messages/${first}`, { content: "edited" }));
    await here.clock.until(() => client.status === "online");
    assert.deepEqual(texts(client, id), ["before", "edited", "second"]);
    assert.equal(host.count("GET", "messages"), 0);
    assertTruth(one, here.server);
  }),
);

test(
  "an own message before the newest page is not shown behind it",
  world(async (here) => {
    const { id, one, client, host } = await scene(here);
    host.frame = () => [];
    here.say("bob", id, "missed");
    await here.clock.result(client.send(id, "mine"));
    for (let i = 0; i < 1500; i++) here.say("bob", id, `${i}`);
    host.frame = () => [1];
    host.cut();
    await here.clock.until(() => client.status === "online");
    assert.equal(texts(client, id).includes("mine"), false);
    assertTruth(one, here.server);
  }),
);
