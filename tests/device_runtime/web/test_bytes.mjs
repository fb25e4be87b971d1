// SHA-256, inflate and UTF-8 of the reader's own, against those of the engine.

import assert from "node:assert/strict";
import {createHash} from "node:crypto";
import {test} from "node:test";
import {constants, deflateRawSync, inflateRawSync} from "node:zlib";
import {decodeUtf8ByHand, inflate, sha256} from "../../../device_runtime/web/mignon.js";
import {chance} from "./chance.mjs";

function contents() {
  const random = chance(1);
  const noise = Uint8Array.from({length: 70_000}, () => random(256));
  const words = Buffer.from(Array.from({length: 9000}, () => "pancakes borscht crepe hot dog".split(" ")[random(5)]).join(" "));
  return [new Uint8Array(0), Uint8Array.of(7), noise, words, new Uint8Array(300_000), noise.map(byte => byte & 15)];
}

test("a digest is that of other implementations, whatever the length", () => {
  const random = chance(2);
  for (let length = 0; length < 200; length++) {
    const bytes = Uint8Array.from({length}, () => random(256));
    assert.equal(sha256(bytes), createHash("sha256").update(bytes).digest("hex"));
  }
  const long = new Uint8Array(1 << 20).fill(0xa5);
  assert.equal(sha256(long), createHash("sha256").update(long).digest("hex"));
});

test("what zlib packs is unpacked, in every kind of block", () => {
  for (const content of contents()) {
    for (const options of [{level: 0}, {level: 1}, {level: 9}, {strategy: constants.Z_FIXED}, {strategy: constants.Z_HUFFMAN_ONLY}, {memLevel: 1}]) {
      const packed = deflateRawSync(content, options);
      assert.deepEqual(Buffer.from(inflate(packed, content.length)), Buffer.from(content));
    }
  }
});

test("what is not what it declares is refused, and nothing else is made of it", () => {
  for (const content of contents()) {
    const packed = deflateRawSync(content, {level: 9});
    assert.throws(() => inflate(packed, content.length + 1));
    assert.throws(() => inflate(Buffer.concat([packed, Buffer.of(0)]), content.length));
    if (content.length) assert.throws(() => inflate(packed, content.length - 1));
    for (let stop = 0; stop < Math.min(packed.length, 300); stop++) assert.throws(() => inflate(packed.subarray(0, stop), content.length));
  }
  assert.throws(() => inflate(Uint8Array.of(3, 0), 2 ** 31), /declares/);
});

test("of altered bytes it makes what zlib makes, or refuses them", () => {
  const random = chance(3), content = contents()[3];
  const packed = deflateRawSync(content.subarray(0, 3000), {level: 9});
  for (let i = 0; i < 4000; i++) {
    const altered = Buffer.from(packed);
    altered[random(packed.length)] ^= 1 << random(8);
    let expected = null;
    try {
      expected = inflateRawSync(altered);
    } catch {
      assert.throws(() => inflate(altered, 3000));
      continue;
    }
    if (expected.length === 3000) assert.deepEqual(Buffer.from(inflate(altered, 3000)), expected);
  }
});

test("text is decoded as TextDecoder does, and what is not UTF-8 is refused", () => {
  const random = chance(4), decoder = new TextDecoder("utf-8", {fatal: true, ignoreBOM: true});
  const text = "\ufeffCrêpes, блины, 餃子, 🥞\n".repeat(400);
  assert.equal(decodeUtf8ByHand(new TextEncoder().encode(text)), text);
  for (let i = 0; i < 20_000; i++) {
    const bytes = Uint8Array.from({length: 1 + random(6)}, () => [random(256), 0x80 + random(64), 0xe0 + random(32)][random(3)]);
    let expected = null;
    try {
      expected = decoder.decode(bytes);
    } catch {
      assert.throws(() => decodeUtf8ByHand(bytes), TypeError);
      assert.equal(typeof decodeUtf8ByHand(bytes, true), "string");
      continue;
    }
    assert.equal(decodeUtf8ByHand(bytes), expected);
  }
});
