/*
 * dom.js - creates and changes elements. Text is set as text, never parsed as HTML.
 */

import { firstLetter } from "./text.js";

/**
 * Creates an element. `on…` are listeners, strings are attributes, other values are properties;
 * absent values are skipped.
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (typeof value === "string") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Sets a text only if it differs, so that nothing is announced or drawn twice. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** The icons of buttons: SVG paths of 24 by 24. */
const DRAWINGS = {
  back: "M15 5l-7 7 7 7",
  compose: "M12 5v14M5 12h14",
  send: "M4 12l16-8-6 16-3-7z",
  reply: "M10 6l-6 6 6 6M4 12h9a7 7 0 0 1 7 7",
  edit: "M5 19l1-4L16 5l3 3L9 18z",
  delete: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  react: "M12 3a9 9 0 1 0 .01 0zM8.5 14a4 4 0 0 0 7 0M9 9.5v.5M15 9.5v.5",
  down: "M5 9l7 7 7-7",
  close: "M6 6l12 12M18 6L6 18",
  people: "M9 11a4 4 0 1 0-.01 0zM2 20a7 7 0 0 1 14 0M16 3.5a4 4 0 0 1 0 7.5M18 14a7 7 0 0 1 4 6",
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", DRAWINGS[name]);
  svg.append(path);
  return svg;
}

/** Creates a button that is an icon with a label. */
export function iconButton(name, label, onclick, more = {}) {
  return h(
    "button",
    { type: "button", class: "icon", "aria-label": label, title: label, onclick, ...more },
    icon(name),
  );
}

/** Creates a user's avatar: the initial, in a colour that the name determines. */
export function avatar(name, more = "") {
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)) % 997;
  return h(
    "span",
    { class: `avatar c${sum % 8} ${more}`, "aria-hidden": "true" },
    firstLetter(name).toUpperCase() || "?",
  );
}
