import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from export.errors import ExportError
from export.quantization.sizes import try_methods
from export.report.page import render_page, write_report
from export.request import Labels
from export.verification.quality import BasketQuality, NeighborJudge
from export.writing.export_file import Attempt, ExportJob, write_file
from tests.interpreters import HAS_TFLITE_RUNTIME
from training import trained
from training.evaluation.triplets import Triplet

HOSTILE = '<b>&"é'
VOID = {"meta", "br", "link", "img", "input", "hr"}
LINKS = {"src", "href", "srcset"}


class Page(HTMLParser):
    """Checks that what is opened is closed, and collects what tests look at."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.pieces = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.pieces.append(data)

    def count(self, tag):
        return [name for name, _ in self.tags].count(tag)

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.pieces))


@pytest.fixture(scope="module")
def source(trained_folder):
    """The trained folder, with triplets: near and far by one column of the table, so that some are answered wrong."""
    loaded = trained.load(trained_folder)
    column = np.argsort(loaded.table[:, 0]).tolist()
    triplets = [Triplet(a, b, c, "hard") for a, b, c in zip(column[:100], column[1:], column[::-1], strict=False)]
    return replace(loaded, triplets=tuple(triplets))


@pytest.fixture(scope="module")
def exported(judge, source, tmp_path_factory):
    """At 8 bits, rounded alone."""
    tried = try_methods(judge, judge.vectors.shape[1], 8, "ptq")
    out = tmp_path_factory.mktemp("report") / "m.tflite"
    return write_file(ExportJob(source, judge, tried, out, Labels("meals", "CC BY 4.0"), least_overlap=0.97))


@pytest.fixture(scope="module")
def exported_4_bits(judge, source, tmp_path_factory):
    """At 4 bits, by both methods, under a hostile name; without triplets, which could speak against fine-tuning."""
    tried = try_methods(NeighborJudge(judge.vectors), judge.vectors.shape[1], 4, "auto", progress=False)
    out = tmp_path_factory.mktemp("report") / "m.tflite"
    return write_file(ExportJob(source, judge, tried, out, Labels(HOSTILE, HOSTILE)))


@pytest.mark.parametrize("with_sizes", [True, False])
def test_the_page_is_well_formed_and_needs_nothing_else(exported, sizes, with_sizes):
    text = render_page(replace(exported, sizes=tuple(sizes) if with_sizes else ()))
    parsed = Page(text)
    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in parsed.tags}
    assert not re.search(r"url\((?!#)|@import", text)
    links = [value for _, found in parsed.tags for name, value in found.items() if name.split(":")[-1] in LINKS]
    ids = [found["id"] for _, found in parsed.tags if "id" in found]
    assert {link[:1] for link in links} <= {"#"}
    assert {link[1:] for link in links} <= set(ids)
    assert len(ids) == len(set(ids))
    assert parsed.count("h1") == 1
    assert all(found.get("aria-label") for _, found in parsed.tags if found.get("role") in {"img", "region"})


def test_the_numbers_are_those_of_the_export(exported):
    text = Page(render_page(exported)).text
    quality = exported.quality
    assert 0.5 < quality.triplets < 1
    float_bytes = exported.rows * exported.trained_dims * 4
    for count in (exported.rows, exported.file_bytes, exported.flatbuffer_bytes, float_bytes, *exported.parts.values()):
        assert f"{count:,}" in text
    for share in (
        quality.overlap_at_10,
        quality.strict_overlap_at_10,
        quality.triplets,
        quality.float_triplets,
        exported.least_overlap,
        exported.parts["table"] / float_bytes,
        exported.flatbuffer_bytes / float_bytes,
        *quality.overlap_by_frequency.values(),
    ):
        assert f"{100 * share:.1f}%" in text
    assert f"{quality.kendall_tau:.3f}" in text
    assert f"{100 * quality.triplet_error:.2f} points" in text
    assert f"held out reciprocal rank {exported.training['held_out_reciprocal_rank']}" in text
    assert all(engine in text for engine in exported.engines)
    assert "no fault" in text
    assert "CC BY 4.0" in text


def test_parts_and_what_is_left_add_up_to_the_file(exported):
    shown = re.findall(r"flex-grow: (\d+)\" title", render_page(exported))
    assert len(shown) == len(exported.parts) + 1
    assert sum(map(int, shown)) == exported.file_bytes == exported.path.stat().st_size


def test_every_op_is_listed_under_its_signature(exported):
    text = render_page(exported)
    for name in ("recommend", "search", "embed"):
        ops = [operator[1] for operator in exported.operators if operator[0] == name]
        part = text.partition(f"<summary><code>{name}</code>: {len(ops)} ops</summary>")[2].partition("</details>")[0]
        assert re.findall(r"<code>(\w+)</code>", part) == ops


def test_both_methods_an_allowed_fault_and_its_remedy_are_shown(exported_4_bits):
    text = Page(render_page(exported_4_bits)).text
    (fault,) = exported_4_bits.allowed_faults
    assert fault.found in text
    assert f"Remedy: {fault.remedy}" in text
    assert "no fault" not in text
    for attempt in exported_4_bits.tried:
        assert f"{100 * attempt.quality.overlap_at_10:.2f}" in text
    (kept,) = [attempt.method for attempt in exported_4_bits.tried if attempt.kept]
    assert re.search(rf"{kept} kept", text)


def test_what_fine_tuning_wins_back_is_told(exported):
    before = replace(exported.quality, overlap_at_10=0.8)
    after = replace(before, overlap_at_10=0.85)
    tried = (Attempt("qat", after, True), Attempt("ptq", before, False))
    text = Page(render_page(replace(exported, quality=after, tried=tried))).text
    assert re.search(r"qat kept fine-tuned", text)
    assert "wins back 5.00 points" in text


@pytest.mark.parametrize(
    ("gain", "lost", "sentence"),
    [
        (-0.01, 0.0, "keeps 1.00 points less of overlap@10; to be kept it has to win back more than 0.20."),
        (0.001, 0.0, "keeps 0.10 points more of overlap@10; to be kept"),
        (0.01, 0.05, "keeps 1.00 points more of overlap@10 but loses 5.00 points of triplets"),
    ],
)
def test_why_fine_tuning_was_not_kept(exported, gain, lost, sentence):
    before = replace(exported.quality, overlap_at_10=0.9, triplets=0.9)
    after = replace(before, overlap_at_10=0.9 + gain, triplets=0.9 - lost, triplet_error=0.01)
    tried = (Attempt("ptq", before, True), Attempt("qat", after, False))
    assert sentence in Page(render_page(replace(exported, quality=before, tried=tried))).text


def test_a_hostile_name_is_escaped(exported_4_bits):
    fault = replace(exported_4_bits.allowed_faults[0], where=HOSTILE, remedy=HOSTILE)
    training = {HOSTILE: HOSTILE, "measures": [{HOSTILE: HOSTILE}]}
    text = render_page(replace(exported_4_bits, allowed_faults=(fault,), training=training))
    assert HOSTILE not in text
    assert "&lt;b&gt;&amp;&#34;é" in text
    assert Page(text).text.count(HOSTILE) >= 8


def test_an_engine_that_was_not_there_is_named(exported):
    assert ("without tflite_runtime" in Page(render_page(exported)).text) != HAS_TFLITE_RUNTIME
    assert "without tflite_runtime" in Page(render_page(replace(exported, missing_engines=("tflite_runtime",)))).text


def test_a_model_of_what_people_like_has_no_report(exported):
    with pytest.raises(ExportError, match="there is no report"):
        render_page(replace(exported, quality=BasketQuality(0.99, 500)))


def test_the_frontier_or_how_to_get_it(exported, sizes):
    with_chart = Page(render_page(replace(exported, sizes=tuple(sizes))))
    assert "--frontier FOLDER" not in with_chart.text
    assert with_chart.count("figure") == 1
    for size in sizes:
        assert f"{size.flatbuffer_bytes:,}" in with_chart.text
    without = Page(render_page(exported))
    assert without.count("figure") == 0
    assert "--frontier FOLDER" in without.text
    assert "--max-bytes SIZE" in without.text


def test_what_was_not_measured_is_left_out(exported):
    quality = replace(exported.quality, triplets=None, float_triplets=None, triplet_error=None, overlap_by_frequency={})
    tried = (Attempt("ptq", quality, True),)
    text = Page(render_page(replace(exported, quality=quality, tried=tried, training={"triplet_accuracy": None}))).text
    assert "Triplets answered right" not in text
    assert "third" not in text.partition("What the integers keep")[2].partition("Methods tried")[0]
    assert "triplet accuracy not measured" in text


def test_writing_twice_gives_the_same_bytes(exported, sizes, tmp_path):
    exported = replace(exported, sizes=tuple(sizes))
    write_report(exported, tmp_path / "a.html")
    write_report(exported, tmp_path / "new" / "b.html")
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "new" / "b.html").read_bytes()
    assert (tmp_path / "a.html").read_text("utf-8") == render_page(exported)
