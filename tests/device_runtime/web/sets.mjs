// What stands in a conformance set on disk.

import {readdirSync, readFileSync} from "node:fs";

/** The names of its files, such as "likes" and "earlier/likes". */
export function namesIn(folder) {
  const files = readdirSync(folder, {recursive: true}).map(file => /^(.*\/)?files\/([^/]+)\.tflite$/.exec(file.replaceAll("\\", "/")));
  return files.filter(Boolean).map(([, before = "", file]) => before + file).sort();
}

/** The version of the module. */
export function versionOf() {
  return JSON.parse(readFileSync(new URL("../../../device_runtime/web/package.json", import.meta.url), "utf8")).version;
}
