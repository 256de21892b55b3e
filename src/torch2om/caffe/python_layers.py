"""Layers of the type Python that stand for a layer of their own: the Proposal of py-faster-rcnn's nets."""

from __future__ import annotations

from ast import literal_eval

from torch2om.caffe.schema import CaffeMessage

# What rpn/proposal_layer.py and its configuration say where the net does not (rbgirshick/py-faster-rcnn, lib/rpn and
# lib/fast_rcnn/config.py).
_SCALES = (8.0, 16.0, 32.0)
_RATIOS = (0.5, 1.0, 2.0)
_MOST_BEFORE, _MOST_AFTER = 6000, 300
_THRESHOLD = 0.7


def as_proposal(layer: CaffeMessage) -> CaffeMessage | None:
    """Return the layer as one of the type Proposal, if it is py-faster-rcnn's Python layer and the dialect has that.

    HiLens #25: a Proposal has its own parameters, or Python's.
    """
    known = "proposal_param" in layer.DESCRIPTOR.fields_by_name
    if not known or layer.type != "Python" or layer.python_param.layer != "ProposalLayer":
        return None
    given = _given(layer.python_param.param_str)
    found = type(layer)()
    found.CopyFrom(layer)
    param = found.proposal_param
    param.feat_stride = given.get("feat_stride", 16)
    param.scale.extend(given.get("scales", _SCALES))
    param.ratio.extend(_RATIOS)
    param.pre_nms_topn, param.post_nms_topn = _MOST_BEFORE, _MOST_AFTER
    if "nms_thresh" in param.DESCRIPTOR.fields_by_name:
        param.nms_thresh = _THRESHOLD
    return found


def _given(text: str) -> CaffeMessage:
    """Return what a param_str says, `'feat_stride': 16` with or without braces; nothing if it is of another form."""
    try:
        return dict(literal_eval("{" + text.strip().removeprefix("{").removesuffix("}") + "}"))
    except (SyntaxError, ValueError, TypeError):
        return {}
