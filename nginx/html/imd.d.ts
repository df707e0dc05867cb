/**
 * imd.js - a client of imd's conversations that misses nothing, for browsers and for anything else
 * that has fetch and WebSocket.
 *
 * It holds the server's own vocabulary: conversations and messages are the objects of the HTTP API
 * under the same names, with a few additions below. They are read synchronously and never mutated.
 * A change makes a new object, so `===` detects it, and any framework's store binding fits:
 *
 *     const chat = new Client({ user: "bob" });
 *     chat.start();
 *     const stop = chat.subscribe(() => render(chat.status, chat.conversations, chat.messages(7)));
 */

export interface Options {
  /**
   * Where imd is mounted. Default: one level above this module (`/chat/im/imd.js` → `/chat/`).
   * Required in a bundle, whose address does not tell: start() rejects without it, `missing_url`.
   */
  url?: string | URL;
  /**
   * The user's name. Default: `sub` of the token, else the caller's name on the server. If neither
   * exists, start() rejects, `missing_user`.
   */
  user?: string;
  /**
   * Returns the caller's token, for sites whose tokens are not in a cookie. It is called once, and
   * again with `refresh: true` when the server refuses the last token.
   */
  token?: (ask: { refresh: boolean }) => string | Promise<string>;
  /** Messages per page. Default 50. */
  limit?: number;
  /**
   * Where the user's unsent and refused messages are stored to outlive the tab, separately for each
   * user. Default localStorage; null: nowhere. See also forget().
   */
  storage?: Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length"> | null;
  /**
   * Milliseconds without a push after which the client asks whether it missed something. Default
   * 60,000.
   */
  silence?: number;
  /**
   * A request times out after this many milliseconds of silence; as long as data arrives, it may
   * take longer. Default 10,000.
   */
  timeout?: number;
  /**
   * The longest pause between two attempts to connect or to send, in milliseconds. Default 30,000;
   * the first is a hundredth of it.
   */
  pause?: number;
  /** The polling interval in milliseconds, used when pushes are impossible. Default 3,000. */
  poll?: number;
  /**
   * True: the tabs of a browser share one socket, if it has Web Locks and BroadcastChannel. Default
   * true.
   */
  share?: boolean;
}

export interface Reaction {
  count: number;
  /** The user is among them. */
  mine: boolean;
  /** In byte order, at most 100: `reactions()` has the others. */
  names: string[];
}

export interface Message {
  /**
   * id and seq come from the server; they are absent on the user's messages that it has not
   * answered yet.
   */
  id?: number;
  seq?: number;
  conversation: number;
  sender: string;
  content: string;
  /** UNIX milliseconds; of an unanswered message, by this machine's clock. */
  timestamp: number;
  client_id?: string;
  reply_to?: number;
  edited_at?: number;
  deleted_at?: number;
  /** By emoji. */
  reactions?: Record<string, Reaction>;
  /** Edited after the user had left, so the content is not shown. */
  withheld?: boolean;
  /**
   * Of the user's own messages: on its way, or refused (see `error`). Absent: the server has it.
   */
  state?: "sending" | "failed";
  error?: ImdError;
}

export interface Conversation {
  id: number;
  type: "private_chat" | "group_chat";
  title: string;
  join: "open" | "invite";
  /** Absent if there are more than 100: `members()` returns them. */
  members?: string[];
  member_count: number;
  created_at: number;
  updated_at: number;
  last_seq: number;
  version: number;
  /** The user's own. */
  role: "member" | "admin" | "owner";
  read_seq: number;
  /**
   * Messages of others that the user received after `read_seq`, not deleted; counted up to 1,000.
   */
  unread: number;
  last_message: Message | null;
  /**
   * Additions: how far the members have read, as far as known; who is typing; who was online at the
   * last presence().
   */
  read: Record<string, number>;
  typing: string[];
  online?: string[];
  /**
   * Whether messages are held (`open`), whether older ones exist, and whether newer ones are still
   * loading (after `around`).
   */
  loaded: boolean;
  older: boolean;
  newer: boolean;
}

/**
 * idle: not started, or stopped. polling: pushes are impossible, so the client asks every few
 * seconds. offline: the last attempt failed, and the next comes by itself. refused: see `error`;
 * call start() again.
 */
export type Status = "idle" | "connecting" | "online" | "polling" | "offline" | "refused";

/**
 * The events of `on()`, by type. They come in the order in which they happened, once all of a
 * change is held.
 */
export interface Events {
  /**
   * A message came or changed: it was pushed, or found after a gap. In a conversation that is not
   * open, only the last message is found. The push of a reaction also has the user, the emoji, and
   * whether it was added. No `username`: the emoji was cleared.
   */
  message: {
    type: "message.created" | "message.updated" | "message.deleted";
    conversation: number;
    message: Message;
    username?: string;
    emoji?: string;
    added?: boolean;
  };
  /**
   * The user's list gained a conversation, lost one (`object` as it was), or one of them changed.
   */
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
  /** The server refused a message of the user, or the connection. */
  error: ImdError;
  /**
   * After all other events of a change: the ids of the conversations concerned (none: only the
   * status changed).
   */
  change: Set<number>;
}

