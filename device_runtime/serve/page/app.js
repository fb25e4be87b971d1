// The page: what is pressed becomes a new state, which is kept, shown and asked.

import {client} from "./client.js";
import {Combobox} from "./combobox.js";
import {Filters, chip, showTastes} from "./controls.js";
import {at, button, make, replaceKeepingFocus} from "./dom.js";
import {fillPanel, resultLines} from "./results.js";
import {EMPTY, FIRST, MOST, isAsked, put, questionOf, toggle, without} from "./state.js";
import {BrowserStore, ProfileStore, profileName, rememberProfile} from "./store.js";

const SUGGESTIONS = 8;
const VALUES = 12;
const WIDE = matchMedia("(min-width: 56rem)");
const SAID = {
  likes: name => `More like ${name}.`,
  dislikes: name => `Less like ${name}.`,
  excluded: name => `${name} is left out.`,
};

let state = EMPTY, before = null, info, store, filters;
let asking = new AbortController();

const nameOf = id => [...state.likes, ...state.dislikes].find(entry => entry.id === id)?.name ?? id;

// ---- what changes

function change(next, said = "") {
  const old = state;
  before = said ? old : null;
  state = next;
  if (next.likes !== old.likes || next.dislikes !== old.dislikes) keep(old, next);
  say(said);
  show();
  return ask();
}

async function keep(old, next) {
  try {
    if (!(await store.save(old, next))) at("kept").textContent = "This browser keeps nothing for this page.";
  } catch (error) {
    problem(`That could not be saved: ${error.message}`);
  }
}

function say(text) {
  at("said").textContent = text;
  at("undo").hidden = !text;
  at("said-line").classList.toggle("shown", Boolean(text));
}

const act = (taste, {id, name, kind, weight}) => change(put(state, taste, {id, name, kind: kind ?? "item", weight: weight ?? 1}), SAID[taste](name));

async function undo() {
  if (before) await change(before);
  (at("results").querySelector("button") ?? at("text")).focus();
}

// ---- what is shown

function show() {
  showTastes(state, {
    remove: entry => change(without(state, entry.id), `${entry.name} is taken back.`),
    unset: ({attribute, value}) => change(toggle(state, attribute, value)),
  });
  filters?.show(state);
  at("heading").textContent = isAsked(state) ? "You may like" : "To start with";
  at("blends").hidden = !info?.blends?.length || state.likes.length < 2;
  showCurl();
}

function showCurl() {
  const question = questionOf(state);
  const body = JSON.stringify(isAsked(state) ? question : {...question, items: ["…"]}).replaceAll("'", "'\\''");
  at("curl").textContent = `curl ${location.origin}/v1/recommend \\\n  -H 'Content-Type: application/json' \\\n  -d '${body}'`;
}

async function ask(focus = -1) {
  asking.abort();
  asking = new AbortController();
  at("results").ariaBusy = "true";
  try {
    showResults(await client.recommend(questionOf(state), asking.signal), focus);
  } catch (error) {
    if (error.name === "AbortError") return;
    showResults([], -1);
    fail(error);
  }
  at("results").ariaBusy = "false";
}

function showResults(results, focus) {
  const lines = resultLines(results, {isAsked: isAsked(state), areCosines: areCosines(), nameOf, act, fill});
  replaceKeepingFocus(at("results"), lines, at("text"));
  lines[focus]?.querySelector("button").focus();
  at("further").hidden = results.length < state.k || state.k >= MOST;
  at("legend").hidden = !results.length;
  problem(results.length ? "" : "Nothing is left that fits. Take a filter or a dislike back.");
}

const areCosines = () => info?.objective === "attributes";

async function fill(result, panel) {
  if (panel.childElementCount) return;
  try {
    const question = questionOf(state);
    await fillPanel(panel, result, {client, question, nameOf, areCosines: areCosines(), choose: neighbor => act("likes", neighbor)});
  } catch (error) {
    panel.textContent = error.message;
  }
}

function fail(error) {
  if (error.type === "NoFavoritesError") return problem("Type something you like, and what is like it appears here.", [], false);
  problem(error.message, error.suggestions);
}

function problem(text, suggestions = [], isFault = true) {
  const buttons = suggestions.map(name => {
    const made = button({}, name);
    made.addEventListener("click", async () => act("likes", (await client.find(name, 1))[0]));
    return made;
  });
  at("problem").hidden = !text;
  at("problem").classList.toggle("fault", isFault);
  at("problem").replaceChildren(make("p", {}, text), ...buttons);
}

// ---- what is typed

