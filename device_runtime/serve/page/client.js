// The only part that knows HTTP. Another page may give the same calls from a file in the browser.

export class AskError extends Error {
  constructor({message, type = "", suggestions = []}) {
    super(message);
    this.type = type;
    this.suggestions = suggestions;
  }
}

async function ask(path, {parameters, body, signal} = {}) {
  const query = parameters ? `?${new URLSearchParams(parameters)}` : "";
  const post = body && {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)};
  let response, record;
  try {
    response = await fetch(`v1/${path}${query}`, {signal, ...post});
    record = await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new AskError({message: "There is no answer. Is the server running?"});
  }
  if (!response.ok) throw new AskError(record.error);
  return record;
}

/** What a page asks: each call gives a promise, and an AskError where it cannot be answered. */
export const client = {
  info: () => ask("info"),
  /** [{id, name, score, kind: "item" | "family", size, sure}], what `text` may mean or begin. */
  find: async (text, k, signal) => (await ask("complete", {parameters: {text, k}, signal})).results,
  /** [{id, name, score, attributes, shared, because}] for {items, dislikes, exclude, where, k, diversify, blend}. */
  recommend: async (question, signal) => (await ask("recommend", {body: {...question, details: true}, signal})).results,
  /** [{id, name, score}] */
  similar: async (item, k) => (await ask("similar", {parameters: {item, k}})).results,
  /** {contributions: [{id, name, share}], shared} for the tastes of a question. */
  explain: ({items, dislikes, blend}, result) => ask("explain", {body: {items, dislikes, blend, result}}),
  /** [{attribute, size, values: [{value, count}]}], the most frequent values first. */
  attributes: async (k, attribute) =>
    (await ask("attributes", {parameters: attribute === undefined ? {k} : {k, attribute}})).attributes,
  /** {id: weight} */
  profile: async name => (await ask("profile", {parameters: {profile: name}})).likes,
  like: (profile, item, weight) => ask("like", {body: {profile, item, weight}}),
  add: item => ask("add", {body: item}),
};
