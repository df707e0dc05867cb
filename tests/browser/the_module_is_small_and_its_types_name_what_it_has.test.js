/* imd.js over the wire, and imd.d.ts beside it: the one fits into 10 kB, the other names exactly what there is. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { gzipSync } from "node:zlib";

import * as module from "../../nginx/html/imd.js";

const read = (name) => readFile(new URL(`../../nginx/html/${name}`, import.meta.url), "utf8");

/** The names in the braces that follow. */
function members(types, head) {
  const body = types
    .slice(types.indexOf(`${head} {`))
    .split("\n}\n")[0]
    .replace(/\/\*[^]*?\*\//g, "");
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??[(:<]/gm)].map(([, name]) => name).sort();
}

test("it is below 10,240 bytes with gzip -9", async () => {
  const { length } = gzipSync(await read("imd.js"), { level: 9 });
  assert.ok(length < 10240, `${length} bytes`);
});

test("the types name each public method and property of Client, and no other", async () => {
  assert.deepEqual(
    members(await read("imd.d.ts"), "class Client"),
    Object.getOwnPropertyNames(module.Client.prototype).sort(),
  );
  const own = new Set([...Object.getOwnPropertyNames(module.Client), "length", "name", "prototype"]);
  const types = await read("imd.d.ts");
  const named = [...types.matchAll(/^ {2}static (\w+)/gm)].map(([, name]) => name);
  assert.deepEqual([...own].sort(), [...named, "length", "name", "prototype"].sort());
  assert.deepEqual(Object.getOwnPropertyNames(new module.Client({ url: "http://a/" })), []);
});

test("the types name each export", async () => {
  const exported = [...(await read("imd.d.ts")).matchAll(/^export class (\w+)/gm)].map(([, name]) => name);
  assert.deepEqual(exported.sort(), Object.keys(module).sort());
});

test("the types name each option, and README too", async () => {
  const options = members(await read("imd.d.ts"), "interface Options");
  const source = await read("imd.js"),
    readme = await read("../../README.md");
  assert.equal(options.length, 8);
  for (const name of options) {
    assert.match(
      source,
      new RegExp(`ptions\\.${name}\\b|\\b${name}:? ?[^;]*\\.\\.\\.options|\\{ ${name} \\} = this.#options`),
      name,
    );
    assert.match(readme, new RegExp(`\`${name}[\`(]`), name);
  }
});

test("README names each method and property of Client", async () => {
  const [chapter] = (await read("../../README.md")).split("\n## The browser client\n")[1].split("\n## ");
  for (const name of ["isBlank", ...members(await read("imd.d.ts"), "class Client")].filter(
    (one) => one !== "constructor",
  ))
    assert.match(chapter, new RegExp(`\`${name}[\`(]`), name);
});
