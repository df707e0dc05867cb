/* imd.js fits into 10 kB over the network, and imd.d.ts declares exactly what it exports. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { gzipSync } from "node:zlib";

import * as module from "../../nginx/html/imd.js";

const read = (name) => readFile(new URL(`../../nginx/html/${name}`, import.meta.url), "utf8");

/** Returns the names in the braces after `head`. */
function members(types, head) {
  const body = types
    .slice(types.indexOf(`${head} {`))
    .split("\n}\n")[0]
    .replace(/\/\*[^]*?\*\//g, "");
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??[(:<]/gm)].map(([, name]) => name).sort();
}

const size = async (name) => gzipSync(await read(name), { level: 9 }).length;

test("imd.js is below 10,240 bytes with gzip -9", async () => {
  const length = await size("imd.js");
  assert.ok(length < 10240, `${length} bytes`);
});

test("imd.js with its imports is below 15,360 bytes, and imports each once", async () => {
  const parts = [...(await read("imd.js")).matchAll(/(?:from |import\()"\.\/([a-z]+\.js)"/g)].map(([, name]) => name);
  assert.deepEqual([...new Set(parts)].sort(), ["http.js", "kept.js", "tabs.js"]);
  let length = await size("imd.js");
  for (const name of new Set(parts)) length += await size(name);
  assert.ok(length < 15360, `${length} bytes`);
});

test("the types declare each public method and property of Client, and no other", async () => {
  assert.deepEqual(
    members(await read("imd.d.ts"), "class Client"),
    Object.getOwnPropertyNames(module.Client.prototype).sort(),
  );
  const statics = [...(await read("imd.d.ts")).matchAll(/^ {2}static (\w+)/gm)].map(([, name]) => name);
  const own = Object.getOwnPropertyNames(module.Client).filter(
    (name) => !["length", "name", "prototype"].includes(name),
  );
  assert.deepEqual(own, statics);
  assert.deepEqual(Object.getOwnPropertyNames(new module.Client({ url: "http://a/" })), []);
});

test("the types declare each export", async () => {
  const exported = [...(await read("imd.d.ts")).matchAll(/^export (?:class|function) (\w+)/gm)].map(([, name]) => name);
  assert.deepEqual(exported.sort(), Object.keys(module).sort());
});

test("the types and docs/client.md name each option", async () => {
  const options = members(await read("imd.d.ts"), "interface Options");
  const source = (await read("imd.js")) + (await read("http.js")),
    guide = await read("../../docs/client.md");
  assert.equal(options.length, 10);
  for (const name of options) {
    assert.match(source, new RegExp(`ptions\\.${name}\\b|\\{ ${name} \\} = this.#options`), name);
    assert.match(guide, new RegExp(`\`${name}[\`(]`), name);
  }
});

test("the types and docs/client.md name each event of on(), and no other", async () => {
  const events = members(await read("imd.d.ts"), "interface Events"),
    source = await read("imd.js"),
    guide = await read("../../docs/client.md");
  const told = [...source.matchAll(/#(?:emit|tell)\("(\w+)"/g)].map(([, name]) => name);
  assert.deepEqual([...new Set(told)].sort(), events);
  for (const name of events) assert.match(guide, new RegExp(`\\| \`${name}\` \\|`), name);
});

test("docs/client.md names each method and property of Client", async () => {
  const [chapter] = (await read("../../docs/client.md")).split("\n## The browser client\n")[1].split("\n## ");
  for (const name of ["isBlank", ...members(await read("imd.d.ts"), "class Client")].filter(
    (one) => one !== "constructor",
  ))
    assert.match(chapter, new RegExp(`\`${name}[\`(]`), name);
});
