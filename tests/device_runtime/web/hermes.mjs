// The conformance set in Hermes, the engine of React Native: `node hermes.mjs FOLDER NODE_MODULES` prints one line of
// JSON. Babel rewrites the module, as React Native's own build does, and the set is written into the program, as the
// engine alone reads no files.

import {execFileSync} from "node:child_process";
import {mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from "node:fs";
import {createRequire} from "node:module";
import {tmpdir} from "node:os";
import {join, resolve} from "node:path";
import {namesIn, versionOf} from "./sets.mjs";

const [, , folder, modules] = process.argv;
const babel = createRequire(resolve(modules, "index.js"))("@babel/standalone");
const hermes = resolve(modules, "hermes-engine-cli/linux64-bin/hermes");

/** A module for an engine without modules and classes. */
function rewritten(path) {
  const source = readFileSync(new URL(path, import.meta.url), "utf8");
  return babel.transform(source, {presets: [["env", {modules: "commonjs", targets: "ie 11"}]], sourceType: "module"}).code;
}

const isOfSet = path => /(files|damaged)\/[^/]+\.tflite$|cases\/[^/]+\.jsonl$/.test(path);
const contents = readdirSync(folder, {recursive: true}).filter(isOfSet).map(path => [path, readFileSync(join(folder, path)).toString("latin1")]);
const [, version] = /release version: (\S+)/.exec(execFileSync(hermes, ["--version"], {encoding: "utf8"}));
const program = `
var mignon = {}, conformance = {}, contents = ${JSON.stringify(Object.fromEntries(contents))};
(function (exports) { ${rewritten("../../../device_runtime/web/mignon.js")} })(mignon);
(function (exports, require) { ${rewritten("conformance.mjs")} })(conformance, function () { return mignon; });
function read(path) { return Uint8Array.from(contents[path], function (letter) { return letter.charCodeAt(0); }); }
conformance.run(read, ${JSON.stringify(namesIn(folder))}, "javascript (Hermes ${version})", "${versionOf()}").then(
  function (said) { print(JSON.stringify(said)); },
  function (error) { print(JSON.stringify({failed: [String(error.stack)]})); });
`;
const scratch = mkdtempSync(join(tmpdir(), "hermes-"));
try {
  writeFileSync(join(scratch, "program.js"), program);
  const line = execFileSync(hermes, ["-O", "-w", join(scratch, "program.js")], {encoding: "utf8"}).trim();
  console.log(line);
  process.exitCode = JSON.parse(line).failed.length ? 1 : 0;
} finally {
  rmSync(scratch, {recursive: true});
}
