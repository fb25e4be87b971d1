import pytest

from benchmarks.environments import HERE, Environment, UnusableEnvironmentError


def test_a_process_gets_text_and_gives_what_it_prints():
    assert HERE.run("-c", "print(input()[::-1])", text="abc") == "cba\n"


def test_the_project_is_that_of_the_checkout_on_one_thread():
    code = "import os, benchmarks; print(os.environ['OMP_NUM_THREADS'], benchmarks.__path__[0])"
    threads, folder = HERE.run("-c", code).split()
    assert threads == "1"
    assert folder.endswith("benchmarks")


def test_a_failure_tells_its_last_line_and_how_to_make_the_environment():
    with pytest.raises(UnusableEnvironmentError, match=r"status 1 \(ValueError: too sweet\); make .* with `make`"):
        HERE.run("-c", "raise ValueError('too sweet')")


def test_a_missing_environment_is_named(tmp_path):
    with pytest.raises(UnusableEnvironmentError, match=r"none: there is no such environment; make it with `make x`"):
        Environment("none", tmp_path / "none", "make x").check()
