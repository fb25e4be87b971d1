import errno
import hashlib
import json
import math
import os
import random
import stat
import subprocess
import sys
import threading
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_runtime.changes import overlay as module
from device_runtime.changes.kinds import (
    CONTROL_CHARACTERS,
    Added,
    Applied,
    Dropped,
    Forgotten,
    Liked,
    Removed,
    Renamed,
    applied,
    compacted,
)
from device_runtime.changes.overlay import Overlay, overlay_path, salvage
from device_runtime.errors import (
    DamagedOverlayError,
    InvalidArgumentError,
    MignonError,
    OverlayError,
    OverlayLockedError,
    OverlayVersionError,
    OverlayWriteError,
)
from tests.conftest import ROOT

SOUP = Added("my-soup", "Grandma's soup", {"course": ("soup", "main"), "diet": ()}, (12, -128, 127), ("shchi",), "5f")
CHANGES = (SOUP, Renamed("borscht", "Борщ"), Liked("anna", "my-soup", 0.1), Removed("crepes"), Forgotten("bob"))

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

few_ids = st.sampled_from("abcd")
few_names = st.sampled_from(["A", "B"])
change_of_few = st.one_of(
    st.builds(Added, few_ids, few_names),
    st.builds(Removed, few_ids),
    st.builds(Renamed, few_ids, few_names),
    st.builds(Liked, few_names, few_ids, st.sampled_from([1.0, -1.0, 0.0])),
    st.builds(Forgotten, few_names),
)
models = st.sets(few_ids).map(sorted)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "meals.tflite.overlay"


@pytest.fixture
def written(path):
    """An overlay that holds `CHANGES`."""
    return write(path, CHANGES)


def write(path, changes):
    with Overlay.open(path) as overlay:
        for change in changes:
            overlay.append(change)
    return path


def read(path):
    return Overlay.open(path, read_only=True).changes


def sealed(lines):
    """The bytes of an overlay with these JSON lines, by the words of the module's docstring."""
    above, parts = "", []
    for line in ('{"format":"mignon overlay","format_version":1}', *lines):
        above = hashlib.sha256((above + line).encode()).hexdigest()[:16]
        parts.append(f"{line}\t{above}\n")
    return "".join(parts).encode()


WITHOUT_NUMPY = """
import sys, types
package = sys.modules["device_runtime"] = types.ModuleType("device_runtime")
package.__path__ = ["device_runtime"]
"""


def python(code, *arguments, **options):
    """Runs `code` in a process of its own; it starts ten times as fast without what else is in the package."""
    command = [sys.executable, "-c", WITHOUT_NUMPY + code, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, **options)


# The format


def test_the_file_is_what_the_docstring_says(path):
    example = [line.split() for line in module.__doc__.splitlines() if line.startswith("    {")]
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


def test_lies_beside_the_model():
    assert overlay_path("build/meals.tflite") == Path("build/meals.tflite.overlay")


@given(st.lists(any_change, max_size=6))
def test_every_change_is_read_back(tmp_path_factory, changes):
    path = write(tmp_path_factory.mktemp("overlay") / "o", changes)
    assert read(path) == tuple(changes)
    assert len(path.read_bytes().split(b"\n")) == len(changes) + 2
    with Overlay.open(path) as overlay:
        assert overlay.changes == tuple(changes)
        assert overlay.discarded == 0


def test_appending_goes_on_where_another_left_off(path):
    for change in CHANGES:
        write(path, [change])
    assert read(path) == CHANGES


