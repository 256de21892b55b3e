"""Rewrites that fold layers into one another: where each applies, and where it does not."""

from __future__ import annotations

from torch2om.ir.op import Op
from torch2om.layers import (
    BatchNorm,
    Bias,
    Convolution,
    Flatten,
    InnerProduct,
    Pad,
    PadMode,
    Permute,
    Power,
    ReLU,
    Reshape,
    Scale,
)
from torch2om.rulebook.case import ALWAYS, Chain, Entry, chain

IMAGE = (2, 3, 4, 5)
NONE = (0, 0)
CONVOLUTION = Convolution(3, (3, 3))
DENSE = InnerProduct(6)


def _image(*ops: Op) -> Chain:
    return chain(IMAGE, *ops)


def _pads(rows: tuple[int, int], columns: tuple[int, int], mode: PadMode = PadMode.CONSTANT) -> Pad:
    return Pad((NONE, NONE, rows, columns), mode)


ENTRIES: dict[str, Entry] = {
    "batch_norm_is_scale": Entry(_image(BatchNorm()), _image(BatchNorm(use_global_stats=False))),
    "scale_into_linear": Entry(_image(CONVOLUTION, Scale(bias_term=True)), _image(CONVOLUTION, Scale(2))),
    "bias_into_linear": Entry(_image(DENSE, Bias()), _image(CONVOLUTION, Bias(2))),
    "affine_into_linear": Entry(
        _image(CONVOLUTION, Power(scale=2.0, shift=1.0)), _image(CONVOLUTION, Power(power=2.0, scale=2.0))
    ),
    "scale_of_scale": Entry(_image(Scale(bias_term=True), Scale()), _image(Scale(2), Scale())),
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
    "permute_of_ones_is_reshape": Entry(chain((2, 3, 1, 1), Permute((0, 2, 3, 1))), _image(Permute((0, 2, 3, 1)))),
    "flatten_is_reshape": Entry(_image(Flatten()), ALWAYS),
    "relu_of_relu": Entry(_image(ReLU(), ReLU()), _image(ReLU(0.1), ReLU())),
}
