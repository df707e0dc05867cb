/*
 * imd in memory: everything that the browser client uses, as docs/api.md and openapi.json describe
 * it. Versions and seqs have no gaps, each change is one event for each member, an event shows its
 * object as it is when pushed, changes show each object once. Knows nothing of networks:
 * fake_network.js loses and delays.
 */
const FEW = 100;
const UNREAD_MAX = 1000;
const SUCCESS = { result: "success" };

export class Problem extends Error {
  constructor(status, code, more = {}) {
    super(more.error ?? `This is ${code}`);
    Object.assign(this, { status, code, ...more });
  }
}

const refuse = (status, code, more) => {
  throw new Problem(status, code, more);
};
const hex = (length, chance) => Array.from({ length }, () => Math.floor(chance() * 16).toString(16)).join("");
const byteOrder = (a, b) => (a < b ? -1 : 1);
const last = (list) => list[list.length - 1];

const ROUTES = [
  ["GET", "conversations", "list"],
  ["POST", "conversations", "create"],
  ["PATCH", "conversations/:id", "name"],
  ["POST", "conversations/:id/join", "join"],
  ["POST", "conversations/:id/leave", "leave"],
  ["PUT", "conversations/:id/members/:name", "setMember"],
  ["DELETE", "conversations/:id/members/:name", "removeMember"],
  ["PUT", "conversations/:id/read", "mark"],
  ["POST", "conversations/:id/typing", "type"],
  ["GET", "conversations/:id/members", "listMembers"],
  ["GET", "conversations/:id/presence", "presence"],
  ["GET", "conversations/:id/changes", "changes"],
  ["GET", "messages", "page"],
  ["POST", "messages", "send"],
  ["PATCH", "messages/:id", "edit"],
  ["DELETE", "messages/:id", "erase"],
  ["GET", "messages/:id/reactions", "listReactions"],
  ["PUT", "messages/:id/reactions/:emoji", "react"],
  ["DELETE", "messages/:id/reactions/:emoji", "unreact"],
].map(([method, path, handler]) => [method, new RegExp(`^${path.replace(/:(\w+)/g, "(?<$1>[^/]+)")}/?$`), handler]);

export class FakeServer {
  /** The most entries of a page, whatever `limit` is: pages may end early. */
  pageMax = 1000;
  /** Milliseconds until a change is pushed. Changes made meanwhile go into the same frame. */
  pushAfter = () => 1;
  /** Decides whether an event is pushed without its message or object. */
  thin = () => false;
  /** How many names a reaction shows. */
  namesMax = 100;
  /**
   * Returns the caller, by the host, the Authorization header and the token in the query;
   * undefined: the user in the request.
   */
  callerOf = () => undefined;

