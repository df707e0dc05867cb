/*
 * kept.js - stores unsent messages, so that they outlive the tab, separately for each user and imd.
 * Part of imd.js.
 */
import { attempt, ImdError } from "./http.js";

export class Kept {
  #storage;
  #url;
  /** Nothing is stored while this is empty. */
  user = "";

  constructor(storage = attempt(() => localStorage), url) {
    this.#storage = storage;
    this.#url = url;
  }

  /** Returns the key of a message, or the prefix of all keys of this user. */
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

  /** Returns the stored messages of this user, oldest first. */
  get messages() {
    const all = this.#keys(this.key()).map((key) => attempt(() => this.#message(key)));
    return all.filter((one) => one?.conversation).sort((a, b) => a.timestamp - b.timestamp);
  }

  #message(key) {
    const { error, ...message } = JSON.parse(this.#storage.getItem(key));
    return { ...message, error: error && new ImdError(error, error) };
  }

  /** True if a storage event (another tab caused it) is about a message of this user. */
  concerns({ key, storageArea }) {
    return this.user && storageArea === this.#storage && key?.startsWith(this.key());
  }

  forget() {
    for (const key of this.#keys(this.key())) this.#remove(key);
  }
}
