"""Makes the conformance set: `python -m tests.golden.make_golden [FOLDER]` (default: beside this file).

Nothing here is trained: vectors are sums of whole numbers drawn for each attribute value, so every machine writes the
same bytes. Files are exported like any other; expected answers are worked out here in Python's own integers, and the
scores from them by the steps that README.md gives.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tests import plain_ranking
from tests.plain_find import PlainItems, place_family
from training.console.quiet_tensorflow import import_tensorflow

import_tensorflow()

from device_runtime.format.layout import DIGEST_LENGTH  # noqa: E402
from device_runtime.format.model_file import ModelFile  # noqa: E402
from export.command import main as export_main  # noqa: E402
from training.inputs.catalog import read_catalog  # noqa: E402
from training.trained import Preference, Trained, save  # noqa: E402

HERE = Path(__file__).parent
DIMS = 16
NEGATIVE_COLUMNS = 4
FILES = ("meals-8", "meals-4", "likes")
Question = dict[str, Any]
_TOGETHER = {"blend": "together"}


def make(folder: Path) -> None:
    """Writes `files`, `damaged` and `cases` below `folder`."""
    for name in ("files", "damaged", "cases"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name in FILES:
        _export(name, folder / "files" / f"{name}.tflite")
    for name in FILES:
        model = ModelFile.open(folder / "files" / f"{name}.tflite")
        lines = [json.dumps(case, ensure_ascii=False) for case in _cases(model)]
        (folder / "cases" / f"{name}.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    whole = (folder / "files" / "likes.tflite").read_bytes()
    with (folder / "cases" / "damaged.jsonl").open("w", encoding="utf-8") as stream:
        for name, data, kind, part in _damages(ModelFile.open(folder / "files" / "likes.tflite"), whole):
            (folder / "damaged" / f"{name}.tflite").write_bytes(data)
            stream.write(json.dumps({"file": f"{name}.tflite", "error": kind, "part": part}) + "\n")


def _export(name: str, path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        save(_likes() if name == "likes" else _meals(), Path(folder) / "model")
        options = ["--bits", "4", "--quantize", "ptq", "--min-overlap", "0"] if name == "meals-4" else []
        options += ["--quantize", "ptq"] if name == "meals-8" else []
        arguments = [str(Path(folder) / "model"), "--out", str(path), "--license", "CC BY 4.0", "--no-progress"]
        if export_main([*arguments, *options]) != 0:
            raise SystemExit(f"{name} could not be exported")


def _meals() -> Trained:
    with (HERE / "families.csv").open(encoding="utf-8", newline="") as stream:
        families = tuple((column, value, name) for column, value, name in csv.reader(stream))
    catalog = replace(read_catalog(HERE / "catalog.csv", popularity="known"), families=families)
    pairs = sorted({(a, v) for item in catalog.items for a, values in item.attributes.items() for v in values})
    chance = random.Random(0)
    vectors = np.array([[chance.randint(-64, 64) for _ in range(DIMS)] for _ in pairs], np.float64)
    vector_of = dict(zip(pairs, vectors, strict=True))
    sums = np.array([
        sum(vector_of[a, v] / (1 + place) for a, values in item.attributes.items() for place, v in enumerate(values))
        for item in catalog.items
    ])  # fmt: skip
    lengths = np.array([math.sqrt(math.fsum(x * x for x in row)) for row in sums.tolist()])
    table = (sums / lengths[:, None]).astype(np.float32)
    return Trained(catalog, table, tuple(pairs), (vectors / 256).astype(np.float32), {}, {"dims": DIMS})


def _likes() -> Trained:
    meals, chance = _meals(), random.Random(1)
    lengths = np.array([chance.randint(8, 40) / 16 for _ in meals.catalog.items], np.float32)
    bias = np.array([chance.randint(-96, 96) / 64 for _ in meals.catalog.items], np.float32)
    table = meals.table * lengths[:, None]
    preference = Preference(bias, NEGATIVE_COLUMNS, 0.5)
    return Trained(meals.catalog, table, meals.attributes, meals.attribute_vectors, {}, {"dims": DIMS}, (), preference)


def _cases(model: ModelFile) -> Iterator[Question]:
    """Questions with their answers, scores as the bits of float32."""
    ids = list(model.lines("ids.txt"))
    names = list(model.lines("names.txt"))
    for question in _questions(ids, names):
        yield _answered(model, question)
    yield from (_answered(model, question) for question in _questions_of_tastes(ids))
    yield from (_answered(model, question) for question in _questions_of_kinds())
    yield from (_answered(model, question) for question in _baskets(ids, 500 if model.manifest.bits == 8 else 60))
    yield from _cases_of_names(model)
    yield from _refused(ids)


def _questions(ids: list[str], names: list[str]) -> Iterator[Question]:
    chance = random.Random(2)
    for number in (1, 1, 2, 3, 5, 8, 20):
        items = chance.sample(ids, number)
        k = chance.choice((1, 5, 10))
        yield {"call": "recommend", "items": items, "k": k} | _TOGETHER
    yield {"call": "recommend", "items": [names[3], names[7]], "k": 60} | _TOGETHER
    yield {"call": "recommend", "items": [ids[3]], "k": 1000}
    yield {"call": "recommend", "items": ids, "k": 5} | _TOGETHER  # nothing is left
    yield {"call": "recommend", "items": {ids[1]: 3, ids[5]: 1}, "k": 10} | _TOGETHER
    yield {"call": "recommend", "items": {ids[1]: 0.75, ids[5]: 0.1, ids[9]: 2.5}, "k": 10} | _TOGETHER
    left_out = {"exclude": [ids[0], ids[2]], "k": 10}
    yield {"call": "recommend", "items": [ids[1], ids[4]]} | left_out | _TOGETHER
    yield {"call": "recommend", "items": [ids[6]], "where": {"course": ["soup", "salad"]}, "k": 10}
    yield {"call": "recommend", "items": [ids[6]], "where": {"course": {"not": ["dessert"]}}, "k": 5}
    both = {"course": ["main"], "served": {"not": ["hot"]}}
    yield {"call": "recommend", "items": [ids[6]], "where": both, "k": 5}
    for item in ids:
        yield {"call": "similar", "item": item, "k": 10}
    yield {"call": "similar", "item": ids[8], "where": {"served": ["cold"]}, "k": 10}


def _questions_of_tastes(ids: list[str]) -> Iterator[Question]:
    """Several tastes, dislikes, and no favorites at all."""
    chance = random.Random(3)
    for number in (2, 3, 5, 8, 20):
        yield {"call": "recommend", "items": chance.sample(ids, number), "k": 10, "blend": "each"}
    yield {"call": "recommend", "items": chance.sample(ids, 4), "k": 7}
    yield {"call": "recommend", "items": {ids[3]: 3, ids[9]: 1, ids[20]: 0}, "k": 60, "blend": "each"}
    for number in (1, 3):
        disliked = chance.sample(ids[30:], number)
        yield {"call": "recommend", "items": ids[7:8], "dislikes": disliked, "k": 10}
    weights = {ids[5]: 2, ids[6]: 1, ids[12]: 1, ids[33]: -1, ids[40]: -3}
    yield {"call": "recommend", "items": weights, "k": 10, "blend": "each"}
    yield {"call": "recommend", "items": weights, "k": 10, "blend": "together"}
    cold = {"where": {"served": ["cold"]}, "exclude": ids[:2]}
    yield {"call": "recommend", "items": ids[20:25], "k": 10, "blend": "each"} | cold
    yield {"call": "recommend", "items": [], "k": 12}
    yield {"call": "recommend", "items": [], "dislikes": ids[:1], "k": 5} | cold


def _questions_of_kinds() -> Iterator[Question]:
    """Kinds of items as favorites, as what is disliked or left out, and by themselves; names as people type them."""
    for item in ("course=soup", "Suppe", "taste=sweet", "ingredients=flour", "thin pancakes"):
        yield {"call": "similar", "item": item, "k": 10}
        yield {"call": "recommend", "items": [item], "k": 10}
    yield {"call": "recommend", "items": ["soup", "Blini", "hotdogs"], "k": 10}
    yield {"call": "recommend", "items": ["soup", "Blini", "hotdogs"], "k": 10} | _TOGETHER
    yield {"call": "recommend", "items": {"dessert": 2, "course=soup": 1, "pho": 1}, "k": 12}
    yield {"call": "recommend", "items": ["pancakes"], "dislikes": ["dessert"], "k": 10}
    yield {"call": "recommend", "items": ["course=dessert"], "dislikes": ["Crêpes", "course=soup"], "k": 10}
    yield {"call": "recommend", "items": ["pancakes", "course=soup"], "exclude": ["Nachtisch", "ramen"], "k": 10}
    yield {"call": "recommend", "items": ["course=soup"], "where": {"course": ["soup"], "served": ["hot"]}, "k": 60}
    yield {"call": "similar", "item": "course=soup", "exclude": ["course=soup"], "k": 5}  # nothing is left
    yield {"call": "recommend", "items": [], "dislikes": ["course=dessert"], "k": 8}


def _baskets(ids: list[str], count: int) -> Iterator[Question]:
    chance = random.Random(4)
    for _ in range(count):
        items = chance.sample(ids, chance.choice((1, 2, 2, 3, 3, 4, 5, 6, 8, 12)))
        blend = chance.choice(("each", "together"))
        yield {"call": "recommend", "items": items, "k": chance.choice((1, 3, 5, 10)), "blend": blend}


def _cases_of_names(model: ModelFile) -> Iterator[Question]:
    """What people type, in six languages and other scripts, right and wrong: items and families with their scores."""
    items = _items(model)
    texts = (HERE / "typed.txt").read_text("utf-8").splitlines()
    for place, text in enumerate([*items.names, *texts]):
        k = (1, 3, 5)[place % 3]
        found = items.find(text, k)
        bits = np.array([score for _, score in found], np.float32).view(np.int32).tolist()
        yield {"call": "find", "text": text, "k": k, "ids": [one for one, _ in found], "bits": bits}


def _refused(ids: list[str]) -> Iterator[Question]:
    """Questions that are errors, each of one kind."""
    unknown, invalid = {"error": "unknown item"}, {"error": "invalid argument"}
    yield {"call": "recommend", "items": ["quantum flux"], "k": 3} | unknown
    yield {"call": "recommend", "items": ids[:1], "dislikes": ["quantum flux"], "k": 3} | unknown
    yield {"call": "similar", "item": "", "k": 3} | unknown
    yield {"call": "recommend", "items": ids[:1], "k": 0} | invalid
    yield {"call": "recommend", "items": ids[:1], "k": 3, "blend": "neither"} | invalid
    yield {"call": "recommend", "items": ids[:1], "dislikes": ids[:1], "k": 3} | invalid
    yield {"call": "recommend", "items": ids[:1], "where": {"colour": ["red"]}, "k": 3} | {"error": "unknown attribute"}
    yield {"call": "recommend", "items": ids[:1], "where": {"course": ["rain"]}, "k": 3} | {
        "error": "unknown attribute"
    }


def _answered(model: ModelFile, question: Question) -> Question:
    rows, scores = _answer(model, question)
    ids = model.lines("ids.txt")
    bits = np.array(scores, np.float32).view(np.int32).tolist()
    return question | {"ids": [ids[row] for row in rows], "bits": bits}


def _answer(model: ModelFile, question: Question) -> tuple[list[int], list[np.float32]]:
    items = _items(model)
    table = [[int(value) for value in row] for row in model.table]
    asked = question.get("items", [question.get("item")])
    weights = asked if isinstance(asked, dict) else dict.fromkeys(asked, 1)
    meant = {items.resolve(item): weight for item, weight in weights.items()}
    meant |= {items.resolve_unwanted(item): -1 for item in question.get("dislikes", ())}
    left_out = {items.resolve_unwanted(item) for item in question.get("exclude", ())}
    left_out |= {one for one, weight in meant.items() if isinstance(one, int) or weight < 0}
    banned = {row for one in left_out for row in ([one] if isinstance(one, int) else items.rows_of[one])}
    allowed = [row for row in range(len(table)) if row not in banned and _meets(model, row, question.get("where"))]
    vectors = {
        one: table[one] if isinstance(one, int) else place_family(model, one, items.rows_of[one]) for one in meant
    }
    favorites = [(vectors[one], weight) for one, weight in meant.items() if isinstance(one, int)]
    favorites += [(vectors[one], weight) for one, weight in meant.items() if not isinstance(one, int)]
    if question["call"] == "recommend":
        return _recommended(model, table, favorites, allowed, question)
    (one,) = meant
    if not isinstance(one, int):
        allowed = [row for row in allowed if row in items.rows_of[one]]
    if model.manifest.preference:
        return _by_cosine(table, vectors[one], allowed, question["k"])
    query = _query(model, favorites)
    best = sorted(allowed, key=lambda row: (-_dot(table[row], query), row))[: question["k"]]
    return best, [_as_cosine(model, _dot(table[row], query), query) for row in best]


def _recommended(
    model: ModelFile,
    table: list[list[int]],
    favorites: list[tuple[list[int], float]],
    allowed: list[int],
    question: Question,
) -> tuple[list[int], list[np.float32]]:
    """The best of each taste in turns, by scores less what dislikes take away; without favorites the best known."""
    k, dims = question["k"], model.manifest.dims
    directions = [row[:dims] for row in table]
    alike = _alike_from(model)
    liked = [(row, weight) for row, weight in favorites if weight > 0]
    disliked = [(row, -weight) for row, weight in favorites if weight < 0]
    if not liked:
        return _best_known(model, table, [row for row, _ in disliked], allowed, k)
    blend = question.get("blend", "together" if model.manifest.preference else "each")
    groups = [list(range(len(liked)))]
    if blend == "each":
        groups = plain_ranking.group([row[:dims] for row, _ in liked], alike)
    queries = [_query(model, [liked[i] for i in group]) for group in groups]
    loss = dict.fromkeys(allowed, 0)
    if disliked:
        queries = [plain_ranking.lengthened(query) for query in queries]
        greatest = max(weight for _, weight in liked)
        padding = [0] * (len(table[0]) - dims)
        for vector, weight in disliked:
            query = plain_ranking.lengthened([*vector[:dims], *padding])
            for other in allowed:
                length = _length(model, directions[other])
                loss[other] += plain_ranking.loss(table[other], query, weight / greatest, length, alike)
    scores = [{row: _dot(table[row], query) - loss[row] for row in allowed} for query in queries]
    lists = [sorted(allowed, key=lambda row, of=of: (-of[row], row))[:k] for of in scores]
    best = plain_ranking.interleave(lists, [sum(liked[i][1] for i in group) for group in groups], k)
    pairs = list(zip(scores, queries, strict=True))
    return best, [max(_as_cosine(model, of[row], query) for of, query in pairs) for row in best]


def _best_known(
    model: ModelFile, table: list[list[int]], disliked: list[list[int]], allowed: list[int], k: int
) -> tuple[list[int], list[np.float32]]:
    """By the bias if there is one; of equal ones that least like all before, and one alike to any after all others."""
    directions = [row[: model.manifest.dims] for row in table]
    alike = _alike_from(model)
    known = _items(model).known or [0] * len(table)
    unlike: list[int] = []
    for level in sorted({known[row] for row in allowed}, reverse=True):
        rows = [row for row in allowed if known[row] == level]
        while len(unlike) < k:
            others = [*(row[: model.manifest.dims] for row in disliked), *(directions[row] for row in unlike)]
            likeness = {
                row: max([plain_ranking.cosine(directions[row], other) for other in others], default=-2.0)
                for row in rows
            }
            least = min(rows, key=lambda row: (likeness[row], row))
            if likeness[least] >= alike:
                break
            unlike.append(least)
    rest = [row for row in sorted(allowed, key=lambda row: (-known[row], row)) if row not in unlike]
    best = [*unlike, *rest][:k]
    return best, [np.float32(known[row]) / np.float32(max(1, *known)) for row in best]


@cache
def _items(model: ModelFile) -> PlainItems:
    return PlainItems(model)


@cache
def _alike_from(model: ModelFile) -> float:
    rows = [[int(value) for value in row[: model.manifest.dims]] for row in model.table]
    return plain_ranking.alike_from(rows, 3 if model.manifest.preference else 30)


def _length(model: ModelFile, direction: list[int]) -> float:
    return math.sqrt(_dot(direction, direction)) if model.manifest.preference else 1 / model.manifest.scale


def _as_cosine(model: ModelFile, score: int, query: list[int]) -> np.float32:
    norm_of = query[:-1] if model.manifest.preference else query
    norm = np.float32(math.sqrt(np.float32(max(1, _dot(norm_of, norm_of)))))
    return np.float32(score) * (np.float32(model.manifest.scale) / norm)


def _query(model: ModelFile, favorites: Sequence[tuple[list[int], float]]) -> list[int]:
    weights = [weight for _, weight in favorites]
    whole = all(weight == int(weight) for weight in weights)
    unit = 1 if whole else max(weights)
    total = [sum(row[c] * (w / unit if unit != 1 else w) for row, w in favorites) for c in range(len(favorites[0][0]))]
    rule = model.manifest.preference
    if rule is not None:
        first = len(total) - 1 - rule.negative_columns
        total = [-value if column >= first else value for column, value in enumerate(total)]
        bias = rule.entry * sum(weights) ** rule.power / unit
        total[-1] = round(bias) if whole else bias
    return [int(value) for value in total] if whole else plain_ranking.lengthened(total)


def _by_cosine(
    table: list[list[int]], vector: list[int], allowed: list[int], k: int
) -> tuple[list[int], list[np.float32]]:
    """Of rows of unlike lengths: the dot product without the bias times the inverse of the row's length."""
    query = vector[:-1]
    lengths = [math.sqrt(max(1, _dot(other[:-1], other[:-1]))) for other in table]
    scores = {other: _dot(table[other][:-1], query) * (1.0 / lengths[other]) for other in allowed}
    best = sorted(allowed, key=lambda other: (-scores[other], other))[:k]
    norm = math.sqrt(max(1.0, float(_dot(query, query))))
    return best, [np.float32(scores[other] / norm) for other in best]


