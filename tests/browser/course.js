/*
 * One random course of events in a world of clients and faults. Knows what users and networks may
 * do, not how a client copes.
 */
import assert from "node:assert/strict";
import { unavailable } from "./fake_network.js";
import { assertTruth, Memory, World } from "./world.js";

const USERS = ["alice", "bob", "carol", "dave"];
const EMOJIS = ["👍", "🎉", "x"];
const STEPS = 80;
const CALM_MS = 400000;

export class Course {
  #devices = []; // { one, user, storage, host }
  #sent = new Map(); // client_id: { host, id, outcome }
  #backup = null;
  #restored = false;

  constructor(seed) {
    this.world = new World(seed);
    this.stormy = seed % 8 !== 0; // some of the courses are calm
  }

  async run() {
    const { world } = this;
    const lost = [],
      note = (error) => lost.push(error);
    process.on("unhandledRejection", note);
    world.install();
    try {
      this.#begin();
      for (let i = 0; i < STEPS; i++) {
        this.#step();
        await world.clock.pass(this.#up_to(this.#one_in(6) ? 20000 : 1500));
      }
      await this.#calm();
      this.#check();
      assert.deepEqual(lost, [], "unhandled rejections");
    } finally {
      world.uninstall();
      process.off("unhandledRejection", note);
    }
  }

  // --- chance

  #up_to(n) {
    return Math.floor(this.world.chance() * (n + 1));
  }
  #one_in(n) {
    return this.world.chance() < 1 / n;
  }
  #pick(list) {
    return list[this.#up_to(list.length - 1)];
  }

  // --- the world

  #begin() {
    const { server } = this.world;
    server.pushAfter = () => 1 + this.#up_to(this.#one_in(5) ? 2000 : 20);
    server.thin = () => this.#one_in(15);
    server.pageMax = this.#pick([1000, 1000, 7, 2]);
    this.world.group("alice", "bob", "carol");
    this.world.group("bob", "alice", "dave");
    for (let i = this.#up_to(60); i > 0; i--) this.world.say("alice", 1, `before ${i}`);
    for (const user of [...USERS.slice(0, 3), this.#pick(USERS)]) this.#enter({ user });
  }

  /** A device opens the page, or opens it again. */
  #enter({ user, storage = new Memory(), host = `${user}-${this.#devices.length}` }, device = {}) {
    const options = { host, storage, limit: this.#pick([5, 50]) };
    const one = this.world.client(user, options);
    if (this.stormy) this.#spoil(one.host);
    one.client.start().catch(() => {});
    Object.assign(device, { one, user, storage, host });
    if (!this.#devices.includes(device)) this.#devices.push(device);
  }

  /** From now on its network has faults. */
  #spoil(host) {
    host.request = () => {
      const fate = { there: 1 + this.#up_to(200), back: 1 + this.#up_to(this.#one_in(8) ? 4000 : 100) };
      if (!this.#one_in(5)) return fate;
      const done = this.#one_in(2),
        status = this.#pick([502, 503, 504, 429]),
        after = status === 429 && this.#up_to(8);
      return {
        ...fate,
        ...this.#pick([
          { lost: "before" },
          { lost: "after" },
          { lost: "before", silent: true },
          { lost: "after", silent: true },
          { answer: { ...unavailable(status, after), done } },
          { answer: { status: 502, text: "<html>", done } },
        ]),
      };
    };
    host.socket = () => this.#pick(["open", "open", "open", "open", "refuse", "hang"]);
    host.frame = () => {
      if (this.#one_in(10)) return [];
      const first = 1 + this.#up_to(this.#one_in(6) ? 3000 : 30);
      return this.#one_in(10) ? [first, first + this.#up_to(3000)] : [first];
    };
  }

  async #calm() {
    for (const { host } of this.#devices.map(({ one }) => one))
      Object.assign(host, { offline: false, request: () => ({}), socket: () => "open", frame: () => [1] });
    this.world.server.thin = () => false;
    for (const { one } of this.#devices) (one.client.start().catch(() => {}), one.host.cut());
    await this.world.clock.pass(CALM_MS);
    for (const { one } of this.#devices)
      for (const { id, loaded } of one.client.conversations)
        if (!loaded && this.#one_in(2)) await this.world.clock.result(one.client.open(id));
    // Now pushes alone must be enough. A silent minute and another socket bring what pushes do not
    // contain.
    for (let i = 0; i < 20; i++) (this.#elsewhere(), await this.world.clock.pass(this.#up_to(100)));
    await this.world.clock.pass(3000);
    for (const { one } of this.#devices) assertTruth(one, this.world.server, { by_pushes: true });
    for (const { one } of this.#devices) one.host.cut();
    await this.world.clock.pass(150000);
  }

  #check() {
    const { server, faults } = this.world;
    assert.deepEqual(faults, []);
    for (const { one } of this.#devices) assertTruth(one, server);
    for (const id of server.ids) {
      const keys = server
        .messages(id)
        .map((message) => message.client_id)
        .filter(Boolean);
      assert.equal(new Set(keys).size, keys.length, `stored twice in ${id}`);
    }
    if (!this.#restored) this.#checkSent();
  }

  /** Asserts that messages are stored unless they were refused, and in the order of the calls. */
  #checkSent() {
    const last = new Map(); // by machine and conversation
    for (const [key, { host, id, outcome }] of this.#sent) {
      const found = this.world.server.messages(id).find((message) => message.client_id === key);
      const failed = this.#devices.some(({ one }) =>
        one.client.messages(id).some((m) => m.client_id === key && m.state),
      );
      if (outcome === "resolved") assert.ok(found, `lost in ${id}: ${key}`);
      else if (outcome === "waits") assert.ok(found || failed, `neither stored nor failed in ${id}: ${key}`);
      else assert.ok(!found, `${outcome}, but stored in ${id}: ${key}`);
      if (!found) continue;
      assert.ok(found.seq > (last.get(`${host} ${id}`) ?? 0), `out of order in ${id}: ${key}`);
      last.set(`${host} ${id}`, found.seq);
    }
  }

  // --- actions

  #step() {
    if (this.stormy && this.#one_in(8)) return this.#fault();
    if (this.#one_in(5)) return this.#elsewhere();
    const device = this.#pick(this.#devices),
      { client } = device.one;
    const id = this.#pick(client.conversations)?.id,
      message = this.#pick(client.messages(id).filter((m) => m.id));
    const actions = [
      () => id && this.#send(device, id),
      () => message && this.#amend(client, message),
      () => id && this.#attend(client, id),
      () => id && this.#look(client, id),
      () => this.#belong(client, id),
    ];
    const what = this.#one_in(12) ? this.#live(device) : this.#pick([actions[0], ...actions])();
    what?.catch?.((error) => {
      if (error.name !== "ImdError") this.world.faults.push(error.stack);
    });
  }

  #send({ one: { client }, host }, id) {
    const reply_to = this.#one_in(5) ? this.#pick(client.messages(id).filter((m) => m.id))?.id : undefined;
    this.#follow(client.send(id, `${host} ${this.#sent.size}`, { reply_to }), client, host, id);
  }

  /** Records the outcome of a sent message. */
  #follow(promise, client, host, id) {
    const { client_id, state } = client.messages(id).at(-1),
      sent = { host, id, outcome: "waits" };
    if (state !== "sending") this.world.faults.push(`${host}: not shown at once in ${id}`);
    this.#sent.delete(client_id);
    this.#sent.set(client_id, sent);
    promise.then(
      () => {
        sent.outcome = "resolved";
      },
      () => {
        sent.outcome = "refused";
      },
    );
  }

  #amend(client, { id, sender }) {
    const emoji = this.#pick(EMOJIS);
    if (sender === client.user && this.#one_in(3)) return client.edit(id, `edited ${this.#up_to(3)}`);
    if (this.#one_in(6)) return client.delete(id);
    return this.#one_in(3) ? client.unreact(id, emoji) : client.react(id, emoji);
  }

  #attend(client, id) {
    if (this.#one_in(4)) return client.typing(id);
    if (this.#one_in(4)) return client.presence(id);
    return client.read(id, this.#one_in(2) ? undefined : this.#up_to(client.conversation(id).last_seq));
  }

  #look(client, id) {
    if (this.#one_in(6)) return client.close(id);
    if (this.#one_in(6)) return client.around(id, this.#up_to(client.conversation(id).last_seq));
    return this.#one_in(3) ? client.older(id) : client.open(id);
  }

  #belong(client, id = 1) {
    const other = this.#pick(USERS),
      any = 1 + this.#up_to(this.world.server.ids.length - 1);
    return this.#pick([
      () =>
        this.world.server.ids.length < 6 &&
        client.create({ type: "group_chat", members: [other], title: this.#pick(["", "Tea"]) }),
      () => other !== client.user && client.create({ type: "private_chat", members: [other] }),
      () =>
        client.update(id, this.#pick([{ title: `title ${this.#up_to(3)}` }, { join: this.#pick(["open", "invite"]) }])),
      () => client.join(any),
      () => client.join(any),
      () => client.leave(id),
      () => client.setMember(id, other),
      () => client.setMember(id, other, this.#pick(["admin", "member", "owner"])),
      () => client.removeMember(id, other),
    ])();
  }

  #live(device) {
    const { client } = device.one,
      failed = client.conversations.flatMap(({ id }) => client.messages(id)).find(({ state }) => state === "failed");
    if (failed && this.#one_in(2)) {
      const { conversation: id, client_id } = failed;
      if (this.#one_in(2)) this.#follow(client.retry(id, client_id), client, device.host, id);
      else (client.discard(id, client_id), (this.#sent.get(client_id).outcome = "discarded"));
    } else if (this.#one_in(2)) {
      client.stop();
      if (this.#one_in(2)) return client.start();
    } else {
      client.stop();
      this.#enter(device, device);
    }
  }

  /** A user acts on another machine without faults; some of the requests are refused. */
  #elsewhere() {
    const { server } = this.world,
      id = this.#pick(server.ids),
      username = this.#pick(USERS);
    const ask = (method, path, body = {}) =>
      server.answer({ method, path, query: new URLSearchParams({ username }), body: { username, ...body } });
    const message = this.#pick(server.messages(id));
    const say = (content) => ask("POST", "messages", { conversation_id: id, content });
    this.#pick([
      () => say("elsewhere"),
      () => {
        for (let i = this.#up_to(30); i > 0; i--) say(`burst ${i}`);
      },
      () => ask("PUT", `conversations/${id}/read`, { seq: this.#up_to(100) }),
      () => message && ask("PATCH", `messages/${message.id}`, { content: "edited elsewhere" }),
      () => message && ask("DELETE", `messages/${message.id}`),
      () => message && ask("PUT", `messages/${message.id}/reactions/${encodeURIComponent(this.#pick(EMOJIS))}`),
      () => message && ask("DELETE", `messages/${message.id}/reactions/${encodeURIComponent(this.#pick(EMOJIS))}`),
      () => ask("POST", `conversations/${id}/join`),
      () => ask("POST", `conversations/${id}/leave`),
      () => ask("PATCH", `conversations/${id}`, { title: "elsewhere" }),
    ])();
  }

  #fault() {
    const { world } = this,
      { host } = this.#pick(this.#devices).one;
    const event = (name) => world.window.dispatchEvent(new Event(name));
    return this.#pick([
      () => host.cut("loudly"),
      () => host.cut("silently"),
      () => {
        for (const one of world.network.hosts) one.cut("loudly");
      },
      () => {
        host.offline = true;
      },
      () => {
        ((host.offline = true), event("offline"));
      },
      () => {
        host.offline = false;
      },
      () => {
        ((host.offline = false), event("online"));
      },
      () => event("pageshow"),
      () => world.document.dispatchEvent(new Event("resume")),
      () => world.clock.sleep(60000),
      () => {
        this.#backup = world.server.backup();
      },
      () => this.#backup && this.#one_in(3) && ((this.#restored = true), world.server.restore(this.#backup)),
    ])();
  }
}