  #state = {
    tick: 0,
    users: new Set(),
    conversations: new Map(),
    messages: new Map(),
    keys: new Map(),
    created: new Map(),
  };
  #chance;
  #epoch;
  #subscribers = new Map();
  #outbox = [];
  #due;
  #tickAt = 0;

  constructor(chance = Math.random) {
    this.#chance = chance;
    this.#epoch = hex(32, chance);
  }

  // --- requests

  /** { status, headers, json } */
  answer({ method, path, query, body, ...credentials }) {
    try {
      const caller = this.callerOf(credentials);
      const request = { query, body: body ?? {}, caller };
      for (const [its, pattern, handler] of ROUTES) {
        const found = its === method && pattern.exec(path);
        if (!found) continue;
        const { id, name, emoji } = found.groups ?? {};
        Object.assign(request, { id: Number(id), member: name, emoji: emoji && decodeURIComponent(emoji) });
        return this.#success(this[handler](request), handler);
      }
      refuse(404, "not_found");
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      return FakeServer.problem(problem);
    }
  }

  static problem({ status, code, message, field, after }) {
    const json = { error: message, code, status, request_id: "0".repeat(32), ...(field && { field }) };
    return { status, headers: after ? { "retry-after": String(after) } : {}, json };
  }

  #success(json, handler) {
    return { status: handler === "type" ? 202 : 200, headers: {}, json };
  }

  /**
   * Returns the acting user: the caller, who may not name another; without authentication, the user
   * named.
   */
  #actor({ caller, body, query }) {
    const named = body.username ?? query.get("username") ?? undefined;
    if (caller && named && named !== caller) refuse(403, "not_yourself");
    return caller ?? named ?? refuse(400, "invalid_username", { field: "username" });
  }

  // --- the state

  get epoch() {
    return this.#epoch;
  }

  conversation(id) {
    return this.#state.conversations.get(id) ?? refuse(404, "conversation_not_found");
  }

  get ids() {
    return [...this.#state.conversations.keys()];
  }

  members(c) {
    return [...c.stays]
      .filter(([, stays]) => last(stays).left_seq === undefined)
      .map(([name]) => name)
      .sort(byteOrder);
  }

  isMember(c, name) {
    return this.#standing(c, name) !== undefined;
  }

  /** Returns all messages of a conversation as that user sees them. */
  messages(id, name) {
    return this.conversation(id).messages.map(({ shown }) => this.#seen(shown, name));
  }

  /** Returns the reactions with the first names only, and `mine` for the viewer. */
  #seen(shown, name) {
    if (!shown?.reactions) return shown;
    const each = ([emoji, names]) => {
      const mine = name && { mine: names.includes(name) };
      return [emoji, { count: names.length, ...mine, names: names.slice(0, this.namesMax) }];
    };
    return { ...shown, reactions: Object.fromEntries(Object.entries(shown.reactions).map(each)) };
  }

  /** Returns the read markers of the members. */
  markers(c) {
    const theirs = [...c.markers].filter(([name]) => this.isMember(c, name));
    return Object.fromEntries(theirs.map(([name, { seq }]) => [name, seq]));
  }

  /** A user's conversations, as their list shows them. */
  entries(name) {
    return [...this.#state.conversations.values()]
      .filter((c) => this.isMember(c, name))
      .map((c) => this.#entry(c, name));
  }

  #standing(c, name) {
    const stay = last(c.stays.get(name) ?? []);
    return stay?.left_seq === undefined ? stay : undefined;
  }

  #member(c, name) {
    return this.#standing(c, name) ?? refuse(403, "not_a_member");
  }

  #received(c, name) {
    const within = ({ seq }) => c.stays.get(name).some((s) => seq > s.joined_seq && seq <= (s.left_seq ?? Infinity));
    return c.messages.filter(({ shown }) => within(shown));
  }

  #shown(c) {
    const members = this.members(c);
    return { ...c.face, ...(members.length <= FEW && { members }), member_count: members.length };
  }

  #few(c) {
    return this.members(c).length <= FEW;
  }

  #entry(c, name) {
    const received = this.#received(c, name),
      read_seq = c.markers.get(name)?.seq ?? 0;
    return {
      ...this.#shown(c),
      role: this.#standing(c, name).role,
      read_seq,
      unread: this.#unread(c, name),
      last_message: this.#seen(last(received)?.shown, name) ?? null,
    };
  }

  #unread(c, name) {
    const read_seq = c.markers.get(name)?.seq ?? 0;
    const counts = ({ shown }) => shown.seq > read_seq && shown.sender !== name && !shown.deleted_at;
    return Math.min(UNREAD_MAX, this.#received(c, name).filter(counts).length);
  }

  // --- changes

  /** Changes made within a millisecond are one transaction, unless a request reads in between. */
  #tick() {
    const state = this.#state,
      now = Date.now();
    if (this.#tickAt !== now) state.tick = Math.max(now, state.tick + 1);
    this.#tickAt = now;
    return state.tick;
  }

  #bump(c, more = {}) {
    c.face = { ...c.face, updated_at: this.#tick(), version: c.face.version + 1, ...more };
    return c.face.version;
  }

  /** Queues the event for the present members, and for `also`. */
  #announce(c, event, { also, to = [...new Set([...this.members(c), ...(also ? [also] : [])])] } = {}) {
    this.#outbox.push({ to, event: { conversation: c.face.id, ...event } });
    this.#due ??= setTimeout(() => this.push(), this.pushAfter());
  }

  /** Pushes all queued events now. */
  push() {
    const frames = new Map(); // by recipient and conversation
    clearTimeout(this.#due);
    this.#due = undefined;
    for (const { to, event } of this.#outbox.splice(0)) {
      const rendered = this.#render(event);
      for (const name of to) {
        const key = `${name} ${event.conversation}`;
        if (!frames.has(key)) frames.set(key, { name, events: [] });
        frames.get(key).events.push(rendered);
      }
    }
    for (const { name, events } of frames.values()) this.#deliver(name, { type: "notify", epoch: this.#epoch, events });
  }

  #render(event) {
    const c = this.conversation(event.conversation),
      { message_id, ...shown } = event;
    if (this.thin(event)) return shown;
    if (event.event.startsWith("message.")) shown.message = this.#seen(this.#state.messages.get(message_id).shown);
    if (event.event.startsWith("conversation.")) shown.object = this.#shown(c);
    if (event.event === "member.updated") shown.role = last(c.stays.get(event.username)).role;
    return shown;
  }

  #deliver(name, frame) {
    const text = JSON.stringify(frame);
    for (const take of this.#subscribers.get(name) ?? []) take(text);
  }

  /** Subscribes a user to pushes from now on; returns a function that unsubscribes. */
  subscribe({ query, ...credentials }, take) {
    const name = this.#actor({ query, body: {}, caller: this.callerOf({ query, ...credentials }) });
    if (!this.#subscribers.has(name)) this.#subscribers.set(name, new Set());
    this.#subscribers.get(name).add(take);
    return () => this.#subscribers.get(name).delete(take);
  }

  // --- backups

  backup() {
    return structuredClone(this.#state);
  }

  restore(state) {
    this.#state = structuredClone(state);
    this.#state.tick = Math.max(Date.now(), this.#state.tick);
    this.#epoch = hex(32, this.#chance);
    this.#outbox = [];
  }

  // --- conversations

  list(request) {
    const { query } = request;
    if (!request.caller && !query.has("username")) return { conversations: [] }; // the request has no ids
    const name = this.#actor(request),
      after = query.get("updated_after");
    const before = Number(query.get("updated_before") ?? Infinity);
    const found = [...this.#state.conversations.values()]
      .filter((c) => c.stays.has(name))
      .map((c) => this.#listed(c, name, after === null ? undefined : Number(after)))
      .filter((entry) => entry && entry.updated_at < before)
      .sort((a, b) => b.updated_at - a.updated_at || b.id - a.id);
    const page = this.#wholeTicks(found, Number(query.get("limit") ?? 100));
    this.#tickAt = 0;
    if (query.get("ping")) setTimeout(() => this.#deliver(name, { type: "notify", epoch: this.#epoch, events: [] }));
    return { conversations: page, has_next: page.length < found.length, epoch: this.#epoch, username: name };
  }

  /** Returns its entry in the list since that moment, if it is in there. */
  #listed(c, name, after) {
    const { id, type } = c.face,
      stay = last(c.stays.get(name));
    if (stay.left_seq === undefined) {
      const moved = c.markers.get(name)?.moved_at ?? 0;
      return after === undefined || c.face.updated_at > after || moved > after ? this.#entry(c, name) : null;
    }
    const { left_at: updated_at, left_version: version, left_seq: last_seq } = stay;
    return updated_at > after ? { id, type, left: true, updated_at, version, last_seq } : null;
  }

  /** A page never ends inside a tick. */
  #wholeTicks(found, limit) {
    let end = Math.min(limit, this.pageMax, found.length);
    const splits = (at) => at > 0 && at < found.length && found[at - 1].updated_at === found[at].updated_at;
    const wanted = end;
    while (splits(end)) end--;
    if (end > 0) return found.slice(0, end);
    for (end = wanted; splits(end);) end++;
    return found.slice(0, end);
  }

  create(request) {
    const { type, members, title, join = "open", client_id } = request.body,
      creator = this.#actor(request);
    const key = client_id && `${creator} ${client_id}`;
    if (this.#state.created.has(key)) return this.#shown(this.conversation(this.#state.created.get(key)));
    if ([...(title ?? "")].length > 200) refuse(400, "invalid_title", { field: "title" });
    const names = [...new Set([creator, ...members])].sort(byteOrder);
    for (const name of names)
      if (!/^\w{1,20}$/.test(name)) refuse(400, "invalid_member", { error: `Invalid username: ${name}` });
    if (type === "private_chat") {
      if (names.length !== 2 || members.length > 2) refuse(400, "invalid_member_count");
      const pair = [...this.#state.conversations.values()].find(
        (c) => c.face.type === type && names.every((name) => c.stays.has(name)),
      );
      if (pair) return this.#shown(pair);
    }
    const made = this.#add(type, names, { creator, title, join });
    if (key) this.#state.created.set(key, made.face.id);
    return this.#shown(made);
  }

  #add(type, names, { creator, title = "", join }) {
    const id = this.#state.conversations.size + 1,
      group = type === "group_chat",
      tick = this.#tick();
    const face = {
      id,
      type,
      title,
      ...(group && { join }),
      created_at: tick,
      updated_at: tick,
      last_seq: 0,
      version: 1,
    };
    const stay = (name) => ({ role: group && name === creator ? "owner" : "member", version: 1, joined_seq: 0 });
    const stays = new Map(names.map((name) => [name, [stay(name)]]));
    const c = { face, stays, messages: [], markers: new Map() };
    for (const name of names) this.#state.users.add(name);
    this.#state.conversations.set(id, c);
    this.#announce(c, { event: "conversation.created", version: 1 });
    return c;
  }

  name(request) {
    const c = this.conversation(request.id),
      { title = c.face.title, join } = request.body;
    const { role } = this.#member(c, this.#actor(request)),
      group = c.face.type === "group_chat";
    const owned = this.members(c).some((name) => this.#standing(c, name).role === "owner");
    if (join && !group) refuse(403, "private_chat");
    if ((join || owned) && role === "member") refuse(403, "role_required");
    if ([...title].length > 200) refuse(400, "invalid_title", { field: "title" });
    if (title === c.face.title && (join ?? c.face.join) === c.face.join) return this.#shown(c);
    this.#bump(c, { title, ...(join && { join }) });
    this.#announce(c, { event: "conversation.updated", version: c.face.version });
    return this.#shown(c);
  }

  #group(id) {
    const c = this.conversation(id);
    return c.face.type === "group_chat" ? c : refuse(403, "private_chat", { error: "Unable to join private chat" });
  }

  join(request) {
    const c = this.#group(request.id),
      name = this.#actor(request);
    if (!this.#state.users.has(name) && !request.caller) refuse(404, "invalid_username");
    if (this.isMember(c, name)) return SUCCESS;
    if (c.face.join === "invite") refuse(403, "invite_only");
    if (last(c.stays.get(name) ?? [])?.removed) refuse(403, "removed");
    this.#enter(c, name);
    return SUCCESS;
  }

  #enter(c, name) {
    const version = this.#bump(c);
    if (!c.stays.has(name)) c.stays.set(name, []);
    this.#state.users.add(name);
    c.stays.get(name).push({ role: "member", version, joined_seq: c.face.last_seq });
    this.#announce(c, { event: "member.joined", version, username: name });
  }

  leave(request) {
    const c = this.#group(request.id),
      name = this.#actor(request);
    if (this.isMember(c, name)) this.#exit(c, name, false);
    return SUCCESS;
  }

  #exit(c, name, removed) {
    const stay = this.#standing(c, name),
      version = this.#bump(c),
      was = stay.role;
    const left = { left_seq: c.face.last_seq, left_version: version, left_at: c.face.updated_at };
    Object.assign(stay, { version, removed, ...left });
    this.#announce(c, { event: "member.left", version, username: name }, { also: name });
    const rank = (one) => ["admin", "member"].indexOf(this.#standing(c, one).role);
    const [heir] = this.members(c).sort((a, b) => rank(a) - rank(b));
    if (was === "owner" && heir) this.#giveRole(c, heir, "owner");
  }

  #giveRole(c, name, role) {
    const version = this.#bump(c);
    Object.assign(this.#standing(c, name), { role, version });
    this.#announce(c, { event: "member.updated", version, username: name });
  }

  setMember(request) {
    const c = this.#group(request.id),
      { member: name } = request,
      { role } = request.body;
    const { role: mine } = this.#member(c, this.#actor(request));
    if (!/^\w{1,20}$/.test(name)) refuse(404, "invalid_username");
    const theirs = this.#standing(c, name)?.role;
    if (!theirs && last(c.stays.get(name) ?? [])?.removed && mine === "member") refuse(403, "role_required");
    if (role && role !== (theirs ?? "member") && mine !== "owner") refuse(403, "role_required");
    if (role && theirs === "owner" && role !== "owner") refuse(409, "owner_stays");
    if (!theirs) this.#enter(c, name);
    if (role && role !== this.#standing(c, name).role) {
      if (role === "owner") this.#giveRole(c, this.#actor(request), "admin");
      this.#giveRole(c, name, role);
    }
    return { username: name, role: this.#standing(c, name).role };
  }

  removeMember(request) {
    const c = this.#group(request.id),
      actor = this.#actor(request),
      { member: name } = request;
    const rank = (one) => ["member", "admin", "owner"].indexOf(this.#standing(c, one)?.role);
    if (actor !== name) {
      this.#member(c, actor);
      if (rank(actor) < 1 || rank(name) >= rank(actor)) refuse(403, "role_required");
    }
    if (this.isMember(c, name)) this.#exit(c, name, actor !== name);
    return SUCCESS;
  }

  mark(request) {
    const c = this.conversation(request.id),
      name = this.#actor(request),
      held = c.markers.get(name)?.seq ?? 0;
    this.#member(c, name);
    const seq = Math.min(request.body.seq, c.face.last_seq);
    if (seq > held) {
      c.markers.set(name, { seq, moved_at: this.#tick() });
      this.#announce(c, { event: "read", username: name, seq }, this.#few(c) ? {} : { to: [name] });
    }
    return { read_seq: Math.max(seq, held), unread: this.#unread(c, name) };
  }

  type(request) {
    const c = this.conversation(request.id),
      name = this.#actor(request);
    this.#member(c, name);
    const to = this.members(c).filter((one) => one !== name);
    if (this.#few(c)) this.#announce(c, { event: "typing", username: name }, { to });
    return SUCCESS;
  }

  listMembers({ id, query, caller }) {
    const c = this.conversation(id);
    if (caller) this.#member(c, caller);
    const [names, has_next] = this.#byName(this.members(c), query);
    const members = names.map((username) => ({ username, role: this.#standing(c, username).role }));
    return { members, member_count: this.members(c).length, has_next };
  }

  /** Returns a page of names, and whether there are more. */
  #byName(all, query) {
    const rest = all.filter((name) => name > (query.get("after") ?? "")),
      limit = Math.min(Number(query.get("limit") ?? 100), this.pageMax);
    return [rest.slice(0, limit), rest.length > limit];
  }

  presence({ id }) {
    return { online: this.members(this.conversation(id)).filter((name) => this.#subscribers.get(name)?.size) };
  }

  changes({ id, query, caller }) {
    const c = this.conversation(id),
      after = Number(query.get("after") ?? 0);
    if (caller) this.#member(c, caller);
    const limit = Math.min(Number(query.get("limit") ?? 100), this.pageMax);
    const standing = ([username, stays]) => {
      const { role, version, left_seq } = last(stays);
      return { version, member: { username, role, ...(left_seq !== undefined && { left: true }) } };
    };
    const all = [...c.messages.map(({ shown, version }) => ({ version, shown })), ...[...c.stays].map(standing)]
      .filter(({ version }) => version > after)
      .sort((a, b) => a.version - b.version);
    let end = Math.min(limit, all.length);
    while (end < all.length && all[end].version === all[end - 1].version) end++; // the first members share a version
    const page = all.slice(0, end),
      has_next = end < all.length;
    this.#tickAt = 0;
    return {
      messages: page.flatMap(({ shown }) => this.#seen(shown, caller) ?? []),
      members: page.flatMap(({ member }) => member ?? []),
      ...(this.#few(c) && { read: this.markers(c) }),
      ...(c.face.version > after && { conversation: this.#shown(c) }),
      version: has_next ? last(page).version : c.face.version,
      has_next,
      epoch: this.#epoch,
    };
  }

  // --- messages

  page({ query, caller }) {
    const id = Number(query.get("conversation_id"));
    if (!this.#state.conversations.has(id)) return { messages: [], has_prev: false, has_next: false };
    const c = this.conversation(id),
      all = c.messages.map(({ shown }) => shown);
    if (caller) this.#member(c, caller);
    const limit = Math.min(Number(query.get("limit") ?? 100), this.pageMax);
    let end = Math.min(all.length, Number(query.get("before_seq") ?? Infinity) - 1),
      begin = Math.max(0, end - limit);
    if (query.has("after_seq")) ((begin = Number(query.get("after_seq"))), (end = Math.min(all.length, begin + limit)));
    if (query.has("around_seq")) {
      begin = Math.max(0, Number(query.get("around_seq")) - 1 - Math.floor((limit - 1) / 2));
      end = Math.min(all.length, begin + limit);
    }
    this.#tickAt = 0;
    return {
      messages: all.slice(begin, end).map((shown) => this.#seen(shown, caller)),
      has_prev: begin > 0,
      has_next: end < all.length,
    };
  }

  send(request) {
    const { conversation_id, content = "", client_id, reply_to } = request.body,
      sender = this.#actor(request);
    const key = client_id && `${sender} ${client_id}`,
      first = this.#state.messages.get(this.#state.keys.get(key));
    if (first && (first.shown.conversation !== conversation_id || first.content !== content))
      refuse(422, "idempotency_mismatch");
    if (first) return first.shown;
    if (!this.#state.conversations.has(conversation_id))
      refuse(400, "invalid_conversation_id", { error: "Invalid conversation ID", field: "conversation_id" });
    const c = this.conversation(conversation_id);
    if (!this.isMember(c, sender)) refuse(403, "not_a_member", { error: "Sender is not a member of the conversation" });
    if (Buffer.byteLength(content) > 65536) refuse(413, "content_too_long", { field: "content" });
    if (reply_to && this.#state.messages.get(reply_to)?.shown.conversation !== conversation_id)
      refuse(400, "invalid_reply_to", { field: "reply_to" });
    const version = this.#bump(c, { last_seq: c.face.last_seq + 1 }),
      id = this.#state.messages.size + 1;
    const shown = {
      id,
      conversation: conversation_id,
      seq: c.face.last_seq,
      sender,
      content,
      timestamp: c.face.updated_at,
      ...(client_id && { client_id }),
      ...(reply_to && { reply_to }),
    };
    const message = { shown, version, content };
    c.messages.push(message);
    this.#state.messages.set(id, message);
    if (key) this.#state.keys.set(key, id);
    this.#announce(c, { event: "message.created", version, message_id: id });
    return shown;
  }

  #message(id) {
    return this.#state.messages.get(id) ?? refuse(404, "message_not_found");
  }

  #amend(message, event, changes, told) {
    const c = this.conversation(message.shown.conversation);
    message.version = this.#bump(c);
    const shown = { ...message.shown, ...changes(c.face.updated_at) };
    message.shown = Object.fromEntries(Object.entries(shown).filter(([, value]) => value !== undefined));
    this.#announce(c, { event, version: message.version, message_id: message.shown.id, ...told });
    return this.#seen(message.shown, told?.username);
  }

  edit(request) {
    const message = this.#message(request.id),
      { content } = request.body;
    if (message.shown.sender !== this.#actor(request)) refuse(403, "not_the_sender");
    this.#member(this.conversation(message.shown.conversation), message.shown.sender);
    if (message.shown.deleted_at) refuse(409, "message_deleted");
    if (message.shown.content === content) return message.shown;
    return this.#amend(message, "message.updated", (edited_at) => ({ content, edited_at }));
  }

  /** Returns a message that the actor may delete; the same users may clear its emoji. */
  #erasable(request) {
    const message = this.#message(request.id),
      actor = this.#actor(request);
    const role = this.#standing(this.conversation(message.shown.conversation), actor)?.role ?? "member";
    if (message.shown.sender !== actor && role === "member") refuse(403, "not_the_sender");
    return message;
  }

  erase(request) {
    const message = this.#erasable(request);
    if (message.shown.deleted_at) return message.shown;
    const gone = { content: "", edited_at: undefined, reactions: undefined };
    return this.#amend(message, "message.deleted", (deleted_at) => ({ ...gone, deleted_at }));
  }

  react(request) {
    return this.#setReaction(request, true);
  }

  unreact(request) {
    if (request.query.get("all") === "true") return this.#clear(request);
    return this.#setReaction(request, false);
  }

  #clear(request) {
    const message = this.#erasable(request),
      { [request.emoji]: names, ...others } = message.shown.reactions ?? {};
    if (!names) return this.#seen(message.shown, this.#actor(request));
    const reactions = Object.keys(others).length ? others : undefined;
    return this.#amend(message, "message.updated", () => ({ reactions }), { emoji: request.emoji, added: false });
  }

  listReactions({ id, query, caller }) {
    const { shown } = this.#message(id),
      emoji = query.get("emoji"),
      all = shown.reactions?.[emoji] ?? [];
    if (caller) this.#member(this.conversation(shown.conversation), caller);
    const [names, has_next] = this.#byName(all, query);
    return { emoji, count: all.length, names, has_next };
  }

  #setReaction(request, there) {
    const message = this.#message(request.id),
      name = this.#actor(request),
      { emoji } = request;
    this.#member(this.conversation(message.shown.conversation), name);
    if (there && message.shown.deleted_at) refuse(409, "message_deleted");
    const all = message.shown.reactions ?? {},
      names = all[emoji] ?? [];
    if (names.includes(name) === there) return message.shown;
    if (there && !all[emoji] && Object.keys(all).length === 32) refuse(422, "too_many_reactions");
    const now = { ...all, [emoji]: there ? [...names, name].sort(byteOrder) : names.filter((one) => one !== name) };
    if (!now[emoji].length) delete now[emoji];
    const told = { username: name, emoji, added: there };
    return this.#amend(
      message,
      "message.updated",
      () => ({ reactions: Object.keys(now).length ? now : undefined }),
      told,
    );
  }
}
