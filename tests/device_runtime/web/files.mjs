// The stored files, whole, altered, and written again with other contents.

import {readFileSync} from "node:fs";
import {inflateRawSync} from "node:zlib";
import {sha256} from "../../../device_runtime/web/mignon.js";

export const stored = name => readFileSync(new URL(`../../golden/files/${name}.tflite`, import.meta.url));
export const FILES = ["meals-8", "meals-4", "likes"].map(stored);

/** The file with a digest that fits its bytes. */
export function sealed(bytes) {
  const copy = Buffer.from(bytes);
  copy.write(sha256(copy.subarray(0, -64)), copy.length - 64, "latin1");
  return copy;
}

/** The file with other contents of some entries, {name: text or bytes, null to leave it out}, and a digest that fits. */
export function rewritten(whole, contents) {
  const parts = [whole.subarray(0, whole.indexOf("PK\x03\x04"))], records = [];
  const changed = new Map([...entriesOf(whole), ...Object.entries(contents)]);
  const all = new Map([...changed].filter(([, content]) => content !== null));
  let at = parts[0].length;
  for (const [name, content] of all) {
    const data = Buffer.from(content), shared = Buffer.alloc(24), encoded = Buffer.from(name);
    shared.writeUInt16LE(20, 0);
    shared.writeUInt16LE(33, 8);
    shared.writeUInt32LE(crc32(data), 10);
    shared.writeUInt32LE(data.length, 14);
    shared.writeUInt32LE(data.length, 18);
    shared.writeUInt16LE(encoded.length, 22);
    const offset = Buffer.alloc(16);
    offset.writeUInt32LE(at, 12);
    records.push(Buffer.from("PK\x01\x02\x14\0", "latin1"), shared, offset, encoded);
    parts.push(Buffer.from("PK\x03\x04", "latin1"), shared, Buffer.alloc(2), encoded, data);
    at += 30 + encoded.length + data.length;
  }
  const directory = Buffer.concat(records), end = Buffer.alloc(22);
  end.write("PK\x05\x06", 0, "latin1");
  end.writeUInt16LE(all.size, 8);
  end.writeUInt16LE(all.size, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  end.writeUInt16LE(78, 20);
  return sealed(Buffer.concat([...parts, directory, end, Buffer.from("mignon sha256 ".padEnd(78))]));
}

export function entriesOf(whole) {
  const end = whole.lastIndexOf("PK\x05\x06"), entries = new Map();
  for (let at = whole.readUInt32LE(end + 16); at < end; ) {
    const [method, size, nameLength] = [whole.readUInt16LE(at + 10), whole.readUInt32LE(at + 20), whole.readUInt16LE(at + 28)];
    const start = whole.readUInt32LE(at + 42) + 30 + nameLength, data = whole.subarray(start, start + size);
    entries.set(whole.toString("utf8", at + 46, at + 46 + nameLength), method ? inflateRawSync(data) : data);
    at += 46 + nameLength;
  }
  return entries;
}

function crc32(bytes) {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
  }
  return ~crc >>> 0;
}
