"""OpenCV's fusion of layers: the pairs that it merges into one layer which computes something else.

Found by running 37 kinds of layers before 34 others with OpenCV 4.14, merged and apart. Lines are of
github.com/opencv/opencv, modules/dnn/src/layers; net_impl_fuse.cpp:73 merges a layer with its only reader.
"""

from __future__ import annotations

from torch2om.ir.op import elements
from torch2om.layers import (
    MVN,
    BatchNorm,
    Convolution,
    Deconvolution,
    Dropout,
    Eltwise,
    InnerProduct,
    Power,
    PReLU,
    Scale,
)
from torch2om.targets.limits import Fusion, Site

LAYERS = "OpenCV 4.14 modules/dnn/src/layers/"
MERGED = (BatchNorm, Power, Scale, Dropout)
IMAGE_RANK = 4


def _scales_other_axis(first: Site, second: Site) -> bool:
    """Whether the second is a Scale whose weights are neither one number nor one per channel."""
    op = second.layer.op
    if not isinstance(first.layer.op, Convolution | Deconvolution | BatchNorm) or not isinstance(op, Scale):
        return False
    if len(second.bottoms) != 1:
        return False
    gamma = second.layer.weight_shapes[0]
    ahead = (1,) * (op.axis % len(second.bottoms[0])) + gamma
    return elements(gamma) not in (1, elements(ahead[1:2]))


def _is_line(site: Site) -> bool:
    op = site.layer.op
    return isinstance(op, Power) and op.power == 1


def _has_channels(site: Site) -> bool:
    return isinstance(site.layer.op, BatchNorm | PReLU)


def _rows_by_channel(first: Site, second: Site) -> bool:
    deep = isinstance(first.layer.op, InnerProduct) and len(first.tops[0]) > 2
    return deep and _has_channels(second)


def _sums_by_channel(first: Site, second: Site) -> bool:
    flat = isinstance(first.layer.op, Eltwise) and len(first.tops[0]) < IMAGE_RANK
    return flat and _has_channels(second)


def _centred_values_scaled(first: Site, second: Site) -> bool:
    return isinstance(first.layer.op, MVN) and (_is_line(second) or isinstance(second.layer.op, BatchNorm))


def _power_scaled(first: Site, second: Site) -> bool:
    op = first.layer.op
    if not isinstance(op, Power) or op.power == 1 or op.shift != 0:
        return False
    return _is_line(second) or isinstance(second.layer.op, Scale | BatchNorm)


FUSIONS = (
    Fusion(
        "a Scale of another axis than the channels is taken as one of the channels, or refused",
        _scales_other_axis,
        LAYERS + "convolution_layer.cpp:180, :610, batch_norm_layer.cpp:122",
        through=MERGED,
    ),
    Fusion(
        "what stands after an InnerProduct of rows takes its channels from the last dim",
        _rows_by_channel,
        LAYERS + "fully_connected_layer.cpp:337",
    ),
    Fusion(
        "what stands after an Eltwise of fewer than 4 dims sees one channel",
        _sums_by_channel,
        LAYERS + "eltwise_layer.cpp:581",
    ),
    Fusion(
        "what scales an MVN without its variance is refused, or taken as one of samples",
        _centred_values_scaled,
        LAYERS + "mvn_layer.cpp:96",
    ),
    Fusion(
        "(s x)^p and a following a y + b become (s^p a x + b)^p",
        _power_scaled,
        LAYERS + "elementwise_layers.cpp:3050",
    ),
)
