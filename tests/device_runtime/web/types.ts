// What users write, checked against mignon.d.ts by TypeScript; it is not run.

import {CompiledModel, loadAndCompile, Tensor} from "@litertjs/core";
import {DamagedFileError, Match, Neighbor, recommendThrough, Recommender, UnknownItemError} from "mignon";

export async function ask(file: File): Promise<Neighbor[]> {
  const meals = await Recommender.open(file);
  const others = [await Recommender.open(fetch("meals.tflite")), await Recommender.open("meals.tflite"), new Recommender(new Uint8Array(8))];
  const found: Match[] = meals.find("crepe", 3);
  const kinds: "item" | "family" = found[0].kind;
  meals.recommend({pancakes: 2, borscht: -1}, {where: {diet: "vegan", allergens: {not: ["milk"]}}, blend: "each", diversify: 0.5});
  meals.recommend(new Map([["pancakes", 2]]), {dislikes: ["borscht"], exclude: new Set([kinds]), where: ["diet=vegan"]});
  const counts: number = meals.attributes("course").get("course")?.get("soup") ?? 0;
  meals.search(others[0].vector("pancakes"), {k: counts});
  meals.explain(["pancakes"], "blini").contributions.map(one => one.share.toFixed(2));
  // @ts-expect-error: there is no such option
  meals.similar("pancakes", {exclud: []});
  // @ts-expect-error: favorites are not one text's length
  meals.recommend(7);
  try {
    return meals.similar(meals.identify("pancake").id, {k: 3});
  } catch (error) {
    if (error instanceof UnknownItemError) console.log(error.suggestions.join(", "));
    if (error instanceof DamagedFileError) console.log(error.part?.length);
    throw error;
  }
}

export async function askLiteRt(bytes: Uint8Array): Promise<Neighbor[]> {
  const model: CompiledModel = await loadAndCompile(bytes, {accelerator: "wasm"});
  return recommendThrough(model, (values, shape) => new Tensor(values, shape), new Recommender(bytes), ["pancakes"], {k: 5});
}
