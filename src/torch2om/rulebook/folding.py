"""Rewrites that fold layers into one another: where each applies, and where it does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from torch2om.ir.blob import Blob
from torch2om.ir.builder import Builder
from torch2om.ir.op import Op
from torch2om.ir.weight import constant
from torch2om.layers import (
    Arithmetic,
    ArithmeticKind,
    BatchNorm,
    Bias,
    Convolution,
    Eltwise,
    Flatten,
    HardSigmoid,
    HardSwish,
    InnerProduct,
    Pad,
    PadMode,
    Permute,
    Power,
    Reduce,
    ReduceKind,
    ReLU,
    Reshape,
    Scale,
    Softmax,
    Standardize,
)
from torch2om.rulebook.case import ALWAYS, Chain, Entry, chain

IMAGE = (2, 3, 4, 5)
NONE = (0, 0)
BEHIND, BEFORE = (0, 2, 3, 1), (0, 3, 1, 2)  # the channels moved behind the image, and back
CONVOLUTION = Convolution(3, (3, 3))
WIDE, NARROW = Convolution(4, (3, 3), pad=(1, 1)), Convolution(4, (1, 1))
DENSE = InnerProduct(6)


def _image(*ops: Op) -> Chain:
    return chain(IMAGE, *ops)


def _viewed(op: Op) -> Chain:
    """Return the op on a view of an InnerProduct's top with the same last dim."""
    return _image(InnerProduct(6, axis=3), Reshape((24, 6)), op)


def _behind(*ops: Op) -> Chain:
    """Return the ops behind an activation: what stands behind the input itself is left to AIPP."""
    return _image(ReLU(), *ops)


def _pads(rows: tuple[int, int], columns: tuple[int, int], mode: PadMode = PadMode.CONSTANT) -> Pad:
    return Pad((NONE, NONE, rows, columns), mode)


def _reduced_beside(b: Builder, x: Blob) -> Blob:
    """Return y * max(y, height and width) of y = x with its channels behind, and back."""
    y = b.add(Permute(BEHIND), x)
    largest = b.add(Reduce(ReduceKind.MAX, (1, 2), keepdim=True), y)
    return b.add(Permute(BEFORE), b.add(Arithmetic(ArithmeticKind.MUL), y, largest))


def _branches(*branches: tuple[Op, ...], straight: bool = False) -> Chain:
    """Return 1 * b(y) + 2 * c(y) + ... of the branches, and y itself if `straight`, of y = relu(x) with 4 channels."""

    def build(b: Builder, x: Blob) -> Blob:
        random = np.random.default_rng(7)
        y = b.add(ReLU(), x)
        made = [y] * straight
        for ops in branches:
            blob = y
            for op in ops:
                weights = (constant(random.standard_normal(shape)) for shape in op.expected_weights([blob.shape]))
                blob = b.add(op, blob, weights=tuple(weights))
            made.append(blob)
        return b.add(Eltwise(coeff=tuple(range(1, len(made) + 1))), *made)

    return Chain((2, 4, 6, 5), build)


