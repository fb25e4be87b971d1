// Answers questions for another program: `node ask.mjs FILE`, a line of JSON each way: {"call", "arguments"} to an answer.

import {readFile} from "node:fs/promises";
import {createInterface} from "node:readline";
import {Recommender} from "../../../device_runtime/web/mignon.js";

const meals = new Recommender(await readFile(process.argv[2]));
const plain = value => value instanceof Map ? Object.fromEntries([...value].map(([key, one]) => [key, plain(one)])) : value;

for await (const line of createInterface({input: process.stdin})) {
  const {call, arguments: given} = JSON.parse(line);
  try {
    console.log(JSON.stringify({answer: plain(meals[call](...given))}));
  } catch (error) {
    console.log(JSON.stringify({error: error.name, suggestions: error.suggestions}));
  }
}
