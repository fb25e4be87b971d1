// The API: what a file is opened from, what may be asked, and what is refused.

import assert from "node:assert/strict";
import {test} from "node:test";
import * as mignon from "../../../device_runtime/web/mignon.js";
import {entriesOf, rewritten, stored} from "./files.mjs";

const {ContradictoryLikesError, InvalidArgumentError, ModelFileError, Recommender, UnknownAttributeError, UnknownItemError, recommendThrough} = mignon;
const bytes = stored("meals-8");
const meals = new Recommender(bytes);
const idsOf = found => found.map(one => one.id);

test("a file is opened from bytes, a blob, a response, or a promise of one", async () => {
  const padded = new Uint8Array(bytes.length + 100); // a view that starts at no multiple of anything
  padded.set(bytes, 37);
  const buffer = new Uint8Array(bytes).buffer;
  const sources = [
    bytes, buffer, new Uint8Array(buffer), new DataView(buffer), padded.subarray(37, 37 + bytes.length), new Blob([bytes]), new Response(bytes),
    Promise.resolve(new Response(bytes)), new URL(`data:application/octet-stream;base64,${bytes.toString("base64")}`),
  ];
  if (typeof File === "function") sources.push(new File([bytes], "meals.tflite"));
  const wanted = meals.similar("crepes", {k: 5});
  for (const source of sources) assert.deepEqual((await Recommender.open(source)).similar("crepes", {k: 5}), wanted);
});

test("the table is the file's own bytes, not a copy", () => {
  const copy = new Uint8Array(bytes), own = new Recommender(copy);
  assert.equal(own._file.table.buffer, copy.buffer);
});

test("what is no file is refused with its name", async () => {
  await assert.rejects(Recommender.open(undefined), InvalidArgumentError);
  await assert.rejects(Recommender.open({}), InvalidArgumentError);
  await assert.rejects(Recommender.open("no address"), ModelFileError);
  await assert.rejects(Recommender.open(new Response("gone", {status: 404})), /404/);
  await assert.rejects(Recommender.open(new Response(new ReadableStream({start: stream => stream.error(new Error("cut off"))}))), /cut off/);
  assert.throws(() => new Recommender(new Uint8Array(0), "meals.tflite"), /^FileFormatError: meals.tflite: is empty/);
});

test("results have id, name and score, and options are those of Python", () => {
  const [first] = meals.recommend(["crepes", "blini"], {k: 1, exclude: ["pancakes"], where: {course: ["breakfast", "dessert"]}});
  assert.deepEqual(Object.keys(first), ["id", "name", "score"]);
  assert.equal(meals.recommend(["crepes"]).length, 10);
  assert.equal(meals.recommend(["crepes"], {k: 1000}).length, meals.size - 1);
  assert.deepEqual(meals.recommend([]), meals.recommend(null));
  assert.equal(meals.size, 60);
  assert.equal(meals.manifest.dims, 16);
  assert.match(meals.digest, /^[0-9a-f]{64}$/);
});

test("weights are a Map or an object, and a negative one is a dislike", () => {
  const weights = {crepes: 2, borscht: 1, "greek-salad": -1};
  const answer = meals.recommend(weights);
  assert.deepEqual(meals.recommend(new Map(Object.entries(weights))), answer);
  assert.deepEqual(meals.recommend({crepes: 2, borscht: 1}, {dislikes: "greek-salad"}), answer);
  assert.deepEqual(meals.recommend(new Set(["crepes", "blini"])), meals.recommend(["crepes", "blini", "Crêpes"]));
});

test("filters are an object, a Map, or texts", () => {
  const wanted = idsOf(meals.recommend(["borscht"], {where: {course: ["soup", "salad"]}}));
  for (const where of [new Map([["Course", new Set(["Soup", "salad"])]]), ["course=soup", "course:salad"]]) {
    assert.deepEqual(idsOf(meals.recommend(["borscht"], {where})), wanted);
  }
  const others = idsOf(meals.recommend(["borscht"], {k: 60, where: "course!=soup"}));
  assert.deepEqual(idsOf(meals.recommend(["borscht"], {k: 60, where: {course: {not: "soup"}}})), others);
  assert.ok(others.length < 59 && !others.some(id => meals.attributesOf(id).get("course")?.includes("soup")));
  assert.deepEqual(meals.recommend(["borscht"], {where: {}}), meals.recommend(["borscht"]));
});

test("attributes are counted, the most frequent first", () => {
  const counts = meals.attributes(), course = meals.attributes("COURSE").get("course");
  assert.deepEqual(course, counts.get("course"));
  const numbers = [...course.values()];
  assert.deepEqual(numbers, [...numbers].sort((one, other) => other - one));
  assert.equal(meals.recommend([], {k: 60, where: `course=${[...course.keys()][0]}`}).length, numbers[0]);
});

test("names are found with typos, families beside items", () => {
  assert.deepEqual(meals.find("CREPE", 1).map(({id, kind, sure}) => ({id, kind, sure})), [{id: "crepes", kind: "item", sure: true}]);
  const [soup] = meals.find("soups", 1);
  assert.deepEqual([soup.id, soup.kind, soup.size], ["course=soup", "family", meals.attributes("course").get("course").get("soup")]);
  assert.equal(meals.identify("tabouleh").id, "tabbouleh");
  assert.throws(() => meals.identify("zzzz"), UnknownItemError);
  assert.ok(idsOf(meals.complete("pan")).includes("pancakes"));
  assert.throws(() => meals.similar("pancoke"), error => error.asked === "pancoke" && error.suggestions.includes("Pancakes"));
});

