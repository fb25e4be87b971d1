// The conformance set in Node or Deno: `node node.mjs FOLDER` prints one line of JSON.

import {readFile} from "node:fs/promises";
import {run} from "./conformance.mjs";
import {namesIn, versionOf} from "./sets.mjs";

const [, , folder] = process.argv;
const engine = typeof Deno === "undefined" ? `Node ${process.versions.node}` : `Deno ${process.versions.deno}`;
const said = await run(path => readFile(`${folder}/${path}`), namesIn(folder), `javascript (${engine})`, versionOf());
console.log(JSON.stringify(said));
process.exitCode = said.failed.length ? 1 : 0;
