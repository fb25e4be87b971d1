import hashlib
import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_runtime.changes.kinds import Added, Forgotten, Liked, Removed, Renamed
from device_runtime.changes.overlay import Overlay, salvage
from device_runtime.errors import DamagedOverlayError, InvalidArgumentError, OverlayError, OverlayVersionError
from device_runtime.format.layout import CONTROL_CHARACTERS
from tests.conftest import ROOT
from tests.device_runtime.changes.overlays import CHANGES, count_flushes, read, sealed, write

texts = st.text(st.characters(codec="utf-8", exclude_characters=CONTROL_CHARACTERS), min_size=1, max_size=20)
texts = texts.filter(str.strip)
weights = st.floats(allow_nan=False, allow_infinity=False)
values = st.lists(texts, max_size=3).map(tuple)
rows = st.lists(st.integers(-128, 127), max_size=8).map(tuple)
any_change = st.one_of(
    st.builds(Added, texts, texts, st.dictionaries(texts, values, max_size=3), rows, values, st.just("") | texts),
    st.builds(Removed, texts),
    st.builds(Renamed, texts, texts),
    st.builds(Liked, texts, texts, weights),
    st.builds(Forgotten, texts),
)


def test_the_file_is_what_its_description_says(path):
    example = [
        line.split() for line in (ROOT / "docs/overlay.md").read_text("utf-8").splitlines() if line.startswith("    {")
    ]
    write(path, [Renamed("blini", "Blini with caviar"), Liked("anna", "borscht")])
    assert [line.split() for line in path.read_text("utf-8").splitlines()] == example


def test_the_bytes_stay_what_they_are(written):
    added = (
        '{"kind":"added","id":"my-soup","name":"Grandma\'s soup","attributes":{"course":["soup","main"],"diet":[]},'
        '"vector":[12,-128,127],"neighbors":["shchi"],"model":"5f"}'
    )
    assert written.read_bytes() == sealed([
        added,
        '{"kind":"renamed","id":"borscht","name":"Борщ"}',
        '{"kind":"liked","profile":"anna","id":"my-soup","weight":0.1}',
        '{"kind":"removed","id":"crepes"}',
        '{"kind":"forgotten","profile":"bob"}',
    ])  # fmt: skip


@given(st.lists(any_change, max_size=6))
def test_every_change_is_read_back(tmp_path_factory, changes):
    path = write(tmp_path_factory.mktemp("overlay") / "o", changes)
    assert read(path) == tuple(changes)
    assert len(path.read_bytes().split(b"\n")) == len(changes) + 2
    with Overlay.open(path) as overlay:
        assert overlay.changes == tuple(changes)


def test_what_is_no_change_or_too_long_is_refused(written):
    before = written.read_bytes()
    with Overlay.open(written) as overlay:
        with pytest.raises(InvalidArgumentError, match="is not a change"):
            overlay.append("liked")
        with pytest.raises(InvalidArgumentError, match=r"'a' takes 655\d\d bytes; shorten it to 65536"):
            overlay.append(Renamed("a", "x" * 65500))
        overlay.append(Renamed("a", "x" * 65400))
    assert written.read_bytes()[: len(before)] == before
    assert len(read(written)) == len(CHANGES) + 1


@pytest.mark.parametrize("zeros", [0, 1, 600])
def test_cut_at_any_byte_only_the_last_change_is_lost(written, zeros, monkeypatch):
    count_flushes(monkeypatch)  # and do none, which takes most of the time
    whole = written.read_bytes()
    ends = [place + 1 for place, byte in enumerate(whole) if byte == ord("\n")]
    for length in range(len(whole)):
        written.unlink()  # a disk flushes what is written over another file
        written.write_bytes(whole[:length] + bytes(zeros))
        kept = CHANGES[: max(0, sum(end <= length for end in ends) - 1)]
        assert read(written) == kept
        with Overlay.open(written) as overlay:
            assert overlay.changes == kept
            assert written.stat().st_size == max([len(sealed([])), *(end for end in ends if end <= length)])
            overlay.append(Removed("later"))
        assert read(written) == (*kept, Removed("later"))


def test_one_changed_byte_is_found_unless_it_is_in_the_last_line(written):
    whole = written.read_bytes()
    last_line = whole.rindex(b"\n", 0, -1) + 1
    with written.open("r+b", buffering=0) as stream:
        for place, byte in enumerate(whole):
            for other in {byte ^ 1 << bit for bit in range(8)} | {0, 9, 10, 32, 255} - {byte}:
                os.pwrite(stream.fileno(), bytes([other]), place)
                try:
                    assert read(written) == CHANGES[:-1]
                    assert place >= last_line
                except OverlayError as error:
                    assert str(written) in str(error)
            os.pwrite(stream.fileno(), bytes([byte]), place)
    assert read(written) == CHANGES