test("vectors, places and scores fit together", () => {
  const row = meals.row("Pancakes");
  assert.equal(meals.item(row).id, "pancakes");
  const [nearest] = meals.similar("pancakes", {k: 1});
  assert.equal(meals.score("pancakes", nearest.id), nearest.score);
  assert.deepEqual(idsOf(meals.search(meals.vector("pancakes"), {k: 3, exclude: ["pancakes"]})), idsOf(meals.similar("pancakes", {k: 3})));
  assert.throws(() => meals.search([1, 2]), InvalidArgumentError);
  assert.throws(() => meals.search(new Float32Array(16)), InvalidArgumentError);
});

test("the parts of an explanation sum up to its score", () => {
  const why = meals.explain(["borscht", "crepes", "course=soup"], "shchi", {dislikes: ["hummus"], blend: "together"});
  const sum = why.contributions.reduce((total, one) => total + one.part, 0);
  assert.ok(Math.abs(sum - why.score) < 1e-3);
  assert.ok(why.shared.some(one => one.value === "soup" && one.favorites.includes("Borscht")));
  assert.throws(() => meals.explain([], "shchi"), InvalidArgumentError);
});

test("diverse results are unlike one another, and of the same candidates", () => {
  const plain = idsOf(meals.similar("pancakes", {k: 5})), all = idsOf(meals.similar("pancakes", {k: 25}));
  assert.deepEqual(idsOf(meals.similar("pancakes", {k: 5, diversify: 0})), plain);
  const diverse = idsOf(meals.similar("pancakes", {k: 5, diversify: 0.8}));
  assert.notDeepEqual(diverse, plain);
  assert.ok(diverse.every(id => all.includes(id)));
});

test("what cannot be asked is refused by a typed error", () => {
  for (const ask of [
    () => meals.recommend(["crepes"], {k: 0}), () => meals.recommend(["crepes"], {k: 1.5}), () => meals.recommend(["crepes"], {k: "3"}),
    () => meals.recommend("crepes"), () => meals.recommend([1]), () => meals.recommend(7), () => meals.recommend({crepes: Infinity}),
    () => meals.recommend({crepes: "2"}), () => meals.recommend(["crepes"], {blend: "both"}), () => meals.recommend(["crepes"], {exclud: []}),
    () => meals.recommend(["crepes"], {exclude: 3}), () => meals.recommend(["crepes"], {diversify: 2}), () => meals.recommend(["crepes"], 5),
    () => meals.recommend(["crepes"], {where: 3}), () => meals.recommend(["crepes"], {where: ["soup"]}), () => meals.recommend(["crepes"], {where: {course: {is: "soup"}}}),
    () => meals.recommend(["crepes"], {where: {course: 3}}), () => meals.recommend(["crepes"], {where: ["course=soup", "course!=salad"]}),
    () => meals.find(3), () => meals.find("crepes", 0), () => meals.similar(null), () => meals.item(60), () => meals.item(-1),
  ]) assert.throws(ask, error => error instanceof InvalidArgumentError, String(ask));
  assert.throws(() => meals.recommend(["crepes"], {dislikes: ["Crêpes"]}), error => error instanceof ContradictoryLikesError && error.items[0] === "Crêpes");
  assert.throws(() => meals.recommend(["crepes"], {where: {colour: "red"}}), UnknownAttributeError);
  assert.throws(() => meals.recommend(["crepes"], {where: {course: "suop"}}), /did you mean soup/);
  assert.throws(() => meals.attributes("cuorse"), /did you mean course/);
});

test("a file of an earlier version, without folding, is folded by Unicode", () => {
  const earlier = new Recommender(rewritten(bytes, {"folding.tsv": null}));
  for (const text of ["Crêpes", "CRÊPES", "crepes", "cre\u0302pes", "ｃｒｅｐｅｓ"]) assert.equal(earlier.identify(text).id, "crepes");
});

test("a file says itself what its characters fold to", () => {
  const own = new Recommender(rewritten(bytes, {"folding.tsv": "ê\te\nÊ\te\n\u2620\tpan\n\u0302\t\n"}));
  assert.equal(own.find("crêpes", 1)[0].score, 1);
  assert.equal(own.find("cre\u0302pes", 1)[0].score, 1);
  assert.equal(own.find("\u2620cakes", 1)[0].id, "pancakes");
});

test("likes have a score of their own", () => {
  const likes = new Recommender(stored("likes"));
  assert.equal(likes.recommend(["borscht", "pancakes"]).length, 10);
  assert.deepEqual(likes.recommend(["borscht", "pancakes"]), likes.recommend(["borscht", "pancakes"], {blend: "together"}));
  const [nearest] = likes.similar("borscht", {k: 1});
  assert.ok(Math.abs(likes.score("borscht", nearest.id) - nearest.score) < 1e-6);
});

test("entries are read when they are needed, and only then found wanting", () => {
  const without = new Recommender(rewritten(bytes, {"attributes.tsv": null}));
  assert.equal(without.recommend(["crepes"]).length, 10);
  assert.throws(() => without.attributes(), /attributes.tsv/);
  assert.ok(entriesOf(bytes).has("attributes.tsv"));
});

test("LiteRT.js is asked for what its signature takes", async () => {
  const model = {signatures: {}};
  await assert.rejects(recommendThrough(model, null, meals, ["crepes"]), /recommend_fixed/);
  const details = shape => [{shape: Int32Array.from(shape)}];
  model.signatures.recommend_fixed = {getInputDetails: () => details([1, 2]), getOutputDetails: () => details([50])};
  await assert.rejects(recommendThrough(model, null, meals, ["crepes", "blini", "pancakes"]), /more than the 2/);
  await assert.rejects(recommendThrough(model, null, meals, ["crepes"], {k: 51}), /50 results/);
  await assert.rejects(recommendThrough(model, null, meals, []), InvalidArgumentError);
});
