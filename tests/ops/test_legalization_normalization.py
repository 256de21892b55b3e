from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from legality import ALL, applied, assert_same, kinds, legal, net_of, normal, refusal, without

from torch2om.ir.op import Array, Op, Shape
from torch2om.layers import (
    LRN,
    MVN,
    BatchNorm,
    Bias,
    Convolution,
    Eltwise,
    Im2col,
    Normalize,
    NormRegion,
    Power,
    Reduction,
    Scale,
    Standardize,
)
from torch2om.targets import TARGETS

IMAGE: Shape = (2, 4, 5, 6)

STANDARDIZED: tuple[tuple[Shape, tuple[int, ...]], ...] = (
    (IMAGE, (2, 3)),
    (IMAGE, (3,)),
    (IMAGE, (1, 2, 3)),
    (IMAGE, (1,)),
    (IMAGE, (0, 2, 3)),
    (IMAGE, (-3, -1)),
    (IMAGE, (0, 1, 2, 3)),
    ((2, 5, 6), (2,)),
    ((3, 6), (1,)),
    ((3, 6), (0,)),
    ((4,), (0,)),
    ((1, 1, 4), (1,)),
    ((2, 3, 2, 2, 3), (2, 3, 4)),
    ((2, 3, 2, 2, 3, 2), (1, 3, 5)),
)


@pytest.mark.parametrize("target", ALL)
@pytest.mark.parametrize("op", [Standardize((0,), 1e-5), Standardize((0,), 1e-5, center=False)], ids=str)
@pytest.mark.parametrize(("shape", "axes"), STANDARDIZED, ids=str)
def test_any_dims_are_standardized_on_every_target(
    shape: Shape, axes: tuple[int, ...], op: Standardize, target: str
) -> None:
    net = net_of(replace(op, axes=axes), (shape,))
    if TARGETS[target].most_dims and len(shape) > TARGETS[target].most_dims:
        assert "a blob has 1 to 4 dims" in refusal(net, target)
    else:
        assert_same(net, target, (2 + 3 * normal(*shape),))


@pytest.mark.parametrize("target", ALL)
def test_values_far_from_zero_keep_their_differences(target: str) -> None:
    net = net_of(Standardize((2, 3), 1e-5), (IMAGE,))
    assert_same(net, target, (np.round(1000 + 8 * normal(*IMAGE)),))


@pytest.mark.parametrize("target", ALL)
def test_equal_values_become_zero(target: str) -> None:
    net = net_of(Standardize((1,), 1e-5), ((2, 8),))
    assert_same(net, target, (np.full((2, 8), 3.0),))


def test_rows_are_standardized_by_reductions_where_there_is_no_mvn() -> None:
    net = net_of(Standardize((2,), 1e-5), ((2, 5, 6),))
    made = assert_same(net, without("caffe", MVN), (normal(2, 5, 6),))
    assert kinds(made) == ["Reshape", "Reduction", "Bias", "Reduction", "Power", "Scale", "Reshape"]


def test_an_image_is_standardized_by_pooling_where_there_is_no_reduction() -> None:
    net = net_of(Standardize((2, 3), 1e-5), (IMAGE,))
    made = assert_same(net, without("ascend310", MVN, Reduction), (normal(*IMAGE),))
    assert "Pooling" in kinds(made)


def test_dims_in_the_middle_are_standardized_in_their_place_where_nothing_permutes() -> None:
    line = (2, 4, 30)
    net = net_of(Standardize((1,), 1e-5), (line,))
    made = assert_same(net, without("caffe", Im2col, Convolution), (normal(*line),))
    assert "standardize_by_means" in applied(made)
    assert "standardize_after_permuting" in applied(legal(net, "caffe"))


@pytest.mark.parametrize("target", ALL)
def test_channels_of_one_image_are_standardized_where_they_lie(target: str) -> None:
    image = (1, 4, 5, 6)
    made = assert_same(net_of(Standardize((1,), 1e-5), (image,)), target, (normal(*image),))
    assert "standardize_channels" in applied(made)
    assert not {"Permute", "Im2col"}.intersection(kinds(made))


def test_an_eps_of_zero_is_one_mvn() -> None:
    made = assert_same(net_of(Standardize((2, 3), 0.0), (IMAGE,)), "caffe", (normal(*IMAGE),))
    assert kinds(made) == ["MVN"]