@pytest.mark.parametrize(
    "harm",
    [
        lambda data, feed: data[:feed] + b"," + data[feed + 1 : feed + 9],
        lambda data, feed: data[: feed - 1] + b"g," + data[feed + 1 :],
        lambda data, feed: data[:feed] + bytes(3) + data[feed + 3 :],
    ],
)
def test_two_lines_made_one_are_not_taken_for_an_unfinished_one(written, harm):
    whole = written.read_bytes()
    written.write_bytes(harm(whole, whole.rindex(b"\n", 0, -1)))
    with pytest.raises(DamagedOverlayError, match="line 5"):
        read(written)


@pytest.mark.parametrize(
    ("harm", "line"),
    [
        (lambda lines: [*lines[:2], *lines[3:]], 3),
        (lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]], 3),
        (lambda lines: [*lines[:4], *lines[3:]], 5),
        (lambda lines: [*lines[:3], b"", *lines[3:]], 4),
        (lambda lines: [*lines[:2], lines[2].replace(b"borscht", b"pancake"), *lines[3:]], 3),
        (lambda lines: [*lines[:1], bytes(len(lines[1])), *lines[2:]], 2),
        (lambda lines: [*lines[:4], lines[4] + b"\0" + lines[5].replace(b"bob", b"bab")], 5),
    ],
)
def test_harm_before_the_last_line_is_named_and_what_is_before_it_can_be_kept(written, harm, line):
    harmed = b"".join(part + b"\n" for part in harm(written.read_bytes().split(b"\n")[:-1]))
    written.write_bytes(harmed)
    for read_only in (True, False):
        with pytest.raises(DamagedOverlayError) as error:
            Overlay.open(written, read_only=read_only)
        assert str(error.value).startswith(f"{written}, line {line}: does not fit its seal")
        assert f"the {line - 2} changes before it can be kept" in str(error.value)
        assert error.value.line == line
    assert written.read_bytes() == harmed
    assert salvage(written).read_bytes() == harmed
    write(written, [Removed("later")])
    assert read(written) == (*CHANGES[: line - 2], Removed("later"))


@pytest.mark.parametrize(
    "line",
    [
        '{"kind":"eaten","id":"a"}',
        '{"kind":["removed"],"id":"a"}',
        '{"kind":"removed"}',
        '{"kind":"removed","id":""}',
        '{"kind":"removed","id":"a","why":"b"}',
        '{"kind":"liked","profile":"p","id":"a","weight":NaN}',
        '{"kind":"added","id":"a","name":"A","vector":[0.5]}',
        '{"id":"a"}',
        "[]",
        '"removed"',
        "{",
        "[" * 5000,
        '{"kind":"removed","id":"' + "a" * 65536 + '"}',
    ],
)
def test_a_sealed_line_that_is_no_change_is_never_cut_off(path, line):
    data = sealed(['{"kind":"removed","id":"a"}', line])
    path.write_bytes(data)
    for read_only in (True, False):
        with pytest.raises(DamagedOverlayError, match="line 3: is ") as error:
            Overlay.open(path, read_only=read_only)
        assert error.value.offset == data[:-1].rindex(b"\n") + 1
    assert path.read_bytes() == data


def test_a_future_version_is_an_error_of_its_own(path):
    header = b'{"format":"mignon overlay","format_version":2,"more":0}'
    path.write_bytes(header + b"\t" + hashlib.sha256(header).hexdigest()[:16].encode() + b"\nwhatever")
    for read_only in (True, False):
        with pytest.raises(OverlayVersionError, match="format version 2; this mignon reads version 1"):
            Overlay.open(path, read_only=read_only)


@pytest.mark.parametrize("data", [b"hello\n", b'{"format":"mignon overlay","format_version":2}\t0\n', b"\xff" * 100000])
def test_another_file_is_refused_and_left_alone(path, data):
    path.write_bytes(data)
    for read_only in (True, False):
        with pytest.raises(DamagedOverlayError, match="line 1"):
            Overlay.open(path, read_only=read_only)
    assert path.read_bytes() == data


def test_an_example_reader_in_eight_lines_agrees(written):
    above, found = "", []
    for line in written.read_text("utf-8").splitlines():
        record, seal = line.split("\t")
        assert hashlib.sha256((above + record).encode()).hexdigest().startswith(seal)
        above = seal
        found.append(json.loads(record))
    assert [record.get("kind") for record in found] == [None, "added", "renamed", "liked", "removed", "forgotten"]
