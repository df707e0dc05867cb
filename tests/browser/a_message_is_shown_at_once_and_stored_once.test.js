/*
 * The client shows a sent message at once, in the order of the calls. The server stores it once,
 * whatever happens to the answer.
 */
import assert from "node:assert/strict";
import test from "node:test";

import { unavailable } from "./fake_network.js";
import { world } from "./world.js";

const texts = (client, id) =>
  client.messages(id).map(({ content, state }) => (state ? `${content} (${state})` : content));
const scene = async (here) => {
  const id = here.group("alice", "bob");
  return { id, ...(await here.online("alice", { open: [id] })) };
};

test(
  "a message is shown as sending before its answer",
  world(async (here) => {
    const { id, client } = await scene(here);
    const sent = client.send(id, "one");
    assert.deepEqual(texts(client, id), ["one (sending)"]);
    const [shown] = client.messages(id);
    assert.equal(shown.sender, "alice");
    assert.equal(shown.timestamp, here.clock.now);
    assert.equal(shown.id ?? shown.seq, undefined);
    const message = await here.clock.result(sent);
    assert.deepEqual(message, here.server.messages(id)[0]);
    await here.clock.pass(100);
    assert.deepEqual(client.messages(id), [message]);
  }),
);

test(
  "concurrent messages are stored in the order of the calls",
  world(async (here) => {
    const { id, client, host } = await scene(here);
    host.request = () => ({ there: 1 + Math.random() * 100, back: 1 + Math.random() * 100 });
    const wanted = Array.from({ length: 20 }, (_, i) => `${i}`);
    const sent = wanted.map((text) => client.send(id, text));
    assert.deepEqual(
      texts(client, id),
      wanted.map((text) => `${text} (sending)`),
    );
    await here.clock.result(Promise.all(sent));
    assert.deepEqual(
      here.server.messages(id).map(({ content }) => content),
      wanted,
    );
    assert.equal(host.count("POST", "messages"), wanted.length);
    await here.clock.pass(100);
    assert.deepEqual(texts(client, id), wanted);
  }),
);

test(
  "a message of another conversation does not wait",
  world(async (here) => {
    const { id, client, host } = await scene(here),
      other = here.group("alice", "carol");
    await here.clock.pass(100);
    host.request = ({ body }) => (body?.conversation_id === id ? { lost: "before" } : {});
    client.send(id, "stuck");
    await here.clock.result(client.send(other, "through"), 1000);
  }),
);

const FATES = {
  "a lost request": { lost: "before" },
  "a lost answer": { lost: "after" },
  "an answer that never comes": { lost: "after", silent: true },
  "a request that never arrives": { lost: "before", silent: true },
  "a 503": { answer: unavailable(503) },
  "a 502 after it was stored": { answer: { ...unavailable(502), done: true } },
  "a page of a proxy": { answer: { status: 504, text: "<html>", done: true } },
};
for (const [name, fate] of Object.entries(FATES))
  test(
    `after ${name} the message is sent again and stored once`,
    world(async (here) => {
      const { id, client, host } = await scene(here);
      const fates = [fate, fate, {}];
      host.request = ({ method }) => (method === "POST" ? fates.shift() : {});
      host.frame = () => []; // by its answer alone
      const sent = client.send(id, "one"),
        { client_id } = client.messages(id)[0];
      const message = await here.clock.result(sent);
      assert.equal(message.client_id, client_id);
      assert.deepEqual(here.server.messages(id), [message]);
      assert.equal(host.count("POST", "messages"), 3);
      assert.deepEqual(client.messages(id), [message]);
    }),
  );

test(
  "a message waits for Retry-After before the next try",
  world(async (here) => {
    const { id, client, host } = await scene(here);
    const answers = [{ answer: unavailable(429, 7) }, {}];
    host.request = ({ method }) => (method === "POST" ? answers.shift() : {});
    await here.clock.result(client.send(id, "one"));
    const [first, second] = host.asked.filter(({ method }) => method === "POST");
    assert.ok(second.at - first.at >= 7000, `after ${second.at - first.at} ms`);
  }),
);

test(
  "the push confirms a message whose answer is lost",
  world(async (here) => {
    const { id, client, host } = await scene(here);
    host.request = ({ method }) => (method === "POST" ? { lost: "after", silent: true } : {});
    await here.clock.result(client.send(id, "one"), 1000);
    assert.deepEqual(texts(client, id), ["one"]);
  }),
);

test(
  "an answer that overtakes earlier pushes makes no gap",
  world(async (here) => {
    const { id, client, host } = await scene(here);
    host.frame = () => [500];
    here.say("bob", id, "first");
    const mine = await here.clock.result(client.send(id, "second"), 100);
    assert.equal(mine.seq, 2);
    assert.deepEqual(client.messages(id), [mine]);
    await here.clock.pass(600);
    assert.deepEqual(texts(client, id), ["first", "second"]);
  }),
);

test(
  "a reply names the message that it replies to",
  world(async (here) => {
    const { id, client } = await scene(here),
      { id: reply_to } = here.say("bob", id);
    await here.clock.pass(100);
    const sent = client.send(id, "yes", { reply_to });
    assert.equal(client.messages(id)[1].reply_to, reply_to);
    assert.equal((await here.clock.result(sent)).reply_to, reply_to);
  }),
);

test(
  "messages sent while offline go out when the network is back",
  world(async (here) => {
    const { id, client, host } = await scene(here);
    host.offline = true;
    const sent = [client.send(id, "one"), client.send(id, "two")];
    await here.clock.pass(120000);
    assert.deepEqual(texts(client, id), ["one (sending)", "two (sending)"]);
    host.offline = false;
    await here.clock.result(Promise.all(sent), 40000);
    assert.deepEqual(
      here.server.messages(id).map(({ content }) => content),
      ["one", "two"],
    );
  }),
);

test(
  "messages without an answer before stop() go out after start()",
  world(async (here) => {
    const { id, client, host } = await scene(here);
    host.request = () => ({ lost: "before" });
    const sent = client.send(id, "one");
    await here.clock.pass(1000);
    client.stop();
    host.request = () => ({});
    await here.clock.pass(100000);
    assert.deepEqual(texts(client, id), ["one (sending)"]);
    assert.deepEqual(here.server.messages(id), []);
    client.start();
    await here.clock.result(sent);
  }),
);
