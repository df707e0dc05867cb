/*
 * imd.js copes with networks that are slow, that cut long answers short, or that hold back pushes.
 */
import assert from "node:assert/strict";
import test from "node:test";

import { assertTruth, world } from "./world.js";

async function scene(here, messages) {
  const id = here.group("bob", "alice");
  for (let i = 1; i <= messages; i++) here.say("bob", id, `message ${i}, of some length`);
  const one = await here.online("alice", { limit: 40 });
  return { id, one, ...one };
}

const limits = (host) =>
  host.asked.filter(({ path }) => path === "messages").map(({ query }) => Number(query.get("limit")));

test(
  "a slow answer does not time out while bytes of it arrive",
  world(async (here) => {
    const { id, one, client, host } = await scene(here, 40);
    host.request = () => ({ each: 9000, chunk: 1000 });
    const opened = client.open(id);
    await here.clock.pass(30000);
    assert.equal(client.messages(id).length, 0);
    await here.clock.result(opened);
    assert.deepEqual(limits(host), [40]);
    host.request = () => ({});
    await here.clock.pass(100);
    assertTruth(one, here.server);
  }),
);

test(
  "an answer that stalls is given up after the timeout",
  world(async (here) => {
    const { id, client, host } = await scene(here, 40);
    await here.clock.result(client.open(id));
    host.request = () => ({ each: 10001, chunk: 1000 });
    await assert.rejects(here.clock.result(client.presence(id), 10100), { status: 0, code: "unanswered" });
  }),
);

test(
  "a page that is cut short is requested again, smaller each time, without a reconnect",
  world(async (here) => {
    const { id, one, client, host } = await scene(here, 40);
    const sockets = new Set(host.sockets);
    host.request = ({ path }) => (path === "messages" ? { chunk: 500, cut: 1500 } : {});
    await here.clock.result(client.open(id));
    const asked = limits(host);
    assert.deepEqual(asked.slice(0, 3), [40, 20, 10]);
    assert.equal(client.messages(id).length, asked.at(-1));
    while (client.conversation(id).older) await here.clock.result(client.older(id)).catch(() => {});
    assert.equal(client.messages(id).length, 40);
    assert.deepEqual(host.sockets, sockets);
    assertTruth(one, here.server);
  }),
);

test(
  "without pushes the client polls every three seconds, reports it, and subscribes again when it can",
  world(async (here) => {
    const id = here.group("bob", "alice"),
      one = here.client("alice"),
      { client, host } = one;
    host.socket = () => "hang";
    await here.clock.result(client.start());
    assert.equal(client.status, "polling");
    await here.clock.result(client.open(id));
    here.say("bob", id, "hello");
    await here.clock.until(() => client.messages(id).length === 1, "it is asked for", 3100);
    await here.clock.result(client.send(id, "hi"));
    await here.clock.until(() => client.messages(id).length === 2, "it is asked for", 3100);
    host.socket = () => "open";
    await here.clock.until(() => client.status === "online", "it listens", 120000);
    assertTruth(one, here.server);
  }),
);
