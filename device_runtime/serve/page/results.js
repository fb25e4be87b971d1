// The list of results: what each is like, why it comes back, and what one may say to it.

import {bar, button, icon, make} from "./dom.js";
import {lengths, reasons} from "./state.js";

const ABOUT = 3; // attributes told in a line
const CLOSE = 5;
const LEAST_SHARE = 0.005;
const ACTIONS = [
  ["more", "likes", "More like this"],
  ["less", "dislikes", "Less like this"],
  ["hide", "excluded", "Leave this out"],
];

/** One line for each result, with a bar where something `isAsked`; `act` and `fill` are told what is pressed. */
export function resultLines(results, {isAsked, areCosines, nameOf, act, fill}) {
  const long = lengths(results.map(result => result.score), areCosines);
  return results.map((result, index) => line(result, isAsked ? match(long[index]) : "", {nameOf, act, fill}));
}

const match = length =>
  make("div", {className: "match"}, bar(length), make("span", {}, `${Math.floor(100 * length)} %`));

function line(result, match, {nameOf, act, fill}) {
  const panel = make("div", {className: "panel", id: `about-${result.id}`, hidden: true});
  const name = button({className: "name", ariaExpanded: "false"}, make("span", {}, result.name), icon("open"));
  name.dataset.does = "open";
  name.setAttribute("aria-controls", panel.id);
  name.addEventListener("click", () => {
    panel.hidden = !panel.hidden;
    name.setAttribute("aria-expanded", String(!panel.hidden));
    if (!panel.hidden) fill(result, panel);
  });
  const text = make("div", {className: "text"}, make("h3", {}, name), about(result), because(result, nameOf));
  return make("li", {className: "result"}, text, match, actions(result, act), panel);
}

function about({attributes}) {
  const values = Object.values(attributes).slice(0, ABOUT).map(([first]) => first);
  return values.length ? make("p", {className: "about"}, values.join(" · ")) : "";
}

function because(result, nameOf) {
  const groups = reasons(result, nameOf).map(({favorites, values}) =>
    make("span", {}, make("b", {}, values.length ? `Like ${favorites}` : `Goes with ${favorites}`), values.length ? `: ${values.join(", ")}` : ""));
  return groups.length ? make("p", {className: "because"}, ...groups) : "";
}

function actions(result, act) {
  const buttons = ACTIONS.map(([does, taste, words]) => {
    const made = button({className: does, title: words, ariaLabel: `${words}: ${result.name}`}, icon(does));
    made.dataset.does = does;
    made.addEventListener("click", () => act(taste, result));
    return made;
  });
  return make("div", {className: "actions"}, ...buttons);
}

/** What is known of a result: what each favorite says to it, its attributes, and what is close to it. */
export async function fillPanel(panel, result, {client, question, nameOf, areCosines, choose}) {
  const nothing = {contributions: []};
  const [why, close] = await Promise.all([
    question.items.length || Object.keys(question.items).length ? client.explain(question, result.id) : nothing,
    client.similar(result.id, CLOSE),
  ]);
  panel.replaceChildren(
    ...part("Why", why.contributions.length > 0 && contributions(why.contributions, nameOf)),
    ...part("What it is", Object.keys(result.attributes).length > 0 && facts(result)),
    ...part("Close to it", close.length > 0 && closest(close, choose)));
}

const part = (title, content) => (content ? [make("section", {}, make("h4", {}, title), content)] : []);

function contributions(found, nameOf) {
  const lines = found.filter(({share}) => Math.abs(share) >= LEAST_SHARE).map(({id, name, share}) =>
    make("li", {},
      make("span", {}, nameOf(id) || name),
      bar(Math.abs(share), share < 0 ? "bar against" : "bar"),
      make("span", {}, `${share < 0 ? "−" : ""}${Math.round(100 * Math.abs(share))} %`)));
  return make("ul", {className: "parts"}, ...lines);
}

function facts({attributes, shared}) {
  const isShared = (attribute, value) => shared.some(one => one.attribute === attribute && one.value === value);
  const lines = Object.entries(attributes).map(([attribute, values]) =>
    make("div", {}, make("dt", {}, attribute), make("dd", {}, ...values.map(value =>
      make(isShared(attribute, value) ? "mark" : "span", {}, value)))));
  return make("dl", {}, ...lines);
}

function closest(found, choose) {
  const chips = found.map(neighbor => {
    const chip = button({ariaLabel: `Add ${neighbor.name} to what you like`}, "+ ", neighbor.name);
    chip.addEventListener("click", () => choose(neighbor));
    return make("li", {}, chip);
  });
  return make("ul", {className: "chips"}, ...chips);
}
