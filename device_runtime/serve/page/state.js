// What a person likes, does not like and asks for: plain values that are never changed, so that what was can come back.

export const FIRST = 10;
export const MOST = 100;
export const TASTES = ["likes", "dislikes", "excluded"];

/** A taste is {id, name, kind, weight}; `where` is {attribute: {values: [...], forbids: false}}. */
export const EMPTY = Object.freeze(
  {likes: [], dislikes: [], excluded: [], where: {}, k: FIRST, diversify: 0, blend: ""});

export const isAsked = state => state.likes.length > 0;

/** `entry` among the likes, the dislikes or what is left out, and nowhere else. */
export function put(state, taste, entry) {
  const next = without(state, entry.id);
  return {...next, [taste]: [...next[taste], {kind: "item", weight: 1, ...entry}], k: FIRST};
}

export function without(state, id) {
  const lists = TASTES.map(taste => [taste, state[taste].filter(entry => entry.id !== id)]);
  return {...state, ...Object.fromEntries(lists)};
}

export const isChosen = (state, attribute, value) => Boolean(state.where[attribute]?.values.includes(value));

/** With the value among those asked for, or forbidden, of its attribute; or without it, where it is there. */
export function toggle(state, attribute, value) {
  const {values, forbids} = state.where[attribute] ?? {values: [], forbids: false};
  const others = values.filter(other => other !== value);
  const chosen = others.length < values.length ? others : [...values, value];
  const where = {...state.where, [attribute]: {values: chosen, forbids}};
  return {...state, where, k: FIRST};
}

/** The values of an attribute asked for, or all of them forbidden: one of the two. */
export const forbid = (state, attribute, forbids) =>
  ({...state, where: {...state.where, [attribute]: {values: state.where[attribute]?.values ?? [], forbids}}, k: FIRST});

export const filters = state =>
  Object.entries(state.where).flatMap(([attribute, {values, forbids}]) =>
    values.map(value => ({attribute, value, forbids})));

/** What is to be asked, as the paths of the service take it. */
export function questionOf(state) {
  const tastes = [...state.likes, ...state.dislikes.map(entry => ({...entry, weight: -entry.weight}))];
  const plain = tastes.every(({weight}) => Math.abs(weight) === 1);
  const ids = list => list.map(entry => entry.id);
  const question = {items: plain ? ids(state.likes) : Object.fromEntries(tastes.map(({id, weight}) => [id, weight]))};
  if (plain && state.dislikes.length) question.dislikes = ids(state.dislikes);
  if (state.excluded.length) question.exclude = ids(state.excluded);
  const conditions = Object.entries(state.where).filter(([, {values}]) => values.length);
  if (conditions.length) {
    question.where = Object.fromEntries(
      conditions.map(([attribute, {values, forbids}]) => [attribute, forbids ? {not: values} : values]));
  }
  if (state.diversify) question.diversify = state.diversify;
  if (state.blend && state.likes.length > 1) question.blend = state.blend;
  return {...question, k: state.k};
}

/** How long the bars of results are, from 0 to 1: a cosine is a share of one, other scores are shares of the best. */
export function lengths(scores, areCosines) {
  const best = Math.max(...scores);
  if (areCosines) return scores.map(score => Math.min(1, Math.max(0, score)));
  return scores.map(score => (best > 0 ? Math.max(0, score) / best : score ? best / score : 1));
}

/** Why a result comes back: [{favorites: "Pancakes", values: ["griddled", ...]}], by those it comes because of. */
export function reasons({shared, because}, nameOf, most = 3) {
  const groups = new Map();
  for (const {value, favorites} of shared) {
    const names = favorites.filter(name => because.includes(name)).map(nameOf).join(" and ");
    if (names) groups.set(names, [...(groups.get(names) ?? []), value]);
  }
  const found = [...groups].map(([favorites, values]) => ({favorites, values: values.slice(0, most)})).slice(0, 2);
  return found.length ? found : because.length ? [{favorites: because.map(nameOf).join(" and "), values: []}] : [];
}
