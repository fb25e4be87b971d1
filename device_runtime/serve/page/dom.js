// Elements made in a line each; text is always text, never markup.

const SVG = "http://www.w3.org/2000/svg";

export const at = id => document.getElementById(id);

export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter(child => child !== ""));
  return element;
}

/** A drawing of index.html, for the eye alone. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg"), use = document.createElementNS(SVG, "use");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#${name}`);
  svg.append(use);
  return svg;
}

export const button = (properties, ...children) => make("button", {type: "button", ...properties}, ...children);

/** A bar `length` long, from 0 to 1, for the eye alone: what it says stands beside it. */
export function bar(length, className = "bar") {
  const fill = make("i");
  fill.style.width = `${100 * length}%`;
  return make("span", {className, ariaHidden: "true"}, fill);
}

/** Replaces what a list shows; the focus stays where it was, or goes to what came into its place, or to `otherwise`. */
export function replaceKeepingFocus(list, lines, otherwise) {
  const focused = document.activeElement, before = [...list.children];
  const place = before.findIndex(line => line.contains(focused));
  const what = focused?.dataset?.does;
  list.replaceChildren(...lines);
  if (place < 0) return;
  const line = lines[Math.min(place, lines.length - 1)];
  const target = line?.querySelector(`[data-does="${what}"]`) ?? line?.querySelector("button") ?? otherwise;
  target.focus({preventScroll: Boolean(line)});
}
