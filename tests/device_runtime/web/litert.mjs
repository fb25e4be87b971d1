// The signature of fixed shapes in LiteRT.js, for a page: questions of the conformance set that it can answer.

import {loadAndCompile, loadLiteRt, Tensor} from "@litertjs/core";
import {Recommender, recommendThrough} from "../../../device_runtime/web/mignon.js";

const MOST_FAVORITES = 16, MOST_RESULTS = 50;

const bits = score => new Int32Array(Float32Array.of(score).buffer)[0];

/** Whether it asks for what is near the sum of some items, without anything else. */
function isTogether({call, items, k, where, exclude, dislikes, blend, error}, isOfLikes) {
  const isPlain = !where && !exclude && !dislikes && !error && Array.isArray(items);
  const isSum = blend === "together" || items?.length === 1 || (isOfLikes && blend === undefined);
  return call === "recommend" && isPlain && isSum && (k ?? 1) <= MOST_RESULTS && items.length > 0 && items.length <= MOST_FAVORITES;
}

export async function run(read, names, version) {
  await loadLiteRt("/modules/@litertjs/core/wasm/");
  const failed = [], times = [];
  let cases = 0;
  for (const name of names) {
    const bytes = await read(`files/${name}.tflite`), meals = new Recommender(bytes);
    const model = await loadAndCompile(bytes, {accelerator: "wasm"});
    if (!model.signatures.recommend_fixed) continue; // one of the conformance set may have been exported without it
    const lines = new TextDecoder().decode(await read(`cases/${name}.jsonl`)).trimEnd().split("\n");
    for (const [index, line] of lines.entries()) {
      const question = JSON.parse(line);
      if (!isTogether(question, meals.manifest.preference !== null) || question.items.some(item => !isItem(meals, item))) continue;
      const start = performance.now();
      const found = await recommendThrough(model, (values, shape) => new Tensor(values, shape), meals, question.items, {k: question.k ?? 1});
      times.push(performance.now() - start);
      const answer = [found.map(one => one.id), found.map(one => bits(one.score))];
      if (JSON.stringify(answer) !== JSON.stringify([question.ids, question.bits])) failed.push(`${name}.jsonl:${index + 1}`);
      cases++;
    }
    model.delete();
  }
  times.sort((one, other) => one - other);
  return {reader: "LiteRT.js", version, cases, passed: cases - failed.length, failed, recommend_ms: times[times.length >> 1]};
}

function isItem(meals, text) {
  try {
    meals.row(text);
    return true;
  } catch {
    return false;
  }
}
