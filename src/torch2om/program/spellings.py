"""One form per meaning: ATen has several calls that say the same, and lowering knows one of them.

The other forms come from batch norm's tuple of results, and from programs that their user exported in core ATen.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from torch import fx

aten = torch.ops.aten
Value = Any  # an argument of a call: node, number, list or None


class Form(NamedTuple):
    """The preferred call: operator and arguments."""

    target: torch._ops.OpOverload
    args: tuple[Value, ...]
    kwargs: Mapping[str, Value] = MappingProxyType({})


def unify(graph: fx.Graph) -> None:
    """Replace every call that has a preferred form by that form."""
    for node in list(graph.nodes):
        spell = _FORMS.get(node.target) if node.op == "call_function" else None
        if spell is None:
            continue
        arguments = _bound(node)
        if node.target in _FIRST_RESULTS:
            if not _only_first_result(node):
                continue
            for item in list(node.users):
                _replace(graph, item, spell(arguments, item), node)
        else:
            _replace(graph, node, spell(arguments, node), node)


def _replace(graph: fx.Graph, old: fx.Node, form: Form, call: fx.Node) -> None:
    """Put the new call in the place of `old`, with the record of where `call` came from."""
    name = form.target._opname  # noqa: SLF001 - no other door
    with graph.inserting_before(old):
        new = graph.create_node("call_function", form.target, form.args, dict(form.kwargs), name=name)
    new.meta = {**call.meta, "val": old.meta["val"]}
    old.replace_all_uses_with(new)
    graph.erase_node(old)


def _only_first_result(node: fx.Node) -> bool:
    return all(user.target is operator.getitem and user.args[1] == 0 for user in node.users)


def _bound(node: fx.Node) -> dict[str, Value]:
    """Return schema argument name -> value, defaults filled in."""
    arguments = node.target._schema.arguments  # type: ignore[union-attr]  # noqa: SLF001 - an OpOverload: it is in the table
    given = dict(zip((argument.name for argument in arguments), node.args, strict=False)) | node.kwargs
    return {argument.name: given.get(argument.name, argument.default_value) for argument in arguments}


def _batch_norm(a: Mapping[str, Value], _: fx.Node) -> Form:
    statistics = a.get("running_mean"), a.get("running_var")
    head = (a["input"], a["weight"], a["bias"], *statistics)
    return Form(aten.batch_norm.default, (*head, bool(a.get("training", False)), a["momentum"], a["eps"], False))


def _layer_norm(a: Mapping[str, Value], _: fx.Node) -> Form:
    return Form(aten.layer_norm.default, (a["input"], a["normalized_shape"], a["weight"], a["bias"], a["eps"], False))


def _group_norm(a: Mapping[str, Value], _: fx.Node) -> Form:
    return Form(aten.group_norm.default, (a["input"], a["group"], a["weight"], a["bias"], a["eps"], False))


def _rms_norm(a: Mapping[str, Value], node: fx.Node) -> Form:
    """An eps left out is the model's dtype's own; as a number it stays that in the float64 reference too."""
    eps = torch.finfo(node.meta["val"].dtype).eps if a["eps"] is None else a["eps"]
    return Form(aten.rms_norm.default, (a["input"], a["normalized_shape"], a["weight"], eps))


def _max_pool2d(a: Mapping[str, Value], _: fx.Node) -> Form:
    window = a["kernel_size"], a["stride"], a["padding"], a["dilation"], a["ceil_mode"]
    return Form(aten.max_pool2d.default, (a["self"], *window))


def _convolution(a: Mapping[str, Value], node: fx.Node) -> Form:
    """Return conv1d, conv2d, conv3d or their transposes."""
    axes = node.meta["val"].dim() - 2
    head = a["input"], a["weight"], a["bias"], a["stride"], a["padding"]
    if a["transposed"]:
        forms = aten.conv_transpose1d.default, aten.conv_transpose2d.input, aten.conv_transpose3d.input
        return Form(forms[axes - 1], (*head, a["output_padding"], a["groups"], a["dilation"]))
    straight = aten.conv1d.default, aten.conv2d.default, aten.conv3d.default
    return Form(straight[axes - 1], (*head, a["dilation"], a["groups"]))


def _softmax(a: Mapping[str, Value], _: fx.Node) -> Form:
    return Form(aten.softmax.int, (a["self"], a["dim"]))


def _log_softmax(a: Mapping[str, Value], _: fx.Node) -> Form:
    return Form(aten.log_softmax.int, (a["self"], a["dim"]))


def _adaptive_avg_pool2d(a: Mapping[str, Value], _: fx.Node) -> Form:
    return Form(aten.adaptive_avg_pool2d.default, (a["self"], a["output_size"]))


def _full(a: Mapping[str, Value], node: fx.Node) -> Form:
    """A tensor like another one, filled: nothing of the other one's values is in it."""
    value = node.meta["val"]
    return Form(aten.full.default, (list(value.shape), a.get("fill_value", 0)), {"dtype": value.dtype})


def _pad(a: Mapping[str, Value], _: fx.Node) -> Form:
    return Form(aten.pad.default, (a["self"], a["pad"], "constant", float(a["value"])))


# Calls with several results, of which a net has the first: they are replaced if no other is used.
_FIRST_RESULTS: Mapping[Value, Callable[[Mapping[str, Value], fx.Node], Form]] = {
    aten._native_batch_norm_legit_no_training.default: _batch_norm,  # noqa: SLF001 - a name
    aten._native_batch_norm_legit.no_stats: _batch_norm,  # noqa: SLF001 - a name
    aten.native_layer_norm.default: _layer_norm,
    aten.native_group_norm.default: _group_norm,
    aten.max_pool2d_with_indices.default: _max_pool2d,
}

_FORMS: Mapping[Value, Callable[[Mapping[str, Value], fx.Node], Form]] = {
    **_FIRST_RESULTS,
    aten.rms_norm.default: _rms_norm,
    aten.convolution.default: _convolution,
    aten._convolution.default: _convolution,  # noqa: SLF001 - a name
    aten._softmax.default: _softmax,  # noqa: SLF001 - a name
    aten._log_softmax.default: _log_softmax,  # noqa: SLF001 - a name
    aten._adaptive_avg_pool2d.default: _adaptive_avg_pool2d,  # noqa: SLF001 - a name
    aten.full_like.default: _full,
    aten.constant_pad_nd.default: _pad,
}
