import hashlib
import io
import json
import random
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_runtime.errors import DamagedFileError, FileFormatError, FutureVersionError, ModelFileError
from device_runtime.format.layout import DIGEST_LENGTH, FORMAT_VERSION
from device_runtime.format.manifest import Manifest
from device_runtime.format.model_file import ModelFile
from device_runtime.ranking.placement import attribute_vectors_of
from export.writing.pack import pack
from training.inputs.catalog import Catalog, Item
from training.trained import Trained


def sealed(data: bytes) -> bytes:
    return data[:-DIGEST_LENGTH] + hashlib.sha256(data[:-DIGEST_LENGTH]).hexdigest().encode()


def repacked(path, change):
    """Rewrites the archive of the file at `path` with `change(entries)` applied, and seals it again."""
    model = ModelFile.open(path)
    flatbuffer = path.read_bytes()[: model.flatbuffer_size()]
    entries = [(name, model.data(name)) for name, _ in model.entries()]
    stream = io.BytesIO()
    stream.write(flatbuffer)
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in change(entries):
            archive.writestr(name, data)
        archive.comment = b"0" * DIGEST_LENGTH
    path.write_bytes(sealed(stream.getvalue()))


def with_manifest(**changes):
    def change(entries):
        manifest = json.loads(dict(entries)["manifest.json"]) | changes
        return [("manifest.json", json.dumps(manifest))] + [entry for entry in entries if entry[0] != "manifest.json"]

    return change


def test_maps_the_table_that_the_flatbuffer_holds(model, model_path):
    data, manifest = model_path.read_bytes(), model.manifest
    start = manifest.table_offset
    assert start % 16 == 0
    assert model.table.tobytes() == data[start : start + manifest.rows * manifest.columns]
    assert data.count(model.table.tobytes()) == 1
    assert not model.table.flags.writeable


def test_reads_the_catalog(model):
    assert len(model.lines("ids.txt")) == len(model.lines("names.txt")) == 300
    assert "Crêpes" in model.lines("names.txt")
    assert {row for row, _ in model.records("attributes.tsv", 2)} == set(range(300))


def test_a_plain_zip_reader_opens_it(model_path):
    with zipfile.ZipFile(model_path) as archive:
        assert archive.testzip() is None
        assert archive.namelist()[0] == "manifest.json"
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_one_changed_byte_anywhere_is_refused(model_copy):
    good = model_copy.read_bytes()
    places = {*range(16), *range(len(good) - 120, len(good)), *random.Random(0).sample(range(len(good)), 150)}
    for place in sorted(places):
        bad = bytearray(good)
        bad[place] ^= 0x20
        model_copy.write_bytes(bad)
        with pytest.raises(ModelFileError):
            ModelFile.open(model_copy)
    model_copy.write_bytes(good)
    ModelFile.open(model_copy)


