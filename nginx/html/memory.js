/*
 * memory.js - values stored for this tab, and for this browser. If storage is not allowed, they
 * last until the page is reloaded.
 */

function store(of) {
  let storage = {};
  try {
    storage = globalThis[of] ?? storage;
  } catch {
    // not allowed
  }
  return {
    get: (key) => storage[`imd ${key}`],
    set(key, value) {
      try {
        if (value === undefined) delete storage[`imd ${key}`];
        else storage[`imd ${key}`] = value;
      } catch {
        // full
      }
    },
    /** Removes all values whose keys have this prefix. */
    forget(begin) {
      for (const key of Object.keys(storage)) if (key.startsWith(`imd ${begin}`)) delete storage[key];
    },
  };
}

export const memory = store("sessionStorage");
export const lasting = store("localStorage");
