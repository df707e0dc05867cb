/*
 * kept.js - what outlives a tab: messages that wait to be sent, for each user and imd apart. Part of imd.js.
 */
import { attempt, ImdError } from "./http.js";

export class Kept {
  #storage;
  #url;
  /** Nothing is kept under nobody's name. */
  user = "";

  constructor(storage = attempt(() => localStorage), url) {
    this.#storage = storage;
    this.#url = url;
  }

  /** Of a message, or where all of this user begin. */
  key(client_id = "") {
    return `imd ${this.#url} ${this.user} ${client_id}`;
  }

  #set(key, value) {
    if (this.user) attempt(() => this.#storage.setItem(key, JSON.stringify(value)));
  }

  #remove(key) {
    attempt(() => this.#storage.removeItem(key));
  }

  save(message) {
    this.#set(this.key(message.client_id), message);
  }

  remove({ client_id }) {
    this.#remove(this.key(client_id));
  }

  #keys(begin) {
    const keys = Array.from({ length: this.#storage?.length ?? 0 }, (_, i) => this.#storage.key(i));
    return keys.filter((key) => key.startsWith(begin));
  }

  /** The messages of this user, oldest first. */
  get messages() {
    const all = this.#keys(this.key()).map((key) => attempt(() => this.#message(key)));
    return all.filter((one) => one?.conversation).sort((a, b) => a.timestamp - b.timestamp);
  }

  #message(key) {
    const { error, ...message } = JSON.parse(this.#storage.getItem(key));
    return { ...message, error: error && new ImdError(error, error) };
  }

  /** Whether an event of the storage, which other tabs cause, is about a message of this user. */
  concerns({ key, storageArea }) {
    return this.user && storageArea === this.#storage && key?.startsWith(this.key());
  }

  forget() {
    for (const key of this.#keys(this.key())) this.#remove(key);
  }
}
