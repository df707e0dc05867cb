/*
 * How the client authenticates: by a token, by a name, or as the user that the server names. And
 * what it does if the server refuses.
 */
import assert from "node:assert/strict";
import test from "node:test";

import { Problem } from "./fake_server.js";
import { assertTruth, world } from "./world.js";

const tokenOf = (sub, number) => `x.${Buffer.from(JSON.stringify({ sub, number })).toString("base64url")}.y`;

/** A site whose tokens are valid until it revokes them. */
class Site {
  issued = []; // { refresh }
  #good = new Set();

  constructor(here, sub = "alice") {
    this.token = async (ask) => {
      this.issued.push(ask);
      const token = tokenOf(sub, this.issued.length);
      this.#good.add(token);
      return token;
    };
    here.server.callerOf = ({ authorization, query }) => {
      const token = authorization?.replace("Bearer ", "") ?? query?.get("token");
      if (!token) throw new Problem(401, "missing_credentials");
      if (!this.#good.has(token)) throw new Problem(401, "expired_token");
      return sub;
    };
  }

  /** Revokes all tokens that it has issued. */
  expire() {
    this.#good.clear();
  }
}

async function scene(here) {
  const id = here.group("bob", "alice"),
    site = new Site(here);
  const one = await here.online(undefined, { token: site.token, host: "a" });
  await here.clock.result(one.client.open(id));
  return { id, site, ...one };
}

const refuseAll = (here, status, code) => {
  here.server.callerOf = () => {
    throw new Problem(status, code);
  };
};

test(
  "the name is the token's, and every request and socket carries the token",
  world(async (here) => {
    const { client, host, site } = await scene(here);
    assert.equal(client.user, "alice");
    assert.deepEqual(site.issued, [{ refresh: false }]);
    assert.ok(host.asked.every(({ authorization }) => authorization === `Bearer ${tokenOf("alice", 1)}`));
    assert.equal(here.network.opened[0].url.searchParams.get("token"), tokenOf("alice", 1));
  }),
);

test(
  "a refused token is renewed once for all requests, which continue",
  world(async (here) => {
    const { id, client, site } = await scene(here);
    site.expire();
    await here.clock.result(Promise.all([client.send(id, "one"), client.read(id, 1), client.presence(id)]));
    assert.deepEqual(site.issued, [{ refresh: false }, { refresh: true }]);
    await here.clock.pass(100);
    assertTruth({ client, user: "alice" }, here.server);
  }),
);

test(
  "a token that expired when the socket was cut is renewed, for a WebSocket again",
  world(async (here) => {
    const { client, site, host } = await scene(here);
    site.expire();
    host.cut();
    await here.clock.until(() => client.status === "online", "online again", 5000);
    assert.equal(site.issued.length, 2);
    assert.equal(Object.getPrototypeOf(here.network.opened.at(-1)).constructor.name, "WebSocket");
  }),
);

test(
  "a renewed token that is refused too ends the connection",
  world(async (here) => {
    const { client, host } = await scene(here);
    refuseAll(here, 401, "invalid_token");
    host.cut();
    await here.clock.until(() => client.status === "refused");
    assert.deepEqual([client.error.status, client.error.code], [401, "invalid_token"]);
    host.asked = [];
    await here.clock.pass(300000);
    assert.deepEqual(host.asked, []);
  }),
);

test(
  "start() rejects if the server refuses, and can be called again",
  world(async (here) => {
    const site = new Site(here),
      good = here.server.callerOf;
    refuseAll(here, 403, "not_yourself");
    const { client } = here.client("alice", { token: site.token });
    await assert.rejects(here.clock.result(client.start()), { status: 403, code: "not_yourself" });
    assert.equal(client.status, "refused");
    here.server.callerOf = good;
    await here.clock.result(client.start());
    assert.deepEqual([client.status, client.error], ["online", null]);
  }),
);

test(
  "a site without a token is asked again later",
  world(async (here) => {
    const site = new Site(here),
      answers = [
        () => Promise.reject(new Error("away")),
        () => {
          throw new Error("broken");
        },
      ];
    const { client } = here.client(undefined, { host: "a", token: (ask) => (answers.shift() ?? site.token)(ask) });
    await here.clock.result(client.start());
    assert.equal(client.user, "alice");
  }),
);

/** Any action while the socket is open may be the first to be refused for an expired token. */
const DEEDS = {
  "a message": (client, id) => client.send(id, "one"),
  "a key that is typed": (client, id) => client.typing(id),
  "an older page": (client, id) => client.older(id),
  "a read marker": (client, id) => client.read(id),
  "a request for presence": (client, id) => client.presence(id),
  "an edit": (client, id) => client.edit(client.messages(id)[0].id, "edited"),
};

for (const [what, act] of Object.entries(DEEDS)) {
  test(
    `${what} that is refused for good ends the connection at once`,
    world(async (here) => {
      const { id, client } = await refusedScene(here, act);
      assert.deepEqual([client.status, client.error.code], ["refused", "expired_token"]);
      assert.equal(here.network.host("a").sockets.size, 0);
      assert.ok(client.messages(id).every(({ state }) => state !== "failed"));
    }),
  );
}

/** The socket is open, and from an action on, everything is refused. */
async function refusedScene(here, act) {
  const id = here.group("bob", "alice");
  for (let n = 0; n < 8; n++) here.say("bob", id, `${n}`);
  await here.clock.pass(100);
  const site = new Site(here);
  const one = await here.online(undefined, { token: site.token, host: "a", limit: 5 });
  await here.clock.result(one.client.open(id));
  const good = here.server.callerOf,
    from = here.clock.now;
  refuseAll(here, 401, "expired_token");
  act(one.client, id)?.catch?.(() => {});
  await here.clock.until(() => one.client.status === "refused", "the connection ends", 1000);
  assert.ok(here.clock.now - from < 100);
  return { id, good, ...one };
}

test(
  "a message refused with the token goes out after start() with a good token",
  world(async (here) => {
    let sent;
    const { id, client, good } = await refusedScene(here, (one, at) => (sent = one.send(at, "one")));
    assert.equal(client.messages(id).at(-1).state, "sending");
    here.server.callerOf = good;
    await here.clock.result(client.start());
    assert.equal((await here.clock.result(sent)).content, "one");
    await here.clock.pass(5000);
    assert.equal(client.messages(id).at(-1).state, undefined);
    assert.equal(here.server.messages(id).filter(({ content }) => content === "one").length, 1);
  }),
);

test(
  "a 401 of a proxy that is not JSON ends the connection",
  world(async (here) => {
    const { client, host, id } = await scene(here);
    host.request = () => ({ answer: { status: 401, text: "<html>" } });
    client.send(id, "one").catch(() => {});
    await here.clock.until(() => client.status === "refused", "the connection ends", 1000);
    assert.equal(client.error.code, "missing_credentials");
  }),
);

for (const code of ["invalid_caller", "origin_not_allowed", "loopback_only"])
  test(
    `403 ${code} ends the connection, whatever was requested`,
    world(async (here) => {
      const { client, id } = await scene(here);
      refuseAll(here, 403, code);
      await assert.rejects(here.clock.result(client.presence(id)), { code });
      assert.deepEqual([client.status, client.error.code], ["refused", code]);
    }),
  );

test(
  "403 not_a_member does not end the connection",
  world(async (here) => {
    const { client, id } = await scene(here);
    refuseAll(here, 403, "not_a_member");
    await assert.rejects(here.clock.result(client.presence(id)), { code: "not_a_member" });
    assert.equal(client.status, "online");
  }),
);

test(
  "without token and name the server names the caller",
  world(async (here) => {
    here.group("bob", "alice");
    here.server.callerOf = () => "alice";
    const { client } = here.client(undefined, { host: "a" });
    assert.equal(client.user, "");
    await here.clock.result(client.start());
    assert.equal(client.user, "alice");
    assert.equal(client.conversations.length, 1);
  }),
);

test(
  "a caller that the server does not know is refused as missing_user",
  world(async (here) => {
    const { client } = here.client(undefined, { host: "a" });
    await assert.rejects(here.clock.result(client.start()), { code: "missing_user" });
    assert.equal(client.status, "refused");
  }),
);
