// Where likes are kept: in a profile on the server, where that may be written; else in this browser.

const PREFIX = "mignon ";

const weights = state =>
  Object.fromEntries([...state.likes.map(({id, weight}) => [id, weight]), ...state.dislikes.map(({id, weight}) => [id, -weight])]);

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null; // the browser keeps nothing for this page, or somebody else wrote it
  }
}

/** Likes by the digest of the file; a new file of the same name starts with those of the one before. */
export class BrowserStore {
  constructor({digest, name}) {
    this.key = PREFIX + digest;
    this.name = name;
  }

  load() {
    const own = read(this.key);
    if (own) return own.likes ?? {};
    const records = this.#keys().map(read).filter(record => record?.name === this.name);
    return records.sort((a, b) => b.saved - a.saved)[0]?.likes ?? {};
  }

  /** Whether it could be kept. */
  save(_, after) {
    try {
      localStorage.setItem(this.key, JSON.stringify({name: this.name, saved: Date.now(), likes: weights(after)}));
      return true;
    } catch {
      return false;
    }
  }

  #keys() {
    try {
      return Object.keys(localStorage).filter(key => key.startsWith(PREFIX) && key !== PREFIX + "profile");
    } catch {
      return [];
    }
  }
}

/** Likes in a profile of the server; changes are sent one after the other. */
export class ProfileStore {
  constructor(client, profile) {
    this.client = client;
    this.profile = profile;
    this.sending = Promise.resolve();
  }

  load() {
    return this.client.profile(this.profile);
  }

  async save(before, after) {
    const old = weights(before), now = weights(after);
    const changed = [...new Set([...Object.keys(old), ...Object.keys(now)])].filter(id => old[id] !== now[id]);
    const send = async () => {
      for (const id of changed) await this.client.like(this.profile, id, now[id] ?? 0);
      return true;
    };
    this.sending = this.sending.then(send, send);
    return this.sending;
  }
}

export const profileName = () => read(PREFIX + "profile") || "me";

export function rememberProfile(name) {
  try {
    localStorage.setItem(PREFIX + "profile", JSON.stringify(name));
  } catch {
    // then it is asked for again next time
  }
}
