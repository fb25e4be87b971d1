from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from scipy.sparse import csr_matrix

from tests import tastes
from training.by_interactions import batches as preference_batches
from training.by_interactions.ease import compute_start
from training.by_interactions.model import make_sparse_tensor
from training.by_interactions.scorer import InteractionScorer
from training.by_interactions.settings import InteractionSettings
from training.by_interactions.trainer import InteractionTrainer, weigh_targets
from training.errors import SettingsError, TrainingError
from training.evaluation.ranking import PopularityScorer, evaluate
from training.evaluation.splits import hold_out_users

SETTINGS = InteractionSettings(dims=8, epochs=6, batch=128)


@pytest.fixture(scope="module")
def matrix():
    return tastes.clustered()


@pytest.fixture(scope="module")
def split(matrix):
    return hold_out_users(matrix, 0)


@pytest.fixture(scope="module")
def kinds():
    cluster = tastes.clusters_of(120)
    return csr_matrix((np.ones(120, np.float32), (np.arange(120), cluster)))


def ndcg(scorer, split):
    return evaluate(scorer, split).users.ndcg.mean()


def test_what_is_learned_is_far_better_than_popularity(split):
    fitted = InteractionTrainer(split.train, SETTINGS).run(progress=False)
    popularity = ndcg(PopularityScorer(split.train), split)
    assert ndcg(fitted.scorer, split) > 1.5 * popularity
    assert ndcg(fitted.scorer.in_8_bits(), split) > 0.97 * ndcg(fitted.scorer, split)
    assert len(fitted.history) == SETTINGS.epochs
    assert fitted.history[fitted.best_epoch - 1].ndcg == max(epoch.ndcg for epoch in fitted.history)
    assert fitted.table.shape == (120, 8)
    assert fitted.values.shape == (0, 8)


def test_the_same_seed_gives_the_same_table_and_another_does_not(matrix):
    first, again = (InteractionTrainer(matrix, SETTINGS).run(progress=False) for _ in range(2))
    other = InteractionTrainer(matrix, replace(SETTINGS, seed=1)).run(progress=False)
    np.testing.assert_array_equal(first.table, again.table)
    np.testing.assert_array_equal(first.preference.bias, again.preference.bias)
    assert np.abs(first.table - other.table).max() > 0.01


@pytest.mark.parametrize("most", [30_000, 10])
def test_a_resumed_run_equals_an_undisturbed_one(matrix, kinds, tmp_path, monkeypatch, most):
    monkeypatch.setattr(preference_batches, "MOST_SOFTMAX_ITEMS", most)
    settings = replace(SETTINGS, negatives=20)
    undisturbed = InteractionTrainer(matrix, settings, attributes=kinds).run(progress=False)
    stopped = InteractionTrainer(matrix, settings, attributes=kinds)
    epochs = stopped.train_epoch

    def killed_in_the_sixth(epoch):
        if epoch == 5:
            raise KeyboardInterrupt
        return epochs(epoch)

    stopped.train_epoch = killed_in_the_sixth
    with pytest.raises(KeyboardInterrupt):
        stopped.run(tmp_path / "c.npz", progress=False)
    resumed = InteractionTrainer(matrix, settings, attributes=kinds)
    resumed.restore(tmp_path / "c.npz")
    assert resumed.progress.epochs_done == 5
    finished = resumed.run(progress=False)
    np.testing.assert_array_equal(finished.table, undisturbed.table)
    assert finished.history == undisturbed.history


def test_a_checkpoint_of_other_settings_or_data_is_refused(matrix, tmp_path):
    InteractionTrainer(matrix, replace(SETTINGS, epochs=1)).run(tmp_path / "c.npz", progress=False)
    with pytest.raises(TrainingError, match="other settings"):
        InteractionTrainer(matrix, SETTINGS).restore(tmp_path / "c.npz")
    with pytest.raises(TrainingError, match="other data"):
        InteractionTrainer(matrix[:-1], replace(SETTINGS, epochs=1)).restore(tmp_path / "c.npz")


def test_the_loss_is_that_computed_in_numpy(matrix):
    settings = replace(SETTINGS, learning_rate=1e-6, validation=False, epochs=1, dropout=0.3, teacher=0.3)
    trainer = InteractionTrainer(matrix, settings)
    batch = trainer.batches.of(np.arange(50), np.random.default_rng(0))
    seen, wanted = tf.sparse.to_dense(batch.favorites).numpy(), tf.sparse.to_dense(batch.wanted).numpy()
    np.testing.assert_array_equal(seen + wanted, matrix[:50].toarray())
    assert 0.2 < wanted.sum() / matrix[:50].sum() < 0.4
    preference = trainer.result().preference
    logits = InteractionScorer(trainer.model.rows().numpy(), preference).scores(csr_matrix(seen))
    taught = matrix[:50] @ compute_start(matrix, settings).teacher * settings.sharpness

    def softmax(scores):
        left = np.where(seen > 0, 0, np.exp(scores))
        return left / left.sum(axis=1, keepdims=True)

    many = wanted.sum(axis=1)
    target = 0.7 * wanted / np.maximum(many, 1)[:, None] + 0.3 * softmax(taught)
    each = -(target * np.log(np.where(seen > 0, 1, softmax(logits)))).sum(axis=1)
    assert float(trainer.step(batch)) == pytest.approx((each * many).sum() / many.sum(), rel=1e-4)


def test_a_sample_of_all_items_gives_the_loss_of_all(matrix, kinds, monkeypatch):
    settings = replace(SETTINGS, teacher=0.0, l2=0.0, own_l2=0.0, negatives=120)

    def losses():
        trainer = InteractionTrainer(matrix, settings, attributes=kinds)
        batches = (trainer.batches.of(np.arange(i, i + 50), np.random.default_rng(i)) for i in range(0, 300, 50))
        return [float(trainer.step(batch)) for batch in batches]

    whole = losses()
    monkeypatch.setattr(preference_batches, "MOST_SOFTMAX_ITEMS", 10)
    np.testing.assert_allclose(losses(), whole, rtol=1e-3)


