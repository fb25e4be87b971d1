import json
import zipfile

import pytest

from device_runtime.errors import DamagedFileError, FileFormatError, FutureVersionError, ModelFileError
from device_runtime.format.layout import DIGEST_LENGTH, SEAL
from device_runtime.format.model_file import ModelFile

_HEADER, _RECORD, _END = 30, 46, 22


def spans(path):
    """Where each part of the file stands, found with `zipfile`."""
    size = path.stat().st_size
    manifest = ModelFile.open(path).manifest
    table = manifest.table_offset
    with zipfile.ZipFile(path) as archive:
        infos, directory = archive.infolist(), archive.start_dir
    end = size - DIGEST_LENGTH - len(SEAL) - _END
    starts = [info.header_offset for info in infos] + [directory]
    parts = {info.filename: (info.header_offset, stop) for info, stop in zip(infos, starts[1:], strict=True)}
    return parts | {
        "identifier": (4, 8),
        "before the table": (8, table),
        "table": (table, table + manifest.rows * manifest.columns),
        "after the table": (table + manifest.rows * manifest.columns, starts[0]),
        "directory": (directory, end),
        "end": (end, end + _END),
        "seal": (end + _END, size - DIGEST_LENGTH),
        "digest": (size - DIGEST_LENGTH, size),
    }


def error_of(path, data):
    path.write_bytes(data)
    with pytest.raises(ModelFileError) as caught:
        ModelFile.open(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("where", "part", "named"),
    [
        ("identifier", "graph", "its graph was altered"),
        ("before the table", "graph", "its graph was altered"),
        ("table", "table", "its table was altered"),
        ("after the table", "graph", "its graph was altered"),
        ("manifest.json", "manifest.json", "'manifest.json' was altered"),
        ("ids.txt", "ids.txt", "'ids.txt' was altered"),
        ("names.txt", "names.txt", "'names.txt' was altered"),
        ("vocabulary.int8", "vocabulary.int8", "'vocabulary.int8' was altered"),
        ("digest", "digest", "the digest at its end was altered"),
    ],
)
def test_the_error_says_which_part_was_altered(model_copy, where, part, named):
    good = model_copy.read_bytes()
    start, stop = spans(model_copy)[where]
    for place in (start, (start + stop) // 2, stop - 2):
        bad = bytearray(good)
        bad[place] ^= 0x04
        found = error_of(model_copy, bad)
        assert type(found) is DamagedFileError
        assert found.part == part
        assert named in str(found)
        assert "copy or export it again" in str(found)
    assert error_of(model_copy, good[:start] + b"\xff" * (stop - start) + good[stop:]).part == part


@pytest.mark.parametrize("part", ["directory", "end"])
def test_a_bit_of_the_directory_is_never_taken_for_the_table_or_the_graph(model_copy, part):
    good = model_copy.read_bytes()
    start, stop = spans(model_copy)[part]
    for place in range(start, stop):
        bad = bytearray(good)
        bad[place] ^= 0x01
        assert error_of(model_copy, bad).part not in {"table", "graph", None}


def test_all_altered_parts_are_named(model_copy):
    bad, parts = bytearray(model_copy.read_bytes()), spans(model_copy)
    for part in ("table", "ids.txt", "aliases.tsv"):
        bad[sum(parts[part]) // 2] ^= 0xFF
    found = error_of(model_copy, bad)
    assert found.part == "table"
    assert "its table and 'ids.txt' and 'aliases.tsv' were altered" in str(found)


def test_a_file_cut_short_anywhere_is_told_from_an_altered_one(model_copy):
    good = model_copy.read_bytes()
    for length in {*range(8, len(good), 1009), *range(len(good) - 400, len(good))}:
        found = error_of(model_copy, good[:length])
        assert (type(found), found.part) == (DamagedFileError, None)
    assert type(error_of(model_copy, good[:7])) is FileFormatError


@pytest.mark.parametrize("part", ["before the table", "table", "manifest.json", "names.txt", "vocabulary.int8"])
def test_bytes_that_are_missing_or_too_many_within_are_counted(model_copy, part):
    good = model_copy.read_bytes()
    place = sum(spans(model_copy)[part]) // 2
    found = error_of(model_copy, good[:place] + good[place + 5 :])
    assert (type(found), found.part) == (DamagedFileError, None)
    assert "lacks 5 bytes" in str(found)
    found = error_of(model_copy, good[:place] + b"12345" + good[place:])
    assert type(found) is DamagedFileError
    assert "5 bytes too many" in str(found)


def test_bytes_after_the_end_are_counted(model_copy):
    found = error_of(model_copy, model_copy.read_bytes() + b"more")
    assert type(found) is DamagedFileError
    assert "4 bytes too many after its end" in str(found)


def test_a_file_that_mignon_did_not_make_is_not_called_damaged(model_copy):
    good = model_copy.read_bytes()
    flatbuffer = good[: ModelFile.open(model_copy).flatbuffer_size()]
    assert "was not made by mignon" in str(error_of(model_copy, flatbuffer))
    assert type(error_of(model_copy, b"x" * 5000)) is FileFormatError
    model_copy.write_bytes(flatbuffer)
    with zipfile.ZipFile(model_copy, "a") as archive:
        archive.writestr("labels.txt", "a\nb\n")
    found = error_of(model_copy, model_copy.read_bytes())
    assert type(found) is FileFormatError
    assert "was not made by mignon" in str(found)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"format_version": 2}, FutureVersionError, "format version 2"),
        ({"graph_crc32": None}, DamagedFileError, "its digest does not fit"),
    ],
)
def test_what_an_intact_manifest_says_counts(model_copy, changes, error, message):
    model = ModelFile.open(model_copy)
    flatbuffer = model_copy.read_bytes()[: model.flatbuffer_size()]
    manifest = json.dumps(model.manifest._asdict() | changes)
    model_copy.write_bytes(flatbuffer)
    with zipfile.ZipFile(model_copy, "a") as archive:
        archive.writestr("manifest.json", manifest)
        archive.comment = SEAL + b"0" * DIGEST_LENGTH
    found = error_of(model_copy, model_copy.read_bytes())
    assert type(found) is error
    assert message in str(found)