def test_a_file_cut_short_is_refused(model_copy):
    good = model_copy.read_bytes()
    for length in (1, 7, 8, 63, 64, 65, 1000, len(good) // 2, len(good) - 1):
        model_copy.write_bytes(good[:length])
        with pytest.raises((DamagedFileError, FileFormatError)):
            ModelFile.open(model_copy)


def test_missing_empty_and_folder(tmp_path):
    with pytest.raises(ModelFileError, match="cannot be opened"):
        ModelFile.open(tmp_path / "none.tflite")
    with pytest.raises(ModelFileError, match="cannot be opened"):
        ModelFile.open(tmp_path)
    (tmp_path / "empty.tflite").touch()
    with pytest.raises(FileFormatError, match="is empty"):
        ModelFile.open(tmp_path / "empty.tflite")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (with_manifest(format_version=2), "format version 2"),
        (with_manifest(rows=10**15), "does not lie"),
        (with_manifest(rows=-1), "rows as -1"),
        (with_manifest(bits=8.0), "bits as 8.0"),
        (with_manifest(name=None), "name as None"),
        (with_manifest(rows=True), "rows"),
        (with_manifest(table_offset=1 << 70), "out of range"),
        (with_manifest(table_offset=8), "does not lie"),
        (with_manifest(columns=40), "40 columns for 16 dims"),
        (with_manifest(columns=17), "17 columns for 16 dims"),
        (with_manifest(preference={"entry": 3.0, "power": 0.5, "negative_columns": 0}), "16 columns for 16 dims"),
        (with_manifest(preference={"entry": 3.0}), "a preference without its entry, power, negative_columns"),
        (with_manifest(preference=[]), "a preference without its"),
        (with_manifest(preference={"entry": 3, "power": 0.5, "negative_columns": 0}), "preference's entry as 3"),
        (with_manifest(preference={"entry": 1e9, "power": 0.5, "negative_columns": 0}), "preference's entry as 1000"),
        (with_manifest(preference={"entry": 3.0, "power": 2.0, "negative_columns": 0}), "preference's power as 2.0"),
        (with_manifest(preference={"entry": 3.0, "power": 0.5, "negative_columns": -1}), "negative_columns as -1"),
        (with_manifest(scale="0.1"), "scale"),
        (with_manifest(scale=float("nan")), "scale"),
        (lambda entries: [e for e in entries if e[0] != "manifest.json"], "'manifest.json' is missing"),
        (lambda entries: [("manifest.json", "[1]"), *entries[1:]], "not a JSON object"),
        (lambda entries: [("manifest.json", "{"), *entries[1:]], "is not JSON"),
        (lambda entries: [("manifest.json", "{}"), *entries[1:]], "format version None"),
        (lambda entries: [("manifest.json", '{"format_version": 1}'), *entries[1:]], "has no 'name'"),
        (lambda entries: [("manifest.json", b"\xff"), *entries[1:]], "is not UTF-8"),
        (lambda entries: [("manifest.json", " " * (1 << 20) + "{}"), *entries[1:]], "more than"),
    ],
)
def test_a_sealed_file_whose_parts_do_not_fit_is_refused(model_copy, change, message):
    repacked(model_copy, change)
    with pytest.raises(FileFormatError) as error:
        ModelFile.open(model_copy)
    assert message in str(error.value)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_entry_that_stands_twice_is_refused(model_copy):
    repacked(model_copy, lambda entries: [*entries, entries[1]])
    with pytest.raises(FileFormatError, match=r"'ids\.txt' stands there more than once"):
        ModelFile.open(model_copy)


@pytest.mark.parametrize("text", ["a\nb\n", "", "no newline"])
def test_lines_must_fit_the_rows(model_copy, text):
    repacked(model_copy, lambda entries: [(n, text if n == "ids.txt" else d) for n, d in entries])
    model = ModelFile.open(model_copy)
    with pytest.raises(FileFormatError, match="lines for 300 rows"):
        model.lines("ids.txt")


@pytest.mark.parametrize("text", ["300\tx\n", "-1\tx\n", "0\n", "0\ta\tb\n", "x\ty\n"])
def test_records_must_fit_the_rows(model_copy, text):
    repacked(model_copy, lambda entries: [(n, text if n == "aliases.tsv" else d) for n, d in entries])
    model = ModelFile.open(model_copy)
    with pytest.raises(FileFormatError, match="line 1"):
        model.records("aliases.tsv", 1)


