import numpy as np
import pytest
from scipy.sparse import csr_matrix

from benchmarks.recommenders import held_out_items as new_items
from benchmarks.recommenders.held_out_items import Among, Case
from tests import tastes
from training.evaluation.ranking import evaluate
from training.evaluation.splits import Split


class Fixed:
    def scores(self, given):
        return np.tile(np.array([3.0, 2.0, 1.0, 0.0], np.float32), (given.shape[0], 1))


def test_only_the_items_asked_for_are_ranked():
    items = np.array([False, True, False, True])
    scores = Among(Fixed(), items).scores(csr_matrix((2, 4), dtype=np.float32))
    np.testing.assert_array_equal(scores, [[-np.inf, 2, -np.inf, 0]] * 2)


def test_new_items_are_wanted_and_not_given():
    one = csr_matrix(np.array([[1, 1, 0, 0]], np.float32))
    case = Case(Split(one, one, csr_matrix(np.array([[0, 0, 1, 0]], np.float32)), np.array([0])), np.arange(4) == 1)
    asked = []

    class Asked(Fixed):
        def scores(self, given):
            asked.append(given.toarray().tolist())
            return super().scores(given)

    assert case.recall_of_new(Asked()) == 1
    assert asked == [[[1, 0, 0, 0]]]
    assert evaluate(Fixed(), case.split).users.recall.tolist() == [1]


def test_the_command_finds_that_attributes_place_new_items(tmp_path, capsys):
    log = tastes.write_log(tastes.clustered(1500, 240), tmp_path / "log.csv")
    catalog = tastes.write_catalog(240, tmp_path / "c.csv")
    assert new_items.main([str(log), str(catalog), "--dims", "8", "--splits", "1"]) == 0
    rows = {line[:40].strip(): line.split()[-4:] for line in capsys.readouterr().out.splitlines()[2:]}
    alone, joined = (
        next([float(x) for x in values] for name, values in rows.items() if text in name)
        for text in ("likes alone", "likes and attributes")
    )
    assert joined[0] > 0.9 * alone[0]
    assert joined[3] > 1.3 * alone[3]  # the latter is chance
    assert new_items.main([str(tmp_path / "none.csv"), str(catalog)]) == 2
    assert "cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["id,name\n1,A\n"])
def test_a_catalog_without_attributes_is_an_error(tmp_path, capsys, text):
    (tmp_path / "c.csv").write_text(text)
    assert new_items.main([str(tmp_path / "log.csv"), str(tmp_path / "c.csv")]) == 2
    assert "no item has an attribute" in capsys.readouterr().err
