"""The metrics of a comparison, against their definitions, and what the thresholds make of them."""

from __future__ import annotations

import numpy as np
import pytest

from torch2om.metrics import (
    BLOCK,
    THRESHOLDS,
    Distance,
    Expected,
    Threshold,
    Verdict,
    cosine,
    crossed,
    gravest,
    measures,
    scores,
    verdict_of,
)

Y = np.array([[1.0, 2.0, 0.0, 4.0]])
X = np.array([[1.5, 2.0, 1.0, 3.0]], np.float32)


def test_each_metric_is_its_definition() -> None:
    found = measures(X, Y)
    assert found.cosine == pytest.approx(17.5 / np.sqrt(21 * 16.25))
    assert found.max_absolute == 1.0
    assert found.mean_absolute == pytest.approx(2.5 / 4)
    assert found.root_mean_square == pytest.approx(np.sqrt(2.25 / 4))
    assert found.relative_euclidean == pytest.approx(np.sqrt(2.25 / 21))
    assert found.accumulated_relative == pytest.approx(0.5 + 0 + 0.25)
    assert found.max_relative == pytest.approx(0.5)
    assert found.mean_relative == pytest.approx(0.75 / 3)
    p, q = Y[0] / 7, X[0] / 7.5
    assert found.kl == pytest.approx(sum(a * np.log(a / b) for a, b in zip(p, q, strict=True) if a))
    assert found.top1 == 1.0
    assert found.top5 is None


def test_equal_arrays_are_perfect() -> None:
    found = measures(Y, Y)
    assert found.cosine == pytest.approx(1.0)
    assert found.kl == 0.0
    assert found.top1 == 1.0
    assert found.max_absolute == found.relative_euclidean == found.mean_relative == 0.0
    assert verdict_of(found) is Verdict.PASS


def test_logits_are_compared_as_softmax_makes_shares_of_them() -> None:
    logits = np.array([[-1.0, 2.0, 0.5]])
    assert measures(logits + 100, logits).kl == pytest.approx(0, abs=1e-12)  # softmax does not see a common shift
    shares = np.exp(logits) / np.exp(logits).sum()
    other = np.exp(-logits) / np.exp(-logits).sum()
    assert measures(-logits, logits).kl == pytest.approx(np.sum(shares * np.log(shares / other)))


def test_agreement_counts_rows_and_classes() -> None:
    best = np.array([[9.0, 8, 7, 6, 5, 0, 1, 2, 3], [0, 1, 2, 3, 4, 5, 6, 7, 8.0]])
    other = best.copy()
    other[1] = other[1][::-1]
    found = measures(other, best)
    assert found.top1 == 0.5
    assert found.top5 == pytest.approx((1 + 1 / 5) / 2)


@pytest.mark.parametrize(
    ("shape", "rows"),
    [((2, 7), (2, 7)), ((1, 7, 1, 1), (1, 7)), ((1, 7, 2, 1), None), ((7,), None), ((1, 1), None), ((), None)],
)
def test_rows_of_scores_are_told_from_images(shape: tuple[int, ...], rows: tuple[int, int] | None) -> None:
    assert scores(shape) == rows


def test_an_image_has_no_agreement() -> None:
    found = measures(np.ones((1, 3, 2, 2)), np.ones((1, 3, 2, 2)))
    assert (found.kl, found.top1, found.top5) == (None, None, None)
    assert verdict_of(found) is Verdict.PASS


def test_zeros_have_a_cosine_too() -> None:
    zeros = np.zeros(3)
    assert cosine(zeros, zeros) == 1.0
    assert cosine(zeros, np.ones(3)) == 0.0
    assert verdict_of(measures(zeros, np.ones(3))) is Verdict.FAIL
    assert measures(np.ones(3), zeros).relative_euclidean == pytest.approx(np.sqrt(3))


def test_the_distance_of_many_numbers_is_that_of_all_of_them() -> None:
    y = np.random.default_rng(0).standard_normal((3, BLOCK))
    x = (y.T * [1, 1, 1.5]).T.astype(np.float32)
    found = Expected(y).distance(x)
    assert found.error == pytest.approx(np.abs(x - y).max() / np.abs(y).max())
    assert found.cosine == pytest.approx(cosine(x, y))
    transposed = Expected(y.T).distance(x.T)
    assert (transposed.error, transposed.cosine) == pytest.approx((found.error, found.cosine))


def test_what_is_expected_to_be_zero_is_measured_as_it_is() -> None:
    zeros = Expected(np.zeros((2, 3)))
    assert zeros.distance(np.full((2, 3), 0.25)) == Distance(0.25, 0.0)
    assert zeros.distance(np.zeros((2, 3))) == Distance(0.0, 1.0)
    assert Expected(np.zeros((0, 3))).distance(np.zeros((0, 3))) == Distance(0.0, 1.0)


def test_other_dims_are_infinitely_far() -> None:
    found = Expected(np.ones((2, 3))).distance(np.ones((3, 2)))
    assert found.error == np.inf
    assert np.isnan(found.cosine)


@pytest.mark.parametrize("place", [0, 2 * BLOCK])
def test_a_number_that_is_none_is_an_error_wherever_it_stands(place: int) -> None:
    value = np.ones(3 * BLOCK)
    value[place] = np.nan
    assert np.isnan(Expected(np.ones(3 * BLOCK)).distance(value).error)
    assert not np.isfinite(Expected(value).scale)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_a_number_that_is_not_finite_fails(broken: float) -> None:
    found = measures(np.array([1.0, broken, 3.0]), np.array([1.0, 2.0, 3.0]))
    assert verdict_of(found) is Verdict.FAIL
    assert next(crossed(found)).metric == "cosine"


@pytest.mark.parametrize(
    ("angle", "verdict"),
    [(0.5, Verdict.FAIL), (0.2, Verdict.WARN), (0.01, Verdict.PASS)],
    ids=["0.88", "0.98", "0.9999"],
)
def test_the_cosine_decides(angle: float, verdict: Verdict) -> None:
    found = measures(np.array([np.cos(angle), np.sin(angle)]), np.array([1.0, 0.0]))
    assert verdict_of(found) is verdict


def test_another_answer_for_an_image_warns() -> None:
    found = measures(np.array([[1.0, 1.001]]), np.array([[1.001, 1.0]]))
    assert [threshold.metric for threshold in crossed(found)] == ["top1"]
    assert "top1 0 is below 1" in next(crossed(found)).sentence(found)


def test_every_threshold_names_its_source_and_one_side() -> None:
    assert all(threshold.source for threshold in THRESHOLDS)
    assert all((threshold.least is None) != (threshold.most is None) for threshold in THRESHOLDS)


def test_a_sentence_says_which_line_was_crossed_and_who_drew_it() -> None:
    found = measures(np.array([3.0]), np.array([1.0]))
    threshold = Threshold("max_absolute", Verdict.WARN, "somebody", most=1.0)
    assert threshold.sentence(found) == "max_absolute 2 is above 1 (somebody)"


def test_the_gravest_verdict_wins() -> None:
    assert gravest([]) is Verdict.PASS
    assert gravest([Verdict.PASS, Verdict.WARN]) is Verdict.WARN
    assert gravest([Verdict.WARN, Verdict.FAIL, Verdict.PASS]) is Verdict.FAIL
