import errno
import os
import random
import stat
import subprocess
import threading
from itertools import combinations, pairwise
from pathlib import Path

import pytest

from device_runtime.changes import files
from device_runtime.changes import overlay as overlay_module
from device_runtime.changes.kinds import Added, Liked, Removed, Renamed
from device_runtime.changes.overlay import Overlay, overlay_path, salvage
from device_runtime.errors import (
    DamagedOverlayError,
    MignonError,
    OverlayError,
    OverlayLockedError,
    OverlayVersionError,
    OverlayWriteError,
)
from tests.device_runtime.changes.overlays import CHANGES, count_flushes, python, read, sealed, write


def test_lies_beside_the_model():
    assert overlay_path("build/meals.tflite") == Path("build/meals.tflite.overlay")


def test_appending_goes_on_where_another_left_off(path):
    for change in CHANGES:
        write(path, [change])
    assert read(path) == CHANGES


def test_an_overlay_that_is_full_says_so(path, monkeypatch):
    monkeypatch.setattr(overlay_module, "MAX_FILE_BYTES", 190)
    with Overlay.open(path) as overlay:
        overlay.append(Removed("a"))
        overlay.append(Removed("b"))
        with pytest.raises(OverlayWriteError, match=r"has reached 190 bytes; compact\(\)"):
            overlay.append(Removed("c"))
    assert len(read(path)) == 2


def test_a_reader_leaves_an_unfinished_change_where_it_is(written):
    torn = written.read_bytes()[:-5]
    written.write_bytes(torn)
    assert read(written) == CHANGES[:-1]
    assert written.read_bytes() == torn


def test_killed_at_random_moments_nothing_is_lost_that_append_returned_from(path):
    code = """
import sys
from device_runtime.changes.kinds import Liked
from device_runtime.changes.overlay import Overlay
with Overlay.open(sys.argv[1]) as overlay:
    start = len(overlay.changes)
    for number in range(start, start + 100_000):
        overlay.append(Liked("anna", f"item-{number}", number + 1))
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


def test_a_power_cut_before_a_change_is_flushed_loses_that_change_alone(path, monkeypatch):
    """Whichever blocks of its line never reached the disk, and wherever the file ends then."""
    block = 4096
    flushed = count_flushes(monkeypatch)
    changes = [Renamed(f"item-{n}", "x" * (1 + n * 977 % 9000)) for n in range(24)]
    whole = write(path, changes).read_bytes()
    lost = path.with_name("after the power cut")
    sizes = [len(sealed([])), *flushed[-len(changes) :]]
    assert sizes[-1] == len(whole)
    for number, (safe, size) in enumerate(pairwise(sizes)):
        unsure = range(safe // block, size // block + 1)
        for missing in (m for count in range(len(unsure) + 1) for m in combinations(unsure, count)):
            data = bytearray(whole[:size])
            for place in missing:
                start, stop = max(safe, place * block), min(size, (place + 1) * block)
                data[start:stop] = bytes(stop - start)
            for length in (size, max(safe, size - block)):
                lost.write_bytes(data[:length])
                assert read(lost) in (tuple(changes[:number]), tuple(changes[: number + 1]))


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


def test_a_file_too_large_is_not_read(path):
    with path.open("wb") as stream:
        stream.truncate((1 << 26) + 1)
    for read_only in (True, False):
        with pytest.raises(OverlayError, match="has 67108865 bytes, and an overlay at most 67108864"):
            Overlay.open(path, read_only=read_only)


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
        for change in (lambda o: o.append(Removed("a")), Overlay.compact):
            with pytest.raises(OverlayError, match="is closed or was opened to be read only"):
                change(overlay)
        assert overlay.changes == CHANGES


def test_deleted_or_cut_while_open_is_an_error_not_a_loss(written):
    for harm in (lambda: os.truncate(written, 100), written.unlink):
        with Overlay.open(written) as overlay:
            harm()
            with pytest.raises(OverlayError, match="was deleted, replaced or cut while it was open"):
                overlay.append(Removed("a"))


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
    flock = files.fcntl.flock

    def late(file, operation):
        if replacement.exists():
            replacement.rename(written)
        flock(file, operation)

    monkeypatch.setattr(files.fcntl, "flock", late)
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
    monkeypatch.setattr(files, "fcntl", None)
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
from device_runtime.changes import files
from device_runtime.changes.overlay import Overlay
path, call = sys.argv[1:]
overlay = Overlay.open(path)
def die(*arguments, **options):
    os._exit(9)
def half(file, data):
    os_write(file, data[: len(data) // 2])
    die()
os_write = os.write
owner, name = {"rename": (pathlib.Path, "replace"), "folder": (files, "sync_folder")}.get(call, (os, call))
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
    place = {"fsync": (os, "fsync"), "rename": (type(path), "replace"), "folder": (files, "sync_folder")}[call]
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


def test_every_error_is_one_of_ours():
    for error in (OverlayLockedError, OverlayVersionError, OverlayWriteError, DamagedOverlayError):
        assert issubclass(error, OverlayError)
    assert issubclass(OverlayError, MignonError)
