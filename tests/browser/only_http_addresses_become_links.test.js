import assert from "node:assert/strict";
import { test } from "node:test";

import { links } from "../../nginx/html/text.js";

const found = (text) =>
  links(text)
    .map(({ href }) => href)
    .filter(Boolean);

test("only http and https become links, in upper and lower case", () => {
  assert.deepEqual(found("http://a.example https://b.example/x?y=1#z HTTPS://C.EXAMPLE"), [
    "http://a.example",
    "https://b.example/x?y=1#z",
    "HTTPS://C.EXAMPLE",
  ]);
  const others = [
    "javascript:alert(1)",
    "data:text/html,x",
    "ftp://a.example",
    "//a.example",
    "www.a.example",
    "https://",
  ];
  for (const text of others) assert.deepEqual(found(text), [], text);
});

test("punctuation and brackets around an address are not part of the link", () => {
  const ends = {
    "See https://a.example/x.": "https://a.example/x",
    "Really https://a.example/x?!": "https://a.example/x",
    "(https://a.example/x)": "https://a.example/x",
    "(see https://a.example/x_(y)).": "https://a.example/x_(y)",
    "<https://a.example/x>, he said": "https://a.example/x",
    '"https://a.example/x"': "https://a.example/x",
    "https://a.example/x/": "https://a.example/x/",
  };
  for (const [text, href] of Object.entries(ends)) assert.deepEqual(found(text), [href], text);
});

test("Chinese text around an address is not part of the link, even without spaces", () => {
  assert.deepEqual(found("看https://a.example/x，然后（见https://b.example/y）。再说"), [
    "https://a.example/x",
    "https://b.example/y",
  ]);
  assert.deepEqual(found("“https://a.example/x”……"), ["https://a.example/x"]);
  assert.deepEqual(found("https://例子.example/路径"), ["https://例子.example/路径"]);
});

test("characters that change the direction of writing end a link", () => {
  assert.deepEqual(found("https://a.example/\u202egnp.exe"), ["https://a.example/"]);
});

test("links and text together equal the original text", () => {
  for (const text of ["", "none", "https://a.example", "a https://a.example/x. b\n(http://b.example) c", "http://["])
    assert.equal(
      links(text)
        .map((part) => part.text)
        .join(""),
      text,
    );
});

test("a text of 65,536 bytes is split quickly", () => {
  const begun = performance.now();
  links("https://".repeat(8192));
  links(`https://a.example/${"(".repeat(32000)}${")".repeat(33000)}`);
  links(`https://a.example/${".".repeat(65000)}`);
  assert.ok(performance.now() - begun < 1000, `${performance.now() - begun} ms`);
});
