#!/bin/sh
# gensim counts the words of a long sentence and trains on its first 10,000 alone, 2026-11-30.
#
# Packages: gensim 4.4.0, numpy 2.4.6, Python 3.11
#
# Guess before: A sentence may have any length, or a warning says that it was cut.
#
# Behavior: Word2Vec reads a sentence of 30,000 words into its vocabulary, and its training passes leave out all words
# after the 10,000th: the vectors of words that stand there alone keep their random start, and are offered as neighbors
# all the same. There is no warning; the lines of the log at level INFO count "raw" and "effective" words. Logs of users
# with many items, of which a sentence is made, meet this (item2vec).
#
# Output:
#   40 words known, vectors trained: 20 of 20 in the head, 0 of 20 in the tail
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile gensim==4.4.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END' 2>log || { cat log >&2; exit 1; }
import random
import warnings

import numpy as np
from gensim.models import Word2Vec

warnings.simplefilter("error")
draw = random.Random(0).randrange
sentence = [f"head{draw(20)}" for _ in range(10_000)] + [f"tail{draw(20)}" for _ in range(20_000)]
model = Word2Vec(vector_size=8, min_count=1, sample=0, seed=1, workers=1)
model.build_vocab([sentence])
start = model.wv.vectors.copy()
model.train([sentence], total_examples=1, epochs=5)
moved = (model.wv.vectors != start).any(axis=1)
trained = {part: sum(moved[i] for word, i in model.wv.key_to_index.items() if part in word) for part in ("head", "tail")}
print(
    f"{len(moved)} words known, vectors trained: {trained['head']} of 20 in the head, {trained['tail']} of 20 in the tail"
)
assert trained == {"head": 20, "tail": 0}, "the behavior changed"
END
