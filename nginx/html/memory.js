/*
 * memory.js - what this tab remembers, and what this browser does; where they may not, until the page is loaded anew.
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
    /** All whose keys begin so. */
    forget(begin) {
      for (const key of Object.keys(storage)) if (key.startsWith(`imd ${begin}`)) delete storage[key];
    },
  };
}

export const memory = store("sessionStorage");
export const lasting = store("localStorage");
