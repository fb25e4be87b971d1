import io
import mmap
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_runtime.format import archive
from device_runtime.format.archive import ArchiveError, read_archive, read_entry


def mapped(data):
    copy = mmap.mmap(-1, len(data))
    copy[:] = data
    return copy


def zipped(entries, before=b"", method=zipfile.ZIP_DEFLATED):
    stream = io.BytesIO()
    stream.write(before)
    with zipfile.ZipFile(stream, "w", method) as written:
        for name, content in entries:
            written.writestr(name, content)
    return stream.getvalue()


names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)


@given(
    st.dictionaries(names, st.binary(max_size=300), min_size=1, max_size=5),
    st.binary(max_size=50),
    st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]),
)
def test_reads_what_zipfile_writes(entries, before, method):
    data = zipped(entries.items(), before, method)
    found = read_archive(mapped(data))
    assert {entry.name: read_entry(mapped(data), entry) for entry in found} == entries
    with zipfile.ZipFile(io.BytesIO(data)) as known:
        assert [(e.name, e.header, e.size, e.stored_size, e.checksum) for e in found] == [
            (i.filename, i.header_offset, i.file_size, i.compress_size, i.CRC) for i in known.infolist()
        ]


@given(st.binary(max_size=200), st.sampled_from([b"", zipped([("a", b"aaaa" * 50)])]), st.data())
def test_any_bytes_are_read_or_refused(noise, whole, data):
    place = data.draw(st.integers(0, len(whole)))
    harmed = mapped(whole[:place] + noise + whole[place + len(noise) :] or b"x")
    try:
        contents = [read_entry(harmed, entry) for entry in read_archive(harmed)]
    except ArchiveError:
        return
    assert contents == [b"aaaa" * 50]


def altered(data, place, value):
    return data[:place] + value + data[place + len(value) :]


WHOLE = zipped([("a", b"a" * 1000), ("b", b"b")])
DIRECTORY = WHOLE.index(b"PK\1\2")
END = WHOLE.index(b"PK\5\6")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"nothing", "no end of an archive"),
        (zipped([]), "lists 0 entries"),
        (WHOLE + b"x", "no end of an archive"),
        (b"x" + WHOLE, "does not end where it should"),
        (altered(WHOLE, END + 8, b"\3\0\3\0"), "lists 2 entries and not 3"),
        (altered(WHOLE, DIRECTORY + 46, b"b"), "'b' stands there more than once"),
        (altered(WHOLE, DIRECTORY + 46, b"\xff"), "not UTF-8"),
        (altered(WHOLE, DIRECTORY + 10, b"\x0e\0"), "in a way that is not known"),
        (altered(WHOLE, DIRECTORY + 8, b"\1\0"), "in a way that is not known"),
        (altered(WHOLE, DIRECTORY + 24, b"\xff\xff\xff\xff"), "more than the"),
        (altered(WHOLE, DIRECTORY + 20, b"\xff\xff\xff\0"), "ends beyond the file"),
        (altered(WHOLE, DIRECTORY + 16, b"\0\0\0\0"), "differs from the directory"),
        (altered(WHOLE, 30, b"c"), "differs from the directory"),
    ],
)
def test_what_is_not_as_mignon_writes_it_is_refused(data, message):
    with pytest.raises(ArchiveError) as error:
        read_archive(mapped(data))
    assert message in str(error.value)


def test_hidden_bytes_and_overlaps_are_refused():
    first, second = zipped([("a", b"a")]), zipped([("b", b"b")], before=b"hidden")
    apart = zipped([("b", b"b")], before=first[: first.index(b"PK\1\2")] + b"hidden")
    assert read_archive(mapped(second))[0].header == 6
    record = first[first.index(b"PK\1\2") : first.index(b"PK\5\6")]
    directory, end = apart.index(b"PK\1\2"), apart.index(b"PK\5\6")
    size = (end - directory + len(record)).to_bytes(4, "little")
    joined = apart[:directory] + record + apart[directory:]
    joined = altered(joined, end + len(record) + 8, b"\2\0\2\0" + size)
    with pytest.raises(ArchiveError, match="'a' does not end where the next part starts"):
        read_archive(mapped(joined))


def test_content_beyond_its_declared_size_is_not_inflated():
    data = zipped([("a", bytes(50_000_000))])
    for place in (22, data.index(b"PK\1\2") + 24):
        data = altered(data, place, (1000).to_bytes(4, "little"))
    (entry,) = read_archive(mapped(data))
    with pytest.raises(ArchiveError, match="do not end where they should"):
        read_entry(mapped(data), entry)


def test_content_of_another_checksum_is_refused():
    data = zipped([("a", b"content")], method=zipfile.ZIP_STORED).replace(b"content", b"contents"[1:])
    (entry,) = read_archive(mapped(data))
    assert archive.altered_entries(mapped(data), [entry]) == ["a"]
    with pytest.raises(ArchiveError, match="CRC-32"):
        read_entry(mapped(data), entry)
