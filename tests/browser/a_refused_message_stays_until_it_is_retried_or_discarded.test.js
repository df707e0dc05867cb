/*
 * A message that the server refuses is shown as failed, with the reason, and delays no later
 * message.
 */
import assert from "node:assert/strict";
import test from "node:test";

import { ImdError } from "../../nginx/html/imd.js";
import { world } from "./world.js";

/** Alice has left on another machine, and this one does not know it yet. */
async function refused(here) {
  const id = here.group("bob", "alice"),
    one = await here.online("alice", { open: [id] });
  one.host.frame = () => [];
  here.do("alice", "POST", `conversations/${id}/leave`, {});
  const error = await here.clock.result(one.client.send(id, "one")).catch((reason) => reason);
  return { id, error, ...one };
}

test(
  "a refused message shows the server's sentence",
  world(async (here) => {
    const { client, id, error } = await refused(here);
    assert.ok(error instanceof ImdError);
    const { status, code, message, request_id } = error;
    assert.deepEqual(
      { status, code, message },
      { status: 403, code: "not_a_member", message: "Sender is not a member of the conversation" },
    );
    assert.match(request_id, /^[0-9a-f]{32}$/);
    const [failed] = client.messages(id);
    assert.equal(failed.state, "failed");
    assert.equal(failed.error, error);
  }),
);

test(
  "a refused message does not delay the next one",
  world(async (here) => {
    const id = here.group("bob", "alice"),
      { client } = await here.online("alice", { open: [id] });
    const one = client.send(id, "one", { reply_to: 99 }),
      two = client.send(id, "two");
    await assert.rejects(here.clock.result(one), { code: "invalid_reply_to" });
    await here.clock.result(two);
    await here.clock.pass(100);
    assert.deepEqual(
      client.messages(id).map(({ state }) => state),
      [undefined, "failed"],
    );
  }),
);

test(
  "retry() sends a failed message again under the same key",
  world(async (here) => {
    const { client, id } = await refused(here),
      [{ client_id }] = client.messages(id);
    here.do("alice", "POST", `conversations/${id}/join`, {});
    const again = client.retry(id, client_id),
      [shown] = client.messages(id);
    assert.deepEqual([shown.client_id, shown.state, shown.error], [client_id, "sending", undefined]);
    assert.equal((await here.clock.result(again)).client_id, client_id);
  }),
);

test(
  "discard() removes a failed message",
  world(async (here) => {
    const { client, id } = await refused(here),
      [{ client_id }] = client.messages(id);
    client.discard(id, client_id);
    assert.deepEqual(client.messages(id), []);
  }),
);

test(
  "messages that did not fail are neither discarded nor sent again",
  world(async (here) => {
    const id = here.group("alice", "bob"),
      { client } = await here.online("alice", { open: [id] });
    const sent = client.send(id, "one"),
      [{ client_id }] = client.messages(id);
    assert.throws(() => client.discard(id, client_id));
    await assert.rejects(client.retry(id, client_id));
    assert.throws(() => client.discard(id, "nothing"));
    await here.clock.result(sent);
    assert.equal(here.server.messages(id).length, 1);
  }),
);

test(
  "a message that is too long is refused at once, without a request",
  world(async (here) => {
    const id = here.group("alice", "bob"),
      { client, host } = await here.online("alice", { open: [id] });
    const asked = host.asked.length;
    await assert.rejects(client.send(id, "é".repeat(32769)), { code: "content_too_long", field: "content" });
    await assert.rejects(client.edit(1, "x".repeat(65537)), { code: "content_too_long", field: "content" });
    const [{ state, error, client_id }] = client.messages(id); // the text is not lost
    assert.deepEqual([state, error.code], ["failed", "content_too_long"]);
    await assert.rejects(client.retry(id, client_id), { code: "content_too_long" });
    assert.equal(host.asked.length, asked);
    client.discard(id, client_id);
    await here.clock.result(client.send(id, "é".repeat(32768)));
  }),
);

test(
  "characters that no server accepts are removed before sending",
  world(async (here) => {
    const id = here.group("alice", "bob"),
      { client } = await here.online("alice", { open: [id] });
    await here.clock.result(client.send(id, "a\0b\ud83dc\udc4dd\ud83d\udc4d"));
    assert.equal(here.server.messages(id)[0].content, "abcd👍");
  }),
);
