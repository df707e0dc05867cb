/**
 * imd.js - a client of imd's conversations that misses nothing, for browsers (and for whatever has fetch and WebSocket).
 *
 * What it holds is the server's own vocabulary: conversations and messages are the objects of the HTTP API under the
 * same names, with the few additions below. All of it is read synchronously and never mutated: what has changed is
 * another object, so `===` tells, and any framework's store binding fits:
 *
 *     const chat = new Client({ user: "bob" });
 *     chat.start();
 *     const stop = chat.subscribe(() => render(chat.status, chat.conversations, chat.messages(7)));
 */

export interface Options {
  /**
   * Where imd is mounted. Default: one level above this module (`/chat/im/imd.js` → `/chat/`). Required in a bundle, whose
   * address tells nothing: without it start() is refused, `missing_url`.
   */
  url?: string | URL;
  /** One's own name. Default: `sub` of the token, else whom the server takes the caller for; else refused, `missing_user`. */
  user?: string;
  /**
   * The caller's token, where the site uses tokens that are not in a cookie. Asked for once, and again with
   * `refresh: true` when the server refuses the last one.
   */
  token?: (ask: { refresh: boolean }) => string | Promise<string>;
  /** Messages of a page. Default 50. */
  limit?: number;
  /**
   * Where one's own messages that are not yet answered, or were refused, outlive the tab, for each user apart. Default
   * localStorage; null: nowhere. See also forget().
   */
  storage?: Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length"> | null;
  /** Milliseconds without a push after which it asks whether it missed something. Default 60,000. */
  silence?: number;
  /** Milliseconds of silence after which a request is given up: an answer may take longer, as long as it comes. Default 10,000. */
  timeout?: number;
  /** The longest pause between two tries to connect or to send, in milliseconds. Default 30,000; the first is a hundredth. */
  pause?: number;
  /** Milliseconds between two questions where no push can be had. Default 3,000. */
  poll?: number;
  /** Whether the tabs of a browser share one socket, where it has Web Locks and BroadcastChannel. Default true. */
  share?: boolean;
}

export interface Reaction {
  count: number;
  /** Whether oneself is among them. */
  mine: boolean;
  /** In byte order, at most 100: `reactions()` has the others. */
  names: string[];
}

export interface Message {
  /** id, seq: from the server; absent while a message of one's own is not yet answered. */
  id?: number;
  seq?: number;
  conversation: number;
  sender: string;
  content: string;
  /** UNIX milliseconds; of an unanswered message by the own clock. */
  timestamp: number;
  client_id?: string;
  reply_to?: number;
  edited_at?: number;
  deleted_at?: number;
  /** By emoji. */
  reactions?: Record<string, Reaction>;
  /** Edited after one had left: the content is not shown. */
  withheld?: boolean;
  /** Of one's own that the server has not confirmed: on its way; refused, see `error`. Absent: the server has it. */
  state?: "sending" | "failed";
  error?: ImdError;
}

export interface Conversation {
  id: number;
  type: "private_chat" | "group_chat";
  title: string;
  join: "open" | "invite";
  /** Absent where there are more than 100: `members()` has them. */
  members?: string[];
  member_count: number;
  created_at: number;
  updated_at: number;
  last_seq: number;
  version: number;
  /** One's own. */
  role: "member" | "admin" | "owner";
  read_seq: number;
  /** Of others, received, not deleted, after `read_seq`; up to 1,000. */
  unread: number;
  last_message: Message | null;
  /** Additions: how far the members have read, as far as known; who types now; who has a socket, as last asked. */
  read: Record<string, number>;
  typing: string[];
  online?: string[];
  /** Whether messages are held (`open`), whether there are older ones than those, and newer ones on their way (after `around`). */
  loaded: boolean;
  older: boolean;
  newer: boolean;
}

/**
 * idle: not started, or stopped; polling: no push can be had, so it asks every few seconds; offline: the last try failed,
 * the next one comes by itself; refused: see `error`, start again.
 */
export type Status = "idle" | "connecting" | "online" | "polling" | "offline" | "refused";

/** What `on()` tells, by type, in the order in which it happened, once all of it is held. */
export interface Events {
  /**
   * A message came, or changed: by a push, or found out after a gap (of a conversation that is not open, the last one
   * alone). By a push of a reaction also whose, which, and whether it was added; no `username`: the emoji was cleared.
   */
  message: {
    type: "message.created" | "message.updated" | "message.deleted";
    conversation: number;
    message: Message;
    username?: string;
    emoji?: string;
    added?: boolean;
  };
  /** One's own list has another conversation, or lost one (`object` as it was), or one of them changed. */
  conversation: {
    type: "conversation.created" | "conversation.updated" | "conversation.removed";
    conversation: number;
    object: Conversation;
  };
  member: {
    type: "member.joined" | "member.left" | "member.updated";
    conversation: number;
    username: string;
    role?: Conversation["role"];
    object: Conversation;
  };
  read: { conversation: number; username: string; seq: number };
  typing: { conversation: number; username: string };
  status: { status: Status; before: Status; error: ImdError | null };
  /** A message of one's own, or the connection, was refused. */
  error: ImdError;
  /** After all others of one go: the ids of the conversations concerned (none: the status alone). */
  change: Set<number>;
}

