// Similar items and recommendations from one .tflite file made by mignon, offline: the reader for JavaScript.
//
// No dependencies, and nothing of one platform: browsers, Node, Deno, React Native. docs/format.md says what a file
// holds and what must be answered; where a step looks odd here, it is as it is there, so that answers are the same to
// the last bit everywhere. Scores are whole numbers below 2^53, which float64 holds, whatever the order of additions.

// ---- errors: each message says what was found, where, and what to do ------------------------------------------------

/** The base of every error of this module. */
export class MignonError extends Error {
  constructor(message) {
    super(message);
    this.name = this.constructor.name;
  }
}

/** The model file is missing, cannot be read, or is not what it should be. */
export class ModelFileError extends MignonError {}

/** The file was cut short or altered; `part` names the first part that was, or is null where bytes are missing. */
export class DamagedFileError extends ModelFileError {
  constructor(message, part = null) {
    super(message);
    this.part = part;
  }
}

/** The file is whole, but its parts do not fit together, or mignon did not make it. */
export class FileFormatError extends ModelFileError {}

/** A later mignon made the file, in a format that is not known here. */
export class FutureVersionError extends FileFormatError {}

/** An argument is of the wrong kind or out of its range. */
export class InvalidArgumentError extends MignonError {}

/** An item is liked and disliked, or has two weights, or all weights cancel out; `items` has their names. */
export class ContradictoryLikesError extends InvalidArgumentError {
  constructor(message, items) {
    super(message);
    this.items = items;
  }
}

/** No item has this id, name or alias; `suggestions` has the names of those most like it. */
export class UnknownItemError extends MignonError {
  constructor(asked, suggestions) {
    const meant = suggestions.length ? `did you mean ${suggestions.join(", ")}?` : "find() searches the names";
    super(`no item is called ${shown(asked)}; ${meant}`);
    this.asked = asked;
    this.suggestions = suggestions;
  }
}

/** A filter names an attribute, or a value of it, that no item has. */
export class UnknownAttributeError extends MignonError {}

/** `value` for a message, shortened. */
function shown(value) {
  let text;
  try {
    text = JSON.stringify(value);
  } catch {
    text = undefined;
  }
  return (text === undefined ? String(value) : text).slice(0, 80);
}

// ---- bytes ----------------------------------------------------------------------------------------------------------

const CRC_TABLE = Uint32Array.from({length: 256}, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
  return crc;
});