def _dot(one: Sequence[int], other: Sequence[int]) -> int:
    return sum(a * b for a, b in zip(one, other, strict=True))


def _meets(model: ModelFile, row: int, where: dict[str, Any] | None) -> bool:
    if not where:
        return True
    values = {name: cell.split("|") for r, (name, cell) in model.records("attributes.tsv", 2) if r == row}
    for attribute, condition in where.items():
        forbidden = isinstance(condition, dict)
        wanted = condition["not"] if forbidden else condition
        if forbidden == bool({*wanted} & {*values.get(attribute, ())}):
            return False
    return True


def _damages(model: ModelFile, data: bytes) -> Iterator[tuple[str, bytes, str, str | None]]:
    """Each damage: its name, the file, the kind of error and the part that it names."""
    manifest, end = model.manifest, model.flatbuffer_size()
    yield "table", _flipped(data, manifest.table_offset + 5), "damaged", "table"
    yield "graph", _flipped(data, manifest.table_offset + manifest.table_bytes + 40), "damaged", "graph"
    yield "manifest", _flipped(data, data.index(b"manifest.json") + 40), "damaged", "manifest.json"
    yield "names", _flipped(data, data.index(b"names.txt") + 40), "damaged", "names.txt"
    yield "digest", data[:-1] + (b"0" if data[-1:] != b"0" else b"1"), "damaged", "digest"
    yield "truncated", data[: len(data) * 2 // 3], "damaged", None
    yield "longer", data + b"\n", "damaged", None
    yield "no-archive", data[:end], "damaged", None
    yield "empty", b"", "foreign", None
    yield "other-file", b"id,name\n1,Pancakes\n" * 8, "foreign", None
    yield "later-version", _of_version(data, 99), "later version", None
    yield "zero-scale", _sealed(data, "scale", 0.0), "foreign", None


def _flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :]


def _of_version(data: bytes, version: int) -> bytes:
    return _sealed(data, "format_version", version)


def _sealed(data: bytes, field: str, value: Any) -> bytes:
    """The file with another value in its manifest and a digest that fits."""
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = [(info, archive.read(info)) for info in archive.infolist()]
        start, comment = entries[0][0].header_offset, archive.comment
    stream = io.BytesIO()
    stream.write(data[:start])
    with zipfile.ZipFile(stream, "w") as archive:
        for info, content in entries:
            if info.filename == "manifest.json":
                content = json.dumps(json.loads(content) | {field: value}).encode()  # noqa: PLW2901
            archive.writestr(info, content, zipfile.ZIP_DEFLATED, 9)
        archive.comment = comment
    unsigned = stream.getvalue()[:-DIGEST_LENGTH]
    return unsigned + hashlib.sha256(unsigned).hexdigest().encode()


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
