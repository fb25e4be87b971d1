import itertools
import json
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from export.quantization.sizes import Candidate, Tried, find_frontier, try_methods
from export.report.chart import NARROW, WIDE, draw_chart, draw_svg, list_points, write_frontier
from export.request import BITS, Labels
from export.table import QuantizedTable
from export.writing.export_file import ExportJob, write_file


@pytest.fixture(scope="module")
def written(judge, source, sizes, tmp_path_factory):
    """The exported file in one folder, those on the frontier in another."""
    folder = tmp_path_factory.mktemp("frontier")
    tried = try_methods(judge, judge.vectors.shape[1], 8, "ptq")
    job = ExportJob(source, judge, tried, folder / "meals.tflite", Labels("meals"), sizes=tuple(sizes))
    exported = write_file(job)
    points = [
        write_file(replace(job, tried=Tried(c), out=folder / "sizes" / f"meals-{c.name}.tflite"))
        for c in find_frontier(sizes)
    ]
    write_frontier(exported, points, folder / "sizes")
    return exported, points, folder / "sizes"


def test_the_record_holds_every_candidate_and_names_files_that_exist(sizes, written):
    exported, points, folder = written
    record = json.loads((folder / "frontier.json").read_text("utf-8"))
    assert [(c["dims"], c["bits"], c["flatbuffer_bytes"]) for c in record["candidates"]] == [
        (c.table.dims, c.table.bits, c.flatbuffer_bytes) for c in sizes
    ]
    named = [c["file"] for c in record["candidates"] if c["file"]]
    assert len(named) == len(points) > 1
    assert all((folder / name).is_file() for name in [*named, record["exported"]["file"]])
    assert {c["file"] for c in record["candidates"] if not c["on_frontier"]} <= {None}
    for candidate, point in zip((c for c in record["candidates"] if c["file"]), points, strict=True):
        assert candidate["flatbuffer_bytes"] == point.flatbuffer_bytes
        assert candidate["quality"]["overlap_at_10"] == point.quality.overlap_at_10
    assert [(c["dims"], c["bits"]) for c in record["candidates"] if c["exported"]] == [(exported.dims, exported.bits)]


def test_nothing_on_the_frontier_is_beaten_by_something_as_small(written):
    record = json.loads((written[2] / "frontier.json").read_text("utf-8"))
    for c in record["candidates"]:
        beaten = any(
            other["flatbuffer_bytes"] <= c["flatbuffer_bytes"]
            and other["quality"]["overlap_at_10"] >= c["quality"]["overlap_at_10"]
            for other in record["candidates"]
            if other is not c
        )
        assert c["on_frontier"] is not beaten


def test_writing_twice_gives_the_same_bytes(written, monkeypatch):
    exported, points, folder = written
    again = folder.parent / "again"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    write_frontier(exported, points, again)
    assert {path.name for path in again.iterdir()} == {"frontier.json", "frontier.svg", "frontier.png"}
    for path in again.iterdir():
        assert path.read_bytes() == (folder / path.name).read_bytes()


def test_the_chart_is_svg_that_names_every_size_in_text(sizes, written):
    root = ElementTree.fromstring((written[2] / "frontier.svg").read_text("utf-8"))  # noqa: S314 - written here
    texts = ["".join(node.itertext()).strip() for node in root.iter("{http://www.w3.org/2000/svg}text")]
    for candidate in sizes:
        assert texts.count(candidate.name) == 1
    assert {"8 bits", "4 bits", "exported"} <= set(texts)


def test_an_exported_size_that_was_not_tried_is_drawn_too(sizes, written):
    odd = replace(written[0], dims=10)
    assert [p.name for p in list_points(odd) if p.exported] == ["10x8"]
    assert len(list_points(odd)) == len(sizes) + 1
    assert ">10x8<" in draw_svg(odd)


@pytest.mark.parametrize("inches", [WIDE, NARROW])
def test_twenty_names_stand_apart(sizes, written, inches):
    crowded = [_made_up(sizes[0], dims, bits) for dims in (4, 8, 12, 16, 24, 32, 48, 64, 96, 128) for bits in BITS]
    crowded.sort(key=lambda candidate: candidate.flatbuffer_bytes)
    figure = draw_chart(list_points(replace(written[0], dims=48, sizes=tuple(crowded))), inches)
    figure.canvas.draw()
    names = [text for text in figure.axes[0].texts if text.get_text()]
    boxes = [name.get_window_extent() for name in names]
    assert sorted(name.get_text() for name in names) == sorted(candidate.name for candidate in crowded)
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    frame = figure.bbox
    assert all(frame.x0 <= box.x0 and box.x1 <= frame.x1 and box.y1 <= frame.y1 for box in boxes)


def _made_up(like, dims, bits):
    """A size of a larger model, whose overlap nears 1 as real ones do."""
    overlap = (0.998 if bits == 8 else 0.968) * (1 - float(np.exp(-dims / (9 if bits == 8 else 12))))
    table = QuantizedTable(np.zeros((1, dims), np.int8), 1.0, bits)
    quality = replace(like.quality, overlap_at_10=overlap)
    return Candidate("ptq", table, quality, 11_500 + 5000 * dims * bits // 8)