ENTRIES: dict[str, Entry] = {
    "sum_of_convolutions_is_one": Entry(
        _branches((WIDE,), (NARROW,), (Scale(bias_term=True),), straight=True),
        _branches((WIDE,), (Convolution(4, (1, 1), group=2),)),
        (
            _branches((replace(WIDE, group=4),), (Convolution(4, (1, 3), pad=(0, 1), group=4, bias_term=False),)),
            _branches((WIDE, ReLU()), (WIDE,), (NARROW,)),
            _branches((replace(WIDE, stride=(2, 2)),), (Convolution(4, (2, 1), (2, 2), bias_term=False),)),
            _branches((replace(WIDE, bias_term=False, group=2),), straight=True),
        ),
    ),
    "batch_norm_is_scale": Entry(_image(BatchNorm()), _image(BatchNorm(use_global_stats=False))),
    "scale_into_linear": Entry(
        _image(CONVOLUTION, Scale(bias_term=True)), _image(CONVOLUTION, Scale(2)), (_viewed(Scale(bias_term=True)),)
    ),
    "bias_into_linear": Entry(_image(DENSE, Bias()), _image(CONVOLUTION, Bias(2)), (_viewed(Bias()),)),
    "affine_into_linear": Entry(
        _image(CONVOLUTION, Power(scale=2.0, shift=1.0)), _image(CONVOLUTION, Power(power=2.0, scale=2.0))
    ),
    "linear_after_hard_swish": Entry(
        _image(HardSwish(), CONVOLUTION), _image(HardSigmoid(), CONVOLUTION), (_image(HardSwish(), DENSE),)
    ),
    "hard_sigmoid_after_linear": Entry(
        _image(CONVOLUTION, HardSigmoid()),
        _image(ReLU(), HardSigmoid()),
        (_image(InnerProduct(6, bias_term=False), HardSigmoid()),),
    ),
    "bias_of_bias": Entry(
        _image(Bias(1, 3), Reshape((2, 1, 3, 20)), Bias(0, 4)),
        _image(Bias(1), Bias(2)),
        (_image(Bias(1), Bias(1)), _image(Bias(0, 4), Bias(2, 2)), _image(Bias(3), Reshape((24, 5)), Bias(0, 2))),
    ),
    "scale_of_scale": Entry(
        _image(Scale(bias_term=True), Scale()),
        _image(Scale(2), Scale()),
        (_image(Scale(1, 3, bias_term=True), Scale(1, 3)),),
    ),
    "affine_of_affine": Entry(
        _image(Power(scale=2.0, shift=1.0), Power(power=3.0, shift=0.5)), _image(Power(power=2.0), Power(scale=3.0))
    ),
    "pad_of_pad": Entry(
        _image(_pads((1, 1), NONE), _pads((0, 1), (2, 2))), _image(_pads((1, -1), NONE), _pads(NONE, (2, 2)))
    ),
    "pad_into_convolution": Entry(
        _image(_pads((1, 1), (2, 2)), CONVOLUTION), _image(_pads((1, 1), (2, 2), PadMode.REFLECT), CONVOLUTION)
    ),
    "reshape_of_reshape": Entry(_image(Reshape((6, 20)), Reshape((-1,))), _image(ReLU(), Reshape((6, 20)))),
    "inner_product_flattens": Entry(_image(Reshape((2, 60)), DENSE), _image(Reshape((6, 20)), DENSE)),
    "permute_of_permute": Entry(
        _image(Permute((0, 2, 1, 3)), Permute((0, 1, 3, 2))), _image(ReLU(), Permute((0, 1, 3, 2)))
    ),
    "permutes_across_reshape": Entry(
        _image(Permute(BEHIND), Reshape((2, 20, 3)), Permute((0, 2, 1))),
        _image(Permute(BEHIND), Reshape((2, 6, 10)), Permute((0, 2, 1))),
        (
            _image(Permute(BEHIND), Reshape((2, 2, 2, 15)), Permute((3, 0, 2, 1))),
            _image(Permute((1, 0, 2, 3)), Reshape((3, 2, 1, 20)), Permute((2, 1, 0, 3))),
        ),
    ),
    "permute_of_ones_is_reshape": Entry(chain((2, 3, 1, 1), Permute((0, 2, 3, 1))), _image(Permute((0, 2, 3, 1)))),
    "flatten_is_reshape": Entry(_image(Flatten()), ALWAYS),
    "inner_product_after_affine": Entry(
        _behind(Scale(bias_term=True), DENSE),
        _image(Scale(), DENSE),
        (
            _behind(Scale(2, 2), InnerProduct(6, transpose=True)),
            _behind(Bias(3), InnerProduct(6, axis=3)),
            _behind(Power(scale=2.0, shift=1.0), InnerProduct(6, bias_term=False)),
            _behind(Scale(3, bias_term=True), Permute((0, 2, 1, 3)), Reshape((2, 12, 5)), InnerProduct(6, axis=2)),
        ),
    ),
    "convolution_after_affine": Entry(
        _behind(Scale(bias_term=True), CONVOLUTION),
        _behind(Scale(bias_term=True), Convolution(3, (3, 3), pad=(1, 1))),
        (
            _behind(Scale(), Convolution(3, (3, 3), pad=(1, 1), bias_term=False)),
            _behind(Bias(), Convolution(6, (2, 1), group=3)),
            _behind(Power(scale=2.0, shift=1.0), CONVOLUTION),
        ),
    ),
    "layers_between_inverse_permutes": Entry(
        _image(Permute(BEHIND), InnerProduct(6, axis=3), ReLU(), Permute(BEFORE)),
        _image(Permute(BEHIND), InnerProduct(6, axis=2), Permute((0, 2, 1))),
        (
            _image(Permute(BEHIND), Standardize((3,), 1e-5), Scale(3, bias_term=True), Permute(BEFORE)),
            _image(Permute(BEHIND), Softmax(-1), Bias(2), Permute(BEFORE)),
            Chain(IMAGE, _reduced_beside),
        ),
    ),
    "relu_of_relu": Entry(_image(ReLU(), ReLU()), _image(ReLU(0.1), ReLU())),
}
