/*
 * The scene of a test: a server, a network, time, and clients; and the state that a client must
 * hold. Everything follows from one seed.
 */
import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { Client } from "../../nginx/html/imd.js";
import { Clock } from "./clock.js";
import { FakeServer } from "./fake_server.js";
import { Network } from "./fake_network.js";

/** Returns a generator of numbers from 0 to 1, the same for the same seed. */
export function chanceOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Like sessionStorage. */
export class Memory {
  #held = new Map();

  get length() {
    return this.#held.size;
  }
  key(index) {
    return [...this.#held.keys()][index] ?? null;
  }
  getItem(key) {
    return this.#held.get(key) ?? null;
  }
  setItem(key, value) {
    this.#held.set(key, String(value));
  }
  removeItem(key) {
    this.#held.delete(key);
  }
}

export class World {
  clients = [];
  /** Invalid states that listeners saw. */
  faults = [];
  /** The events of a page's window and document. */
  window = new EventTarget();
  document = Object.assign(new EventTarget(), { hidden: false });
  #random = Math.random;

  constructor(seed = 1) {
    this.chance = chanceOf(seed);
    this.clock = new Clock();
    this.server = new FakeServer(this.chance);
    this.network = new Network(this.server);
  }

  install() {
    this.clock.install();
    this.network.install();
    Math.random = this.chance;
    globalThis.addEventListener = this.window.addEventListener.bind(this.window);
    globalThis.removeEventListener = this.window.removeEventListener.bind(this.window);
    globalThis.document = this.document;
    globalThis.crypto ??= webcrypto; // Node 18 has it, but not as a global
  }

  uninstall() {
    for (const { client } of this.clients) client.stop();
    delete globalThis.document;
    delete globalThis.addEventListener;
    delete globalThis.removeEventListener;
    Math.random = this.#random;
    this.network.uninstall();
    this.clock.uninstall();
  }

  /**
   * Creates a window of a user, on a machine of its own unless `host` names one; not started yet.
   */
  client(user, { host = `${user}-${this.clients.length}`, ...options } = {}) {
    const client = new Client({ url: this.network.url(host), user, storage: new Memory(), ...options });
    const one = { client, user, host: this.network.host(host), changes: [] };
    this.clients.push(one);
    watch(one, this.faults);
    return one;
  }

  /**
   * Creates one that is connected and caught up, with the newest messages of these conversations.
   */
  async online(user, { open = [], ...options } = {}) {
    const one = this.client(user, options);
    await this.clock.result(one.client.start());
    await this.clock.pass(5100); // the client has verified its socket
    for (const id of open) await this.clock.result(one.client.open(id));
    return one;
  }

  /** Sends a request of the user from another machine, without faults. */
  do(user, method, path, body, query = {}) {
    const answer = this.server.answer({
      method,
      path,
      query: new URLSearchParams({ username: user, ...query }),
      body: body && { username: user, ...body },
    });
    assert.ok(answer.status < 300, JSON.stringify(answer.json));
    return answer.json;
  }

  /** Creates a group, and returns its id. */
  group(owner, ...members) {
    return this.do(owner, "POST", "conversations", { type: "group_chat", members }).id;
  }

  say(user, id, content = "hello", more = {}) {
    return this.do(user, "POST", "messages", { conversation_id: id, content, ...more });
  }
}

/** Returns a test in a world of its own. */
export const world = (scene, seed) => async () => {
  const here = new World(seed);
  here.install();
  try {
    await scene(here);
    assert.deepEqual(here.faults, []);
  } finally {
    here.uninstall();
  }
};

// --- invariants at every moment

/**
 * Checks everything that a client shows, whenever it reports a change. Shown objects must not be
 * mutated.
 */
function watch({ client, changes }, faults) {
  const seen = new Map(); // id: what was shown last
  client.subscribe((changed) => {
    changes.push(changed);
    for (const fault of look(client, changed, seen)) faults.push(`${client.user}: ${fault}`);
  });
}

function* look(client, changed, seen) {
  const ids = client.conversations.map(({ id }) => id);
  if (new Set(ids).size !== ids.length) yield `a conversation twice: ${ids}`;
  for (const id of new Set([...ids, ...seen.keys()])) {
    const now = { conversation: client.conversation(id), messages: client.messages(id) },
      before = seen.get(id);
    if (before && !changed.has(id) && (before.conversation !== now.conversation || before.messages !== now.messages))
      yield `conversation ${id} has changed, and nobody was told`;
    Object.freeze(now.conversation);
    Object.freeze(now.conversation?.members);
    Object.freeze(now.messages).forEach(Object.freeze);
    yield* disorder(id, now.messages);
    seen.set(id, now);
  }
}

function* disorder(id, messages) {
  const held = messages.filter(({ seq, state }) => seq && !state),
    keys = messages.map((m) => m.client_id).filter(Boolean);
  if (new Set(keys).size !== keys.length) yield `conversation ${id}: a message twice, ${keys}`;
  // Later messages may have their numbers before the unanswered ones do.
  const settled = held.slice(0, messages.findIndex(({ seq, state }) => !seq || state) + 1 || undefined);
  for (let i = 1; i < settled.length; i++)
    if (settled[i].seq <= settled[i - 1].seq) yield `conversation ${id}: ${settled[i].seq} after ${settled[i - 1].seq}`;
}

// --- the state at the end

const plain = (value) => JSON.parse(JSON.stringify(value ?? null));

/** Removes the members that pushes do not contain. */
const pushed = ({ updated_at, members, ...entry }) => ({ ...entry, members: [...members].sort() });

/** Asserts that a client agrees with the server. `by_pushes`: it has requested nothing since. */
export function assertTruth({ client, user }, server, { by_pushes = false } = {}) {
  const entries = (list) => plain(list.sort((a, b) => a.id - b.id).map(by_pushes ? pushed : (entry) => entry));
  assert.equal(client.status, "online", `${user}'s status, ${client.error?.stack}`);
  const shown = client.conversations.map(({ read, typing, online, loaded, older, newer, ...entry }) => entry);
  assert.deepEqual(entries(shown), entries(server.entries(user)), `${user}'s conversations`);
  for (const conversation of client.conversations)
    if (conversation.loaded)
      (assertMessages(client, conversation, server), assertMarkers(client, conversation, server, by_pushes));
}

function assertMessages(client, { id, older }, server) {
  const held = client.messages(id).filter(({ state }) => !state),
    { newer } = client.conversation(id),
    all = server.messages(id, client.user),
    first = newer ? held[0].seq - 1 : all.length - held.length;
  assert.deepEqual(plain(held), plain(all.slice(first, first + held.length)), `${client.user}'s messages in ${id}`);
  assert.equal(older, (held[0]?.seq ?? 1) > 1, `${client.user}: older ones in ${id}`);
  assert.ok(!client.messages(id).some(({ state }) => state === "sending"), `${client.user}: unsent in ${id}`);
}

/** No push contains the marker of a user who left and came back. */
function assertMarkers(client, { id, read }, server, at_most) {
  for (const [name, seq] of Object.entries(server.markers(server.conversation(id))))
    assert.ok(read[name] === seq || (at_most && !(read[name] > seq)), `${client.user}: ${name}'s marker in ${id}`);
}
