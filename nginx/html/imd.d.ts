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
  /** Where imd is mounted. Default: one level above this module (`/chat/im/imd.js` → `/chat/`). */
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
  /** Where one's own messages that are not yet answered, or were refused, are kept; null: nowhere. Default localStorage. */
  storage?: Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length"> | null;
  /** Milliseconds without a push after which it asks whether it missed something. Default 60,000. */
  silence?: number;
  /** Milliseconds of silence after which a request counts as lost, however long it takes in all. Default 10,000. */
  timeout?: number;
  /** The longest pause between two tries to connect or to send, in milliseconds. Default 30,000; the first is a hundredth. */
  pause?: number;
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
  /** The content was edited after one had left, and is "" here. */
  withheld?: true;
  reactions?: Record<string, Reaction>;
  /** Of one's own that the server has not confirmed: on its way; refused, see `error`. Absent: the server has it. */
  state?: "sending" | "failed";
  error?: ImdError;
}

export interface Reaction {
  count: number;
  /** Oneself is among them. */
  mine: boolean;
  /** In byte order, the first 100. */
  names: string[];
}

export interface Conversation {
  id: number;
  type: "private_chat" | "group_chat";
  title: string;
  join: "open" | "invite";
  /** Absent where there are more than 100. */
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
  /** Whether messages are held (`open`), and whether there are older ones than those. */
  loaded: boolean;
  older: boolean;
}

/**
 * idle: not started, or stopped; polling: nothing can be pushed here (a proxy that buffers), so it asks every few seconds;
 * offline: the last try failed, the next one comes by itself; refused: see `error`, start again.
 */
export type Status = "idle" | "connecting" | "online" | "polling" | "offline" | "refused";

/** What on() tells, by name. */
export interface Events {
  /** A message was sent, edited, reacted to, or deleted, as far as its conversation is held or open. */
  message: {
    type: "message.created" | "message.updated" | "message.deleted";
    conversation: number;
    message?: Message;
    username?: string;
    emoji?: string;
    added?: boolean;
  };
  conversation: { type: string; conversation: number };
  member: {
    type: "member.joined" | "member.left" | "member.updated";
    conversation: number;
    username: string;
    role?: Conversation["role"];
  };
  read: { conversation: number; username: string; seq: number };
  typing: { conversation: number; username: string };
  status: { status: Status; error: ImdError | null };
  /** A message of one's own was refused. */
  error: ImdError;
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
  /** Closes the connection. What is held stays; unanswered messages wait for the next start(). */
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
  /** Calls back with each single thing that happens. Returns the function that ends it. */
  on<Name extends keyof Events>(name: Name, listener: (what: Events[Name]) => void): () => void;
  /** Those of the user, by their last message, newest first. */
  readonly conversations: readonly Conversation[];
  conversation(id: number): Conversation | undefined;
  /** Oldest first, without a hole from the first one held up to the newest; then one's own that are unanswered. */
  messages(id: number): readonly Message[];

  // --- history
  /** Loads the newest page, unless it is held, and keeps it up to date. Rejects before start(). */
  open(id: number): Promise<void>;
  /** Loads the page before what is held; false: there is none. */
  older(id: number, limit?: number): Promise<boolean>;
  /** Opens a conversation so that the message `seq` is held, with all that came after it; false: there is none. */
  around(id: number, seq: number): Promise<boolean>;
  /** Forgets the messages of a conversation. */
  close(id: number): void;

  // --- messages
  /**
   * Shows the message at once (`state: "sending"`) and tries until there is an answer, in the order of the calls.
   * Resolves with the server's message; rejects where it refuses, and the message stays as `failed`. What no server takes
   * is left out of the content (NUL, halves of characters); what is too long rejects at once, and nothing is shown.
   */
  send(id: number, content: string, more?: { reply_to?: number }): Promise<Message>;
  /** Whether nothing of it could be seen: blanks and invisible characters alone. */
  static isBlank(text: string): boolean;
  /** Tries a failed message again. */
  retry(id: number, client_id: string): Promise<Message>;
  /** Takes a failed message away. */
  discard(id: number, client_id: string): void;
  edit(message_id: number, content: string): Promise<Message>;
  delete(message_id: number): Promise<Message>;
  react(message_id: number, emoji: string): Promise<Message>;
  unreact(message_id: number, emoji: string): Promise<Message>;

  // --- attention
  /** Marks as read up to `seq`; default: all. Further calls while one is on its way become one. */
  read(id: number, seq?: number): Promise<void>;
  /** Tells the others that one types: call it at each key, it goes out every three seconds at most. */
  typing(id: number): void;
  /** Asks who has an open socket; also in `conversation.online`. */
  presence(id: number): Promise<string[]>;

  // --- conversations
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