/**
 * A refusal of the server, with its sentence, code and request id; status 0: there was no answer.
 */
export class ImdError extends Error {
  status: number;
  code: string;
  field?: string;
  request_id?: string;
}

export class Client {
  constructor(options?: Options);

  // --- the connection
  /**
   * Connects, and stays connected until stop(). Resolves once everything is held for the first
   * time.
   */
  start(): Promise<void>;
  /**
   * Closes the connection. The state is kept, and unanswered messages wait for the next start(). A
   * waiting open() rejects.
   */
  stop(): void;
  readonly status: Status;
  readonly error: ImdError | null;
  /** The user's name; "" until it is known. */
  readonly user: string;

  // --- the state
  /**
   * Calls back once per change, with the ids of the conversations concerned (none: only the status
   * changed). Returns a function that unsubscribes.
   */
  subscribe(listener: (changed: Set<number>) => void): () => void;
  /**
   * Calls the listener for each event, in order. Returns a function that removes it. If a listener
   * throws, the others are still called, and the error is reported as uncaught.
   */
  on<Type extends keyof Events>(type: Type, listener: (what: Events[Type]) => void): () => void;
  /** The user's conversations, by their last message, newest first. */
  readonly conversations: readonly Conversation[];
  conversation(id: number): Conversation | undefined;
  /**
   * The held messages, oldest first, without a gap, up to the newest unless `newer`; then the
   * user's unanswered ones.
   */
  messages(id: number): readonly Message[];

  // --- history
  /**
   * Loads the newest page, unless messages are held, and keeps it up to date. Rejects before
   * start().
   */
  open(id: number): Promise<void>;
  /** Loads the page before what is held. Resolves with false if there is none. */
  older(id: number, limit?: number): Promise<boolean>;
  /**
   * Opens a conversation with the page around the message `seq`, unless that is held. Newer
   * messages follow by themselves: `newer` is true until all are there. Resolves with false if
   * there is no such message.
   */
  around(id: number, seq: number): Promise<boolean>;
  /** Drops the messages of a conversation, and stops keeping them up to date. */
  close(id: number): void;

  // --- messages
  /**
   * Shows the message at once (`state: "sending"`) and retries until there is an answer, in the
   * order of the calls. Resolves with the server's message. Rejects if the server refuses it; the
   * message then stays as `failed`. NULs and lone surrogates are removed, because the server
   * refuses them. More than 65,536 bytes fail without being sent.
   */
  send(id: number, content: string, more?: { reply_to?: number }): Promise<Message>;
  /** Sends a failed message again. */
  retry(id: number, client_id: string): Promise<Message>;
  /** Discards a failed message. */
  discard(id: number, client_id: string): void;
  edit(message_id: number, content: string): Promise<Message>;
  delete(message_id: number): Promise<Message>;
  react(message_id: number, emoji: string): Promise<Message>;
  unreact(message_id: number, emoji: string): Promise<Message>;
  /** Removes all users' reactions with an emoji, if the user may delete the message. */
  clearReaction(message_id: number, emoji: string): Promise<Message>;
  /**
   * Returns the users who reacted with that emoji, in byte order, 100 per page; `after`: the last
   * name of the page before.
   */
  reactions(
    message_id: number,
    emoji: string,
    page?: { after?: string; limit?: number },
  ): Promise<{ emoji: string; count: number; names: string[]; has_next: boolean }>;

  /** Removes this user's unsent messages, here and in the storage; for signing out. */
  forget(): void;
  /** True if a text has only white space and invisible characters. */
  static isBlank(text: string): boolean;

  // --- attention
  /**
   * Marks as read up to `seq`; default: everything. Calls made while one is on its way are merged.
   */
  read(id: number, seq?: number): Promise<void>;
  /**
   * Tells the others that the user is typing. Call it at each key; it sends at most one request
   * every three seconds.
   */
  typing(id: number): void;
  /** Returns the online users; also in `conversation.online`. */
  presence(id: number): Promise<string[]>;

  // --- conversations
  /** Creates a conversation: exactly one, however often the request must be retried. */
  create(what: {
    type: "private_chat" | "group_chat";
    members: string[];
    title?: string;
    join?: "open" | "invite";
    /**
     * The idempotency key. Pass the same one if you call create() again for the same conversation.
     */
    client_id?: string;
  }): Promise<Conversation>;
  update(id: number, what: { title?: string; join?: "open" | "invite" }): Promise<void>;
  join(id: number): Promise<void>;
  /**
   * Returns the members in byte order of names, 100 per page; `after`: the last name of the page
   * before.
   */
  members(
    id: number,
    page?: { after?: string; limit?: number },
  ): Promise<{
    members: { username: string; role: "member" | "admin" | "owner" }[];
    member_count: number;
    has_next: boolean;
  }>;
  leave(id: number): Promise<void>;
  /** Adds a member, or changes a member's role. */
  setMember(id: number, name: string, role?: "member" | "admin" | "owner"): Promise<void>;
  removeMember(id: number, name: string): Promise<void>;

  /** Sends any other request of the HTTP API, as the same caller. Rejects with ImdError. */
  request(
    method: string,
    path: string,
    query?: Record<string, string | number | undefined>,
    body?: object,
  ): Promise<any>;
}
