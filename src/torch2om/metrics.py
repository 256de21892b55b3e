"""How far two arrays of the same shape are apart: the metrics of Ascend's comparison tools, and their thresholds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from torch2om.ir.op import Shape, elements

Numbers = npt.NDArray[Any]  # Any: real numbers of any dtype
Doubles = npt.NDArray[np.float64]

FEW = 5  # the classes of a top-5 agreement
BLOCK = 1 << 16  # numbers that are compared at a time


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


@dataclass(frozen=True, slots=True)
class Distance:
    """How far x is from the expected y: max|x - y| / max|y| (max|x - y| where y is 0), and the cosine."""

    error: float
    cosine: float


@dataclass(frozen=True, eq=False)
class Expected:
    """Values that several arrays are compared with: what every comparison needs of them is computed once."""

    values: Numbers

    @cached_property
    def scale(self) -> float:
        """max|y|; 0 of no elements, NaN or infinity if one of them is."""
        return float(np.max([0.0, *(np.abs(y).max() for (y,) in _blocks(self.values))]))

    @cached_property
    def norm(self) -> float:
        """The Euclidean norm."""
        return math.sqrt(sum(float(y @ y) for (y,) in _blocks(self.values)))

    def distance(self, value: Numbers) -> Distance:
        """Return how far a value is from this; infinity and NaN if the shapes differ."""
        if value.shape != self.values.shape:
            return Distance(math.inf, math.nan)
        product = square = 0.0
        errors = [0.0]
        for x, y in _blocks(value, self.values):
            product += float(x @ y)
            square += float(x @ x)
            errors.append(np.abs(x - y).max())
        error = float(np.max(errors))
        norms = math.sqrt(square) * self.norm
        return Distance(
            error / self.scale if self.scale > 0 else error, product / norms if norms > 0 else float(error == 0)
        )


def _blocks(*arrays: Numbers) -> Iterator[tuple[Doubles, ...]]:
    """Yield arrays of one shape, flattened and in float64, a block at a time: it stays in a core's cache.

    The order is that of the last array in memory, so that a permuted view is not copied.
    """
    order = sorted(range(arrays[-1].ndim), key=lambda axis: -abs(arrays[-1].strides[axis]))
    flat = [array.transpose(order).ravel() for array in arrays]
    for start in range(0, flat[0].size, BLOCK):
        yield tuple(array[start : start + BLOCK].astype(np.float64, copy=False) for array in flat)


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
