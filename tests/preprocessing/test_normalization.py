"""PyTorch's normalization as AIPP's constants: exact in real numbers, and refused where AIPP has no such constants."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from torch2om.errors import PreprocessingError, UsageError
from torch2om.preprocessing.normalization import NOTHING, PRESETS, Normalization, doubts, from_numbers

IMAGENET = PRESETS["imagenet"]


@pytest.mark.parametrize(
    ("normalization", "channels", "mean", "rest", "factor"),
    [
        (IMAGENET, 3, (123, 116, 103), (0.675, 0.28, 0.53), (0.0171247538, 0.0175070028, 0.0174291939)),
        (
            Normalization(IMAGENET.mean[::-1], IMAGENET.std[::-1]),
            3,
            (103, 116, 123),
            (0.53, 0.28, 0.675),
            (0.0174291939, 0.0175070028, 0.0171247538),
        ),
        (Normalization((0.5,), (0.5,)), 3, (127,) * 3, (0.5,) * 3, (0.0078431373,) * 3),
        (PRESETS["to-tensor"], 3, (0,) * 3, (0.0,) * 3, (0.0039215686,) * 3),
        (Normalization((104, 117, 123), divisor=1), 3, (104, 117, 123), (0.0,) * 3, (1.0,) * 3),
        (Normalization((0.1307,), (0.3081,)), 1, (33,), (0.3285,), (0.0127282331,)),
    ],
    ids=["imagenet", "imagenet-bgr", "half", "to-tensor", "caffe-mean", "mnist"],
)
def test_known_normalizations_have_the_constants_that_people_write(
    normalization: Normalization, channels: int, mean: tuple[int], rest: tuple[float], factor: tuple[float]
) -> None:
    found = normalization.constants(channels)
    assert found.mean == mean
    assert found.rest == pytest.approx(rest, abs=1e-9)
    assert found.factor == pytest.approx(factor, abs=5e-11)


means = st.floats(0, 2)
stds = st.floats(0.01, 20).flatmap(lambda value: st.sampled_from([value, -value]))


@given(st.lists(st.tuples(means, stds), min_size=3, max_size=3))
def test_the_constants_are_the_normalization_for_every_pixel_value(numbers: list[tuple[float, float]]) -> None:
    mean, std = zip(*numbers, strict=True)
    normalization = Normalization(mean, std)
    constants = normalization.constants(3)
    x = np.arange(256.0).reshape(1, 1, 16, 16).repeat(3, axis=1)
    whole, rest, factor = (np.reshape(of, (3, 1, 1)) for of in (constants.mean, constants.rest, constants.factor))
    assert np.allclose((x - whole - rest) * factor, normalization.applied(x), rtol=1e-12, atol=1e-9)
    assert (whole <= 255).all()
    assert (rest >= 0).all()


@given(st.lists(st.tuples(means, stds, means, stds), min_size=1, max_size=3))
def test_one_normalization_after_another_is_one(numbers: list[tuple[float, float, float, float]]) -> None:
    columns = [tuple(row[index] for row in numbers) for index in range(4)]
    first, second = Normalization(columns[0], columns[1]), Normalization(columns[2], columns[3], divisor=7.0)
    x = np.linspace(-5, 300, 2 * len(numbers) * 8).reshape(2, len(numbers), 4, 2)
    both = second.applied(first.applied(x))
    assert np.allclose(first.then(second).applied(x), both, rtol=1e-9, atol=1e-7)
    assert np.allclose(second.undone(both), first.applied(x), rtol=1e-9, atol=1e-7)


def test_numbers_are_read_as_people_write_them() -> None:
    assert from_numbers("mean=0.485,0.456,0.406,std=0.229,0.224,0.225") == IMAGENET
    assert from_numbers("std=.5,mean=.5") == Normalization((0.5,), (0.5,))
    assert from_numbers("mean=104,117,123,divisor=1") == Normalization((104, 117, 123), divisor=1)


@pytest.mark.parametrize(
    "text", ["", "imagenet2", "mean=", "mean=a,std=1", "mean=1,mean=2", "divisor=1,2", "0.5,0.5", "mean=1;std=2"]
)
def test_text_that_is_no_normalization_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="P811"):
        from_numbers(text)


@pytest.mark.parametrize(
    ("mean", "std", "divisor"),
    [((0.0,), (0.0,), 255), ((float("nan"),), (1.0,), 255), ((), (1.0,), 255), ((1, 2), (1, 2, 3), 1), ((0,), (1,), 0)],
)
def test_numbers_that_are_no_normalization_are_refused(
    mean: tuple[float, ...], std: tuple[float, ...], divisor: float
) -> None:
    with pytest.raises(UsageError, match="P811"):
        Normalization(mean, std, divisor)


@pytest.mark.parametrize(
    ("normalization", "reason"),
    [
        (Normalization((-0.1,)), "channel 0: the mean is -25.5 in pixels, and AIPP's means are not negative"),
        (Normalization((2.1,)), "the mean is 535.5 in pixels, and AIPP's go up to 510"),
        (Normalization(std=(1e3,)), "the factor is 3.92157e-06, and float16 holds 6.10352e-05 to 65504"),
        (Normalization(std=(1e-8,)), "the factor is 392157"),
    ],
)
def test_what_aipp_cannot_compute_is_refused(normalization: Normalization, reason: str) -> None:
    with pytest.raises(PreprocessingError, match=reason):
        normalization.constants(3)


def test_numbers_for_other_channels_are_refused() -> None:
    with pytest.raises(UsageError, match="numbers for 3 channels, the net's input has 1"):
        IMAGENET.constants(1)


@pytest.mark.parametrize(
    ("normalization", "doubtful"),
    [(IMAGENET, False), (NOTHING, False), (Normalization((0.5,), (0.2,), 1), True), (Normalization(std=(4.0,)), True)],
)
def test_factors_of_no_usual_net_are_warned_of(normalization: Normalization, doubtful: bool) -> None:
    assert [found.code for found in doubts(normalization)] == ["P823"] * doubtful
