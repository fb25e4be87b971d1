// What was said so far, as chips that take it back, and the filters that the file itself offers.

import {at, button, make, replaceKeepingFocus} from "./dom.js";
import {TASTES, filters, forbid, isChosen, toggle} from "./state.js";

const SHOWN = 12; // values of an attribute before one is asked to look for others
const ALL = 1000;

const TAKE_BACK = {likes: "what you like", dislikes: "what you do not like", excluded: "what is left out"};

/** Shows the tastes and the filters of `state`; `remove(entry)` and `unset(filter)` are told what is pressed. */
export function showTastes(state, {remove, unset}) {
  for (const taste of TASTES) {
    showChips(taste, state[taste].map(entry => chip(entry.name, `Remove ${entry.name} from ${TAKE_BACK[taste]}`, () => remove(entry), note(entry))));
  }
  showChips("filters", filters(state).map(filter => {
    const name = `${filter.attribute}: ${filter.forbids ? "not " : ""}${filter.value}`;
    return chip(name, `Remove the filter ${name}`, () => unset(filter));
  }));
}

const note = ({kind, weight}) => [kind === "family" ? "all of this kind" : "", weight === 1 ? "" : `× ${weight}`].filter(Boolean).join(", ");

export function chip(name, words, press, small = "") {
  const made = button({ariaLabel: words, title: words}, name, small ? make("small", {}, small) : "", make("b", {ariaHidden: "true"}, "×"));
  made.addEventListener("click", press);
  return make("li", {}, made);
}

function showChips(id, lines) {
  replaceKeepingFocus(at(id), lines, at("text"));
  at(id).parentElement.hidden = !lines.length;
}

/** The filters: one fold an attribute, whose values are made when it is opened. */
export class Filters {
  constructor(client, attributes, change) {
    Object.assign(this, {client, change, state: null, shown: []});
    at("attributes").replaceChildren(...attributes.map(attribute => this.#fold(attribute)));
  }

  show(state) {
    this.state = state;
    for (const update of this.shown) update();
  }

  #fold({attribute, size, values}) {
    const body = make("div", {className: "values"}), count = make("small", {}, String(size));
    const summary = make("summary", {}, attribute, count);
    summary.addEventListener("click", () => this.#fill(body, attribute, size, values), {once: true});
    this.shown.push(() => {
      const chosen = this.state.where[attribute]?.values.length;
      count.textContent = chosen ? `${chosen} chosen` : String(size);
      count.classList.toggle("some", Boolean(chosen));
    });
    return make("details", {className: "attribute"}, summary, body);
  }

  #fill(body, attribute, size, values) {
    const list = make("ul", {className: "chips"});
    const show = some => list.replaceChildren(...some.slice(0, SHOWN).map(value => this.#value(attribute, value)));
    body.append(this.#mode(attribute), size > SHOWN ? this.#search(attribute, size, values, show) : "", list);
    show(values);
    this.shown.push(() => {
      for (const toggled of list.querySelectorAll("button")) toggled.ariaPressed = String(isChosen(this.state, attribute, toggled.value));
    });
    this.show(this.state);
  }

  #mode(attribute) {
    const choices = [["any of these", false], ["none of these", true]].map(([words, forbids]) => {
      const radio = make("input", {type: "radio", name: `mode-${attribute}`, checked: !forbids});
      radio.addEventListener("change", () => this.change(forbid(this.state, attribute, forbids)));
      return make("label", {}, radio, ` ${words}`);
    });
    this.shown.push(() => {
      const forbids = Boolean(this.state.where[attribute]?.forbids);
      choices.forEach((choice, index) => (choice.firstChild.checked = Boolean(index) === forbids));
    });
    return make("fieldset", {className: "switch"}, make("legend", {className: "unseen"}, `How to filter by ${attribute}`), ...choices);
  }

  #value(attribute, {value, count}) {
    const made = button({value, ariaPressed: String(isChosen(this.state, attribute, value))}, value, make("small", {}, count.toLocaleString("en")));
    made.addEventListener("click", () => this.change(toggle(this.state, attribute, value)));
    return make("li", {}, made);
  }

  #search(attribute, size, values, show) {
    const input = make("input", {type: "search", placeholder: `Find among ${size.toLocaleString("en")}`, ariaLabel: `Find a value of ${attribute}`, autocomplete: "off"});
    let all = null;
    input.addEventListener("input", async () => {
      all ??= this.client.attributes(ALL, attribute).then(([known]) => known.values, () => values);
      const asked = plain(input.value), known = await all;
      const begin = known.filter(({value}) => plain(value).startsWith(asked));
      show([...begin, ...known.filter(one => !begin.includes(one) && plain(one.value).includes(asked))]);
    });
    return input;
  }
}

const plain = text => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().trim();
