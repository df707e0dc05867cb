/*
 * memory.js - what this tab remembers, and what this browser does. Where they may not, all is new each time.
 */

function store(of) {
  const attempt = (what) => {
    try {
      return what(globalThis[of]);
    } catch {
      return undefined;
    }
  };
  return {
    get: (key) => attempt((storage) => storage.getItem(`imd ${key}`)) ?? undefined,
    set: (key, value) =>
      attempt((storage) =>
        value === undefined ? storage.removeItem(`imd ${key}`) : storage.setItem(`imd ${key}`, value),
      ),
    /** All whose keys begin so. */
    forget: (begin) =>
      attempt((storage) => {
        for (const key of Object.keys(storage)) if (key.startsWith(`imd ${begin}`)) storage.removeItem(key);
      }),
  };
}

export const memory = store("sessionStorage");
export const lasting = store("localStorage");
