import hashlib
import io
import json
import zipfile

import numpy as np

from device_runtime.format.layout import DIGEST_LENGTH
from device_runtime.format.manifest import Manifest
from export.writing.pack import pack
from training.inputs.catalog import Catalog, Item
from training.trained import Trained

MANIFEST = Manifest(1, "test", 2, 2, 2, 8, 0.01, 16, "attributes", {}, "CC0")
CATALOG = Catalog(
    (
        Item(2, "a", "Crêpes", ("galettes", "薄餅"), {"course": ("dessert", "breakfast")}),
        Item(3, "b", "Soup", (), {}),
    ),
    ("course",),
)
SOURCE = Trained(
    catalog=CATALOG,
    table=np.zeros((2, 2), np.float32),
    attributes=(("course", "breakfast"), ("course", "dessert")),
    attribute_vectors=np.array([[0.5, -1], [2, 0.25]], np.float32),
    metrics={},
    settings={},
)


def test_entries_hold_the_catalog_in_row_order():
    with zipfile.ZipFile(io.BytesIO(pack(b"flatbuffer", MANIFEST, SOURCE))) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    vectors = np.frombuffer(entries.pop("vocabulary.int8"), np.int8).reshape(2, 2)
    np.testing.assert_allclose(vectors, SOURCE.attribute_vectors * 127 / 2, atol=0.5)
    texts = {name: data.decode() for name, data in entries.items()}
    assert json.loads(texts.pop("manifest.json"))["rows"] == 2
    folded = dict(line.split("\t") for line in texts.pop("folding.tsv").splitlines())
    assert (folded["ê"], folded["Ê"], folded["\u0302"], folded["ß"]) == ("e", "e", "", "ss")
    assert texts == {
        "ids.txt": "a\nb\n",
        "names.txt": "Crêpes\nSoup\n",
        "aliases.tsv": "0\tgalettes\n0\t薄餅\n",
        "attributes.tsv": "0\tcourse\tdessert|breakfast\n",
        "vocabulary.tsv": "course\tbreakfast\ncourse\tdessert\n",
    }


def test_the_file_ends_with_the_digest_of_all_before():
    data = pack(b"flatbuffer", MANIFEST, SOURCE)
    assert data.startswith(b"flatbuffer")
    assert hashlib.sha256(data[:-DIGEST_LENGTH]).hexdigest() == data[-DIGEST_LENGTH:].decode()


def test_the_same_content_gives_the_same_bytes():
    assert pack(b"flatbuffer", MANIFEST, SOURCE) == pack(b"flatbuffer", MANIFEST, SOURCE)
