"""What a model file is made of: the names, sizes and limits that its writer and all of its readers share.

A TFLite flatbuffer comes first, a ZIP archive of the entries below is appended to it, and the archive's comment ends
with `SEAL` and the SHA-256, in hexadecimal, of every byte of the file before that digest.
"""

FORMAT_VERSION = 1
FLATBUFFER_IDENTIFIER = b"TFL3"
TABLE_ALIGNMENT = 16  # bytes: a table starts at a multiple of it
LARGEST_ENTRY = 127  # of the table, as of the vocabulary: -128 has no opposite
DIGEST_LENGTH = 64
SEAL = b"mignon sha256 "

MANIFEST = "manifest.json"
IDS = "ids.txt"
NAMES = "names.txt"
ALIASES = "aliases.tsv"
ATTRIBUTES = "attributes.tsv"
VOCABULARY = "vocabulary.tsv"
VOCABULARY_VECTORS = "vocabulary.int8"
FAMILIES = "families.tsv"  # attribute, value, another name of it; where values have other names
FOLDING = "folding.tsv"  # a character, what it becomes when names are compared; those that stay are left out
POPULARITY = "popularity.uint8"  # how widely each row is known, greater for more; where the catalog says so

MOST_MANIFEST_BYTES = 1 << 20
CONTROL_CHARACTERS = {*map(chr, range(32)), "\x7f", "\x85", "\u2028", "\u2029"}  # no id, name or value holds one
OVERLAY_SUFFIX = ".overlay"  # after the name of a model file: where changes made on the device are kept