/** What the server refused, with its sentence, code and request id; status 0: there was no answer. */
export class ImdError extends Error {
  status: number;
  code: string;
  field?: string;
  request_id?: string;
}

export class Client {
  constructor(options?: Options);

  // --- the connection
  /** Connects, and stays connected until stop(). Resolves once everything is held for the first time. */
  start(): Promise<void>;
  /** Closes the connection. What is held stays; unanswered messages wait for the next start(). open() that waits rejects. */
  stop(): void;
  readonly status: Status;
  readonly error: ImdError | null;
  /** One's own name; "" until it is known. */
  readonly user: string;

  // --- what is held
  /**
   * Calls back after changes, once for all that change in one go, with the ids of the conversations concerned (none: the
   * status alone). Returns the function that ends it.
   */
  subscribe(listener: (changed: Set<number>) => void): () => void;
  /**
   * Tells what happened, to each listener, in the order in which it did. Returns the function that ends it. Where a listener
   * throws, the others are called all the same, and the error is reported as one that nobody caught.
   */
  on<Type extends keyof Events>(type: Type, listener: (what: Events[Type]) => void): () => void;
  /** Those of the user, by their last message, newest first. */
  readonly conversations: readonly Conversation[];
  conversation(id: number): Conversation | undefined;
  /** Oldest first, without a hole, up to the newest unless `newer`; then one's own that are unanswered. */
  messages(id: number): readonly Message[];

  // --- history
  /** Loads the newest page, unless messages are held, and keeps it up to date. Rejects before start(). */
  open(id: number): Promise<void>;
  /** Loads the page before what is held; false: there is none. */
  older(id: number, limit?: number): Promise<boolean>;
  /**
   * Opens a conversation with the page around the message `seq`, unless that is held. Those up to the newest follow by
   * themselves: `newer` is true until all are there. False: there is no such message.
   */
  around(id: number, seq: number): Promise<boolean>;
  /** Forgets the messages of a conversation, and asks for no more of them. */
  close(id: number): void;

  // --- messages
  /**
   * Shows the message at once (`state: "sending"`) and tries until there is an answer, in the order of the calls.
   * Resolves with the server's message; rejects where it refuses, and the message stays as `failed`. NULs and lone
   * surrogates, which the server does not take, are left out. More than 65,536 bytes fail without being sent.
   */
  send(id: number, content: string, more?: { reply_to?: number }): Promise<Message>;
  /** Tries a failed message again. */
  retry(id: number, client_id: string): Promise<Message>;
  /** Takes a failed message away. */
  discard(id: number, client_id: string): void;
  edit(message_id: number, content: string): Promise<Message>;
  delete(message_id: number): Promise<Message>;
  react(message_id: number, emoji: string): Promise<Message>;
  unreact(message_id: number, emoji: string): Promise<Message>;
  /** Takes everybody's reaction with an emoji away, where one may delete the message. */
  clearReaction(message_id: number, emoji: string): Promise<Message>;
  /** Who reacted so, in byte order: 100 a page, from the first name behind `after`. */
  reactions(
    message_id: number,
    emoji: string,
    page?: { after?: string; limit?: number },
  ): Promise<{ emoji: string; count: number; names: string[]; has_next: boolean }>;

  /** Removes this user's unsent messages, here and in the storage, as one who signs out may want. */
  forget(): void;
  /** Whether nothing of a text could be seen: white space and invisible characters alone. */
  static isBlank(text: string): boolean;

  // --- attention
  /** Marks as read up to `seq`; default: all. Further calls while one is on its way become one. */
  read(id: number, seq?: number): Promise<void>;
  /** Tells the others that one types: call it at each key, it goes out every three seconds at most. */
  typing(id: number): void;
  /** Asks who has an open socket; also in `conversation.online`. */
  presence(id: number): Promise<string[]>;

  // --- conversations
  /** With its title, and once, however often it has to be asked for. */
  create(what: {
    type: "private_chat" | "group_chat";
    members: string[];
    title?: string;
    join?: "open" | "invite";
    /** The same in each try, where you try again: so there is one conversation. */
    client_id?: string;
  }): Promise<Conversation>;
  update(id: number, what: { title?: string; join?: "open" | "invite" }): Promise<void>;
  join(id: number): Promise<void>;
  /** In byte order of names: 100 a page, from the first name behind `after`. */
  members(
    id: number,
    page?: { after?: string; limit?: number },
  ): Promise<{
    members: { username: string; role: "member" | "admin" | "owner" }[];
    member_count: number;
    has_next: boolean;
  }>;
  leave(id: number): Promise<void>;
  /** Adds a member, or gives one a role. */
  setMember(id: number, name: string, role?: "member" | "admin" | "owner"): Promise<void>;
  removeMember(id: number, name: string): Promise<void>;

  /** Any other request of the HTTP API, as the same caller. Rejects with ImdError. */
  request(
    method: string,
    path: string,
    query?: Record<string, string | number | undefined>,
    body?: object,
  ): Promise<any>;
}