# What a change may hold


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Removed(""), "the id is empty"),
        (lambda: Removed(" "), "the id is empty"),
        (lambda: Removed(3), "the id is 3; give a text"),
        (lambda: Removed("a\tb"), "control character"),
        (lambda: Removed("a\u2028b"), "control character"),
        (lambda: Removed("\ud800"), "not valid Unicode"),
        (lambda: Renamed("a", ""), "the name is empty"),
        (lambda: Renamed("a", "x\ny"), "line break"),
        (lambda: Liked("", "a", 1), "the profile is empty"),
        (lambda: Liked("p", "a", math.nan), "give a finite number"),
        (lambda: Liked("p", "a", -math.inf), "give a finite number"),
        (lambda: Liked("p", "a", 10**400), "give a finite number"),
        (lambda: Liked("p", "a", True), "give a number"),
        (lambda: Liked("p", "a", "1"), "give a number"),
        (lambda: Forgotten("\0"), "control character"),
        (lambda: Added("a", ""), "the name is empty"),
        (lambda: Added("a", "A", ["course"]), "the attributes are"),
        (lambda: Added("a", "A", {"course": "soup"}), "not a list of texts"),
        (lambda: Added("a", "A", {"": ("x",)}), "an attribute is empty"),
        (lambda: Added("a", "A", {"course": (3,)}), "a value of 'course' is 3"),
        (lambda: Added("a", "A", {}, (128,)), "outside -128 to 127"),
        (lambda: Added("a", "A", {}, (0.5,)), "whole numbers"),
        (lambda: Added("a", "A", {}, None), "whole numbers"),
        (lambda: Added("a", "A", {}, (), "shchi"), "not a list of texts"),
        (lambda: Added("a", "A", {}, (), (), None), "the digest of the model is None"),
    ],
)
def test_what_no_change_may_hold(make, message):
    with pytest.raises(InvalidArgumentError) as error:
        make()
    assert message in str(error.value)


def test_changes_hold_tuples_and_floats_whatever_they_are_made_from():
    attributes = {"course": ["soup"]}
    change = Added("a", "A", attributes, [1, 2], ["b"])
    attributes["course"].append("main")
    assert change == Added("a", "A", {"course": ("soup",)}, (1, 2), ("b",))
    assert hash(change) == hash(Added("a", "A", {}, (1, 2), ("b",)))
    assert type(Liked("p", "a", 1).weight) is float


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


def test_an_overlay_that_is_full_says_so(path, monkeypatch):
    monkeypatch.setattr(module, "MAX_FILE_BYTES", 190)
    with Overlay.open(path) as overlay:
        overlay.append(Removed("a"))
        overlay.append(Removed("b"))
        with pytest.raises(OverlayWriteError, match=r"has reached 190 bytes; compact\(\)"):
            overlay.append(Removed("c"))
    assert len(read(path)) == 2


# Crashes


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
            assert overlay.discarded == length + zeros - max([0, *(end for end in ends if end <= length)])
            overlay.append(Removed("later"))
        assert read(written) == (*kept, Removed("later"))


def test_a_reader_leaves_an_unfinished_change_where_it_is(written):
    torn = written.read_bytes()[:-5]
    written.write_bytes(torn)
    assert read(written) == CHANGES[:-1]
    assert written.read_bytes() == torn


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


def test_killed_at_random_moments_nothing_is_lost_that_append_returned_from(path):
    code = """
import sys
from device_runtime.changes.kinds import Liked
from device_runtime.changes.overlay import Overlay
with Overlay.open(sys.argv[1]) as overlay:
    start = len(overlay.changes)
    for number in range(start, start + 100_000):
        overlay.append(Liked("anna", f"item-{number}", number + 1), sync=number % 3 == 0)
        print(number, flush=True)
"""
    moments = random.Random(0)
    done = 0
    for _ in range(10):
        with python(code, path) as writer:
            numbers = [int(writer.stdout.readline()) for _ in range(moments.randint(1, 100))]
            threading.Event().wait(moments.random() / 1000)
            writer.kill()
            numbers += [int(line) for line in writer.stdout if line.endswith("\n")]
        assert numbers == list(range(done, done + len(numbers)))
        found = read(path)
        assert len(found) - (done + len(numbers)) in (0, 1)  # one may have been made and not told of
        assert found == tuple(Liked("anna", f"item-{n}", n + 1) for n in range(len(found)))
        done = len(found)


