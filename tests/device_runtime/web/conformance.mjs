// The conformance set in JavaScript: `node conformance.mjs FOLDER` prints one line of JSON; a page may import `run`.

import {DamagedFileError, FileFormatError, FutureVersionError, InvalidArgumentError, Recommender, UnknownItemError} from "../../../device_runtime/web/mignon.js";

const QUESTION_ERRORS = {"unknown item": UnknownItemError, "invalid argument": InvalidArgumentError};
const OPTIONS = ["k", "dislikes", "exclude", "where", "blend"];

const bits = score => new Int32Array(Float32Array.of(score).buffer)[0];
const same = (found, wanted) => wanted === undefined || JSON.stringify(found) === JSON.stringify(wanted);

function ask(meals, question) {
  const options = Object.fromEntries(OPTIONS.filter(name => name in question).map(name => [name, question[name]]));
  if (question.call === "recommend") return meals.recommend(question.items, options);
  if (question.call === "similar") return meals.similar(question.item, options);
  return meals.find(question.text, question.k ?? 1);
}

function isAnswered(meals, question) {
  try {
    const found = ask(meals, question);
    return !question.error && same(found.map(one => one.id), question.ids) && same(found.map(one => bits(one.score)), question.bits);
  } catch (error) {
    return error instanceof (QUESTION_ERRORS[question.error] ?? (() => {}));
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

/** Asks everything. `read` gives the bytes of a path in the set; `names` are those of the files. */
export async function run(read, names, reader, version) {
  const failed = [];
  let cases = 0;
  for (const name of ["damaged", ...names]) {
    const lines = new TextDecoder().decode(await read(`cases/${name}.jsonl`)).trimEnd().split("\n");
    const meals = name === "damaged" ? null : await Recommender.open(await read(`files/${name}.tflite`));
    for (const [index, line] of lines.entries()) {
      const question = JSON.parse(line);
      const passed = meals ? isAnswered(meals, question) : await isRefused(await read(`damaged/${question.file}`), question);
      if (!passed) failed.push(`${name}.jsonl:${index + 1}`);
      cases++;
    }
  }
  return {reader, version, cases, passed: cases - failed.length, failed};
}

if (typeof process !== "undefined" && import.meta.url === `file://${process.argv[1]}`) {
  const {readFile, readdir} = await import("node:fs/promises");
  const folder = process.argv[2];
  const names = (await readdir(`${folder}/files`)).filter(file => file.endsWith(".tflite")).map(file => file.slice(0, -7)).sort();
  const manifest = JSON.parse(await readFile(new URL("../../../device_runtime/web/package.json", import.meta.url), "utf8"));
  const engine = typeof Deno === "undefined" ? `Node ${process.versions.node}` : `Deno ${process.versions.deno}`;
  const said = await run(path => readFile(`${folder}/${path}`), names, `javascript (${engine})`, manifest.version);
  console.log(JSON.stringify(said));
  process.exitCode = said.failed.length ? 1 : 0;
}