def test_a_sample_of_half_the_items_gives_nearly_the_loss_of_all(matrix, monkeypatch):
    settings = replace(SETTINGS, teacher=0.0, learning_rate=1e-6, negatives=40, validation=False)

    def losses():
        trainer = InteractionTrainer(matrix, settings)
        users = np.random.default_rng(0).integers(0, matrix.shape[0], (200, 8))
        return [float(trainer.step(trainer.batches.of(u, np.random.default_rng(i)))) for i, u in enumerate(users)]

    whole = losses()
    monkeypatch.setattr(preference_batches, "MOST_SOFTMAX_ITEMS", 10)
    sampled = losses()
    assert np.std(np.subtract(sampled, whole)) > 0.01
    assert np.mean(sampled) == pytest.approx(np.mean(whole), abs=0.03)


def test_a_sample_of_few_items_learns_nearly_as_much(split, monkeypatch):
    settings = replace(SETTINGS, teacher=0.0, negatives=10, batch=32)
    whole = InteractionTrainer(split.train, settings).run(progress=False)
    monkeypatch.setattr(preference_batches, "MOST_SOFTMAX_ITEMS", 10)
    sampled = InteractionTrainer(split.train, settings).run(progress=False)
    assert ndcg(sampled.scorer, split) > 0.95 * ndcg(whole.scorer, split)


def test_after_rounding_the_model_scores_as_8_bits_do(matrix):
    trainer = InteractionTrainer(matrix, SETTINGS)
    given = csr_matrix(matrix[:20])
    untrained = trainer.result()
    rows, favorites = trainer.model.rows(), make_sparse_tensor(given)
    exact = trainer.model(favorites, rows=rows).numpy()
    np.testing.assert_allclose(exact, untrained.scorer.scores(given), atol=1e-4)
    trainer.model.round_from_now()
    in_8_bits = trainer.model(favorites, rows=rows).numpy()
    expected = untrained.scorer.in_8_bits().scores(given)
    np.testing.assert_allclose(in_8_bits, expected, atol=1e-4)
    assert np.abs(in_8_bits - exact).max() > 1e-3


def test_new_items_are_found_by_their_attributes(matrix, kinds):
    new = np.arange(120) >= 96
    known = csr_matrix(matrix[:, ~new])
    fitted = InteractionTrainer(known, SETTINGS, attributes=kinds[~new]).run(progress=False)
    placed = kinds[new] @ fitted.values
    signs = np.where(np.arange(8) < 8 - fitted.preference.negative_columns, 1, -1)
    scores = (known @ fitted.table * signs) @ placed.T
    liked = matrix[:, new].toarray() > 0
    users = liked.any(axis=1)
    better = (scores[users][..., None] > scores[users][:, None]).mean(axis=2)
    assert better[liked[users]].mean() > better[~liked[users]].mean() + 0.2


def test_attributes_help_rare_items(matrix, kinds):
    rng = np.random.default_rng(0)
    rare = np.arange(120) >= 60
    dense = matrix.toarray()
    dense[:600, rare] *= rng.random((600, 60)) < 0.1
    train, asked = csr_matrix(dense[:600]), dense[600:]
    wanted = np.where(rare, asked, 0)
    users = wanted.any(axis=1) & ~wanted.all(axis=1)

    def rank_of_rare(attributes):
        fitted = InteractionTrainer(train, SETTINGS, attributes=attributes).run(progress=False)
        scores = fitted.scorer.scores(csr_matrix(np.where(rare, 0, asked)[users]))[:, rare]
        return (scores.argsort(axis=1).argsort(axis=1) / 59)[wanted[users][:, rare] > 0].mean()

    assert rank_of_rare(kinds) > rank_of_rare(None) + 0.02


def test_targets_count_by_age_and_weight():
    matrix = csr_matrix(np.array([[1.0, 0, 3.0], [0, 7.0, 0]], np.float32))
    day = 86_400
    np.testing.assert_array_equal(weigh_targets(matrix, SETTINGS, None).toarray(), [[1, 0, 1], [0, 1, 0]])
    aged = weigh_targets(matrix, replace(SETTINGS, half_life=2.0), np.array([0, 4, 2]) * day)
    np.testing.assert_allclose(aged.toarray(), [[0.25, 0, 1], [0, 0.5, 0]])
    heavy = weigh_targets(matrix, replace(SETTINGS, weights="log"), None)
    np.testing.assert_allclose(heavy.toarray(), np.log1p(matrix.toarray()))
    with pytest.raises(SettingsError, match="needs timestamps"):
        weigh_targets(matrix, replace(SETTINGS, half_life=2.0), None)


def test_fewer_users_than_can_be_held_out_still_train(matrix):
    fitted = InteractionTrainer(csr_matrix(matrix[:15]), replace(SETTINGS, epochs=2)).run(progress=False)
    assert fitted.best_epoch == 2
    assert np.isnan(fitted.history[-1].ndcg)
    unvalidated = InteractionTrainer(matrix, replace(SETTINGS, validation=False))
    assert unvalidated.held_out is None
    assert unvalidated.batches.targets.shape == matrix.shape


def test_held_out_users_are_not_trained_on(matrix):
    trainer = InteractionTrainer(matrix, SETTINGS)
    assert len(trainer.held_out.users) == 45
    rest = np.setdiff1d(np.arange(900), trainer.held_out.users)
    assert trainer.batches.targets.nnz == matrix[rest].nnz
