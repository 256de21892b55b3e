"""Codes of capture and lowering: what a PyTorch model has that no net has."""

from __future__ import annotations

from torch2om.codes.info import CodeInfo

MODELS: dict[str, CodeInfo] = {
    "C201": CodeInfo(
        "data-dependent control flow",
        "The model's Python branches on a tensor's value, so no single static graph describes it.",
        "Replace the branch with torch.where or arithmetic, or export the branch that deployment takes.",
    ),
    "C202": CodeInfo(
        "dynamic shape",
        "A shape depends on data or was left symbolic; Caffe's nets are static.",
        "Fix the sizes: give concrete --input dims and use no operation whose output size depends on values.",
    ),
    "C203": CodeInfo(
        "capture failed",
        "torch.export could not trace the model.",
        "The message is PyTorch's own; the user's line is shown where PyTorch told it.",
    ),
    "C204": CodeInfo(
        "model was in training mode",
        "Dropout and batch normalization behave differently in training; a deployed net is the eval net.",
        "Nothing to do if eval mode is meant: the model was converted in eval mode. Call model.eval() to silence this.",
    ),
    "C205": CodeInfo(
        "weights are not finite",
        "A parameter or buffer holds NaN or infinity.",
        "Find out where training diverged; such a net has no meaning on a device.",
    ),
    "C206": CodeInfo(
        "no tensor output",
        "forward() returns no tensor.",
        "Return a tensor, or a tuple, list, dict or dataclass of tensors.",
    ),
    "C207": CodeInfo(
        "model ran into its own error",
        "The model raises when it is called with inputs of the given shapes.",
        "Check the --input dims against what the model expects.",
    ),
    "C208": CodeInfo(
        "whole detector",
        "The model keeps boxes by their scores and by non-maximum suppression, so its results have no fixed shape.",
        "Convert its convolutional parts, torch2om.detection, and decode on the host: docs/detection.md.",
    ),
    "C209": CodeInfo(
        "quantized model",
        "The model's layers compute with integers, and Caffe's blobs hold floating point only.",
        "Convert the model as it was before quantization; a chip's own tools quantize the files.",
    ),
    "L301": CodeInfo(
        "operation not supported",
        "torch2om has no lowering for this PyTorch operator.",
        "Register one: docs/adding-an-operator.md shows how, in one function of your own package.",
    ),
    "L302": CodeInfo(
        "form not supported",
        "The operator is known, but this use of it has no meaning in Caffe's layers.",
        "The message says which parameter; the hint says what to write instead, where there is a way.",
    ),
    "L303": CodeInfo(
        "lowering is wrong",
        "A lowering produced a blob of another shape than PyTorch's value: a defect of that lowering.",
        "If the lowering is yours, correct it; otherwise report it with the model.",
    ),
}
