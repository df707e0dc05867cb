/* Who calls: a token, a name, or whom the server takes the caller for; and what is done where the server refuses. */
import assert from "node:assert/strict";
import test from "node:test";

import { Problem } from "./fake_server.js";
import { assertTruth, world } from "./world.js";

const tokenOf = (sub, number) => `x.${Buffer.from(JSON.stringify({ sub, number })).toString("base64url")}.y`;

/** A site whose tokens are good until it says otherwise. */
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

  /** All that it has issued is over. */
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
  "one's name is the token's, and the token goes with every request and socket",
  world(async (here) => {
    const { client, host, site } = await scene(here);
    assert.equal(client.user, "alice");
    assert.deepEqual(site.issued, [{ refresh: false }]);
    assert.ok(host.asked.every(({ authorization }) => authorization === `Bearer ${tokenOf("alice", 1)}`));
    assert.equal(here.network.opened[0].url.searchParams.get("token"), tokenOf("alice", 1));
  }),
);

test(
  "a token that is refused is asked for again, once for all that need it, and all goes on",
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
  "a token that is over when the socket is cut is replaced, and it is a WebSocket again",
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
  "a fresh token that is refused too ends the tries",
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
  "start() rejects where the server refuses, and can be called again",
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
  "a site that has no token just now is asked again later",
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

test(
  "what waits is kept where a token is refused, and goes out with a good one",
  world(async (here) => {
    const { id, client } = await scene(here),
      good = here.server.callerOf;
    refuseAll(here, 401, "invalid_token");
    const sent = client.send(id, "one");
    await here.clock.pass(5000);
    assert.deepEqual([client.messages(id)[0].state, client.status], ["sending", "refused"]);
    here.server.callerOf = good;
    await here.clock.result(client.start());
    await here.clock.result(sent);
  }),
);

test(
  "without a token and a name one is whom the server takes the caller for",
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
  "where the server does not know either, it is refused as missing_user",
  world(async (here) => {
    const { client } = here.client(undefined, { host: "a" });
    await assert.rejects(here.clock.result(client.start()), { code: "missing_user" });
    assert.equal(client.status, "refused");
  }),
);