/** The CRC-32 of `bytes`, or of what came before with the CRC-32 `start`, and `bytes`. */
function crc32(bytes, start = 0) {
  let crc = ~start;
  for (let i = 0; i < bytes.length; i++) crc = CRC_TABLE[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

const SHA256_ROUNDS = Uint32Array.from(
  ("428a2f98 71374491 b5c0fbcf e9b5dba5 3956c25b 59f111f1 923f82a4 ab1c5ed5 d807aa98 12835b01 243185be 550c7dc3 " +
    "72be5d74 80deb1fe 9bdc06a7 c19bf174 e49b69c1 efbe4786 0fc19dc6 240ca1cc 2de92c6f 4a7484aa 5cb0a9dc 76f988da " +
    "983e5152 a831c66d b00327c8 bf597fc7 c6e00bf3 d5a79147 06ca6351 14292967 27b70a85 2e1b2138 4d2c6dfc 53380d13 " +
    "650a7354 766a0abb 81c2c92e 92722c85 a2bfe8a1 a81a664b c24b8b70 c76c51a3 d192e819 d6990624 f40e3585 106aa070 " +
    "19a4c116 1e376c08 2748774c 34b0bcb5 391c0cb3 4ed8aa4a 5b9cca4f 682e6ff3 748f82ee 78a5636f 84c87814 8cc70208 " +
    "90befffa a4506ceb bef9a3f7 c67178f2").split(" "),
  word => parseInt(word, 16),
);

/**
 * The SHA-256 of `bytes` in hexadecimal. Pages that are not served over https have no crypto.subtle, and elsewhere it
 * is asynchronous; this takes a few milliseconds for a megabyte, once.
 */
export function sha256(bytes) {
  const state = Int32Array.of(
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
  );
  const words = new Int32Array(64);
  const whole = bytes.length & ~63;
  for (let start = 0; start < whole; start += 64) digestBlock(state, words, bytes, start);
  const rest = bytes.length - whole;
  const last = new Uint8Array(rest < 56 ? 64 : 128);
  last.set(bytes.subarray(whole));
  last[rest] = 0x80;
  const end = new DataView(last.buffer, last.length - 8);
  end.setUint32(0, Math.floor(bytes.length / 0x20000000));
  end.setUint32(4, (bytes.length << 3) >>> 0);
  for (let start = 0; start < last.length; start += 64) digestBlock(state, words, last, start);
  return Array.from(state, word => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

function digestBlock(state, words, bytes, start) {
  for (let i = 0, at = start; i < 16; i++, at += 4) {
    words[i] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
  }
  for (let i = 16; i < 64; i++) {
    const x = words[i - 15], y = words[i - 2];
    const small = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const great = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    words[i] = (words[i - 16] + small + words[i - 7] + great) | 0;
  }
  let a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
  for (let i = 0; i < 64; i++) {
    const mixed = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const first = (h + mixed + (g ^ (e & (f ^ g))) + SHA256_ROUNDS[i] + words[i]) | 0;
    const turned = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const second = (turned + ((a & b) | (c & (a | b)))) | 0;
    h = g; g = f; f = e; e = (d + first) | 0;
    d = c; c = b; b = a; a = (first + second) | 0;
  }
  state[0] += a; state[1] += b; state[2] += c; state[3] += d;
  state[4] += e; state[5] += f; state[6] += g; state[7] += h;
}

/** The text that `bytes` hold in UTF-8. Throws a TypeError where they do not, or replaces what is not if `lenient`. */
function decodeUtf8(bytes, lenient = false) {
  if (typeof TextDecoder === "function") {
    return new TextDecoder("utf-8", {fatal: !lenient, ignoreBOM: true}).decode(bytes);
  }
  return decodeUtf8ByHand(bytes, lenient);
}

const LEAST_CODE = [0, 0x80, 0x800, 0x10000]; // that needs so many further bytes

/** What `decodeUtf8` does, where there is no TextDecoder: in React Native. */
export function decodeUtf8ByHand(bytes, lenient = false) {
  const parts = [];
  let part = "";
  for (let i = 0; i < bytes.length; ) {
    const first = bytes[i++];
    const more = first < 0x80 ? 0 : first < 0xc2 ? -1 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf5 ? 3 : -1;
    let code = more > 0 ? first & (0x3f >> more) : first;
    let left = more;
    for (; left > 0 && i < bytes.length && (bytes[i] & 0xc0) === 0x80; left--) code = (code << 6) | (bytes[i++] & 0x3f);
    if (left !== 0 || code < LEAST_CODE[more] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
      if (!lenient) throw new TypeError(`byte ${i - 1} is not UTF-8`);
      code = 0xfffd;
    }
    part += String.fromCodePoint(code);
    if (part.length > 4096) {
      parts.push(part);
      part = "";
    }
  }
  return parts.join("") + part;
}

/** Where `wanted` starts last in `bytes`, or -1. */
function lastIndexOf(bytes, wanted) {
  for (let at = bytes.length - wanted.length; at >= 0; at--) {
    let i = 0;
    while (i < wanted.length && bytes[at + i] === wanted[i]) i++;
    if (i === wanted.length) return at;
  }
  return -1;
}

const ascii = text => Uint8Array.from(text, letter => letter.charCodeAt(0));
const equalBytes = (one, other) => one.length === other.length && one.every((byte, i) => byte === other[i]);

// ---- inflate (RFC 1951) ---------------------------------------------------------------------------------------------
// Of its own, and not DecompressionStream: entries are unpacked when the first question needs them, and a question is
// answered at once, not by a promise.

const LENGTH_BASES = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
];
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCE_BASES = Array.from({length: 30}, (_, i) => (i < 4 ? i + 1 : ((2 + (i & 1)) << ((i >> 1) - 1)) + 1));
const DISTANCE_BITS = Array.from({length: 30}, (_, i) => (i < 4 ? 0 : (i >> 1) - 1));
const ORDER_OF_LENGTHS = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const LONGEST_CODE = 15;
const MOST_EXPANDED = 1032; // bytes that deflate can make of one

class InflateError extends Error {}

/** A table by the next bits of a stream: a symbol times 16 plus the length of its code, 0 for what is no code. */
function codeTable(lengths) {
  const counts = new Uint16Array(LONGEST_CODE + 1);
  for (const length of lengths) counts[length]++;
  counts[0] = 0;
  let longest = LONGEST_CODE;
  while (longest > 1 && !counts[longest]) longest--;
  const next = new Uint16Array(LONGEST_CODE + 2);
  let left = 1;
  for (let length = 1; length <= LONGEST_CODE; length++) {
    left = 2 * left - counts[length];
    if (left < 0) throw new InflateError("a code is used twice");
    next[length + 1] = (next[length] + counts[length]) << 1;
  }
  if (left > 0 && longest > 1) throw new InflateError("a code is missing");
  const table = new Uint16Array(1 << longest);
  lengths.forEach((length, symbol) => {
    if (!length) return;
    let reversed = 0;
    for (let bit = 0, code = next[length]++; bit < length; bit++, code >>= 1) reversed = (reversed << 1) | (code & 1);
    for (let at = reversed; at < table.length; at += 1 << length) table[at] = (symbol << 4) | length;
  });
  return table;
}

let fixedTables = null;

class BitReader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
    this.held = 0; // bits that were read and not yet taken, the first one lowest
    this.count = 0;
  }

  take(bits) {
    while (this.count < bits) {
      if (this.at >= this.bytes.length) throw new InflateError("it is cut short");
      this.held |= this.bytes[this.at++] << this.count;
      this.count += 8;
    }
    const taken = this.held & ((1 << bits) - 1);
    this.held >>>= bits;
    this.count -= bits;
    return taken;
  }

  symbol(table) {
    while (this.count < LONGEST_CODE && this.at < this.bytes.length) {
      this.held |= this.bytes[this.at++] << this.count;
      this.count += 8;
    }
    const found = table[this.held & (table.length - 1)];
    const length = found & 15;
    if (!length || length > this.count) throw new InflateError("it holds no code");
    this.held >>>= length;
    this.count -= length;
    return found >> 4;
  }

  /** Gives whole bytes back, and drops the rest of the byte that was begun. */
  align() {
    this.at -= this.count >> 3;
    this.held = this.count = 0;
  }
}

/** Unpacks `bytes` to `size` bytes. Throws an InflateError where that is not what they hold, before it takes more. */
export function inflate(bytes, size) {
  if (size > MOST_EXPANDED * bytes.length) throw new InflateError("it cannot hold as much as it declares");
  const out = new Uint8Array(size);
  const reader = new BitReader(bytes);
  let filled = 0;
  for (let last = 0; !last; ) {
    last = reader.take(1);
    const kind = reader.take(2);
    if (kind === 0) filled = copyStored(reader, out, filled);
    else if (kind === 1) filled = inflateBlock(reader, out, filled, (fixedTables ??= makeFixedTables()));
    else if (kind === 2) filled = inflateBlock(reader, out, filled, readTables(reader));
    else throw new InflateError("it has a block of no known kind");
  }
  reader.align();
  if (reader.at !== bytes.length || filled !== size) throw new InflateError("its bytes do not end where they should");
  return out;
}

function copyStored(reader, out, filled) {
  reader.align();
  const length = reader.take(16);
  if ((length ^ 0xffff) !== reader.take(16)) throw new InflateError("a stored block has two lengths");
  if (reader.at + length > reader.bytes.length || filled + length > out.length)
    throw new InflateError("a stored block is too long");
  out.set(reader.bytes.subarray(reader.at, reader.at + length), filled);
  reader.at += length;
  return filled + length;
}

function makeFixedTables() {
  const lengths = Array.from({length: 288}, (_, symbol) =>
    symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8,
  );
  return [codeTable(lengths), codeTable(new Array(32).fill(5))];
}

function readTables(reader) {
  const literals = reader.take(5) + 257, distances = reader.take(5) + 1, count = reader.take(4) + 4;
  if (literals > 286 || distances > 30) throw new InflateError("it has too many codes");
  const ofLengths = new Array(19).fill(0);
  for (let i = 0; i < count; i++) ofLengths[ORDER_OF_LENGTHS[i]] = reader.take(3);
  const table = codeTable(ofLengths);
  const lengths = [];
  while (lengths.length < literals + distances) {
    const symbol = reader.symbol(table);
    if (symbol < 16) {
      lengths.push(symbol);
      continue;
    }
    if (symbol === 16 && !lengths.length) throw new InflateError("it repeats a length before the first");
    const repeated = symbol === 16 ? lengths[lengths.length - 1] : 0;
    const times = symbol === 16 ? 3 + reader.take(2) : symbol === 17 ? 3 + reader.take(3) : 11 + reader.take(7);
    if (lengths.length + times > literals + distances) throw new InflateError("it has too many lengths");
    for (let i = 0; i < times; i++) lengths.push(repeated);
  }
  if (!lengths[256]) throw new InflateError("a block has no end");
  return [codeTable(lengths.slice(0, literals)), codeTable(lengths.slice(literals))];
}

function inflateBlock(reader, out, filled, [literals, distances]) {
  for (;;) {
    const symbol = reader.symbol(literals);
    if (symbol === 256) return filled;
    if (symbol < 256) {
      if (filled >= out.length) throw new InflateError("it holds more than it declares");
      out[filled++] = symbol;
      continue;
    }
    if (symbol > 285) throw new InflateError("it holds no length");
    const length = LENGTH_BASES[symbol - 257] + reader.take(LENGTH_BITS[symbol - 257]);
    const far = reader.symbol(distances);
    if (far > 29) throw new InflateError("it holds no distance");
    const distance = DISTANCE_BASES[far] + reader.take(DISTANCE_BITS[far]);
    if (distance > filled) throw new InflateError("it refers to what is before its start");
    if (filled + length > out.length) throw new InflateError("it holds more than it declares");
    for (const end = filled + length; filled < end; filled++) out[filled] = out[filled - distance];
  }
}

// ---- the archive at the end of a file: what mignon writes and nothing else of the ZIP format ------------------------

const FORMAT_VERSION = 1;
const FLATBUFFER_IDENTIFIER = "TFL3";
const TABLE_ALIGNMENT = 16;
const LARGEST_ENTRY = 127; // of the table
const DIGEST_LENGTH = 64;
const SEAL = "mignon sha256 ";
const MANIFEST = "manifest.json";
const MOST_MANIFEST_BYTES = 1 << 20;
const MOST_BYTES = 2 ** 31; // that entries may declare together, stored and unpacked
const END_BYTES = 22, RECORD_BYTES = 46, HEADER_BYTES = 30;
const DEFLATED = 8;
const ENCRYPTED_OR_SIZED_LATER = 0b1001;

class ArchiveError extends Error {}

/** The bytes of a file, the numbers in them, and its archive. */
class Archive {
  constructor(bytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The last record that may end an archive, whether it fits or not; null for none. */
  findEnd() {
    const position = lastIndexOf(this.bytes, ascii("PK\x05\x06"));
    if (position < 0 || position + END_BYTES > this.bytes.length) return null;
    const u16 = at => this.view.getUint16(position + at, true);
    const u32 = at => this.view.getUint32(position + at, true);
    return {position, entries: u16(10), size: u32(12), start: u32(16), stop: position + END_BYTES + u16(20)};
  }

  /** The entries in the order in which they stand there without a gap. */
  read() {
    const end = this.findEnd();
    if (!end || end.stop !== this.bytes.length) throw new ArchiveError("no end of an archive");
    if (end.position !== end.start + end.size) throw new ArchiveError("its directory does not end where it should");
    const entries = this.readDirectory(end);
    entries.forEach((entry, i) => {
      this.checkHeader(entry);
      if (entry.stop !== (i + 1 < entries.length ? entries[i + 1].header : end.start)) {
        throw new ArchiveError(`${shown(entry.name)} does not end where the next part starts`);
      }
    });
    return entries;
  }

  /** The entries that the directory before `end` lists. */
  readDirectory(end) {
    let position = end.position - end.size;
    if (position < 0) throw new ArchiveError("its directory starts before the file");
    const entries = [], names = new Set();
    let declared = 0;
    while (position < end.position) {
      const entry = this.readRecord(position, end.position);
      if (names.has(entry.name)) throw new ArchiveError(`${shown(entry.name)} stands there more than once`);
      names.add(entry.name);
      entries.push(entry);
      declared += entry.storedSize + entry.size;
      position = entry.following;
    }
    if (!entries.length || entries.length !== end.entries) {
      throw new ArchiveError(`its directory lists ${entries.length} entries and not ${end.entries}`);
    }
    if (declared > MOST_BYTES)
      throw new ArchiveError(`its entries declare ${declared} bytes, more than the ${MOST_BYTES} allowed`);
    return entries;
  }

  readRecord(position, stop) {
    if (position + RECORD_BYTES > stop) throw new ArchiveError("its directory is cut short");
    const u16 = at => this.view.getUint16(position + at, true);
    const u32 = at => this.view.getUint32(position + at, true);
    const nameStart = position + RECORD_BYTES, nameStop = nameStart + u16(28);
    const following = nameStop + u16(30) + u16(32);
    if (u32(0) !== 0x02014b50 || following > stop || u16(34)) throw new ArchiveError("its directory cannot be read");
    const encodedName = this.bytes.subarray(nameStart, nameStop);
    let name;
    try {
      name = decodeUtf8(encodedName);
    } catch {
      throw new ArchiveError("a name in its directory is not UTF-8");
    }
    const method = u16(10);
    if ((method !== 0 && method !== DEFLATED) || u16(8) & ENCRYPTED_OR_SIZED_LATER) {
      throw new ArchiveError(`${shown(name)} is stored in a way that is not known here`);
    }
    const shared = this.bytes.subarray(position + 6, position + 30); // what the header must repeat
    const header = u32(42), storedSize = u32(20), start = header + HEADER_BYTES + encodedName.length;
    return {
      name, encodedName, shared, header, following, storedSize,
      compressed: method === DEFLATED, checksum: u32(16), size: u32(24), start, stop: start + storedSize,
    };
  }

  /** Compares the header before the bytes of an entry with what the directory says. */
  checkHeader(entry) {
    if (entry.stop > this.bytes.length) throw new ArchiveError(`${shown(entry.name)} ends beyond the file`);
    const header = this.bytes.subarray(entry.header, entry.start);
    const fits =
      this.view.getUint32(entry.header, true) === 0x04034b50 && equalBytes(header.subarray(4, 28), entry.shared) &&
      header[28] === 0 && header[29] === 0 && equalBytes(header.subarray(HEADER_BYTES), entry.encodedName);
    if (!fits) throw new ArchiveError(`the header of ${shown(entry.name)} differs from the directory`);
  }

  /** The content of an entry whose header was checked. */
  content(entry) {
    let content = this.bytes.subarray(entry.start, entry.stop);
    if (entry.compressed) {
      try {
        content = inflate(content, entry.size);
      } catch (error) {
        if (!(error instanceof InflateError)) throw error;
        throw new ArchiveError(error.message);
      }
    }
    if (content.length !== entry.size || crc32(content) !== entry.checksum) {
      throw new ArchiveError("it does not fit its size and CRC-32");
    }
    return content;
  }

  /** The names of the entries whose header or content does not fit. */
  altered(entries) {
    return entries.filter(entry => {
      try {
        this.checkHeader(entry);
        this.content(entry);
        return false;
      } catch (error) {
        if (error instanceof ArchiveError) return true;
        throw error;
      }
    }).map(entry => entry.name);
  }
}

// ---- the manifest ---------------------------------------------------------------------------------------------------

const LARGEST_BIAS_ENTRY = 1 << 20;
const WHOLE_NUMBERS = ["rows", "dims", "columns", "table_offset"];
const TEXTS = ["name", "objective", "license"];
const REQUIRED = [
  "format_version",
  "name",
  "rows",
  "dims",
  "columns",
  "bits",
  "scale",
  "table_offset",
  "objective",
  "quality",
  "license",
];
const RULE = ["entry", "power", "negative_columns"];

const isRecord = value => typeof value === "object" && value !== null && !Array.isArray(value);

/** The manifest in `text`; what it says fits together. JavaScript cannot tell 1.0 from 1, and takes both. */
function parseManifest(file, text) {
  const fault = found => new FileFormatError(`${file}: ${MANIFEST} ${found}`);
  let raw;
  try {
    raw = JSON.parse(text);
  } catch (error) {
    throw fault(`is not JSON (${error.message})`);
  }
  if (!isRecord(raw)) throw fault("is not a JSON object");
  checkVersion(file, raw.format_version);
  for (const field of REQUIRED) {
    if (!Object.prototype.hasOwnProperty.call(raw, field))
      throw fault(`has no ${shown(field)}; export the model again`);
  }
  const preference = raw.preference ?? null;
  if (preference !== null) checkRule(preference, fault);
  for (const field of TEXTS) if (typeof raw[field] !== "string") throw fault(`gives ${field} as ${shown(raw[field])}`);
  if (!isRecord(raw.quality)) throw fault(`gives quality as ${shown(raw.quality)}`);
  for (const field of WHOLE_NUMBERS) {
    const least = field === "table_offset" ? 0 : 1;
    if (!Number.isSafeInteger(raw[field]) || raw[field] < least) throw fault(`gives ${field} as ${shown(raw[field])}`);
  }
  if ((raw.bits !== 4 && raw.bits !== 8) || (raw.columns * raw.bits) % 8) {
    throw fault(`gives ${raw.columns} columns of ${shown(raw.bits)} bits`);
  }
  if (raw.columns !== raw.dims + (preference ? 1 : 0)) throw fault(`gives ${raw.columns} columns for ${raw.dims} dims`);
  if (preference && preference.negative_columns > raw.dims)
    throw fault(`gives more negative_columns than the ${raw.dims} dims`);
  if (typeof raw.scale !== "number" || !(raw.scale > 0 && raw.scale < 1)) {
    throw fault(`gives scale as ${shown(raw.scale)}, not a number between 0 and 1`);
  }
  return {...raw, preference};
}

function checkVersion(file, version) {
  if (version === FORMAT_VERSION) return;
  const later = Number.isInteger(version) && version > FORMAT_VERSION;
  const message = `${file}: format version ${shown(version)}; this mignon reads version ${FORMAT_VERSION}; `;
  throw later
    ? new FutureVersionError(`${message}install a later one`)
    : new FileFormatError(`${message}export it again`);
}

function checkRule(rule, fault) {
  if (!isRecord(rule) || Object.keys(rule).sort().join() !== [...RULE].sort().join()) {
    throw fault(`gives a preference without its ${RULE.join(", ")}`);
  }
  const {entry, power, negative_columns: negative} = rule;
  if (typeof entry !== "number" || !(Math.abs(entry) < LARGEST_BIAS_ENTRY))
    throw fault(`gives the preference's entry as ${shown(entry)}`);
  if (typeof power !== "number" || !(power >= 0 && power <= 1))
    throw fault(`gives the preference's power as ${shown(power)}`);
  if (!Number.isSafeInteger(negative) || negative < 0) throw fault(`gives negative_columns as ${shown(negative)}`);
}

// ---- which part was altered of a file whose digest does not fit -----------------------------------------------------

const AGAIN = "copy or export it again";
const FOREIGN = "give a .tflite file made by mignon";
const IN_WORDS = {table: "its table", graph: "its graph", directory: "the directory of its archive"};

/** The error to throw for a file whose digest does not fit: it names what was altered. */
function diagnose(file, archive) {
  const {bytes} = archive, end = archive.findEnd();
  const sealed = isSealed(bytes);
  if (!sealed && lastIndexOf(bytes, ascii(MANIFEST)) < 0) {
    if (!isTflite(bytes)) return new FileFormatError(`${file}: is not a TFLite file; ${FOREIGN}`);
    if (end)
      return new FileFormatError(`${file}: its archive has no ${MANIFEST}, so it was not made by mignon; ${FOREIGN}`);
  }
  if (!end || end.stop !== bytes.length)
    return sealed ? alteredError(file, ["directory"]) : ofAnotherLength(file, bytes, end);
  let entries;
  try {
    entries = archive.readDirectory(end);
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    return alteredError(file, ["directory"]);
  }
  return movedError(file, end, entries) ?? diagnoseParts(file, archive, entries);
}

const isSealed = bytes => equalBytes(bytes.slice(-DIGEST_LENGTH - SEAL.length, -DIGEST_LENGTH), ascii(SEAL));
const isTflite = bytes => equalBytes(bytes.subarray(4, 8), ascii(FLATBUFFER_IDENTIFIER));

function ofAnotherLength(file, bytes, end) {
  if (end && end.stop < bytes.length) {
    return new DamagedFileError(`${file}: has ${bytes.length - end.stop} bytes too many after its end; ${AGAIN}`);
  }
  return new DamagedFileError(
    `${file}: breaks off after ${bytes.length} bytes, before its digest, or was not made by mignon; ${AGAIN}`,
  );
}

function movedError(file, end, entries) {
  const start = end.position - end.size, missing = end.start - start;
  if (!missing) return null;
  if (entries[entries.length - 1].stop === start) return alteredError(file, ["directory"]);
  const many = missing > 0 ? `lacks ${missing} bytes` : `has ${-missing} bytes too many`;
  return new DamagedFileError(`${file}: ${many} before the directory of its archive; ${AGAIN}`);
}

function diagnoseParts(file, archive, entries) {
  let altered = archive.altered(entries);
  const entry = entries.find(one => one.name === MANIFEST);
  if (!entry) return alteredError(file, ["directory"]);
  if (altered.includes(MANIFEST)) return alteredError(file, altered);
  let manifest;
  try {
    manifest = parseManifest(file, decodeUtf8(archive.content(entry), true));
  } catch (error) {
    if (error instanceof ModelFileError) return error; // of a later version, above all
    throw error;
  }
  altered = [...alteredInFlatbuffer(archive.bytes, manifest, entries[0].header), ...altered];
  if (altered.length) return alteredError(file, altered);
  if (manifest.graph_crc32 == null) {
    return new DamagedFileError(`${file}: its digest does not fit its ${archive.bytes.length} bytes; ${AGAIN}`);
  }
  return new DamagedFileError(
    `${file}: the digest at its end was altered, or bytes that carry nothing: table, graph and catalog fit their own ` +
      `checksums; ${AGAIN}`,
    "digest",
  );
}

function alteredInFlatbuffer(bytes, manifest, size) {
  const start = manifest.table_offset, stop = start + tableBytes(manifest);
  if (manifest.graph_crc32 == null || stop > size) return [];
  const altered = [];
  if (crc32(bytes.subarray(start, stop)) !== manifest.table_crc32) altered.push("table");
  if (crc32(bytes.subarray(stop, size), crc32(bytes.subarray(0, start))) !== manifest.graph_crc32)
    altered.push("graph");
  return altered;
}

function alteredError(file, parts) {
  const named = parts.map(part => IN_WORDS[part] ?? shown(part)).join(" and ");
  return new DamagedFileError(
    `${file}: ${named} ${parts.length === 1 ? "was" : "were"} altered since export; ${AGAIN}`,
    parts[0],
  );
}

// ---- the file -------------------------------------------------------------------------------------------------------

const tableBytes = manifest => (manifest.rows * manifest.columns * manifest.bits) / 8;

/** A verified file. Entries are unpacked when they are asked for. */
class ModelFile {
  constructor(bytes, name) {
    this.name = name;
    if (!bytes.length) throw new FileFormatError(`${name}: is empty; ${FOREIGN}`);
    this.archive = new Archive(bytes);
    const signed = Math.max(0, bytes.length - DIGEST_LENGTH);
    this.digest = sha256(bytes.subarray(0, signed));
    if (!equalBytes(bytes.subarray(signed), ascii(this.digest))) throw diagnose(name, this.archive);
    if (!isTflite(bytes)) throw new FileFormatError(`${name}: is not a TFLite file; ${FOREIGN}`);
    let entries;
    try {
      entries = this.archive.read();
    } catch (error) {
      if (!(error instanceof ArchiveError)) throw error;
      throw new FileFormatError(`${name}: the archive at its end cannot be read: ${error.message}`);
    }
    this.entries = new Map(entries.map(entry => [entry.name, entry]));
    this.manifest = parseManifest(name, this.text(MANIFEST));
    this.table = this.readTable(bytes, entries[0].header);
  }

  /** int8 [rows * columns]: the file's own bytes at 8 bits, a copy twice their size at 4. */
  readTable(bytes, end) {
    const {manifest} = this, start = manifest.table_offset, size = tableBytes(manifest);
    if (start % TABLE_ALIGNMENT || start + size > end) {
      throw new FileFormatError(
        `${this.name}: a table of ${size} bytes at ${start} does not lie within the ${end} bytes of the flatbuffer, ` +
          `${TABLE_ALIGNMENT}-aligned`,
      );
    }
    const stored = new Int8Array(bytes.buffer, bytes.byteOffset + start, size);
    if (manifest.bits === 8) return stored;
    const table = new Int8Array(2 * size);
    stored.forEach((pair, i) => {
      table[2 * i] = (pair << 28) >> 28;
      table[2 * i + 1] = pair >> 4;
    });
    return table;
  }

  has(entry) {
    return this.entries.has(entry);
  }

  data(name) {
    const entry = this.entries.get(name);
    if (!entry) throw new FileFormatError(`${this.name}: entry ${shown(name)} is missing; export the model again`);
    if (name === MANIFEST && entry.size > MOST_MANIFEST_BYTES) {
      throw new FileFormatError(
        `${this.name}: ${name} declares ${entry.size} bytes, more than the ${MOST_MANIFEST_BYTES} allowed`,
      );
    }
    try {
      return this.archive.content(entry);
    } catch (error) {
      if (!(error instanceof ArchiveError)) throw error;
      throw new FileFormatError(`${this.name}: entry ${shown(name)} cannot be read (${error.message})`);
    }
  }

  text(name) {
    const data = this.data(name);
    try {
      return decodeUtf8(data);
    } catch (error) {
      throw new FileFormatError(`${this.name}: entry ${shown(name)} is not UTF-8 (${error.message})`);
    }
  }

  /** The lines of an entry that has one line for each row of the table. */
  lines(name) {
    const lines = this.text(name).split("\n");
    if (lines.pop() !== "" || lines.length !== this.manifest.rows) {
      throw new FileFormatError(
        `${this.name}: ${shown(name)} has ${lines.length} whole lines for ${this.manifest.rows} rows`,
      );
    }
    return lines;
  }

  /** Each line's fields, separated by tabs. */
  *fields(name, count) {
    const lines = this.text(name).split("\n");
    lines.pop();
    for (let i = 0; i < lines.length; i++) {
      const fields = lines[i].split("\t");
      if (fields.length !== count) throw this.lineError(name, i, `${count} fields`, lines[i]);
      yield fields;
    }
  }

  /** Records of `count` fields and, before them, the row that each belongs to: [row, ...fields]. */
  *records(name, count) {
    let number = 0;
    for (const fields of this.fields(name, count + 1)) {
      const row = /^[0-9]{1,16}$/.test(fields[0]) ? Number(fields[0]) : this.manifest.rows;
      if (row >= this.manifest.rows) throw this.lineError(name, number, `a row and ${count} fields`, fields.join("\t"));
      fields[0] = row;
      yield fields;
      number++;
    }
  }

  lineError(name, index, wanted, line) {
    return new FileFormatError(
      `${this.name}: ${shown(name)}, line ${index + 1} does not have ${wanted}: ${shown(line)}`,
    );
  }
}

// ---- folding: text without case, accents and punctuation ------------------------------------------------------------

const FOLDING = "folding.tsv";
const OWN_FOLDS = {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"};
const ASCII_FOLDS = Array.from({length: 128}, (_, code) => {
  const letter = String.fromCharCode(code);
  return /[0-9A-Za-z]/.test(letter) ? letter.toLowerCase() : " ";
});

/** `text` as upper and lower case have in common; letter by letter, so that no letter depends on its neighbors. */
const withoutCase = text => Array.from(text, letter => letter.toUpperCase().toLowerCase()).join("");

let keptLetters = null;

/** What a letter that is not ASCII folds to by this engine's Unicode: for files that do not say it. */
function foldByUnicode(letter) {
  keptLetters ??= makeKeptLetters();
  const plain = withoutCase(letter.normalize("NFKD")).normalize("NFKD");
  return Array.from(plain, one => {
    if (one < "\x80") return ASCII_FOLDS[one.charCodeAt(0)];
    if (OWN_FOLDS[one]) return OWN_FOLDS[one];
    // A mark of a combining class goes before U+0345, whose class is the greatest.
    if (one === "\u0345" || `\u0345${one}`.normalize("NFD")[0] !== "\u0345") return "";
    return keptLetters.test(one) ? one : " ";
  }).join("");
}

function makeKeptLetters() {
  try {
    return new RegExp("^[\\p{L}\\p{N}\\p{Mc}]$", "u");
  } catch {
    return /[^\u0080-\u00bf\u2000-\u206f\u3000-\u3004]/; // an engine without Unicode properties
  }
}

/** What a character becomes that a file leaves out: the letters of a Hangul syllable, nothing, a space, or itself. */
function foldByRule(letter) {
  const code = letter.codePointAt(0), number = code - 0xac00;
  if (number >= 0 && number < 19 * 21 * 28) {
    const initial = Math.floor(number / (21 * 28)), medial = Math.floor((number % (21 * 28)) / 28), final = number % 28;
    return String.fromCharCode(0x1100 + initial, 0x1161 + medial, ...(final ? [0x11a7 + final] : []));
  }
  if (code >= 0xfe00 && code < 0xfe10) return ""; // it chooses how the character before looks
  const isPunctuation =
    (code >= 0x2000 && code < 0x2c00) || (code >= 0x3000 && code < 0x3004) || (code >= 0x1f000 && code < 0x1fb00);
  return isPunctuation ? " " : letter;
}

/** Folds text as the file says, or, where it has nothing to say, as this engine's Unicode does. */
class Folding {
  constructor(file) {
    this.folds = new Map(file.has(FOLDING) ? file.fields(FOLDING, 2) : []);
    this.foldOther = file.has(FOLDING) ? foldByRule : foldByUnicode;
  }

  fold(text) {
    if (!/[^\x00-\x7f]/.test(text))
      return text
        .toLowerCase()
        .replace(/[^0-9a-z]+/g, " ")
        .trim(); // the same, and faster
    let folded = "";
    for (const letter of text) {
      const code = letter.charCodeAt(0);
      folded += code < 128 ? ASCII_FOLDS[code] : this.letter(letter);
    }
    return folded.split(" ").filter(word => word).join(" ");
  }

  letter(letter) {
    let folded = this.folds.get(letter);
    if (folded === undefined) this.folds.set(letter, (folded = this.foldOther(letter)));
    return folded;
  }
}

// ---- how like a text somebody typed is to names ---------------------------------------------------------------------
//   1              the name itself, whatever its case and accents
//   0.96 to 0.99   the same but for a plural, the order of words, an article, or where words are split
//   0.90 to 0.95   a spelling away: one letter wrong, missing, doubled or swapped in five or more, two in nine or more
//   below 0.90     only alike

const SURE = 0.9;
const SAME = 0.99, SAME_IN_ONE_WORD = 0.97, ONE_EDIT = 0.95, TWO_EDITS = 0.92;
const AN_ALIAS = 0.01; // how much less an alias counts than a name of the same level
const LEAST_TO_LOOK_CLOSER = 0.45;
const UNSURE = 0.8999; // the most that what is only alike can reach
const LETTERS_FOR_ONE_EDIT = 5, LETTERS_FOR_TWO = 9;
const LONGEST = 64; // letters of a text that are looked at
const FLOOR = 0.6; // of a likeness by words where the other direction finds nothing
const WITHIN = 0.75; // where all words of a text are found in a longer one that was asked for
const MOST_TYPOS = 3; // in a word
const LETTERS_TO_A_TYPO = 4; // in a word that was begun
const BEGUN = 0.75; // where a word was begun and most of it is left out
const LEAST_BY_GRAMS = 0.9;
const BEGUN_NAME = 0.9;
const LETTERS_OF_A_NAME = 3; // at least: what is left of a name without its small words
const EQUAL_BUT_FOR_PLURAL = 0.97;
const SHARE_OF_GRAMS = 0.2;
const ALIAS = 0.95;
const SMALL_WORDS = new Set(
  ("the a an some and with of n le la les l un une des du de d et aux au el los las una unos unas y con der die das " +
    "den dem ein eine einen und mit il lo gli i uno e dei degli delle o os as um uma uns umas com").split(" "),
);

const points = text => Array.from(text, letter => letter.codePointAt(0));
const lengthOf = text => (/[\ud800-\udbff]/.test(text) ? points(text).length : text.length); // in letters, as elsewhere
const inOneWord = text => text.replace(/ /g, "");
const firstLetters = (text, count) => Array.from(text).slice(0, count).join("").trim();

/** The greatest of numbers, however many; 0 of none. */
const greatestOf = values => values.reduce((greatest, value) => (value > greatest ? value : greatest), values[0] ?? 0);

/** Halves to even. */
function rint(value) {
  if (!(Math.abs(value) < 2 ** 51)) return value;
  return value + 1.5 * 2 ** 52 - 1.5 * 2 ** 52;
}

const toFourDigits = value => rint(value * 1e4) / 1e4; // so that a tie is one on every processor

/** `folded` without articles and the like, or as it is where hardly anything else is left. */
function withoutSmallWords(folded) {
  const rest = folded.split(" ").filter(word => !SMALL_WORDS.has(word)).join(" ");
  return lengthOf(rest) >= LETTERS_OF_A_NAME ? rest : folded;
}

/** What the singular and the plural of most English and French words share: berries, berry; crepes, crepe. */
function stem(word) {
  let count = lengthOf(word);
  const last = word[word.length - 1];
  if (count > 3 && (last === "s" || last === "x") && word[word.length - 2] !== "s") {
    word = word.slice(0, -1);
    count--;
  }
  if (count > 3 && word.endsWith("e")) {
    word = word.slice(0, -1);
    count--;
  }
  return count > 2 && word.endsWith("y") ? `${word.slice(0, -1)}i` : word;
}

const stems = text => withoutSmallWords(text).split(" ").map(stem).sort();

/**
 * Edits from `asked` to each beginning of `word`, which is cut after `longest` letters: an edit inserts, deletes or
 * replaces a letter or swaps two neighbors (Damerau, 1964).
 */
function editsToBeginnings(asked, word, longest) {
  const length = Math.min(word.length, longest);
  let before = [], row = Array.from({length: length + 1}, (_, i) => i);
  for (let i = 1; i <= asked.length; i++) {
    const next = [i];
    for (let j = 1; j <= length; j++) {
      let edits = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (asked[i - 1] === word[j - 1] ? 0 : 1));
      if (i > 1 && j > 1 && asked[i - 1] === word[j - 2] && asked[i - 2] === word[j - 1])
        edits = Math.min(edits, before[j - 2] + 1);
      next.push(edits);
    }
    before = row;
    row = next;
  }
  return row;
}

/** Edits to the whole word: each letter that was cut off is one more. */
const editsToWord = (toBeginnings, word) =>
  toBeginnings[toBeginnings.length - 1] + word.length - (toBeginnings.length - 1);

/** Words as `likenessOfWords` compares them. */
const asWord = text => ({letters: points(text), stem: stem(text)});

/** How like a word is to the one asked for, in full, as one begun, or but for its plural: 0 to 1. */
function likenessOfWords(asked, word, longest) {
  const beginnings = editsToBeginnings(asked.letters, word.letters, longest);
  const length = word.letters.length, askedLength = asked.letters.length, longer = Math.max(length, askedLength);
  const toWhole = editsToWord(beginnings, word.letters);
  const typos = longer < 4 ? 1 : longer < 8 ? 2 : 3; // as many as still look like the word
  let alike = toWhole <= typos ? 1 - toWhole / longer : 0;
  const edits = Math.min(...beginnings);
  if (edits <= Math.floor(askedLength / LETTERS_TO_A_TYPO)) {
    alike = Math.max(alike, (1 - edits / askedLength) * (BEGUN + (1 - BEGUN) * Math.min(1, askedLength / length)));
  }
  return asked.stem === word.stem ? Math.max(alike, EQUAL_BUT_FOR_PLURAL) : alike;
}

/** For texts: how much of `folded` is found in the words of each, and how much of them in `folded`: 0 to 1. */
function makeLikenessByWords(folded) {
  const asked = folded.split(" ").map(asWord);
  const longest = Math.max(...asked.map(word => word.letters.length)) + MOST_TYPOS;
  const askedWeight = asked.reduce((sum, word) => sum + word.letters.length + 1, 0);
  const known = new Map(); // likenesses of a word to each one asked for, and its weight
  const look = text => {
    if (!known.has(text)) {
      const word = asWord(text);
      const alike = asked.map(one => likenessOfWords(one, word, longest));
      known.set(text, {alike, weight: word.letters.length + 1, best: Math.max(...alike)});
    }
    return known.get(text);
  };
  return text => {
    const words = text.split(" ").map(look);
    let found = 0, covered = 0, weights = 0;
    asked.forEach((one, i) => (found += (one.letters.length + 1) * greatestOf(words.map(word => word.alike[i]))));
    for (const word of words) {
      covered += word.weight * word.best;
      weights += word.weight;
    }
    found /= askedWeight;
    covered /= weights;
    return Math.max(found * (FLOOR + (1 - FLOOR) * covered), WITHIN * covered * (FLOOR + (1 - FLOOR) * found));
  };
}

/**
 * How like `typed` is to each of `texts`: {text, row, shared, isAlias}, whose `shared` is the Dice coefficient of its
 * grams. All are folded. The scores, in the order of `texts`.
 */
function scoreTexts(typed, texts) {
  const folded = withoutSmallWords(typed), likenessByWords = makeLikenessByWords(folded);
  const asked = inOneWord(folded), askedLetters = points(asked), askedStem = stem(asked), together = inOneWord(typed);
  const found = texts.map(({text, row, shared, isAlias}) => {
    const word = inOneWord(withoutSmallWords(text)), letters = points(word), whole = inOneWord(text);
    let edits = editsToWord(editsToBeginnings(askedLetters, letters, askedLetters.length + 2 * MOST_TYPOS), letters);
    const isPlural = askedLetters.length >= LETTERS_FOR_ONE_EDIT && stem(word) === askedStem; // hotdogs, hot dog
    if (whole === together || isPlural) edits = 0;
    const shorter = Math.min(letters.length, askedLetters.length);
    let likeness = Math.max(likenessByWords(text), Math.max(0, 1 - edits / Math.max(1, shorter + edits)));
    if (text.startsWith(typed))
      likeness = Math.max(likeness, BEGUN_NAME + (1 - BEGUN_NAME) * (lengthOf(together) / lengthOf(text)));
    likeness = Math.max(likeness, LEAST_BY_GRAMS * shared);
    likeness = (1 - SHARE_OF_GRAMS) * likeness + SHARE_OF_GRAMS * shared;
    if (isAlias) likeness *= ALIAS; // of two as like, the one that is called so is meant
    return {text, whole, row, isAlias, edits, letters: shorter, likeness, level: 0};
  });
  setLevels(folded, found.filter(one => one.likeness > LEAST_TO_LOOK_CLOSER));
  return found.map(({level, isAlias, likeness}) =>
    toFourDigits(level > 0 ? level - (isAlias ? AN_ALIAS : 0) : Math.min(SURE * likeness, UNSURE)),
  );
}

/** Sets `SAME` and the like as the `level` of each text, where it is more than only alike. */
function setLevels(folded, found) {
  const asked = stems(folded), key = asked.join(" "), begun = inOneWord(folded);
  for (const one of found) {
    one.stems = stems(one.text);
    one.level = one.edits === 0 ? SAME_IN_ONE_WORD : 0;
    if (one.edits === 1 && one.letters >= LETTERS_FOR_ONE_EDIT) one.level = ONE_EDIT;
    if (one.edits === 2 && one.letters >= LETTERS_FOR_TWO) one.level = TWO_EDITS;
    if (one.stems.join(" ") === key) one.level = SAME;
  }
  const near = found.filter(one => one.level > 0 && one.level < SAME_IN_ONE_WORD),
    own = new Set(near.map(one => one.row));
  const isLonger = one =>
    !own.has(one.row) && (asked.every(word => one.stems.includes(word)) || one.whole.startsWith(begun));
  if (own.size && !found.some(one => one.level === SAME) && found.some(isLonger)) {
    for (const one of near) one.level = 0; // what was typed may be the beginning or a part of another name
  }
  dropRivals(found);
}

/** Names of two items as near in spelling, and not the same: neither is sure. */
function dropRivals(found) {
  const best = greatestOf(found.map(one => one.level));
  if (!best || best >= SAME_IN_ONE_WORD) return;
  const rivals = found.filter(one => one.level === best);
  if (new Set(rivals.map(one => one.text)).size > 1 && new Set(rivals.map(one => one.row)).size > 1) {
    for (const one of found) one.level = 0;
  }
}

// ---- names ----------------------------------------------------------------------------------------------------------

const BUCKETS = 1 << 15; // of grams; half of them for pairs of letters, half for triples
const MOST_BEGUN = 10_000;
const CANDIDATES = 48; // entries compared by words and letters, at least
const LEAST_OF_BEST = 0.5; // what is half as alike as the best is noise beside it
const LEAST_SCORE = 0.4;
const BEGUN_SCORES = {name: 0.88, word: 0.84, alias: 0.8};
const SUGGESTED = 3, SHOWN = 10;
const LEAST_TO_SUGGEST = 0.5;

/** Calls `take` with the bucket of each pair of letters, whatever the order of the two, and of each triple. */
function forEachGram(text, take) {
  let first = 0, second = 32; // text stands between spaces
  const next = third => {
    const pair = Math.imul(second + third, 31337) + Math.imul(Math.imul(second, third), 7919);
    take(Math.imul(pair, 0x9e3779b1) >>> 18);
    if (first) {
      const triple = Math.imul(first, 31337) + Math.imul(second, 7919) + Math.imul(third, 104729);
      take((Math.imul(triple, 0x9e3779b1) >>> 18) + BUCKETS / 2);
    }
    first = second;
    second = third;
  };
  for (const letter of text) next(letter.codePointAt(0));
  next(32);
}

/** Folded names, then folded aliases; what folds to nothing is left out. */
class NameTable {
  constructor(names, aliases, folding) {
    this.texts = [];
    this.rows = [];
    const add = (text, row) => {
      const folded = folding.fold(text);
      if (!folded) return;
      this.texts.push(folded);
      this.rows.push(row);
    };
    names.forEach(add);
    this.firstAlias = this.texts.length;
    for (const [row, alias] of aliases) add(alias, row);
    this.entriesOf = new Map();
    this.texts.forEach((text, entry) => {
      const others = this.entriesOf.get(text);
      if (others) others.push(entry);
      else this.entriesOf.set(text, [entry]);
    });
    this.storeGrams();
  }

  /** Which entries have which grams: those of bucket b are grams[starts[b]] to grams[starts[b + 1] - 1], ascending. */
  storeGrams() {
    const seen = new Int32Array(BUCKETS).fill(-1), starts = new Int32Array(BUCKETS + 1);
    this.sizes = new Uint32Array(this.texts.length);
    this.texts.forEach((text, entry) => forEachGram(text, bucket => {
      if (seen[bucket] === entry) return;
      seen[bucket] = entry;
      starts[bucket + 1]++;
      this.sizes[entry]++;
    }));
    for (let bucket = 0; bucket < BUCKETS; bucket++) starts[bucket + 1] += starts[bucket];
    const places = starts.slice();
    this.grams = new Int32Array(starts[BUCKETS]);
    seen.fill(-1);
    this.texts.forEach((text, entry) => forEachGram(text, bucket => {
      if (seen[bucket] === entry) return;
      seen[bucket] = entry;
      this.grams[places[bucket]++] = entry;
    }));
    this.starts = starts;
  }

  /** The entries with just this folded text, in order. */
  equal(folded) {
    return this.entriesOf.get(folded) ?? [];
  }

  /** Entries with a word that begins with `folded`, and whether it is their first: {entry, isFirst}. */
  begun(folded) {
    const found = [];
    for (let entry = 0; entry < this.texts.length; entry++) {
      const text = this.texts[entry];
      for (let at = text.indexOf(folded); at >= 0; at = text.indexOf(folded, at + folded.length)) {
        if (at === 0 || text[at - 1] === " ") found.push({entry, isFirst: at === 0});
      }
      if (found.length >= MOST_BEGUN) return found.slice(0, MOST_BEGUN);
    }
    return found;
  }

  /** Up to `count` entries by the Dice coefficient of their grams and those of `folded`: {entry, shared}. */
  nearest(folded, count) {
    const asked = new Set();
    forEachGram(folded, bucket => asked.add(bucket));
    const {grams, starts} = this, counts = new Uint8Array(this.texts.length); // 64 letters have fewer grams than 256
    for (const bucket of asked) {
      for (let i = starts[bucket], stop = starts[bucket + 1]; i < stop; i++) counts[grams[i]]++;
    }
    let most = 0;
    for (let entry = 0; entry < counts.length; entry++) if (counts[entry] > most) most = counts[entry];
    const floor = Math.floor(most / 4),
      entries = rowsWhere(counts, shared => shared > floor); // others are hardly ever near
    const dice = Float64Array.from(entries, entry => (2 * counts[entry]) / (this.sizes[entry] + asked.size));
    const least = dice.length > count ? dice.slice().sort()[dice.length - count] : 0;
    const found = entries.map((entry, i) => ({entry, shared: dice[i]})).filter(({shared}) => shared >= least);
    if (least) found.sort((one, other) => other.shared - one.shared || one.entry - other.entry);
    return found.slice(0, count);
  }
}

/** Finds rows by id, name or alias. */
class NameIndex {
  /**
   * @param rowOfId Map of id to row
   * @param aliases gives [row, alias] pairs
   * @param popularity which of two equally like rows comes first: the greater; null for the lower row
   */
  constructor({rowOfId, names, aliases, popularity, folding}) {
    Object.assign(this, {rowOfId, names, aliases, popularity, folding});
  }

  get table() {
    return (this.madeTable ??= new NameTable(this.names, this.aliases, this.folding));
  }

  /** The row with this id, name or alias, or null: an id wins over a name, a name over an alias, equal over folded. */
  row(text) {
    const row = this.rowOfId.get(text);
    if (row !== undefined) return row;
    const folded = this.madeTable ? this.folding.fold(text) : "";
    if (folded) { // then this is sooner than to go through all
      const rows = new Set(this.table.equal(folded).map(entry => this.table.rows[entry]));
      if (rows.size < 2) return [...rows][0] ?? null;
    }
    return this.rowOfName(text) ?? this.rowOfAlias(text) ?? this.rowFolded(text);
  }

  rowOfName(text) {
    return this.first(rowsWhere(this.names, name => name === text));
  }

  rowOfAlias(text) {
    const rows = [];
    for (const [row, alias] of this.aliases) if (alias === text) rows.push(row);
    return this.first(rows);
  }

  rowFolded(text) {
    const {table} = this,
      entries = table.equal(this.folding.fold(text)),
      rows = entries.map(entry => table.rows[entry]);
    const named = rows.filter((_, i) => entries[i] < table.firstAlias);
    return this.first(named.length ? named : rows);
  }

  /** Up to `limit` [row, score] whose name or an alias is most like `text`, best first; 1 is kept for that of `row`. */
  find(text, limit) {
    return this.bestFirst(this.alike(text, limit), this.row(text), limit);
  }

  /** Map of the rows that resemble `text` to how much. */
  alike(text, limit) {
    const {table} = this, folded = firstLetters(this.folding.fold(text), LONGEST), best = new Map();
    if (!folded || !table.texts.length) return best;
    const texts = table.nearest(withoutSmallWords(folded), Math.max(CANDIDATES, 2 * limit)).map(({entry, shared}) => (
      {text: table.texts[entry], row: table.rows[entry], shared, isAlias: entry >= table.firstAlias}
    ));
    if (!texts.length) return best;
    scoreTexts(folded, texts).forEach((score, i) => {
      if (score >= LEAST_SCORE && score > (best.get(texts[i].row) ?? 0)) best.set(texts[i].row, score);
    });
    return best;
  }

  /** Map of the rows of which a word of the name or an alias begins with `text` to a score by which. */
  begun(text) {
    const {table} = this, folded = firstLetters(this.folding.fold(text), LONGEST), best = new Map();
    for (const {entry, isFirst} of folded ? table.begun(folded) : []) {
      const row = table.rows[entry];
      const score = BEGUN_SCORES[entry >= table.firstAlias ? "alias" : isFirst ? "name" : "word"];
      if (score > (best.get(row) ?? 0)) best.set(row, score);
    }
    return best;
  }

  /** [row, score], best first, equal ones by popularity and row; `exact`, called just so, has the score 1. */
  bestFirst(scores, exact, limit) {
    const best = new Map(scores);
    if (exact !== null) best.set(exact, 1);
    let greatest = 0;
    for (const score of best.values()) greatest = Math.max(greatest, score);
    const kept = [...best].filter(([, score]) => score >= LEAST_OF_BEST * greatest);
    return kept.sort((one, other) => other[1] - one[1] || this.compare(one[0], other[0])).slice(0, limit);
  }

  first(rows) {
    let best = null;
    for (const row of rows) if (best === null || this.compare(row, best) < 0) best = row;
    return best;
  }

  compare(one, other) {
    return (this.popularity ? this.popularity[other] - this.popularity[one] : 0) || one - other;
  }
}

function rowsWhere(values, meets) {
  const rows = [];
  for (let row = 0; row < values.length; row++) if (meets(values[row])) rows.push(row);
  return rows;
}

// ---- attributes -----------------------------------------------------------------------------------------------------

/** The one of `known`, a Map, whose key is `text`, or else the first that is it but for case and spaces around it. */
function sameButForCase(text, known) {
  if (known.has(text)) return text;
  const plain = withoutCase(text.trim());
  for (const name of known.keys()) if (withoutCase(name) === plain) return name;
  return null;
}

/** Up to three of `names`, the best first, that `asked` may stand for. */
function mostLike(asked, names, folding) {
  const index = new NameIndex({
    rowOfId: new Map(names.map((name, row) => [name, row])),
    names,
    aliases: [],
    popularity: null,
    folding,
  });
  return index
    .find(asked, SUGGESTED)
    .filter(([, score]) => score >= LEAST_TO_SUGGEST)
    .map(([row]) => names[row]);
}

const listed = names => `${names.slice(0, SHOWN).join(", ")}${names.length > SHOWN ? ", ..." : ""}` || "none";

function someOf(known, asked, folding) {
  const names = [...known.keys()], like = mostLike(asked, names, folding);
  return like.length ? `did you mean ${like.join(", ")}?` : `there are ${listed(names.sort())}`;
}

const isText = value => typeof value === "string";

/** One text or several as an array. */
function several(values, called) {
  if (isText(values)) return [values];
  if (values == null || typeof values[Symbol.iterator] !== "function" || values instanceof Map) {
    throw new InvalidArgumentError(`${called} is ${shown(values)}; give a text or several`);
  }
  return [...values];
}

/** The pairs of a Map or of an object, or null for what is neither. */
function pairsOf(value) {
  if (value instanceof Map) return [...value];
  const isPlain = isRecord(value) && typeof value[Symbol.iterator] !== "function";
  return isPlain ? Object.entries(value) : null;
}

/** Which rows have which attributes. */
class AttributeIndex {
  constructor(rows, records, folding) {
    this.rows = rows;
    this.folding = folding;
    this.known = new Map(); // attribute: Map of value to rows
    for (const [row, attribute, values] of records) {
      let known = this.known.get(attribute);
      if (!known) this.known.set(attribute, (known = new Map()));
      for (const value of values.split("|")) {
        const having = known.get(value);
        if (having) having.push(row);
        else known.set(value, [row]);
      }
    }
  }

  rowsWith(attribute, value) {
    return this.known.get(attribute)?.get(value) ?? [];
  }

  /** Map of attribute to a Map of value to the number of rows; the most frequent first. */
  counts() {
    const ordered = known =>
      [...known]
        .map(([value, rows]) => [value, rows.length])
        .sort((one, other) => other[1] - one[1] || compareTexts(one[0], other[0]));
    return new Map([...this.known].map(([attribute, known]) => [attribute, new Map(ordered(known))]));
  }

  /** The attribute of this name, whatever its case. */
  called(attribute) {
    if (!isText(attribute))
      throw new InvalidArgumentError(`an attribute is asked for as ${shown(attribute)}; give a text`);
    const name = sameButForCase(attribute, this.known);
    if (name !== null) return name;
    const like = mostLike(attribute, [...this.known.keys()], this.folding);
    const meant = like.length ? `did you mean ${like.join(", ")}? ` : "";
    throw new UnknownAttributeError(`no item has an attribute ${shown(attribute)}; ${meant}${this.examples()}`);
  }

  examples() {
    for (const [attribute, known] of this.known) {
      const [frequent] = [...known].reduce((best, one) => (one[1].length > best[1].length ? one : best));
      return `there are ${listed([...this.known.keys()].sort())}, as in ${attribute}=${frequent}`;
    }
    return "no item has any";
  }

  /**
   * Which rows meet every condition: Uint8Array [rows].
   * @param where [attribute, a value, several of which any will do, or {not: ...} of which none may be there], or texts
   */
  allowed(where) {
    const conditions = where.every(Array.isArray) ? where : this.readAll(where);
    const allowed = new Uint8Array(this.rows).fill(1);
    for (const [attribute, condition] of conditions) {
      const forbids = isText(condition) ? null : pairsOf(condition);
      if (forbids && (forbids.length !== 1 || forbids[0][0] !== "not")) {
        throw new InvalidArgumentError(
          `the condition on ${shown(attribute)} is ${shown(condition)}; give a value, several, or {not: ...}`,
        );
      }
      const having = this.having(attribute, several(forbids ? forbids[0][1] : condition, attribute));
      for (let row = 0; row < this.rows; row++) allowed[row] &= forbids ? 1 - having[row] : having[row];
    }
    return allowed;
  }

  having(attribute, values) {
    const name = this.called(attribute), known = this.known.get(name), mask = new Uint8Array(this.rows);
    for (const value of values) {
      if (!isText(value))
        throw new InvalidArgumentError(`a value of ${name} is asked for as ${shown(value)}; give a text`);
      const same = sameButForCase(value, known);
      if (same === null)
        throw new UnknownAttributeError(
          `no item has ${shown(value)} as its ${name}; ${someOf(known, value, this.folding)}`,
        );
      for (const row of known.get(same)) mask[row] = 1;
    }
    return mask;
  }

  /** Conditions as people type them: `course=soup`, `course:soup`, `course!=soup` or `course!:soup`. */
  readAll(texts) {
    const read = texts.map(text => this.read(text)), where = new Map();
    for (const {attribute, value, forbids} of read) {
      const before = where.get(attribute) ?? {values: [], forbids};
      if (before.forbids !== forbids) {
        throw new InvalidArgumentError(`where both asks for and forbids values of ${shown(attribute)}; give one kind`);
      }
      before.values.push(value);
      where.set(attribute, before);
    }
    return [...where].map(([attribute, {values, forbids}]) => [attribute, forbids ? {not: values} : values]);
  }

  read(text) {
    if (!isText(text)) throw new InvalidArgumentError(`a condition is ${shown(text)}; give a text`);
    const read = [...text.matchAll(/(!?)[=:]/g)].map(found => ({
      attribute: text.slice(0, found.index),
      value: text.slice(found.index + found[0].length),
      forbids: found[1] === "!",
    }));
    if (!read.length) {
      const having = [...this.known]
        .map(([name, known]) => [name, sameButForCase(text, known)])
        .filter(([, same]) => same !== null);
      const meant = having.length
        ? `did you mean ${listed(having.map(([name, same]) => `${name}=${same}`))}?`
        : this.examples();
      throw new InvalidArgumentError(
        `${shown(text)} is no condition; give ATTRIBUTE=VALUE or ATTRIBUTE!=VALUE; ${meant}`,
      );
    }
    const known = read
      .map(one => ({...one, attribute: sameButForCase(one.attribute, this.known)}))
      .filter(one => one.attribute !== null);
    const valued = known.find(one => sameButForCase(one.value, this.known.get(one.attribute)) !== null);
    return valued ?? known[0] ?? read[0]; // a name that holds such a sign itself is known by what the items have
  }

  /** The values that each row has: numbers[starts[row]] to numbers[starts[row + 1] - 1] into `values`. */
  get byRow() {
    if (this.madeByRow) return this.madeByRow;
    const values = [], starts = new Int32Array(this.rows + 1);
    for (const [attribute, known] of this.known) {
      for (const [value, rows] of known) {
        values.push({attribute, value, rows});
        for (const row of rows) starts[row + 1]++;
      }
    }
    for (let row = 0; row < this.rows; row++) starts[row + 1] += starts[row];
    const places = starts.slice(), numbers = new Int32Array(starts[this.rows]);
    values.forEach(({rows}, number) => rows.forEach(row => (numbers[places[row]++] = number)));
    return (this.madeByRow = {values, numbers, starts});
  }

  numbersOf(row) {
    const {numbers, starts} = this.byRow;
    return numbers.subarray(starts[row], starts[row + 1]);
  }

  /** Map of attribute to the values that a row has, of several of one the most frequent first. */
  of(row) {
    const found = new Map();
    for (const number of this.numbersOf(row)) {
      const one = this.byRow.values[number], others = found.get(one.attribute);
      if (others) others.add(one);
      else found.set(one.attribute, new Set([one]));
    }
    const ordered = some => [...some].sort((one, other) => other.rows.length - one.rows.length).map(one => one.value);
    return new Map([...found].map(([attribute, some]) => [attribute, ordered(some)]));
  }

  /** What `row` has in common with any of `others`, best first: {attribute, value, rows of others}. */
  shared(row, others) {
    const ofOthers = others.map(other => new Set(this.numbersOf(other)));
    const found = [];
    for (const number of this.numbersOf(row)) {
      const {attribute, value, rows} = this.byRow.values[number];
      const both = others.filter((_, i) => ofOthers[i].has(number));
      if (both.length)
        found.push({attribute, value, rows: both, worth: both.length * Math.log(this.rows / rows.length)});
    }
    return found.sort((one, other) =>
      other.worth - one.worth || compareTexts(one.attribute, other.attribute) || compareTexts(one.value, other.value));
  }
}

/** By code points, as other languages sort. */
function compareTexts(one, other) {
  const first = Array.from(one), second = Array.from(other);
  for (let i = 0; i < first.length && i < second.length; i++) {
    if (first[i] !== second[i]) return first[i].codePointAt(0) - second[i].codePointAt(0);
  }
  return first.length - second.length;
}

// ---- families: kinds of items by what they have in common -----------------------------------------------------------

const ALIASES = "aliases.tsv",
  ATTRIBUTES = "attributes.tsv",
  FAMILIES = "families.tsv",
  IDS = "ids.txt",
  NAMES = "names.txt";
const POPULARITY = "popularity.uint8",
  VOCABULARY = "vocabulary.tsv",
  VOCABULARY_VECTORS = "vocabulary.int8";
const NAMES_OF_ONE = 4; // that may come before the next family

/** All items with one value of one attribute; each is there once, so that it can be a key. */
class Family {
  constructor(attribute, value) {
    this.attribute = attribute;
    this.value = value;
    this.id = `${attribute}=${value}`;
  }
}

/** Finds families by their value, its other names, or `attribute=value`. */
class FamilyIndex {
  constructor(file, attributes, folding) {
    Object.assign(this, {file, attributes, folding, made: new Map()});
  }

  family(attribute, value) {
    const key = `${attribute}\t${value}`;
    if (!this.made.has(key)) this.made.set(key, new Family(attribute, value));
    return this.made.get(key);
  }

  /** Every family with its value, then with each of its other names: {family, name}. */
  get named() {
    if (this.madeNamed) return this.madeNamed;
    const families = new Set(), others = [];
    for (const [attribute, value] of this.file.fields(VOCABULARY, 2)) families.add(this.family(attribute, value));
    for (const [attribute, value, name] of this.file.has(FAMILIES) ? this.file.fields(FAMILIES, 3) : []) {
      const family = this.family(attribute, value);
      families.add(family);
      others.push({family, name});
    }
    return (this.madeNamed = [...[...families].map(family => ({family, name: family.value})), ...others]);
  }

  get index() {
    if (this.madeIndex) return this.madeIndex;
    const rowOfId = new Map();
    this.named.forEach(({family}, row) => rowOfId.has(family.id) || rowOfId.set(family.id, row));
    const popularity = this.named.map(({family}) => this.count(family));
    return (this.madeIndex = new NameIndex({
      rowOfId, names: this.named.map(({name}) => name), aliases: [], popularity, folding: this.folding,
    }));
  }

  count(family) {
    return this.attributes().rowsWith(family.attribute, family.value).length;
  }

  /** Up to `limit` [family, score] whose name resembles `text`, best first; of two as like, the larger. */
  find(text, limit) {
    return this.eachOnce(this.index.find(text, NAMES_OF_ONE * limit)).slice(0, limit);
  }

  /** Up to `limit` [family, score] of which a name has a word that begins with `text`; those of such a value first. */
  begun(text, limit) {
    const begun = this.index.begun(text), found = this.index.bestFirst(begun, null, begun.size);
    const isOther = ([row]) => Number(this.named[row].name !== this.named[row].family.value);
    found.sort((one, other) => isOther(one) - isOther(other));
    return this.eachOnce(found).filter(([family]) => this.count(family)).slice(0, limit);
  }

  eachOnce(found) {
    const best = new Map();
    for (const [row, score] of found) {
      const {family} = this.named[row];
      if (!best.has(family)) best.set(family, score);
    }
    return [...best];
  }

  /** The largest family with just this name, whatever its case and accents, or that of `attribute=value`, or null. */
  calledJust(text) {
    const row = this.index.row(text);
    if (row !== null) return this.named[row].family;
    const at = text.indexOf("="), attribute = text.slice(0, at), value = text.slice(at + 1);
    return at >= 0 && this.attributes().rowsWith(attribute, value).length ? this.family(attribute, value) : null;
  }

  /** The rows of its items, ascending. */
  rows(family) {
    const having = this.attributes().having(family.attribute, [family.value]), rows = [];
    for (let row = 0; row < having.length; row++) if (having[row]) rows.push(row);
    return rows;
  }
}

// ---- items ----------------------------------------------------------------------------------------------------------

const SUGGESTIONS = 3;
const ITEMS_FOR_A_FAMILY = 4;
const AFTER_ITEMS = 0.003; // taken from the score of a family: of two called just so, the item comes first
const AFTER_ITEMS_NEARLY_SO = 0.0355;

const byScore = (one, other) => other[1] - one[1];
const roundedTo4 = value => Number(value.toFixed(4));

/** What `score` counts for a family beside items: of two called just so the item is meant, and one nearly so, too. */
function ofFamily(score) {
  if (score > ONE_EDIT) return score - (score === 1 ? AFTER_ITEMS : AFTER_ITEMS_NEARLY_SO);
  return score === ONE_EDIT ? score - AFTER_ITEMS : Math.min(score, UNSURE);
}

/** The items of a file, by row. What only some questions need is read when the first of them comes. */
class Items {
  constructor(file) {
    this.file = file;
    this.manifest = file.manifest;
    this.rows = file.manifest.rows;
    this.columns = file.manifest.columns;
    this.objective = file.manifest.preference
      ? new InteractionObjective(file.table, file.manifest)
      : new AttributeObjective(file.table, file.manifest);
    this.made = new Map();
  }

  once(name, make) {
    if (!this.made.has(name)) this.made.set(name, make());
    return this.made.get(name);
  }

  get ids() {
    return this.once("ids", () => this.file.lines(IDS));
  }

  get names() {
    return this.once("names", () => this.file.lines(NAMES));
  }

  get rowOfId() {
    return this.once("rowOfId", () => new Map(this.ids.map((id, row) => [id, row])));
  }

  get folding() {
    return this.once("folding", () => new Folding(this.file));
  }

  get index() {
    return this.once(
      "index",
      () =>
        new NameIndex({
          rowOfId: this.rowOfId,
          names: this.names,
          aliases: [...this.file.records(ALIASES, 1)],
          popularity: this.popularity,
          folding: this.folding,
        }),
    );
  }

  get attributes() {
    return this.once("attributes", () => new AttributeIndex(this.rows, this.file.records(ATTRIBUTES, 2), this.folding));
  }

  get families() {
    return this.once("families", () => new FamilyIndex(this.file, () => this.attributes, this.folding));
  }

  /** How widely each row is known: what the file says, or the bias of a model of what people like; null for neither. */
  get popularity() {
    return this.once("popularity", () => {
      if (!this.file.has(POPULARITY)) return this.objective.popularity();
      const known = this.file.data(POPULARITY);
      if (known.length !== this.rows)
        throw new FileFormatError(`${this.file.name}: ${shown(POPULARITY)} has ${known.length} bytes; export it again`);
      return known;
    });
  }

  /** What items of new kinds are placed by: {rowOf: Map of attribute to a Map of value to row, entries: int8}. */
  get vocabulary() {
    return this.once("vocabulary", () => {
      const rowOf = new Map(), data = this.file.data(VOCABULARY_VECTORS);
      let count = 0;
      for (const [attribute, value] of this.file.fields(VOCABULARY, 2)) {
        if (!rowOf.has(attribute)) rowOf.set(attribute, new Map());
        rowOf.get(attribute).set(value, count++);
      }
      if (data.length !== count * this.manifest.dims) {
        throw new FileFormatError(
          `${this.file.name}: ${shown(VOCABULARY_VECTORS)} has ${data.length} bytes for ${count} values and ${this.manifest.dims} dims`,
        );
      }
      return {rowOf, entries: new Int8Array(data.buffer, data.byteOffset, data.length)};
    });
  }

  /** The integers of a row: int8 [columns], the file's own bytes. */
  vector(row) {
    return this.file.table.subarray(row * this.columns, (row + 1) * this.columns);
  }

  /** The row of an item by its id, name or alias. */
  row(text) {
    checkText(text);
    const row = this.index.row(text);
    if (row === null)
      throw new UnknownItemError(
        text,
        this.index.find(text, SUGGESTIONS).map(([found]) => this.names[found]),
      );
    return row;
  }

  /** [row or family, score] whose names resemble `text`; best first, of the same an item first. */
  match(text, limit) {
    const families = this.families.find(text, limit).filter(([family]) => this.families.count(family));
    const beside = families.map(([family, score]) => [family, roundedTo4(ofFamily(score))]);
    return [...this.index.find(text, limit), ...beside].sort(byScore).slice(0, limit);
  }

  /** What somebody who has typed `text` may mean: as `match`, and names that begin so, the best known first. */
  complete(text, limit) {
    const best = new Map(this.index.bestFirst(this.index.begun(text), null, limit));
    for (const [found, score] of this.match(text, limit)) best.set(found, Math.max(score, best.get(found) ?? 0));
    const families = new Map(
      this.families.begun(text, Math.floor(limit / ITEMS_FOR_A_FAMILY))
        .map(([family, score]) => [family, Math.max(score - AFTER_ITEMS, best.get(family) ?? 0)]),
    );
    const others = [...best].filter(([found]) => !families.has(found)).sort(byScore);
    return [...others.slice(0, Math.max(0, limit - families.size)), ...families].sort(byScore);
  }

  /** What `text` surely means: a row or a family, by just its name or a spelling away from one. */
  resolve(text) {
    checkText(text);
    const row = this.rowOfId.get(text) ?? this.index.row(text);
    if (row !== null) return row;
    const family = this.families.calledJust(text);
    if (family) return family;
    const matches = this.match(text, SUGGESTIONS);
    if (!matches.length || matches[0][1] < SURE)
      throw new UnknownItemError(
        text,
        matches.map(([found]) => this.label(found)),
      );
    return matches[0][0];
  }

  /** What `text` means to somebody who wants none of it: a family goes before an item that only has it as an alias. */
  resolveUnwanted(text) {
    const found = this.resolve(text);
    if (
      found instanceof Family ||
      text === this.ids[found] ||
      this.folding.fold(text) === this.folding.fold(this.names[found])
    )
      return found;
    const [best] = this.families.find(text, 1);
    return best && best[1] > ONE_EDIT && this.families.count(best[0]) ? best[0] : found;
  }

  /** The rows that `texts` mean: of a family all its rows. */
  expand(texts) {
    const rows = [];
    for (const text of texts) {
      const known = this.rowOfId.get(text);
      const found = known === undefined ? this.resolveUnwanted(text) : known;
      if (found instanceof Family) for (const row of this.families.rows(found)) rows.push(row);
      else rows.push(found);
    }
    return rows;
  }

  label(found) {
    return found instanceof Family ? found.id : this.names[found];
  }
}

function checkText(item) {
  if (!isText(item))
    throw new InvalidArgumentError(`an item is asked for by its id, name or alias, not by ${shown(item)}`);
}

// ---- integer queries and what their scores are worth ----------------------------------------------------------------

const EXACT_IN_FLOAT32 = 2 ** 24;
const EXACT_IN_FLOAT64 = 2 ** 53;
const ROUNDING = 1e-9; // a sum this small beside what was added is zero but for rounding
const ROWS_OF_PAIRS = 256;
const SHORTENINGS = 250;

function dot(one, other, count = one.length) {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += one[i] * other[i];
  return sum;
}

/** `vector`, rounded to the finest integers whose scores are still exact in float32. */
function integerQuery(vector) {
  const length = Math.sqrt(dot(vector, vector));
  if (length === 0) return new Float64Array(vector.length);
  const root = Math.sqrt(vector.length), reach = EXACT_IN_FLOAT32 / (LARGEST_ENTRY * root) - root;
  return Float64Array.from(vector, value => rint(value * (reach / length)));
}

/**
 * The weighted sum of vectors. Whole weights give the sum itself, if they are small enough for float64 to hold all
 * scores; others are rounded as by `integerQuery`. A sum that is zero but for rounding is zero.
 * @param exactBias gives the last entry by the sum of the sizes of the weights, where that is a bias
 */
function weightedQuery(vectors, weights, exactBias = null) {
  const columns = vectors[0].length;
  let count = 0, greatest = 0;
  for (const weight of weights) {
    count += Math.abs(weight);
    greatest = Math.max(greatest, Math.abs(weight));
  }
  const isWhole = weights.every(Number.isInteger) && count * LARGEST_ENTRY ** 2 * columns < EXACT_IN_FLOAT64;
  const unit = isWhole ? 1 : greatest, total = new Float64Array(columns);
  vectors.forEach((vector, i) => {
    const factor = weights[i] / unit;
    for (let column = 0; column < columns; column++) total[column] += factor * vector[column];
  });
  if (greatestOf(total.map(Math.abs)) <= (isWhole ? 0 : (ROUNDING * count) / unit)) return new Float64Array(columns);
  if (exactBias) {
    const bias = exactBias(count) / unit;
    total[columns - 1] = isWhole ? rint(bias) : bias;
  }
  return isWhole ? total : integerQuery(total);
}

const ROWS_AT_ONCE = 4096; // which stay in the processor's cache from one pass to the next

/** The integer scores of all rows: float64 [rows], exact. Eight columns a pass are twice as fast as one by one. */
function scoreRows(table, rows, query) {
  const columns = query.length, scores = new Float64Array(rows);
  for (let first = 0; first < rows; first += ROWS_AT_ONCE) {
    const last = Math.min(rows, first + ROWS_AT_ONCE);
    let column = 0;
    for (; column + 8 <= columns; column += 8) addEightColumns(table, query, scores, first, last, column);
    for (; column < columns; column++) {
      const entry = query[column];
      for (let row = first, at = first * columns + column; row < last; row++, at += columns)
        scores[row] += table[at] * entry;
    }
  }
  return scores;
}

function addEightColumns(table, query, scores, first, last, column) {
  const columns = query.length;
  const a = query[column], b = query[column + 1], c = query[column + 2], d = query[column + 3];
  const e = query[column + 4], f = query[column + 5], g = query[column + 6], h = query[column + 7];
  for (let row = first, at = first * columns + column; row < last; row++, at += columns) {
    scores[row] +=
      table[at] * a + table[at + 1] * b + table[at + 2] * c + table[at + 3] * d +
      table[at + 4] * e + table[at + 5] * f + table[at + 6] * g + table[at + 7] * h;
  }
}

const FEW = 256; // results that are soon put in order one by one

/** The rows of the k greatest scores, best first, ties by the lower row; none that is `barred`. */
function topRows(scores, k, barred) {
  if (k > FEW) {
    const rows = rowsWhere(scores, () => true).filter(row => !barred[row]);
    return rows.sort((one, other) => scores[other] - scores[one] || one - other).slice(0, k);
  }
  const rows = [], best = [];
  for (let row = 0; row < scores.length; row++) {
    const score = scores[row];
    if ((rows.length === k && score <= best[k - 1]) || barred[row]) continue;
    let at = rows.length < k ? rows.length : k - 1;
    for (; at > 0 && best[at - 1] < score; at--) {
      best[at] = best[at - 1];
      rows[at] = rows[at - 1];
    }
    best[at] = score;
    rows[at] = row;
  }
  return rows;
}

/** Of a model of attributes: its rows have nearly the same norm, so that a dot product is a cosine. */
class AttributeObjective {
  constructor(table, manifest) {
    Object.assign(this, {
      table,
      rows: manifest.rows,
      dims: manifest.dims,
      columns: manifest.columns,
      scale: manifest.scale,
    });
    this.bestIsAlike = true; // what is recommended for one item is what is most like it
    this.pairsAlike = 30; // of a thousand
  }

  vector(row) {
    return this.table.subarray(row * this.columns, (row + 1) * this.columns);
  }

  /** The query of favorites with these weights, null for 1 each; zero where they cancel out. */
  query(vectors, weights) {
    return weightedQuery(vectors, weights ?? vectors.map(() => 1));
  }

  /** The query for what points where `vector` does. */
  queryTowards(vector) {
    return Float64Array.from(vector);
  }

  /** An integer score as a cosine, in float32 at each step. */
  cosine(query) {
    const norm = Math.fround(Math.sqrt(Math.fround(Math.max(1, dot(query, query, this.dims)))));
    const factor = Math.fround(Math.fround(this.scale) / norm);
    return score => Math.fround(Math.fround(score) * factor);
  }

  /** What each favorite adds to the query. */
  part(vector) {
    return vector;
  }

  /** Where a row points, about 1 long: float32 [dims]. */
  direction(vector) {
    return Float32Array.from(vector.subarray(0, this.dims), entry =>
      Math.fround(Math.fround(entry) * Math.fround(this.scale)),
    );
  }

  /** The cosine from which on two rows are alike: that which three in a hundred pairs of 256 rows reach. */
  get alikeFrom() {
    return (this.madeAlikeFrom ??= this.measureAlikeFrom());
  }

  measureAlikeFrom() {
    const count = Math.min(ROWS_OF_PAIRS, this.rows), some = [];
    for (let i = 0; i < count; i++) some.push(this.vector(Math.floor((i * this.rows) / count)));
    const squares = some.map(vector => dot(vector, vector, this.dims));
    const cosines = new Float64Array((count * (count - 1)) / 2);
    let at = 0;
    for (let i = 0; i < count; i++) {
      for (let j = i + 1; j < count; j++)
        cosines[at++] = dot(some[i], some[j], this.dims) / Math.sqrt(Math.max(squares[i] * squares[j], 1));
    }
    if (!at) return 1;
    return cosines.sort()[at - 1 - Math.floor((at * this.pairsAlike) / 1000)];
  }

  /** How long a row is where it points. */
  lengthOf() {
    return 1 / this.scale;
  }

  /** What ranks rows by how alike they are to a query of `queryTowards`, from their integer scores. */
  alike(scores) {
    return scores;
  }

  /** A value of `alike` as a cosine. */
  alikeCosine(query) {
    return this.cosine(query);
  }

  likeness(one, other) {
    return this.cosine(one)(dot(one, other));
  }

  /** The row in the middle of some vectors: int8 [columns]. */
  middle(vectors) {
    return this.rowTowards(weightedQuery(vectors, vectors.map(() => 1)));
  }

  popularity() {
    return null;
  }

  /** The row that points where `vector` does, as long as the table's and no longer than 1 / scale: int8 [columns]. */
  rowTowards(vector) {
    const length = Math.sqrt(dot(vector, vector, this.dims));
    if (length === 0)
      throw new InvalidArgumentError("the items that it is placed by cancel one another out; give others");
    const direction = Array.from(vector, entry => entry / length),
      radius = 1 / this.scale;
    let row;
    for (let i = 0; i < SHORTENINGS; i++) { // until a rounded row is no longer than it may be
      const reach = (1 + i * (1 - 0.002 - 1)) * radius;
      row = Int8Array.from(direction, entry => Math.max(-LARGEST_ENTRY, Math.min(LARGEST_ENTRY, rint(entry * reach))));
      if (dot(row, row) <= radius ** 2 * (1 + ROUNDING)) break;
    }
    return row;
  }
}

/**
 * Of a model of what people like: score = (sum of the rows * signs) . row + bias. Rows have any length, and the last
 * column is the bias, whose entry in the query is set by the number of favorites.
 */
class InteractionObjective extends AttributeObjective {
  constructor(table, manifest) {
    super(table, manifest);
    const {entry, power, negative_columns: negative} = manifest.preference;
    this.bestIsAlike = false;
    this.pairsAlike = 3;
    this.exactBias = count => entry * count ** power;
    this.signs = Array.from({length: this.columns}, (_, i) =>
      i === this.dims ? 0 : i < this.dims - negative ? 1 : -1,
    );
  }

  query(vectors, weights) {
    return weightedQuery(vectors.map(vector => this.part(vector)), weights ?? vectors.map(() => 1), this.exactBias);
  }

  queryTowards(vector) {
    const query = Float64Array.from(vector);
    query[this.dims] = 0;
    return query;
  }

  part(vector) {
    return Float64Array.from(vector, (entry, i) => entry * this.signs[i]);
  }

  direction(vector) {
    const factor = Math.fround(this.inverseLength(vector));
    return Float32Array.from(vector.subarray(0, this.dims), entry => Math.fround(Math.fround(entry) * factor));
  }

  lengthOf(vector) {
    return Math.sqrt(dot(vector, vector, this.dims));
  }

  inverseLength(vector) {
    const length = this.lengthOf(vector);
    return length > 0 ? 1 / length : 0;
  }

  alike(scores) {
    this.inverseLengths ??= Float64Array.from({length: this.rows}, (_, row) => this.inverseLength(this.vector(row)));
    return scores.map((score, row) => score * this.inverseLengths[row]);
  }

  alikeCosine(query) {
    const length = Math.sqrt(Math.max(1, dot(query, query)));
    return value => Math.fround(value / length);
  }

  likeness(one, other) {
    return Math.fround(dot(this.direction(one), this.direction(other)));
  }

  /** The mean, halves rounded up, since lengths and biases say something here. */
  middle(vectors) {
    const total = weightedQuery(vectors, vectors.map(() => 1)), count = vectors.length;
    return Int8Array.from(total, sum => Math.floor((2 * sum + count) / (2 * count)));
  }

  popularity() {
    return Uint8Array.from({length: this.rows}, (_, row) => this.table[row * this.columns + this.dims] + 128);
  }
}

// ---- favorites, dislikes, tastes ------------------------------------------------------------------------------------

const LOSS = 2;
const MOST_AS_WELL_KNOWN = 4096; // are looked through: where nothing is known of a million, all would be
const CANDIDATES_FOR_EACH = 5; // of diverse results

/** What was named: {found: rows, then families, vectors of each, weights or null for 1 each}. */
function resolveLikes(items, favorites, dislikes) {
  if (isText(favorites))
    throw new InvalidArgumentError(`items is the text ${shown(favorites)}; give an array of items, or use similar()`);
  const pairs = favorites == null ? null : pairsOf(favorites);
  const named = pairs ?? several(favorites ?? [], "items").map(item => [item, 1]);
  const unwanted = dislikes.map(item => [item, -1]);
  const weightOf = new Map();
  for (const [item, weight] of [...named, ...unwanted]) {
    if (typeof weight !== "number" || !Number.isFinite(weight))
      throw new InvalidArgumentError(`the weight is ${shown(weight)}; give a finite number`);
    const found = weight >= 0 ? items.resolve(item) : items.resolveUnwanted(item);
    const before = weightOf.get(found);
    if (before !== undefined && before !== weight) {
      const name = items.label(found);
      throw new ContradictoryLikesError(
        `${name} is given the weights ${before} and ${weight}, where a dislike is negative; give one`,
        [name],
      );
    }
    weightOf.set(found, weight);
  }
  const all = [...weightOf.keys()], families = all.filter(found => found instanceof Family);
  const found = [...all.filter(one => !(one instanceof Family)), ...families];
  const weights = found.map(one => weightOf.get(one));
  const vectors = found.map(one => (one instanceof Family ? familyVector(items, one) : items.vector(one)));
  return {found, vectors, weights: weights.every(weight => weight === 1) ? null : weights};
}

/** Where a family stands among the items: its value's vector in the file, or the middle of its items. */
function familyVector(items, family) {
  const {objective} = items;
  if (objective.bestIsAlike) {
    const {rowOf, entries} = items.vocabulary, {dims} = items.manifest;
    const attribute = sameButForCase(family.attribute, rowOf), known = attribute === null ? null : rowOf.get(attribute);
    const value = known && sameButForCase(family.value, known);
    if (value != null)
      return objective.rowTowards(entries.subarray(known.get(value) * dims, (known.get(value) + 1) * dims));
  }
  const rows = items.families.rows(family);
  if (!rows.length) throw new InvalidArgumentError(`no item is left with ${family.id}; name another favorite`);
  return objective.middle(rows.map(row => items.vector(row)));
}

/** What is asked of the rows: {likes, tastes: {members, query, weight}, dislikes: {query, weight}, banned}. */
function formQuestion(items, likes, blend) {
  const {vectors, weights, found} = likes, {objective} = items, way = checkBlend(items, blend);
  const places = vectors.map((_, i) => i);
  const liked = weights ? places.filter(i => weights[i] > 0) : places;
  const disliked = weights ? places.filter(i => weights[i] < 0) : [];
  const banned = found.filter(one => !(one instanceof Family));
  for (const place of disliked) {
    if (found[place] instanceof Family) for (const row of items.families.rows(found[place])) banned.push(row);
  }
  if (!liked.length) return {likes, tastes: [], dislikes: [], banned};
  const {dims} = items.manifest, all = [liked.map((_, i) => i)];
  const isApart = way === "each" && liked.length > 1;
  const groups = isApart ? groupFavorites(liked.map(i => vectors[i]), dims, objective.alikeFrom) : all;
  const tastes = groups.map(group => {
    const members = group.map(i => liked[i]), some = weights && members.map(i => weights[i]);
    const query = objective.query(members.map(i => vectors[i]), some);
    if (query.every(entry => entry === 0)) {
      const names = members.map(i => items.label(found[i]));
      throw new ContradictoryLikesError(`${names.join(", ")} cancel one another out; change a weight`, names);
    }
    return {members, query, weight: some ? some.reduce((sum, weight) => sum + weight, 0) : members.length};
  });
  if (!disliked.length) return {likes, tastes, dislikes: [], banned};
  const greatest = greatestOf(weights);
  const dislikes = disliked.map(i => ({
    query: integerQuery(objective.queryTowards(vectors[i])),
    weight: -weights[i] / greatest,
  }));
  for (const taste of tastes) taste.query = integerQuery(taste.query); // as long as every dislike
  return {likes, tastes, dislikes, banned};
}

function checkBlend(items, blend) {
  if (blend == null) return items.objective.bestIsAlike ? "each" : "together";
  if (blend !== "each" && blend !== "together")
    throw new InvalidArgumentError(`blend is ${shown(blend)}; give one of each, together`);
  return blend;
}

/**
 * The positions of `vectors`, grouped: a group is as old as its first member. While there are two groups whose sums
 * have a cosine of `alikeFrom` or more, those with the greatest become one, of equal ones those with the lowest first
 * members.
 */
function groupFavorites(vectors, dims, alikeFrom) {
  const sums = vectors.map(vector => Float64Array.from(vector.subarray(0, dims)));
  const squares = sums.map(sum => dot(sum, sum)), groups = sums.map((_, i) => [i]);
  const cosine = (i, j) => dot(sums[i], sums[j]) / Math.sqrt(Math.max(squares[i] * squares[j], 1));
  if (sums.every((_, i) => sums.every((__, j) => j > i || cosine(i, j) >= alikeFrom))) return [sums.map((_, i) => i)];
  const nearestAfter = i => { // the group after i that is nearest to it, the first of equal ones
    let best = null, greatest = -Infinity;
    for (let j = i + 1; j < sums.length; j++) {
      const found = groups[j] ? cosine(i, j) : -Infinity;
      if (found > greatest) [best, greatest] = [j, found];
    }
    return {best, greatest};
  };
  const nearest = sums.map((_, i) => nearestAfter(i));
  for (;;) {
    let kept = 0;
    for (let i = 1; i < sums.length; i++) if (nearest[i].greatest > nearest[kept].greatest) kept = i;
    const {best: merged, greatest} = nearest[kept];
    if (!(greatest >= alikeFrom))
      return groups.filter(group => group).map(group => group.sort((one, other) => one - other));
    groups[kept] = groups[kept].concat(groups[merged]);
    groups[merged] = null;
    for (let column = 0; column < dims; column++) sums[kept][column] += sums[merged][column];
    squares[kept] = dot(sums[kept], sums[kept]);
    nearest[merged] = {best: null, greatest: -Infinity};
    for (let i = 0; i < kept; i++) {
      if (!groups[i]) continue;
      const {best, greatest: before} = nearest[i], now = cosine(i, kept);
      if (best === kept || best === merged) nearest[i] = nearestAfter(i);
      else if (now > before || (now === before && kept < best)) nearest[i] = {best: kept, greatest: now};
    }
    for (let i = kept; i < merged; i++) {
      if (groups[i] && (i === kept || nearest[i].best === merged)) nearest[i] = nearestAfter(i);
    }
  }
}

/** What a row loses by each dislike: whole numbers, in the unit of the scores of a query that `integerQuery` made. */
function makeLosses(items, dislikes) {
  const {objective} = items, bound = (1 + objective.alikeFrom) / 2;
  return dislikes.map(({query, weight}) => {
    const length = Math.sqrt(dot(query, query));
    return vector =>
      rint(LOSS * weight * Math.max(dot(vector, query) - rint(length * (bound * objective.lengthOf(vector))), 0));
  });
}

/** The greatest score of a row by any taste, as a cosine, and the place of that taste. */
function makeScorer(items, {tastes, dislikes}) {
  const losses = makeLosses(items, dislikes), cosines = tastes.map(taste => items.objective.cosine(taste.query));
  return row => {
    const vector = items.vector(row), loss = losses.reduce((sum, of) => sum + of(vector), 0);
    const scores = tastes.map(({query}, i) => cosines[i](dot(query, vector) - loss));
    const score = greatestOf(scores);
    return {score, taste: scores.indexOf(score)};
  };
}

/**
 * Up to k rows of `lists`, each best first, in turns: a list gets turns in proportion to its weight, by Webster's
 * method; of equal ones that of the fewest turns, then the first; it gives its best row that is not there yet.
 */
function interleave(lists, weights, k) {
  const taken = new Set(), turns = lists.map(() => 0), places = lists.map(() => 0);
  while (taken.size < k) {
    let next = -1;
    lists.forEach((list, i) => {
      if (places[i] >= list.length) return;
      const share = weights[i] / (2 * turns[i] + 1),
        best = next < 0 ? -Infinity : weights[next] / (2 * turns[next] + 1);
      if (share > best || (share === best && turns[i] < turns[next])) next = i;
    });
    if (next < 0) break;
    turns[next]++;
    while (places[next] < lists[next].length && taken.has(lists[next][places[next]])) places[next]++;
    if (places[next] < lists[next].length) taken.add(lists[next][places[next]++]);
  }
  return [...taken];
}

/** The best known rows, spread: of those as well known the next is the one least like all before, and the disliked. */
function rankBestKnown(items, disliked, barred, k) {
  const known = items.popularity ?? new Uint8Array(items.rows), {dims} = items.manifest;
  const rows = rowsWhere(barred, isBarred => !isBarred).sort((one, other) => known[other] - known[one] || one - other);
  const before = [...disliked], chosen = [];
  for (let start = 0, stop; start < rows.length && chosen.length < k; start = stop) {
    stop = start;
    while (stop < rows.length && known[rows[stop]] === known[rows[start]]) stop++;
    const some = rows.slice(start, Math.min(stop, start + MOST_AS_WELL_KNOWN));
    const vectors = some.map(row => items.vector(row));
    for (const place of spread(vectors, before, dims, items.objective.alikeFrom, k - chosen.length)) {
      chosen.push(some[place]);
      before.push(vectors[place]);
    }
  }
  const best = [...new Set([...chosen, ...rows])].slice(0, k), greatest = Math.max(1, greatestOf(known));
  return best.map(row => [row, Math.fround(known[row] / greatest)]);
}

/** The places of up to `most` of `vectors`, one by one the least like all before; none that is alike to one. */
function spread(vectors, before, dims, alikeFrom, most) {
  const squares = vectors.map(vector => dot(vector, vector, dims)),
    nearest = new Float64Array(vectors.length).fill(-Infinity);
  const add = one => {
    const square = dot(one, one, dims);
    vectors.forEach((vector, i) => {
      nearest[i] = Math.max(nearest[i], dot(vector, one, dims) / Math.sqrt(Math.max(squares[i] * square, 1)));
    });
  };
  before.forEach(add);
  const places = [];
  while (places.length < most) {
    let place = 0;
    for (let i = 1; i < nearest.length; i++) if (nearest[i] < nearest[place]) place = i;
    if (nearest[place] >= alikeFrom) break;
    places.push(place);
    add(vectors[place]);
  }
  return places;
}

/**
 * The k of `ranking` chosen one by one by maximal marginal relevance: each next one has the greatest
 * `(1 - share) * score - share * likeness` to the most alike of those chosen before (Carbonell and Goldstein, 1998).
 */
function diversify(items, ranking, k, share) {
  const directions = ranking.map(([row]) => items.objective.direction(items.vector(row)));
  const nearest = new Float64Array(ranking.length), left = new Set(ranking.keys()), chosen = [];
  while (chosen.length < k && left.size) {
    let best = -1, greatest = -Infinity;
    for (const i of left) {
      const gain = Math.fround(
        Math.fround(Math.fround(1 - share) * ranking[i][1]) - Math.fround(Math.fround(share) * nearest[i]),
      );
      if (gain > greatest) [best, greatest] = [i, gain];
    }
    left.delete(best);
    chosen.push(ranking[best]);
    for (const i of left) {
      const likeness = Math.fround(dot(directions[i], directions[best]));
      nearest[i] = chosen.length === 1 ? likeness : Math.max(nearest[i], likeness);
    }
  }
  return chosen;
}

// ---- the API --------------------------------------------------------------------------------------------------------

const OPTIONS = ["k", "exclude", "where", "diversify"];
const OPTIONS_OF_RECOMMEND = [...OPTIONS, "dislikes", "blend"];

function checkCount(name, value) {
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError(`${name} is ${shown(value)}; give a whole number from 1`);
  return value;
}

function checkOptions(given, known) {
  if (!isRecord(given))
    throw new InvalidArgumentError(`options are ${shown(given)}; give an object of ${known.join(", ")}`);
  for (const name of Object.keys(given)) {
    if (!known.includes(name))
      throw new InvalidArgumentError(`there is no option ${shown(name)}; give ${known.join(", ")}`);
  }
  const k = checkCount("k", given.k ?? 10), share = given.diversify ?? 0, where = given.where ?? null;
  if (typeof share !== "number" || !(share >= 0 && share <= 1)) {
    throw new InvalidArgumentError(`diversify is ${shown(share)}; give a number from 0 to 1`);
  }
  const conditions = where === null ? [] : pairsOf(where) ?? several(where === "" ? [] : where, "where");
  return {
    k, share, exclude: several(given.exclude ?? [], "exclude"), where: conditions.length ? conditions : null,
    dislikes: several(given.dislikes ?? [], "dislikes"), blend: given.blend ?? null,
  };
}

/** Answers from one file made by mignon. Wherever an item is asked for, its id, name or an alias will do. */
export class Recommender {
  /** @param bytes the whole file, an ArrayBuffer or a view of one; it is read in place. @param name for messages */
  constructor(bytes, name = "the file") {
    const view = ArrayBuffer.isView(bytes)
      ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      : new Uint8Array(bytes);
    this._file = new ModelFile(view, name);
    this._items = new Items(this._file);
  }

  /**
   * Opens and verifies a file.
   * @param source its bytes (an ArrayBuffer or a view of one), a Response, a Blob or File, an address to fetch, or a
   *   promise of any of these
   */
  static async open(source) {
    const given = await source;
    if (isText(given) || (typeof URL === "function" && given instanceof URL)) return Recommender.open(fetchFile(given));
    if (isBuffer(given)) return new Recommender(given);
    if (!given || typeof given.arrayBuffer !== "function") {
      throw new InvalidArgumentError(
        `a file is asked for by ${shown(given)}; give its bytes, a Response, a Blob or an address`,
      );
    }
    const name = given.url || given.name || "the file";
    if (given.ok === false)
      throw new ModelFileError(
        `${name}: the server answered ${given.status}; give the address of a .tflite file made by mignon`,
      );
    let bytes;
    try {
      bytes = await given.arrayBuffer();
    } catch (error) {
      throw new ModelFileError(`${name}: cannot be read (${error.message})`);
    }
    return new Recommender(bytes, name);
  }

  /** What the file says of itself. */
  get manifest() {
    return this._file.manifest;
  }

  /** The SHA-256 at the end of the file, in hexadecimal: what tells this model from others. */
  get digest() {
    return this._file.digest;
  }

  /** The number of items. */
  get size() {
    return this._items.rows;
  }

  /** Items and families whose name resembles `text`, best first: {id, name, score, kind, size, sure}. */
  find(text, limit = 5) {
    checkText(text);
    return this._items
      .match(text, checkCount("limit", limit))
      .map(([found, score]) => describe(this._items, found, score));
  }

  /** What somebody who has typed `text` so far may mean: as `find`, and what begins so, the best known first. */
  complete(text, limit = 6) {
    checkText(text);
    return this._items
      .complete(text, checkCount("limit", limit))
      .map(([found, score]) => describe(this._items, found, score));
  }

  /**
   * The item or family that `text` surely means: its name, or a spelling away from it.
   * @param unwanted as a dislike or what is left out, where a family goes before an item with that alias
   */
  identify(text, {unwanted = false} = {}) {
    const items = this._items, found = unwanted ? items.resolveUnwanted(text) : items.resolve(text);
    const isExact = found instanceof Family
      ? items.families.calledJust(text) === found
      : items.ids[found] === text || items.index.rowOfName(text) === found;
    const match = isExact ? null : items.match(text, 1).find(([one]) => one === found);
    return describe(items, found, match ? match[1] : 1);
  }

  /** Map of each attribute, or of one, to a Map of its values to the number of items; the most frequent first. */
  attributes(attribute) {
    const {attributes} = this._items, counts = attributes.counts();
    if (attribute === undefined) return counts;
    const name = attributes.called(attribute);
    return new Map([[name, counts.get(name)]]);
  }

  /** Map of the attributes of an item to its values, those first that many items have. */
  attributesOf(item) {
    return this._items.attributes.of(this._items.row(item));
  }

  /** The k items most like `item`, without `item` itself; for a family its own items nearest to its middle. */
  similar(item, options = {}) {
    const items = this._items,
      {objective} = items,
      found = items.resolve(item),
      checked = checkOptions(options, OPTIONS);
    if (!(found instanceof Family) && objective.bestIsAlike) return this.recommend([items.ids[found]], options);
    const barred = this._barred(items.expand(checked.exclude), checked.where);
    if (found instanceof Family) {
      const own = new Set(items.families.rows(found));
      for (let row = 0; row < items.rows; row++) if (!own.has(row)) barred[row] = 1;
    } else {
      barred[found] = 1;
    }
    return this._nearest(
      objective.queryTowards(found instanceof Family ? familyVector(items, found) : items.vector(found)),
      barred,
      checked,
    );
  }

  /**
   * The k items nearest to favorites, none of which comes back; without favorites the best known items.
   * @param favorites items and families, or a Map or object of them to weights, where a negative one is a dislike
   */
  recommend(favorites, options = {}) {
    const items = this._items, checked = checkOptions(options, OPTIONS_OF_RECOMMEND);
    const question = formQuestion(items, resolveLikes(items, favorites, checked.dislikes), checked.blend);
    const barred = this._barred([...question.banned, ...items.expand(checked.exclude)], checked.where);
    const {k, share} = checked, {weights, vectors} = question.likes;
    if (!question.tastes.length) {
      return this._neighbors(rankBestKnown(items, vectors.filter((_, i) => weights && weights[i] < 0), barred, k));
    }
    const losses = makeLosses(items, question.dislikes);
    const rankings = question.tastes.map(({query}) => {
      const scores = scoreRows(this._file.table, items.rows, query), cosine = items.objective.cosine(query);
      if (losses.length) {
        for (let row = 0; row < items.rows; row++)
          if (!barred[row]) for (const loss of losses) scores[row] -= loss(items.vector(row));
      }
      return this._best(scores, barred, checked, score => cosine(score));
    });
    if (rankings.length === 1 && !losses.length) return this._neighbors(rankings[0]);
    const rows = interleave(
      rankings.map(ranking => ranking.map(([row]) => row)),
      question.tastes.map(taste => taste.weight),
      k,
    );
    const scoreOf = makeScorer(items, question);
    return this._neighbors(rows.map(row => [row, scoreOf(row).score]));
  }

  /** The k items whose vectors point most nearly where `vector` [dims] does; its length does not matter. */
  search(vector, options = {}) {
    const items = this._items, checked = checkOptions(options, OPTIONS), {dims} = items.manifest;
    const wide = Float32Array.from(isBuffer(vector) || Array.isArray(vector) ? vector : []);
    if (wide.length !== dims || !wide.every(Number.isFinite) || !wide.some(entry => entry !== 0)) {
      throw new InvalidArgumentError(`the vector is ${shown(vector)}; give ${dims} finite numbers that are not all 0`);
    }
    const query = new Float64Array(items.columns);
    query.set(integerQuery(wide));
    return this._nearest(query, this._barred(items.expand(checked.exclude), checked.where), checked);
  }

  /** The vector of an item: float32 [dims], of length about 1. */
  vector(item) {
    return this._items.objective.direction(this._items.vector(this._items.row(item)));
  }

  /** How alike two items are: the cosine that `similar` would give, from -1 to 1. */
  score(item, other) {
    const items = this._items;
    return items.objective.likeness(items.vector(items.row(item)), items.vector(items.row(other)));
  }

  /** The row of an item in the table: the number by which the signatures of the file know it. */
  row(item) {
    return this._items.row(item);
  }

  /** The item of a row of the table: {id, name}. */
  item(row) {
    const {ids, names} = this._items;
    if (!Number.isInteger(row) || row < 0 || row >= ids.length)
      throw new InvalidArgumentError(`there is no row ${shown(row)}; give one below ${ids.length}`);
    return {id: ids[row], name: names[row]};
  }

  /**
   * Why `recommend` gives `result` for these favorites: {id, name, score, contributions: [{id, name, weight, cosine,
   * part, share}], shared: [{attribute, value, favorites}]}. The parts sum up to the score.
   */
  explain(favorites, result, options = {}) {
    const items = this._items,
      {dislikes, blend} = checkOptions(options, ["dislikes", "blend"]);
    const likes = resolveLikes(items, favorites, dislikes),
      question = formQuestion(items, likes, blend),
      row = items.row(result);
    if (!question.tastes.length)
      throw new InvalidArgumentError(
        "no favorites were given; name at least one item that is liked, with a weight above 0",
      );
    const {score, taste} = makeScorer(items, question)(row);
    return {
      ...this.item(row),
      score,
      contributions: contributionsTo(items, question, taste, row),
      shared: sharedValues(items, likes, row),
    };
  }

  /** Which rows do not come back: Uint8Array [rows]. */
  _barred(rows, where) {
    const barred = where
      ? this._items.attributes.allowed(where).map(isAllowed => 1 - isAllowed)
      : new Uint8Array(this._items.rows);
    for (const row of rows) barred[row] = 1;
    return barred;
  }

  /** The best [row, score] of all rows, diverse where that is asked for. */
  _best(scores, barred, {k, share}, asScore) {
    const best = topRows(scores, Math.min(share ? CANDIDATES_FOR_EACH * k : k, scores.length), barred).map(row => [
      row,
      asScore(scores[row]),
    ]);
    return share ? diversify(this._items, best, k, share) : best;
  }

  _nearest(query, barred, options) {
    const {objective, rows} = this._items, scores = objective.alike(scoreRows(this._file.table, rows, query));
    return this._neighbors(this._best(scores, barred, options, objective.alikeCosine(query)));
  }

  _neighbors(ranking) {
    return ranking.map(([row, score]) => ({...this.item(row), score}));
  }
}

const isBuffer = value => ArrayBuffer.isView(value) || Object.prototype.toString.call(value).endsWith("ArrayBuffer]");

async function fetchFile(address) {
  try {
    return await fetch(address);
  } catch (error) {
    throw new ModelFileError(
      `${address}: cannot be fetched (${error.message}); give the address of a .tflite file made by mignon, or its bytes`,
    );
  }
}

function describe(items, found, score) {
  const sure = score >= SURE;
  if (found instanceof Family)
    return {id: found.id, name: found.value, score, kind: "family", size: items.families.count(found), sure};
  return {id: items.ids[found], name: items.names[found], score, kind: "item", size: 1, sure};
}

/** What each favorite contributes to the score of a row by the taste that it answers best; the greatest part first. */
function contributionsTo(items, {likes, tastes, dislikes}, best, row) {
  const {
      objective,
      manifest: {scale},
    } = items,
    taste = tastes[best],
    vector = items.vector(row);
  const weights = likes.weights ?? likes.vectors.map(() => 1),
    greatest = greatestOf(weights);
  const directions = likes.vectors.map(one => objective.part(one)),
    sum = new Float64Array(items.columns);
  for (const member of taste.members)
    directions[member].forEach((entry, i) => (sum[i] += (weights[member] / greatest) * entry));
  const unit = scale / Math.sqrt(dot(sum, sum)),
    lossUnit = scale / Math.sqrt(dot(taste.query, taste.query));
  const losses = makeLosses(items, dislikes).map(loss => loss(vector));
  const parts = weights.map((weight, i) => {
    if (weight < 0) return -losses.shift() * lossUnit;
    return taste.members.includes(i) ? (weight / greatest) * dot(directions[i], vector) * unit : 0;
  });
  const all = parts.reduce((total, part) => total + Math.abs(part), 0) || 1;
  return likes.found.map((found, i) => {
    const length = Math.sqrt(dot(directions[i], directions[i]));
    return {
      id: found instanceof Family ? found.id : items.ids[found], name: items.label(found), weight: weights[i],
      cosine: length ? (dot(directions[i], vector) * scale) / length : 0, part: parts[i], share: parts[i] / all,
    };
  }).sort((one, other) => other.part - one.part);
}

/** The values of kinds that are liked, then those that a row has in common with items that are. */
function sharedValues(items, likes, row) {
  const liked = likes.found.filter((_, i) => !likes.weights || likes.weights[i] > 0);
  const own = items.attributes.of(row), shared = new Map();
  const add = (attribute, value, names) => {
    const key = `${attribute}\t${value}`;
    if (!shared.has(key)) shared.set(key, {attribute, value, favorites: []});
    for (const name of names) shared.get(key).favorites.push(name);
  };
  for (const kind of liked) {
    const has = kind instanceof Family && (own.get(kind.attribute) ?? []).includes(kind.value);
    if (has) add(kind.attribute, kind.value, [kind.id]);
  }
  const rows = liked.filter(one => !(one instanceof Family));
  for (const {attribute, value, rows: both} of items.attributes.shared(row, rows)) {
    add(attribute, value, both.map(one => items.names[one]));
  }
  return [...shared.values()];
}

// ---- through LiteRT.js ----------------------------------------------------------------------------------------------

const FIXED_SIGNATURE = "recommend_fixed";

/**
 * What `recommend` answers with blend "together", by the signature of fixed shapes of the same file in LiteRT.js: for
 * those who want its accelerators.
 * @param model what `loadAndCompile` of @litertjs/core gives for the file
 * @param makeTensor (values, shape) => a Tensor: `(values, shape) => new Tensor(values, shape)`
 * @param recommender the same file, which knows the names
 */
export async function recommendThrough(model, makeTensor, recommender, favorites, {k = 10} = {}) {
  checkCount("k", k);
  const signature = model.signatures?.[FIXED_SIGNATURE];
  if (!signature)
    throw new FileFormatError(`the model has no signature ${FIXED_SIGNATURE}; export it again, with that signature`);
  const {shape} = signature.getInputDetails()[0],
    room = shape[shape.length - 1];
  const rows = [...new Set(several(favorites, "items").map(item => recommender.row(item)))];
  if (!rows.length) throw new InvalidArgumentError("no favorites were given; name at least one item that is liked");
  if (rows.length > room)
    throw new InvalidArgumentError(
      `${rows.length} favorites are more than the ${room} that the signature takes; use recommend()`,
    );
  const most = signature.getOutputDetails()[0].shape[0];
  if (k > most) throw new InvalidArgumentError(`k is ${k}, and the signature gives ${most} results; use recommend()`);
  const input = makeTensor(Int32Array.from({length: room}, (_, i) => rows[i] ?? -1), [...shape]);
  let outputs = {};
  try {
    outputs = await signature.run({items: input});
    const [ids, scores] = [await outputs.ids.data(), await outputs.scores.data()];
    const answered = Array.from(ids.subarray(0, k), (row, i) => [row, scores[i]]).filter(([row]) => row >= 0);
    return answered.map(([row, score]) => ({...recommender.item(row), score}));
  } finally { // tensors live outside of what JavaScript clears away
    input.delete();
    for (const output of Object.values(outputs)) output.delete();
  }
}