def test_a_power_cut_that_keeps_any_blocks_keeps_what_was_flushed(path, monkeypatch):
    """After each append without flushing: any of the blocks since the last flush may be missing, or the end."""
    block = 4096
    flushed = count_flushes(monkeypatch)
    changes = [Renamed(f"item-{n}", "x" * (1 + n * 977 % 9000)) for n in range(24)]
    lost = path.with_name("after the power cut")
    with Overlay.open(path) as overlay:
        for change in changes:
            overlay.append(change, sync=False)
            whole, safe = path.read_bytes(), flushed[-1]
            durable = sum(end <= safe for end in line_ends(whole)) - 1
            unsure = range(safe // block, len(whole) // block + 1)
            for missing in (m for count in range(len(unsure) + 1) for m in combinations(unsure, count)):
                data = bytearray(whole)
                for number in missing:
                    start, stop = max(safe, number * block), min(len(data), (number + 1) * block)
                    data[start:stop] = bytes(stop - start)
                for length in (len(data), max(safe, len(data) - block)):
                    lost.write_bytes(data[:length])
                    found = read(lost)
                    assert found == tuple(changes[: len(found)])
                    assert len(found) >= durable


def count_flushes(monkeypatch):
    """From now on nothing is flushed, but the size is noted that a file has when it should be."""
    flushed = []
    monkeypatch.setattr(os, "fsync", lambda file: flushed.append(os.fstat(file).st_size))
    return flushed


def test_changes_not_flushed_are_flushed_once_a_block_and_when_closed(path, monkeypatch):
    flushed = count_flushes(monkeypatch)
    write(path, [Removed("x" * 9000), Added("a", "A"), Removed("a"), *[Forgotten("p")] * 1000])
    with Overlay.open(path) as overlay:
        overlay.compact()
        flushed.clear()
        for number in range(1000):
            overlay.append(Liked("anna", f"item-{number}"), sync=False)
        size = path.stat().st_size
        assert len(flushed) in (size // 4096 - 9000 // 4096 - 1, size // 4096 - 9000 // 4096)
    assert flushed[-1] == size
    assert len(read(path)) == 1001


def line_ends(data):
    return [place + 1 for place, byte in enumerate(data) if byte == ord("\n")]


def test_an_interrupted_append_leaves_nothing_in_the_way(written, monkeypatch):
    with Overlay.open(written) as overlay:
        for name in ("fsync", "write"):
            with monkeypatch.context() as patch:
                patch.setattr(os, name, interrupted(getattr(os, name)))
                with pytest.raises(KeyboardInterrupt):
                    overlay.append(Removed("interrupted"))
            overlay.append(Removed(f"after {name}"))
    assert read(written) == (*CHANGES, Removed("after fsync"), Removed("after write"))


def interrupted(call):
    def stop(*arguments):
        call(*arguments)
        raise KeyboardInterrupt

    return stop


# Damage


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


def test_salvage_keeps_each_damaged_file_and_leaves_others_alone(written):
    with pytest.raises(OverlayError, match="is not damaged; nothing was changed"):
        salvage(written)
    names = []
    for _ in range(2):
        written.write_bytes(written.read_bytes().replace(b"crepes", b"crapes"))
        names.append(salvage(written).name)
        write(written, CHANGES[3:])
    assert names == ["meals.tflite.overlay.damaged", "meals.tflite.overlay.damaged1"]
    model = written.with_name("meals.tflite")
    model.write_bytes(b"\0\0\0\0TFL3...")
    with pytest.raises(DamagedOverlayError, match="line 1: is not the first line of an overlay"):
        salvage(model)
    assert model.read_bytes() == b"\0\0\0\0TFL3..."


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


def test_a_file_too_large_is_not_read(path):
    with path.open("wb") as stream:
        stream.truncate((1 << 26) + 1)
    for read_only in (True, False):
        with pytest.raises(OverlayError, match="has 67108865 bytes, and an overlay at most 67108864"):
            Overlay.open(path, read_only=read_only)


# Opening


def test_a_missing_file_is_made_or_taken_as_empty_or_refused(path):
    assert read(path) == ()
    for read_only in (True, False):
        with pytest.raises(OverlayError, match="cannot be opened"):
            Overlay.open(path, create=False, read_only=read_only)
    assert not path.exists()
    Overlay.open(path).close()
    assert path.read_bytes() == sealed([])


@pytest.mark.parametrize("read_only", [True, False])
def test_what_is_no_file_is_refused(tmp_path, read_only):
    os.mkfifo(tmp_path / "pipe")
    for place, message in ((tmp_path, "o"), (tmp_path / "pipe", "is not a file")):
        with pytest.raises(OverlayError, match=message):
            Overlay.open(place, read_only=read_only)
    with pytest.raises(OverlayError, match="cannot be opened"):
        Overlay.open(tmp_path / "none" / "o", create=False, read_only=read_only)


def test_what_is_read_only_or_closed_takes_no_changes(written):
    closed = Overlay.open(written)
    closed.close()
    closed.close()
    for overlay in (closed, Overlay.open(written, read_only=True)):
        for change in (lambda o: o.append(Removed("a")), Overlay.flush, Overlay.compact):
            with pytest.raises(OverlayError, match="is closed or was opened to be read only"):
                change(overlay)
        assert overlay.changes == CHANGES


def test_deleted_or_cut_while_open_is_an_error_not_a_loss(written):
    for harm in (lambda: os.truncate(written, 100), written.unlink):
        with Overlay.open(written) as overlay:
            harm()
            with pytest.raises(OverlayError, match="was deleted, replaced or cut while it was open"):
                overlay.append(Removed("a"))


# One writer


def test_a_second_writer_is_refused_until_the_first_is_gone(written):
    with Overlay.open(written), pytest.raises(OverlayLockedError, match="is open for writing elsewhere"):
        Overlay.open(written)
    code = """
import sys, time
from device_runtime.changes.overlay import Overlay
overlay = Overlay.open(sys.argv[1])
print("open", flush=True)
time.sleep(60)
"""
    with python(code, written) as other:
        other.stdout.readline()
        for open_ in (Overlay.open, salvage):
            with pytest.raises(OverlayLockedError, match="one writer at a time"):
                open_(written)
        assert read(written) == CHANGES
        other.kill()
    write(written, [Removed("later")])


def test_a_file_replaced_while_it_is_being_locked_is_opened_anew(written, monkeypatch):
    replacement = write(written.with_name("other"), [Removed("a")])
    flock = module.fcntl.flock

    def late(file, operation):
        if replacement.exists():
            replacement.rename(written)
        flock(file, operation)

    monkeypatch.setattr(module.fcntl, "flock", late)
    write(written, [Removed("b")])
    assert read(written) == (Removed("a"), Removed("b"))


def test_threads_take_turns(path):
    with Overlay.open(path) as overlay:
        threads = [
            threading.Thread(target=lambda p=p: [overlay.append(Liked(p, f"item-{n}", n + 1)) for n in range(40)])
            for p in "abcd"
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = overlay.changes
    assert read(path) == found
    for p in "abcd":
        assert [c.weight for c in found if c.profile == p] == list(range(1, 41))


def test_without_flock_a_lock_file_does(path, monkeypatch):
    monkeypatch.setattr(module, "fcntl", None)
    lock = path.with_name("meals.tflite.overlay.lock")
    with Overlay.open(path) as overlay:
        with pytest.raises(OverlayLockedError, match=f"if no process uses it, one was killed: delete {lock}"):
            Overlay.open(path)
        for change in (Removed("a"), Added("b", "B"), Removed("b")):
            overlay.append(change)
        overlay.compact()
        overlay.append(Removed("c"))
        assert lock.exists()
    assert read(path) == (Removed("a"), Removed("c"))
    with pytest.raises(OverlayError, match="cannot be opened"):
        Overlay.open(path.parent)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


# Full and failing disks


def test_a_full_disk_is_one_error_and_the_file_still_opens(path):
    code = """
import os, resource, sys
from device_runtime.changes.kinds import Added, Liked, Removed
from device_runtime.errors import OverlayWriteError
from device_runtime.changes.overlay import Overlay
overlay = Overlay.open(sys.argv[1])
overlay.append(Added("a", "A" * 300))
overlay.append(Removed("a"))
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, resource.RLIM_INFINITY))
made = 2
try:
    while True:
        overlay.append(Liked("anna", f"{made}" + "x" * 100))
        made += 1
except OverlayWriteError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
for act in (lambda: overlay.append(Liked("anna", "b")), overlay.compact):
    try:
        act()
    except OverlayWriteError as error:
        print(error)
print(made, os.path.getsize(sys.argv[1]), os.listdir(os.path.dirname(sys.argv[1])))
sys.stdout.flush()
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
overlay.append(Liked("anna", "later"))
"""
    with python(code, path, stderr=subprocess.STDOUT) as writer:
        *errors, summary = writer.stdout.read().splitlines()
    written = f"{path}: could not be written (File too large); the change was not made; free some space and try again"
    compact = (
        f"{path}: could not be compacted (File too large); the overlay is as it was; free some space and try again"
    )
    assert errors == [written, written, compact]
    made, size, names = summary.split(" ", 2)
    assert names == f"['{path.name}']"
    assert int(size) <= 3000
    likes = [Liked("anna", f"{number}" + "x" * 100) for number in range(2, int(made))]
    assert read(path) == (Added("a", "A" * 300), Removed("a"), *likes, Liked("anna", "later"))


def test_what_was_not_flushed_is_not_made_and_nothing_follows_it(written, monkeypatch):
    before = written.read_bytes()
    with Overlay.open(written) as overlay:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", failing)
            with pytest.raises(OverlayWriteError, match=r"could not be flushed to the disk \(Input/output error\)"):
                overlay.append(Removed("a"))
        with pytest.raises(OverlayError, match="open it again"):
            overlay.append(Removed("b"))
        assert overlay.changes == CHANGES
    assert written.read_bytes() == before


def failing(*_):
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_an_error_while_made_ready_closes_and_unlocks(path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing)
        with pytest.raises(OverlayWriteError, match="could not be made ready for changes"):
            Overlay.open(path)
    write(path, CHANGES)


# Compaction


@given(st.lists(change_of_few, max_size=12), st.lists(change_of_few, max_size=5), models)
@settings(max_examples=400)
def test_compaction_changes_nothing_now_or_later(changes, later, ids):
    compact = compacted(changes, ids)
    assert applied(compact, ids) == applied(changes, ids)
    assert applied((*compact, *later), ids) == applied((*changes, *later), ids)
    assert compacted(compact, ids) == compact
    assert len(compact) <= len(changes)


@pytest.mark.parametrize(
    ("changes", "ids", "kept"),
    [
        ([Added("a", "A"), Removed("a")], [], []),
        ([Added("a", "A"), Liked("p", "a"), Renamed("a", "B"), Removed("a")], [], []),
        ([Added("a", "A"), Removed("a")], ["a"], [0, 1]),
        ([Added("a", "A"), Added("b", "B"), Removed("a"), Renamed("b", "C"), Renamed("b", "D")], [], [1, 4]),
        ([Removed("a"), Added("a", "A"), Removed("a")], ["a"], [0]),
        ([Removed("a"), Removed("a")], ["a"], [0]),
        ([Removed("a"), Removed("a")], [], [1]),
        ([Liked("p", "a"), Liked("p", "a", -1), Liked("q", "a")], ["a"], [1, 2]),
        ([Liked("p", "a"), Liked("p", "a", 0), Liked("p", "unknown")], ["a"], [2]),
        ([Liked("p", "a"), Liked("q", "a"), Forgotten("p"), Liked("p", "b")], ["a", "b"], [1, 3]),
        ([Liked("p", "a"), Renamed("a", "B"), Removed("a")], ["a"], [2]),
    ],
)
def test_only_what_matters_is_kept(changes, ids, kept):
    assert compacted(changes, ids) == tuple(changes[index] for index in kept)


def test_compaction_writes_an_overlay_like_any_other(path):
    changes = [Added("a", "A"), Added("b", "B"), Removed("a"), Liked("anna", "b", 2), Liked("anna", "b", 3)]
    write(path, changes)
    path.chmod(0o640)
    reader = Overlay.open(path, read_only=True)
    with Overlay.open(path) as overlay:
        overlay.compact()
        assert overlay.changes == (changes[1], changes[4])
        with pytest.raises(OverlayLockedError):
            Overlay.open(path)
        overlay.append(Removed("b"))
        overlay.compact(["b"])
    assert reader.changes == tuple(changes)
    assert read(path) == (Added("b", "B"), Removed("b"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert path.read_bytes() == write(path.with_name("anew"), [Added("b", "B"), Removed("b")]).read_bytes()


def test_compaction_replaces_what_a_link_leads_to(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    target = write(tmp_path / "elsewhere" / "real", [Added("a", "A"), Removed("a"), Removed("b")])
    (tmp_path / "link").symlink_to(target)
    with Overlay.open(tmp_path / "link") as overlay:
        overlay.compact()
    assert (tmp_path / "link").is_symlink()
    assert read(target) == (Removed("b"),)


@pytest.mark.parametrize("call", ["open", "write", "fsync", "rename", "folder"])
def test_a_compaction_that_dies_leaves_the_old_or_the_new(path, call):
    code = """
import os, pathlib, sys
from device_runtime.changes import overlay as module
path, call = sys.argv[1:]
overlay = module.Overlay.open(path)
def die(*arguments, **options):
    os._exit(9)
def half(file, data):
    os_write(file, data[: len(data) // 2])
    die()
os_write = os.write
owner, name = {"rename": (pathlib.Path, "replace"), "folder": (module, "_sync_folder")}.get(call, (os, call))
setattr(owner, name, half if call == "write" else die)
overlay.compact()
"""
    changes = [Added("a", "A"), Removed("a"), Liked("anna", "b", 2), Liked("anna", "b", 3)]
    write(path, changes)
    with python(code, path, call) as writer:
        assert writer.wait() == 9
    found = read(path)
    assert found == (tuple(changes[3:]) if call == "folder" else tuple(changes))
    write(path, [Removed("later")])
    assert read(path) == (*found, Removed("later"))
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("call", ["fsync", "rename", "folder"])
def test_a_compaction_that_fails_leaves_the_old_or_the_new(path, call, monkeypatch):
    changes = [Added("a", "A"), Removed("a"), Removed("b")]
    write(path, changes)
    place = {"fsync": (os, "fsync"), "rename": (type(path), "replace"), "folder": (module, "_sync_folder")}[call]
    with Overlay.open(path) as overlay:
        with monkeypatch.context() as patch:
            patch.setattr(*place, failing)
            with pytest.raises(OverlayWriteError, match="Input/output error"):
                overlay.compact()
        if call == "folder":
            with pytest.raises(OverlayError, match="open it again"):
                overlay.append(Removed("c"))
        else:
            overlay.append(Removed("c"))
            assert read(path) == (*changes, Removed("c"))
            overlay.compact()
    assert read(path) == (Removed("b"), *[Removed("c")] * (call != "folder"))


# What changes mean


def test_changes_are_folded_over_the_ids_of_a_model():
    changes = [
        Added("x", "X"), Added("y", "Y"), Added("z", "Z"), Removed("y"), Removed("c"), Removed("a"),
        Renamed("b", "B"), Renamed("z", "Z2"), Renamed("b", "B2"), Liked("anna", "b"), Liked("anna", "z", -0.5),
        Liked("anna", "b", 3), Liked("bob", "b"), Forgotten("bob"), Liked("eve", "b"), Liked("eve", "b", 0),
    ]  # fmt: skip
    assert applied(changes, ["a", "b", "c", "d"]) == Applied(
        added=(Added("x", "X"), Added("z", "Z")),
        removed=(0, 2),
        renamed={1: "B2", 5: "Z2"},
        profiles={"anna": {"b": 3.0, "z": -0.5}},
        dropped=(),
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (Removed("old"), "the model has no item 'old'"),
        (Renamed("old", "New"), "the model has no item 'old'"),
        (Liked("anna", "old"), "the model has no item 'old'"),
        (Added("a", "Mine"), "the model now has an item 'a' of its own"),
        (Renamed("gone", "Back"), "item 'gone' was removed"),
        (Liked("anna", "gone"), "item 'gone' was removed"),
    ],
)
def test_what_a_model_update_leaves_without_its_item_is_dropped_with_a_reason(change, reason):
    found = applied([Removed("gone"), Liked("bob", "a"), change], ["a", "gone"])
    assert found == Applied((), (1,), {}, {"bob": {"a": 1.0}}, (Dropped(change, reason),))


def test_changes_find_their_items_in_a_later_model():
    changes = [Removed("a"), Renamed("b", "B"), Added("x", "X"), Liked("anna", "x"), Liked("anna", "b")]
    found = applied(changes, ["new", "x", "b", "a"])
    assert found.removed == (3,)
    assert found.renamed == {2: "B"}
    assert found.profiles == {"anna": {"x": 1.0, "b": 1.0}}
    assert found.dropped == (Dropped(changes[2], "the model now has an item 'x' of its own"),)


def test_an_item_of_the_model_can_be_removed_and_added_with_other_attributes():
    mine = Added("a", "Mine", {"course": ("soup",)})
    changes = [Liked("anna", "a"), Removed("a"), mine, Renamed("a", "My own")]
    assert applied(changes, ["a", "b"]) == Applied((mine,), (0,), {2: "My own"}, {}, ())
    assert applied([*changes, Removed("a")], ["a", "b"]) == Applied((), (0,), {}, {}, ())


def test_removing_what_a_model_update_brought_hides_it_though_it_was_added_before():
    changes = [Added("x", "X"), Removed("x")]
    assert applied(changes, ["x"]).removed == (0,)
    assert applied(changes, []) == Applied((), (), {}, {}, ())


def test_an_item_added_again_stands_where_it_was_added_last():
    again = Added("x", "X2", {}, (1, 2))
    changes = [Added("x", "X"), Renamed("x", "X1"), Added("y", "Y"), again]
    assert applied(changes, ["a"]) == Applied((Added("y", "Y"), again), (), {}, {}, ())


def test_every_error_is_one_of_ours():
    for error in (OverlayLockedError, OverlayVersionError, OverlayWriteError, DamagedOverlayError):
        assert issubclass(error, OverlayError)
    assert issubclass(OverlayError, MignonError)


def test_an_example_reader_in_eight_lines_agrees(written):
    above, found = "", []
    for line in written.read_text("utf-8").splitlines():
        record, seal = line.split("\t")
        assert hashlib.sha256((above + record).encode()).hexdigest().startswith(seal)
        above = seal
        found.append(json.loads(record))
    assert [record.get("kind") for record in found] == [None, "added", "renamed", "liked", "removed", "forgotten"]
