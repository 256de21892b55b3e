"""Operators that have no meaning in Caffe's layers, each with the reason and what to write instead."""

from __future__ import annotations

import torch

from torch2om.lowering.registry import refuses
from torch2om.program.decompositions import MOST_ORDERED

aten = torch.ops.aten

refuses(
    aten.conv3d.default,
    aten.conv_transpose3d.input,
    aten.adaptive_avg_pool3d.default,
    aten.adaptive_max_pool3d.default,
    aten.upsample_trilinear3d.vec,
    aten.upsample_nearest3d.vec,
    aten._upsample_nearest_exact3d.vec,  # noqa: SLF001 - an operator's name
    reason="three spatial dims: no target has a Caffe layer for them",
    hint="fold one dim into the batch or the channels, and use the 2-D form",
)
refuses(
    aten.floor_divide.default,
    aten.remainder.Scalar,
    aten.remainder.Tensor,
    aten.fmod.Scalar,
    aten.fmod.Tensor,
    reason="Caffe has no integer division and no remainder",
    hint="compute it outside the model; (x / c).floor() where rounding at whole numbers does not matter",
)
refuses(
    aten.sort.default,
    aten.sort.stable,
    aten.argsort.default,
    aten.argsort.stable,
    aten.median.default,
    aten.median.dim,
    aten.kthvalue.default,
    reason=f"Caffe has no sorting, and comparing each with each is for at most {MOST_ORDERED} elements",
    hint="return the unsorted values and sort on the host; the largest element alone is amax, argmax or topk with k=1",
)
refuses(
    aten.mode.default,
    reason="Caffe has no counting of equals",
    hint="return the values and count on the host",
)
refuses(
    aten.tan.default,
    aten.atan2.default,
    reason="no Caffe layer computes a tangent or the angle of two numbers, and none of those there are makes one",
    hint="compute it outside of the net; atan of one number is there",
)
refuses(
    aten.embedding.default,
    aten.index_put.default,
    aten.scatter.src,
    aten.scatter.value,
    aten.scatter_add.default,
    reason="Caffe has no element picked or written by index",
    hint="feed the looked-up values as an input; write parts of a tensor with torch.cat of slices",
)
refuses(
    aten.max_unpool2d.default,
    reason="Caffe's layers of the targets cannot write to the places that a pooling's indices name",
    hint="use interpolation or a transposed convolution",
)
refuses(
    aten.grid_sampler.default,
    reason="sampling at computed places has no counterpart in the targets' Caffe layers",
    hint="use F.interpolate where the grid is a fixed scaling",
)
refuses(
    aten.rand.default,
    aten.rand_like.default,
    aten.randn.default,
    aten.randn_like.default,
    aten.bernoulli.default,
    aten.bernoulli.p,
    aten.multinomial.default,
    reason="a deployed net is a function: it has no random numbers",
    hint="feed the noise as an input of the model",
)
refuses(
    aten.native_dropout.default,
    reason="this dropout is switched on whatever the model's mode is, and a deployed net has no random numbers",
    hint="use nn.Dropout, or F.dropout(x, p, self.training)",
)
refuses(
    aten.fft_fft.default,
    aten.fft_fft2.default,
    aten.fft_fftn.default,
    aten.fft_ifft.default,
    aten.fft_ifft2.default,
    aten.fft_ifftn.default,
    aten.fft_irfft.default,
    aten.fft_irfft2.default,
    aten.fft_irfftn.default,
    aten.fft_rfft.default,
    aten.fft_rfft2.default,
    aten.fft_rfftn.default,
    aten.istft.default,
    aten.stft.default,
    aten.complex.default,
    aten.polar.default,
    aten.view_as_complex.default,
    aten.view_as_real.default,
    reason="Caffe has no complex numbers",
    hint="a spectrum of fixed length is two products with constant matrices, of cosines and of sines",
)
refuses(
    aten.bitwise_and.Scalar,
    aten.bitwise_or.Scalar,
    aten.bitwise_xor.Scalar,
    reason="Caffe has no bits of integers",
    hint="compare first, and combine the conditions with torch.logical_and, logical_or, logical_xor",
)
refuses(
    aten.isnan.default,
    aten.isinf.default,
    aten.isposinf.default,
    aten.isneginf.default,
    aten.isfinite.default,
    aten.nan_to_num.default,
    reason="values of a converted net are finite by assumption, and no Caffe layer tells NaN or infinity from numbers",
    hint="keep them from arising (clamp the divisor, add an eps), and leave the call out",
)
