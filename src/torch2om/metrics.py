"""How far two arrays of the same shape are apart: the metrics of Ascend's comparison tools, and their thresholds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from torch2om.ir.op import Shape, elements

Numbers = npt.NDArray[Any]  # Any: real numbers of any dtype
Doubles = npt.NDArray[np.float64]

FEW = 5  # the classes of a top-5 agreement


@dataclass(frozen=True, slots=True)
class Measures:
    """x against y, flattened and in float64, under the names that msaccucmp's and msquickcmp's tables have for them.

    Relative errors leave out the elements where y is 0. `kl` and the agreements are None unless y is rows of scores.
    """

    cosine: float
    max_absolute: float
    mean_absolute: float
    root_mean_square: float
    relative_euclidean: float
    accumulated_relative: float
    max_relative: float
    mean_relative: float
    kl: float | None
    top1: float | None
    top5: float | None


def measures(x: Numbers, y: Numbers) -> Measures:
    """Return all metrics of x against the expected y, which must have the same number of elements."""
    value, expected = np.ravel(x).astype(np.float64), np.ravel(y).astype(np.float64)
    rows = scores(y.shape)
    with np.errstate(all="ignore"):
        error = np.abs(value - expected)
        relative = error[expected != 0] / np.abs(expected[expected != 0])
        norm = np.linalg.norm(expected)
        return Measures(
            cosine=cosine(value, expected),
            max_absolute=float(error.max(initial=0.0)),
            mean_absolute=float(error.mean()),
            root_mean_square=float(np.sqrt(np.mean(error**2))),
            relative_euclidean=float(np.linalg.norm(error) / norm) if norm else float(np.linalg.norm(error)),
            accumulated_relative=float(relative.sum()),
            max_relative=float(relative.max(initial=0.0)),
            mean_relative=float(relative.mean()) if relative.size else 0.0,
            kl=None if rows is None else _divergence(value.reshape(rows), expected.reshape(rows)),
            top1=None if rows is None else _agreement(value.reshape(rows), expected.reshape(rows), 1),
            top5=None
            if rows is None or rows[1] <= FEW
            else _agreement(value.reshape(rows), expected.reshape(rows), FEW),
        )


def cosine(value: Numbers, expected: Numbers) -> float:
    """<value, expected> / (|value| |expected|), in float64; 1 if both are zero, NaN for different shapes."""
    if value.shape != expected.shape:
        return float("nan")
    left, right = value.astype(np.float64).ravel(), expected.astype(np.float64).ravel()
    norms = np.linalg.norm(left) * np.linalg.norm(right)
    return float(left @ right / norms) if norms > 0 else float(np.array_equal(left, right))


def scores(shape: Shape) -> tuple[int, int] | None:
    """Return (rows, classes) where the blob is one row of scores per image: (N, C), (N, C, 1, 1); else None."""
    if len(shape) < 2 or shape[1] < 2 or elements(shape[2:]) != 1:
        return None
    return shape[0], shape[1]


def _divergence(x: Doubles, y: Doubles) -> float:
    """Mean over rows of sum p log(p / q), where p, q are the rows of y, x as shares.

    Rows without a negative number are divided by their sum; others are taken for logits, and softmax makes shares.
    """
    as_logits = bool((x < 0).any() or (y < 0).any())
    p, q = _shares(y, as_logits), _shares(x, as_logits)
    terms = np.where(p > 0, p * np.log(p / q), 0.0)
    return float(terms.sum(axis=1).mean())


def _shares(rows: Doubles, as_logits: bool) -> Doubles:
    powers = np.exp(rows - rows.max(axis=1, keepdims=True)) if as_logits else rows
    shares: Doubles = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _agreement(x: Doubles, y: Doubles, count: int) -> float:
    """Return the share of the rows' `count` best classes of y that are among the best of x."""
    best = [np.argsort(-rows, axis=1, kind="stable")[:, :count] for rows in (x, y)]
    return float(np.mean([len(np.intersect1d(a, b)) / count for a, b in zip(*best, strict=True)]))


class Verdict(StrEnum):
    """What a comparison comes to."""

    PASS = "pass"  # noqa: S105 - not a password
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Threshold:
    """A metric below `least` or above `most` earns the verdict; `source` says who draws the line there."""

    metric: str
    verdict: Verdict
    source: str
    least: float | None = None
    most: float | None = None

    def crossed(self, found: Measures) -> bool:
        """Whether the measure is on the wrong side (NaN is); a metric that the blob does not have is not."""
        value = getattr(found, self.metric)
        if value is None:
            return False
        return not (value >= self.least if self.least is not None else value <= self.most)

    def sentence(self, found: Measures) -> str:
        """Return `cosine 0.87 is below 0.9 (msquickcmp: ...)`."""
        wrong = f"below {self.least:g}" if self.least is not None else f"above {self.most:g}"
        return f"{self.metric} {getattr(found, self.metric):.4g} is {wrong} ({self.source})"


# Absolute errors are lines of others that know no scale: they warn, and whoever looks at large numbers may ignore them.
THRESHOLDS = (
    Threshold(
        "cosine", Verdict.FAIL, "msquickcmp reports the first operator below; ptdbg calls it an error", least=0.9
    ),
    Threshold("cosine", Verdict.WARN, "msit's compare analyser; ptdbg passes above", least=0.99),
    Threshold("relative_euclidean", Verdict.WARN, "msit's compare analyser", most=0.05),
    Threshold("kl", Verdict.WARN, "msit's compare analyser", most=0.005),
    Threshold("root_mean_square", Verdict.WARN, "msit's compare analyser; an absolute error", most=1.0),
    Threshold("mean_relative", Verdict.WARN, "msit's compare analyser", most=1.0),
    Threshold("max_absolute", Verdict.WARN, "ptdbg; an absolute error", most=1.0),
    Threshold("top1", Verdict.WARN, "the answer for an image changes", least=1.0),
)


def crossed(found: Measures) -> Iterator[Threshold]:
    """Yield the thresholds that the measures cross; of several of one metric the gravest alone."""
    seen = set[str]()
    for threshold in THRESHOLDS:
        if threshold.metric not in seen and threshold.crossed(found):
            seen.add(threshold.metric)
            yield threshold


def verdict_of(found: Measures) -> Verdict:
    """Return the gravest verdict of the thresholds that are crossed."""
    return gravest(threshold.verdict for threshold in crossed(found))


def gravest(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the gravest of the verdicts; pass if there is none."""
    given = set(verdicts)
    return next((verdict for verdict in (Verdict.FAIL, Verdict.WARN) if verdict in given), Verdict.PASS)