async function suggest(text, signal) {
  const found = await client.find(text, SUGGESTIONS, signal);
  const kinds = found.filter(match => match.kind === "family");
  return [...found.map(match => ({...match, note: noteOf(match)})), ...kinds.slice(0, 1).map(onlyOption)];
}

const attributeOf = id => id.slice(0, id.indexOf("="));
const noteOf = ({kind, id, size}) => (kind === "family" ? `${attributeOf(id)}, ${size.toLocaleString("en")} of them` : "");
const onlyOption = ({id, name}) => ({kind: "filter", id, name: `Only ${name}`, value: name, note: "as a filter", sure: false});

function choose(option) {
  if (option.kind === "filter") change(toggle(state, attributeOf(option.id), option.value), `${option.name}.`);
  else act("likes", option);
}

function startAdding() {
  let near = [];
  const showNear = () => replaceKeepingFocus(at("nearby"), near.map(entry =>
    chip(entry.name, `Remove ${entry.name}`, () => ((near = near.filter(other => other !== entry)), showNear()))), at("near"));
  new Combobox({
    input: at("near"), list: at("near-options"), hint: at("near-hint"), fail,
    suggest: async (text, signal) => (await client.find(text, SUGGESTIONS, signal)).filter(match => match.kind === "item"),
    choose: entry => ((near = [...near.filter(other => other.id !== entry.id), entry]), showNear()),
  });
  at("adding").addEventListener("submit", async event => {
    event.preventDefault();
    const name = at("new-name").value.trim(), hint = at("near-hint");
    if (!near.length) return (hint.textContent = "Say at least one thing that it is like."), at("near").focus();
    try {
      const {id} = await client.add({name, neighbors: near.map(entry => entry.id)});
      near = [];
      showNear();
      at("adding").reset();
      hint.textContent = "";
      act("likes", {id, name});
      at("text").focus();
    } catch (error) {
      hint.textContent = error.message;
    }
  });
}

// ---- the start

async function restore(likes) {
  let next = EMPTY;
  for (const [id, weight] of Object.entries(likes)) {
    const [match] = await client.find(id, 1);
    if (match?.id === id) next = put(next, weight > 0 ? "likes" : "dislikes", {...match, weight: Math.abs(weight)});
  }
  return next;
}

function startKeeping() {
  store = info.writable ? new ProfileStore(client, profileName()) : new BrowserStore(info);
  const kept = at("kept");
  kept.hidden = false;
  if (!info.writable) return (kept.textContent = "Your likes stay in this browser.");
  const input = make("input", {value: store.profile, maxLength: 100, ariaLabel: "Name of the profile", autocomplete: "off"});
  input.addEventListener("change", async () => {
    rememberProfile(input.value.trim() || "me");
    store = new ProfileStore(client, profileName());
    state = await restore(await store.load());
    say("");
    show();
    ask();
  });
  kept.replaceChildren("Your likes are kept on this server, in the profile ", input);
}

function wire() {
  new Combobox({input: at("text"), list: at("options"), hint: at("hint"), suggest, choose, fail});
  at("ask").addEventListener("submit", event => event.preventDefault());
  at("undo").addEventListener("click", undo);
  at("further").addEventListener("click", () => {
    state = {...state, k: Math.min(MOST, state.k + FIRST)};
    ask(state.k - FIRST);
  });
  at("variety").addEventListener("change", event => change({...state, diversify: Number(event.target.value), k: FIRST}));
  at("blends").addEventListener("change", event => change({...state, blend: event.target.value, k: FIRST}));
  at("refine").open = WIDE.matches;
}

function describe() {
  document.title = at("title").textContent = info.name;
  at("summary").textContent = `${info.items.toLocaleString("en")} items. Say what you like, and see what is like it.`;
  at("license").textContent = info.license ? `License of the catalog: ${info.license}. Answered by mignon ${info.mignon}.` : "";
  at("bars").textContent = areCosines()
    ? "The bar says how alike a result is to what you like; 100 % is the same."
    : "The bar compares a result with the best of this list.";
  at("changes").hidden = at("new").hidden = !info.writable;
  for (const radio of at("blends").querySelectorAll("input")) radio.checked = radio.value === info.blends?.[0];
}

async function start() {
  wire();
  info = await client.info();
  describe();
  startKeeping();
  if (info.writable) startAdding();
  const [likes, attributes] = await Promise.all([store.load(), client.attributes(VALUES)]);
  state = await restore(likes);
  filters = new Filters(client, attributes, next => change(next));
  show();
  await ask();
}

start().catch(fail);
