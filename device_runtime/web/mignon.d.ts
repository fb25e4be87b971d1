/** Similar items and recommendations from one .tflite file made by mignon, offline. */

/** The base of every error of this module. */
export class MignonError extends Error {}
/** The model file is missing, cannot be read, or is not what it should be. */
export class ModelFileError extends MignonError {}
/** The file was cut short or altered. */
export class DamagedFileError extends ModelFileError {
  constructor(message: string, part?: string | null);
  /** `table`, `graph`, an entry such as `names.txt`, `directory` or `digest`; null where bytes are missing or too many. */
  readonly part: string | null;
}
/** The file is whole, but its parts do not fit together, or mignon did not make it. */
export class FileFormatError extends ModelFileError {}
/** A later mignon made the file, in a format that is not known here. */
export class FutureVersionError extends FileFormatError {}
/** An argument is of the wrong kind or out of its range. */
export class InvalidArgumentError extends MignonError {}
/** An item is liked and disliked, or has two weights, or all weights cancel out. */
export class ContradictoryLikesError extends InvalidArgumentError {
  constructor(message: string, items: string[]);
  readonly items: string[];
}
/** No item has this id, name or alias. */
export class UnknownItemError extends MignonError {
  constructor(asked: string, suggestions: string[]);
  readonly asked: string;
  readonly suggestions: string[];
}
/** A filter names an attribute, or a value of it, that no item has. */
export class UnknownAttributeError extends MignonError {}

export interface Item {
  id: string;
  name: string;
}

/** An item near a query; the score is the cosine, but in a model of likes that of `recommend` has no bounds. */
export interface Neighbor extends Item {
  score: number;
}

/** What resembles a text: an item, or a family of items, whose id is `attribute=value`. */
export interface Match extends Item {
  /** 1 for the same name, from 0.9 what is surely meant, below only alike. */
  score: number;
  kind: "item" | "family";
  /** How many items a family has; 1 of an item. */
  size: number;
  sure: boolean;
}

export interface Contribution extends Item {
  weight: number;
  cosine: number;
  part: number;
  share: number;
}

export interface SharedValue {
  attribute: string;
  value: string;
  favorites: string[];
}

export interface Explanation extends Neighbor {
  contributions: Contribution[];
  shared: SharedValue[];
}

export type Values = string | Iterable<string>;
export type Condition = Values | {not: Values};
/** `{course: "soup"}`, `{diet: ["vegan", "vegetarian"]}`, `{allergens: {not: "milk"}}`, or texts such as `allergens!=milk`. */
export type Where = Values | Map<string, Condition> | {[attribute: string]: Condition};
/** Items and families, or weights of them, where a negative one is a dislike; a Map where ids are whole numbers. */
export type Favorites = Iterable<string> | Map<string, number> | {[item: string]: number} | null;
export type Blend = "each" | "together";

export interface Options {
  /** How many results; 10 without it. */
  k?: number | null;
  /** Items, or all those of families, that must not come back. */
  exclude?: Values | null;
  /** What the attributes of results must be. */
  where?: Where | null;
  /** From 0, the nearest, to 1, the least like one another. */
  diversify?: number | null;
}

export interface LikesOptions {
  /** What is much like these steps back, and they do not come back. */
  dislikes?: Values | null;
  /** Whether each taste is served in its share, or what is near the sum of all; the model knows which suits it. */
  blend?: Blend | null;
}

export interface Manifest {
  readonly format_version: 1;
  readonly name: string;
  readonly license: string;
  readonly rows: number;
  readonly dims: number;
  readonly columns: number;
  readonly bits: 4 | 8;
  readonly scale: number;
  readonly table_offset: number;
  readonly objective: string;
  readonly preference: {readonly entry: number; readonly power: number; readonly negative_columns: number} | null;
  readonly quality: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/** A Response, Blob or File, by what is used of it. */
export interface Readable {
  arrayBuffer(): Promise<ArrayBuffer>;
}

export type Source = ArrayBufferLike | ArrayBufferView | Readable | URL | string;

export class Recommender {
  /** Verifies a file and reads it in place. `name` is for messages. */
  constructor(bytes: ArrayBufferLike | ArrayBufferView, name?: string);
  /** Opens and verifies a file from its bytes, a Response, a Blob or File, an address to fetch, or a promise of these. */
  static open(source: Source | Promise<Source>): Promise<Recommender>;
  readonly manifest: Manifest;
  /** The SHA-256 at the end of the file: what tells this model from others. */
  readonly digest: string;
  /** The number of items. */
  readonly size: number;
  /** Items and families whose name resembles `text`, best first; 5 without `limit`. */
  find(text: string, limit?: number): Match[];
  /** What somebody who has typed `text` so far may mean; 6 without `limit`. */
  complete(text: string, limit?: number): Match[];
  /** The item or family that `text` surely means. Throws an UnknownItemError with suggestions where none is. */
  identify(text: string, options?: {unwanted?: boolean}): Match;
  /** How many items have each value of each attribute, or of one; the most frequent first. */
  attributes(attribute?: string): Map<string, Map<string, number>>;
  attributesOf(item: string): Map<string, string[]>;
  /** The items most like `item`, without it; for a family its own items nearest to its middle. */
  similar(item: string, options?: Options): Neighbor[];
  /** The items nearest to favorites, none of which comes back; without favorites the best known items. */
  recommend(favorites: Favorites, options?: Options & LikesOptions): Neighbor[];
  /** The items whose vectors point most nearly where `vector` [dims] does. */
  search(vector: ArrayLike<number>, options?: Options): Neighbor[];
  /** Why `recommend` gives `result` for these favorites. */
  explain(favorites: Favorites, result: string, options?: LikesOptions): Explanation;
  /** The vector of an item, of length about 1. */
  vector(item: string): Float32Array;
  /** How alike two items are: the cosine that `similar` would give. */
  score(item: string, other: string): number;
  /** The row of an item in the table, by which the signatures of the file know it. */
  row(item: string): number;
  /** The item of a row of the table. */
  item(row: number): Item;
}

/** A tensor of LiteRT.js, by what is used of it. */
export interface TensorLike {
  data(): Promise<ArrayLike<number>>;
  delete(): void;
}

/** A model that `loadAndCompile` of @litertjs/core gives, by what is used of it. */
export interface CompiledModelLike<T extends TensorLike> {
  readonly signatures: Record<string, {
    getInputDetails(): readonly {readonly shape: Int32Array}[];
    getOutputDetails(): readonly {readonly shape: Int32Array}[];
    run(input: Record<string, T>): Promise<Record<string, T>>;
  }>;
}

/** What `recommend` answers with blend "together", by the signature `recommend_fixed` of the same file in LiteRT.js. */
export function recommendThrough<T extends TensorLike>(
  model: CompiledModelLike<T>,
  makeTensor: (values: Int32Array, shape: number[]) => T,
  recommender: Recommender,
  favorites: Values,
  options?: {k?: number},
): Promise<Neighbor[]>;
