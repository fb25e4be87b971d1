"""Ways to split interactions into what is trained on, what is given of a user and what is then to be found.

Every split is exact about who sees what: no wanted interaction is ever in `train` or `given`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from training.errors import SplitError

Timestamps = NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """One split of users x items.

    Attributes:
        train: csr float32 [training users, items].
        given: csr float32 [cases, items], what a recommender is told of a user; a row may be empty.
        wanted: csr float32 [cases, items], what it is to find; no row is empty.
        users: int64 [cases], the row of each case in the interactions.
        train_timestamps: int64, aligned with `train.data`, where the interactions have timestamps.
        given_timestamps: int64, aligned with `given.data`, likewise.
        skipped: users neither trained on nor asked, as those who came after a cut in time.
    """

    train: csr_matrix
    given: csr_matrix
    wanted: csr_matrix
    users: NDArray[np.int64]
    train_timestamps: Timestamps | None = None
    given_timestamps: Timestamps | None = None
    skipped: int = 0


def hold_out_users(
    matrix: csr_matrix,
    seed: int,
    *,
    timestamps: Timestamps | None = None,
    users_share: float = 0.2,
    items_share: float = 0.2,
) -> Split:
    """Holds users out of training; of each, a share of the items, at least one, is to be found given the rest.

    Marlin (2004) names it so. Of a user with one item, that item is wanted and nothing given.

    Raises:
        SplitError: too few users to hold one out and train on another.
    """
    count = matrix.shape[0]
    held_count = int(count * users_share)
    if not 0 < held_count < count:
        raise SplitError(
            f"of {count} users a share of {users_share:g} holds out {held_count}: that leaves nobody to "
            f"{'train on' if held_count else 'ask'}; give more users or another share"
        )
    rng = np.random.default_rng(seed)
    order = rng.permutation(count)
    held, rest = order[:held_count], order[held_count:]
    wanted = np.zeros(matrix.nnz, bool)
    for start, end in zip(matrix.indptr[held], matrix.indptr[held + 1], strict=True):
        places = start + np.argsort(matrix.indices[start:end], kind="stable")
        rng.shuffle(places)
        wanted[places[: max(1, int(len(places) * items_share))]] = True
    return _split(matrix, timestamps, wanted, held[np.diff(matrix.indptr)[held] > 0], rest)


def leave_one_out(matrix: csr_matrix, seed: int, *, timestamps: Timestamps | None = None) -> Split:
    """The last item of each user is to be found given the others, all of which are trained on.

    Without timestamps, and among items of the same time, it is drawn at random. Users with one item are trained on
    and not asked.

    Raises:
        SplitError: no user has two items.
    """
    lengths = np.diff(matrix.indptr)
    asked = np.flatnonzero(lengths > 1)
    if not len(asked):
        raise SplitError(f"none of {matrix.shape[0]} users has two items: there is none to leave out")
    times = np.zeros(matrix.nnz, np.int64) if timestamps is None else timestamps
    draws = np.random.default_rng(seed).random(matrix.nnz)
    order = np.lexsort((draws, times, np.repeat(np.arange(matrix.shape[0]), lengths)))
    wanted = np.zeros(matrix.nnz, bool)
    wanted[order[matrix.indptr[asked + 1] - 1]] = True
    return _split(matrix, timestamps, wanted, asked, np.arange(matrix.shape[0]))


def split_by_time(
    matrix: csr_matrix, timestamps: Timestamps | None, *, cut: int | None = None, share: float = 0.2
) -> Split:
    """What a user does from one moment on is to be found given what came before, on which alone is trained.

    Wanted items that nobody had before the cut stay wanted, though a recommender that learns from users alone cannot
    find them.

    Args:
        cut: the first timestamp that is to be found; by default one that leaves about `share` of the interactions,
            and no less, to be found.

    Raises:
        SplitError: there are no timestamps, or no user has items both before the cut and from then on.
    """
    if timestamps is None:
        raise SplitError("the interactions have no timestamps to split by; choose another split")
    moment = int(np.quantile(timestamps, 1 - share, method="lower")) if cut is None else cut
    after = timestamps >= moment
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    counts_after = np.bincount(rows[after], minlength=matrix.shape[0])
    counts_before = np.bincount(rows[~after], minlength=matrix.shape[0])
    asked = np.flatnonzero((counts_before > 0) & (counts_after > 0))
    if not len(asked):
        raise SplitError(f"no user has items both before timestamp {moment} and from then on; choose another cut")
    return _split(matrix, timestamps, after, asked, np.flatnonzero(counts_before))


def _split(
    matrix: csr_matrix,
    timestamps: Timestamps | None,
    wanted: NDArray[np.bool_],
    asked: NDArray[np.int64],
    trained: NDArray[np.int64],
) -> Split:
    train, train_timestamps = _part(matrix, timestamps, ~wanted, trained)
    given, given_timestamps = _part(matrix, timestamps, ~wanted, asked)
    found, _ = _part(matrix, None, wanted, asked)
    skipped = len(np.setdiff1d(np.arange(matrix.shape[0]), np.concatenate([asked, trained])))
    return Split(train, given, found, asked, train_timestamps, given_timestamps, skipped)


def _part(
    matrix: csr_matrix, timestamps: Timestamps | None, mask: NDArray[np.bool_], rows: NDArray[np.int64]
) -> tuple[csr_matrix, Timestamps | None]:
    """The interactions in `mask` of the users in `rows`, in that order, and their timestamps."""
    indptr = np.concatenate([[0], np.cumsum(mask)])[matrix.indptr]
    places = csr_matrix((np.flatnonzero(mask), matrix.indices[mask], indptr), matrix.shape)[rows]
    part = csr_matrix((matrix.data[places.data], places.indices, places.indptr), places.shape)
    return part, None if timestamps is None else timestamps[places.data]