def test_an_mvn_that_divides_is_never_taken_for_another_eps() -> None:
    made = legal(net_of(Standardize((2, 3), 1e-5), (IMAGE,)), "ascend310")
    (centred,) = [layer.op for layer in made.layers if isinstance(layer.op, MVN)]
    assert not centred.normalize_variance


def test_a_standardization_is_refused_with_what_each_form_lacks() -> None:
    text = refusal(net_of(Standardize((1,), 1e-5, center=False), ((2, 5, 6),)), without("caffe", Power))
    assert "standardize_rows: dims [1] of [2, 5, 6] are not the last" in text
    assert "standardize_after_mvn: MVN always takes the mean away" in text
    assert "standardize_by_means: needs Power(" in text
    assert "standardize_after_permuting: needs Standardize(" in text


def test_dims_that_are_the_last_are_not_permuted() -> None:
    text = refusal(net_of(Standardize((2,), 1e-5), ((2, 5, 6),)), without("caffe", Power))
    assert "standardize_after_permuting: the dims are the last already" in text


SCALES: dict[str, tuple[Op, Shape, tuple[Array, ...]]] = {
    "batch norm of the batch": (BatchNorm(use_global_stats=False), IMAGE, (normal(4), np.ones(4), np.ones(1))),
    "batch norm of rows": (BatchNorm(use_global_stats=False, eps=0.1), (3, 4), (normal(4), np.ones(4), np.ones(1))),
    "mvn": (MVN(), IMAGE, ()),
    "mvn across channels": (MVN(across_channels=True, eps=0.1), IMAGE, ()),
    "mvn of the mean": (MVN(normalize_variance=False), IMAGE, ()),
    "mvn of a matrix": (MVN(across_channels=True), (3, 4), ()),
    "normalize the sample": (Normalize(), IMAGE, (np.array(2.0),)),
    "normalize channels": (Normalize(across_spatial=False, channel_shared=False), IMAGE, (normal(4),)),
    "normalize rows": (Normalize(across_spatial=False), (3, 4), (np.array(2.0),)),
    "lrn": (LRN(5, 0.3, 0.6, 2.0), (2, 7, 3, 4), ()),
    "lrn wider than the channels": (LRN(9, 0.3), (2, 3, 3, 4), ()),
    "lrn of one": (LRN(1), (1, 3, 3, 4), ()),
    "lrn within a channel": (LRN(3, 0.3, 0.6, 2.0, NormRegion.WITHIN_CHANNEL), (2, 3, 5, 4), ()),
}


@pytest.mark.parametrize("target", ALL)
@pytest.mark.parametrize("name", SCALES)
def test_caffes_own_normalizations_are_written_out_where_they_are_missing(name: str, target: str) -> None:
    op, shape, weights = SCALES[name]
    net = net_of(op, (shape,), weights)
    made = assert_same(net, without(target, BatchNorm, LRN, MVN, Normalize), (1 + normal(*shape),))
    assert not {BatchNorm, LRN, MVN, Normalize} & {type(layer.op) for layer in made.layers}


def test_an_mvn_of_a_matrix_gets_the_dims_that_atc_asks_for() -> None:
    made = assert_same(net_of(MVN(), ((3, 4),)), "ascend310", (normal(3, 4),))
    assert kinds(made) == ["Reshape", "MVN"]


def test_stored_statistics_are_no_standardization() -> None:
    net = net_of(BatchNorm(), (IMAGE,), (normal(4), np.ones(4), np.ones(1)))
    assert "batch_norm_by_own_statistics: it takes stored statistics" in refusal(net, without("caffe", BatchNorm))


@pytest.mark.parametrize("name", ["mvn", "normalize channels", "lrn", "batch norm of the batch"])
def test_caffes_own_normalizations_are_refused_with_the_layer_that_they_need(name: str) -> None:
    op, shape, weights = SCALES[name]
    poor = without("caffe", BatchNorm, LRN, MVN, Normalize, Power, Scale, Bias, Eltwise)
    assert "needs " in refusal(net_of(op, (shape,), weights), poor)


def test_an_mvn_of_an_image_has_its_dims_already() -> None:
    text = refusal(net_of(MVN(), (IMAGE,)), replace(TARGETS["caffe"], accepts={}))
    assert "mvn_of_image: x has 4 dims already" in text
