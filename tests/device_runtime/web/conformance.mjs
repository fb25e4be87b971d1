// The conformance set in JavaScript, for every engine: node.mjs, hermes.mjs and chromium.py run it.

import {
  DamagedFileError, FileFormatError, FutureVersionError, InvalidArgumentError, Recommender, UnknownAttributeError, UnknownItemError,
  decodeUtf8ByHand,
} from "../../../device_runtime/web/mignon.js";

const ERRORS = {"unknown item": UnknownItemError, "unknown attribute": UnknownAttributeError, "invalid argument": InvalidArgumentError};
const OPTIONS = ["dislikes", "exclude", "where", "blend"];

const bits = score => new Int32Array(Float32Array.of(score).buffer)[0];
const same = (found, wanted) => wanted === undefined || JSON.stringify(found) === JSON.stringify(wanted);

function ask(meals, question) {
  const k = question.k ?? 1, options = {k};
  for (const name of OPTIONS) if (name in question) options[name] = question[name];
  if (question.call === "recommend") return meals.recommend(question.items, options);
  if (question.call === "similar") return meals.similar(question.item, options);
  return meals.find(question.text, k);
}

function isAnswered(meals, question) {
  try {
    const found = ask(meals, question);
    return !question.error && same(found.map(one => one.id), question.ids) && same(found.map(one => bits(one.score)), question.bits);
  } catch (error) {
    return question.error in ERRORS && error instanceof ERRORS[question.error];
  }
}

function kindOf(error) {
  if (error instanceof DamagedFileError) return "damaged";
  if (error instanceof FutureVersionError) return "later version";
  return error instanceof FileFormatError ? "foreign" : "unexpected";
}

async function isRefused(bytes, {error: kind, part}) {
  try {
    await Recommender.open(bytes);
  } catch (error) {
    return kindOf(error) === kind && (error.part ?? null) === part && (part === null || error.message.includes(part));
  }
  return false;
}

/** Asks everything. `read` gives the bytes of a path in the set; `names` are those of the files, such as "earlier/likes". */
export async function run(read, names, reader, version) {
  const failed = [];
  let cases = 0;
  for (const name of ["damaged", ...names]) {
    const folder = name.slice(0, name.lastIndexOf("/") + 1), file = name.slice(folder.length);
    const lines = decodeUtf8ByHand(await read(`${folder}cases/${file}.jsonl`)).trimEnd().split("\n");
    const meals = name === "damaged" ? null : await Recommender.open(await read(`${folder}files/${file}.tflite`));
    for (const [index, line] of lines.entries()) {
      const question = JSON.parse(line);
      const passed = meals ? isAnswered(meals, question) : await isRefused(await read(`damaged/${question.file}`), question);
      if (!passed) failed.push(`${name}.jsonl:${index + 1}`);
      cases++;
    }
  }
  return {reader, version, cases, passed: cases - failed.length, failed};
}
