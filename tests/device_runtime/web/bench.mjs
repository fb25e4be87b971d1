// How fast and how large: `node --expose-gc bench.mjs FILE` prints one line of JSON. Medians, after warming up.

import {readFile} from "node:fs/promises";
import {gzipSync} from "node:zlib";
import {Recommender} from "../../../device_runtime/web/mignon.js";

const OPENINGS = 9, QUESTIONS = 400;

function median(times) {
  return times.sort((one, other) => one - other)[times.length >> 1];
}

function time(repeats, call) {
  const times = [];
  for (let i = 0; i < repeats; i++) {
    const start = performance.now();
    call(i);
    times.push(performance.now() - start);
  }
  return median(times);
}

function used() {
  globalThis.gc?.();
  const {heapUsed, arrayBuffers} = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const bytes = await readFile(process.argv[2]);
const before = used();
const open_ms = time(OPENINGS, () => new Recommender(bytes));
const meals = new Recommender(bytes);
const item = i => meals.item((i * 7919) % meals.size);
const start = performance.now();
meals.recommend([item(0).id]);
const first_ms = performance.now() - start;
const recommend_us = 1000 * time(QUESTIONS, i => meals.recommend([item(i).id, item(3 * i + 1).id, item(5 * i + 2).id], {blend: "together"}));
const tastes_us = 1000 * time(QUESTIONS, i => meals.recommend([item(i).id, item(3 * i + 1).id, item(5 * i + 2).id]));
const memory = used() - before;
const find = performance.now();
meals.find("x");
const first_find_ms = performance.now() - find;
const find_us = 1000 * time(QUESTIONS, i => meals.find(`${item(i).name.slice(1)}e`));
const source = await readFile(new URL("../../../device_runtime/web/mignon.js", import.meta.url));
const reader = {bytes: source.length, gzip_bytes: gzipSync(source, {level: 9}).length};
console.log(JSON.stringify({reader, open_ms, first_ms, recommend_us, tastes_us, memory, first_find_ms, find_us, memory_with_find: used() - before}));
