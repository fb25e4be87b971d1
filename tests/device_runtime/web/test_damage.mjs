// Whatever is done to a file, it is refused by a typed error or answers, and nothing is read beyond its end.

import assert from "node:assert/strict";
import {test} from "node:test";
import {DamagedFileError, FileFormatError, MignonError, ModelFileError, Recommender} from "../../../device_runtime/web/mignon.js";
import {chance} from "./chance.mjs";
import {entriesOf, FILES, rewritten, sealed} from "./files.mjs";

/** Opens `bytes`, asks for all kinds of things, and gives the error if there is one. */
function tried(bytes) {
  const exact = new Uint8Array(bytes.length); // of just this length, so that nothing behind it could be read unnoticed
  exact.set(bytes);
  try {
    const meals = new Recommender(exact.buffer);
    meals.recommend(["pancakes", "borscht"], {dislikes: ["course=soup"], where: {course: ["soup", "salad"]}});
    meals.recommend([]);
    meals.similar("course=soup", {diversify: 0.5});
    meals.complete("pan");
    meals.explain(["pancakes"], "borscht");
  } catch (error) {
    if (!(error instanceof MignonError)) throw error;
    return error;
  }
  return null;
}

test("a file that breaks off anywhere is damaged or none of ours", () => {
  for (const whole of FILES) {
    for (let length = 0; length < whole.length; length += length < 200 || length > whole.length - 400 ? 1 : 97) {
      const error = tried(whole.subarray(0, length));
      assert.ok(error instanceof DamagedFileError || error instanceof FileFormatError, `${length}: ${error}`);
    }
  }
});

test("a file with more at its end is damaged", () => {
  for (const whole of FILES) assert.ok(tried(Buffer.concat([whole, Buffer.alloc(3)])) instanceof DamagedFileError);
});

test("an altered byte is told, with the part it is in", () => {
  const random = chance(5);
  for (let i = 0; i < 300; i++) {
    const whole = FILES[i % FILES.length], altered = Buffer.from(whole);
    altered[random(whole.length)] ^= 1 << random(8);
    assert.ok(tried(altered) instanceof ModelFileError);
  }
});

test("altered bytes under a digest that fits are refused, or answer", () => {
  const random = chance(6);
  for (let i = 0; i < 1500; i++) {
    const whole = FILES[i % FILES.length], altered = Buffer.from(whole);
    const start = random(4) ? whole.indexOf("PK\x03\x04") : 0; // mostly in the archive, where all the structure is
    for (let n = random(4); n >= 0; n--) altered[start + random(whole.length - start)] = random(256);
    tried(sealed(altered));
  }
});

test("altered headers and directory under a digest that fits are refused", () => {
  const random = chance(7);
  for (let i = 0; i < 600; i++) {
    const whole = FILES[i % FILES.length], altered = Buffer.from(whole);
    const at = whole.lastIndexOf("PK\x05\x06"), directory = whole.readUInt32LE(at + 16);
    altered[directory + random(at + 22 - directory)] ^= 1 << random(8);
    const error = tried(sealed(altered));
    assert.ok(error === null || error instanceof ModelFileError, String(error));
  }
});

test("altered contents under checksums that fit are refused, or answer", () => {
  const random = chance(8);
  for (let i = 0; i < 600; i++) {
    const whole = FILES[i % FILES.length], entries = entriesOf(whole), names = [...entries.keys()];
    const name = names[random(names.length)], content = Buffer.from(entries.get(name));
    const bytes = Buffer.from("\t\n|0-9\xff{}\",", "latin1");
    for (let n = random(3); n >= 0 && content.length; n--) content[random(content.length)] = bytes[random(bytes.length)];
    const cut = random(3) ? content : content.subarray(0, random(content.length + 1));
    const error = tried(rewritten(whole, {[name]: random(20) ? cut : null}));
    assert.ok(error === null || error instanceof ModelFileError || name !== "manifest.json" || error instanceof MignonError);
  }
});

test("a manifest that contradicts itself or its file is foreign", () => {
  const whole = FILES[0], manifest = JSON.parse(entriesOf(whole).get("manifest.json"));
  for (const wrong of [
    {rows: 0}, {rows: 61}, {rows: 2 ** 52}, {rows: 1.5}, {rows: "60"}, {rows: true}, {dims: 8}, {columns: 2 ** 40, dims: 2 ** 40}, {bits: 2},
    {bits: 4, columns: 15, dims: 15}, {scale: 0}, {scale: 1}, {scale: "0.1"}, {table_offset: 8}, {table_offset: -16}, {table_offset: 2 ** 40},
    {name: 1}, {quality: []}, {license: null}, {format_version: 0}, {format_version: true}, {format_version: "1"}, {preference: {}}, {preference: 1},
    {preference: {entry: 2 ** 20, power: 0.5, negative_columns: 0}, dims: 15}, {preference: {entry: 1.5, power: 2, negative_columns: 0}, dims: 15},
    {preference: {entry: 1.5, power: 0.5, negative_columns: 16}, dims: 15},
  ]) {
    const error = tried(rewritten(whole, {"manifest.json": JSON.stringify({...manifest, ...wrong})}));
    assert.equal(error?.constructor, FileFormatError, JSON.stringify(wrong));
  }
  for (const text of ["", "[]", "null", "{", "NaN", "[".repeat(1 << 19), " ".repeat((1 << 20) + 1)]) {
    assert.equal(tried(rewritten(whole, {"manifest.json": text}))?.constructor, FileFormatError, text.slice(0, 9));
  }
  assert.equal(tried(rewritten(whole, {"manifest.json": JSON.stringify({...manifest, format_version: 2})}))?.name, "FutureVersionError");
  assert.equal(tried(rewritten(whole, {})), null);
});
