"""Layers of the type Python that stand for a layer of their own: the Proposal of py-faster-rcnn's nets."""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Sequence

from torch2om.caffe.schema import CaffeMessage
from torch2om.ir.op import BadOp, need

# What rpn/proposal_layer.py and its configuration say where the net does not (rbgirshick/py-faster-rcnn, lib/rpn and
# lib/fast_rcnn/config.py).
_SCALES = (8.0, 16.0, 32.0)
_RATIOS = (0.5, 1.0, 2.0)
_MOST_BEFORE, _MOST_AFTER = 6000, 300
_THRESHOLD = 0.7
_LARGEST = 2**31


def as_proposal(layer: CaffeMessage) -> CaffeMessage | None:
    """Return the layer as one of the type Proposal, if it is py-faster-rcnn's Python layer and the dialect has that.

    HiLens #25: a Proposal has its own parameters, or Python's. Raises `BadOp` if its param_str cannot be read.
    """
    known = "proposal_param" in layer.DESCRIPTOR.fields_by_name
    if not known or layer.type != "Python" or layer.python_param.layer != "ProposalLayer":
        return None
    stride, scales = _given(layer.python_param.param_str)
    found = type(layer)()
    found.CopyFrom(layer)
    param = found.proposal_param
    param.feat_stride = type(param.feat_stride)(stride)
    param.scale.extend(scales)
    param.ratio.extend(_RATIOS)
    param.pre_nms_topn, param.post_nms_topn = _MOST_BEFORE, _MOST_AFTER
    if "nms_thresh" in param.DESCRIPTOR.fields_by_name:
        param.nms_thresh = _THRESHOLD
    return found


def _given(text: str) -> tuple[float, Sequence[float]]:
    """Return the stride and the scales that a param_str says, `'feat_stride': 16` with or without braces."""
    try:
        said = literal_eval("{" + text.strip().removeprefix("{").removesuffix("}") + "}")
        stride, scales = float(said["feat_stride"]), tuple(map(float, said.get("scales", _SCALES)))
    except (SyntaxError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadOp(f"param_str {text!r} does not say 'feat_stride' (and 'scales')") from error
    fits = all(0 < number < _LARGEST for number in (stride, *scales))
    need(fits, f"param_str {text!r} has a number that is not positive, or has no end")
    return stride, scales