@given(st.data())
def test_random_harm_behind_a_good_digest_gives_one_kind_of_error(model, model_path, tmp_path_factory, data):
    """Whoever can seal a file can write anything; it must still be read whole or refused."""
    good = bytearray(model_path.read_bytes())
    start = model.flatbuffer_size()
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(start, len(good) - DIGEST_LENGTH - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("harm") / "m.tflite"
    path.write_bytes(sealed(bytes(good)))
    try:
        opened = ModelFile.open(path)
        opened.lines("ids.txt")
        opened.lines("names.txt")
        opened.records("aliases.tsv", 1)
        opened.records("attributes.tsv", 2)
        assert opened.table.dtype == np.int8
    except ModelFileError as error:
        assert str(path) in str(error)


def test_a_4_bit_table_is_unpacked(model_4_bits):
    data, manifest = model_4_bits.path.read_bytes(), model_4_bits.manifest
    stored = np.frombuffer(data, np.uint8, manifest.rows * manifest.columns // 2, manifest.table_offset)
    entries = [((byte >> shift & 15) ^ 8) - 8 for byte in stored.tolist() for shift in (0, 4)]
    assert model_4_bits.table.ravel().tolist() == entries


@pytest.mark.parametrize("bits", [3, "8", None, 16])
def test_unknown_depths_are_refused(model_copy, bits):
    repacked(model_copy, with_manifest(bits=bits))
    with pytest.raises(FileFormatError, match=r"columns of|bits as"):
        ModelFile.open(model_copy)


def test_a_later_format_version_has_its_own_error(model_copy):
    repacked(model_copy, with_manifest(format_version=FORMAT_VERSION + 1))
    with pytest.raises(FutureVersionError, match="install a later one"):
        ModelFile.open(model_copy)


def test_an_archive_too_large_is_refused_before_it_is_inflated(model_copy):
    good = bytearray(model_copy.read_bytes())
    for place in (good.index(b"PK\3\4") + 22, good.index(b"PK\1\2") + 24):
        good[place : place + 4] = b"\xff\xff\xff\x7f"
    model_copy.write_bytes(sealed(bytes(good)))
    with pytest.raises(FileFormatError, match="more than the"):
        ModelFile.open(model_copy)


word = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=9)
names = word.map(lambda text: text.replace("|", "").strip()).filter(bool)
items = st.lists(
    st.tuples(names, st.lists(names, unique=True, max_size=3), st.dictionaries(names, st.lists(names, min_size=1))),
    min_size=1,
    max_size=6,
)


@settings(max_examples=50)
@given(items, st.integers(1, 5), st.sampled_from([4, 8]), st.data())
def test_what_is_packed_is_read_back(tmp_path_factory, given_items, half, bits, data):
    catalog = Catalog(
        tuple(
            Item(row + 2, f"{name}{row}", name, tuple(aliases), {a: tuple(v) for a, v in attributes.items()})
            for row, (name, aliases, attributes) in enumerate(given_items)
        ),
        (),
    )
    rows, columns = len(given_items), 2 * half
    table = data.draw(st.binary(min_size=rows * columns * bits // 8, max_size=rows * columns * bits // 8))
    manifest = Manifest(1, "crêpes", rows, columns, columns, bits, 0.01, 16, "attributes", {}, "CC0")
    no_table, ones = np.empty((rows, 0), np.float32), np.ones((1, columns), np.float32)
    source = Trained(catalog, no_table, (("form", "薄餅"),), ones, {}, {})
    path = tmp_path_factory.mktemp("packed") / "m.tflite"
    path.write_bytes(pack(b"\0\0\0\0TFL3".ljust(16, b"\0") + table + b"after", manifest, source))
    model = ModelFile.open(path)
    assert model.manifest == manifest
    assert model.flatbuffer_size() == 16 + len(table) + len(b"after")
    assert model.lines("ids.txt") == [item.id for item in catalog.items]
    assert model.lines("names.txt") == [item.name for item in catalog.items]
    assert model.records("aliases.tsv", 1) == [
        (row, (alias,)) for row, item in enumerate(catalog.items) for alias in item.aliases
    ]
    assert model.records("attributes.tsv", 2) == [
        (row, (name, "|".join(values)))
        for row, item in enumerate(catalog.items)
        for name, values in item.attributes.items()
    ]
    assert model.table.shape == (rows, columns)
    if bits == 8:
        assert model.table.tobytes() == table
    assert attribute_vectors_of(model).rows("form", ["薄餅"]) == [0]
