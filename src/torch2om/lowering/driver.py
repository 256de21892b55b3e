"""The driver of lowering: one walk over the exported program, one lowering per call, all refusals at once."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import fx

from torch2om.errors import Diagnostic, LoweringError, Problems, Refuse
from torch2om.ir.blob import Blob, Kind
from torch2om.ir.builder import Names
from torch2om.ir.net import Input, Layer, Net, Output
from torch2om.ir.op import BadOp, Shape
from torch2om.ir.validator import validate
from torch2om.ir.weight import Weight
from torch2om.layers import Hole
from torch2om.lowering.plugins import installed_lowerings
from torch2om.lowering.registry import Function, Lowered, Lowering, Overload, bind, checked, registered
from torch2om.lowering.scope import Scope
from torch2om.origin import Origin
from torch2om.program import Program


def lower(program: Program, lowerings: Mapping[Overload, Function] | None = None) -> Net:
    """Return the net that means what the program means.

    `lowerings` adds to or replaces what installed packages bring, which adds to or replaces the built-in table.
    Raises `LoweringError` with every call that has no lowering or was refused, each at the user's line.
    """
    given = {**installed_lowerings(), **(lowerings or {})}
    extra = {overload: checked(overload, function) for overload, function in given.items()}
    return _Walk(program, {**registered(), **extra}).net()


class _Walk:
    """The walk: values known so far by call name, layers placed so far, problems found so far."""

    def __init__(self, program: Program, table: Mapping[Overload, Lowering]) -> None:
        self._program = program
        self._table = table
        self._problems = Problems()
        self._names = Names(tuple(source.name for source in program.inputs))
        self._layers: list[Layer] = []
        self._mirrors: dict[str, str] = {}
        self._values: dict[str, object] = {name: _weight(value) for name, value in program.constants.items()}

    def net(self) -> Net:
        """Lower every call and return the net."""
        for source in self._program.inputs:
            self._values[source.node] = Blob(source.name, source.shape)
            self._mirrors[source.name] = source.node
        for node in self._program.calls():
            self._values[node.name] = self._lower(node)
        outputs = tuple(self._output(place, name, node) for place, name, node in self._program_outputs())
        self._problems.raise_as(LoweringError)
        inputs = tuple(Input(source.name, source.shape) for source in self._program.inputs)
        layers = _live(self._layers, [output.blob for output in outputs])
        made = {source.name for source in inputs}.union(*(layer.tops for layer in layers))
        mirrors = {blob: call for blob, call in self._mirrors.items() if blob in made}
        return validate(Net(self._program.name, inputs, layers, outputs, mirrors))

    def _program_outputs(self) -> list[tuple[str, str, str]]:
        return [(output.place, output.name, output.node) for output in self._program.outputs]

    def _lower(self, node: fx.Node) -> object:
        if node.target is operator.getitem:
            return self._item(node)
        scope = Scope(self._names, self._program.origin(node), _shapes(node))
        lowering = self._table.get(node.target) if isinstance(node.target, Overload) else None
        if lowering is None or not isinstance(node.target, Overload):
            self._problems.add(_unsupported(node.target, scope.origin))
            return self._hole(scope, node)
        try:
            arguments = bind(node.target, _resolved(self._values, node.args), _resolved(self._values, node.kwargs))
            result = lowering(scope, arguments)
        except (Refuse, BadOp) as refusal:
            reason = refusal if isinstance(refusal, Refuse) else Refuse(str(refusal))
            self._problems.add(reason.diagnostic("L302", scope.origin))
            return self._hole(scope, node)
        return self._place(scope, node, result)

    def _place(self, scope: Scope, node: fx.Node, result: Lowered) -> Lowered:
        """Keep the layers, check the shapes, remember which blob mirrors the call."""
        blobs = [result] if isinstance(result, Blob) else list(result)
        shapes = tuple(blob.shape for blob in blobs)
        if shapes != scope.expected[: len(shapes)]:
            text = f"{node.target} was lowered to shapes {list(shapes)}, PyTorch has {list(scope.expected)}"
            self._problems.add(Diagnostic("L303", text, origin=scope.origin))
            return self._hole(scope, node)
        self._layers += scope.layers
        kinded = [replace(blob, kind=kind) for blob, kind in zip(blobs, _kinds(node), strict=False)]
        if isinstance(result, Blob):
            self._mirrors.setdefault(kinded[0].name, node.name)
            return kinded[0]
        return kinded

    def _item(self, node: fx.Node) -> object:
        """Return `getitem(call, index)`, one result of a call with several."""
        source, index = node.args
        results = self._values[source.name] if isinstance(source, fx.Node) else ()
        if not isinstance(results, list | tuple) or not isinstance(index, int):
            raise TypeError(f"{node.name} takes item {index} of {source}, which has one result")
        if index < len(results):
            self._mirrors.setdefault(results[index].name, node.name)
            return results[index]
        text = f"result {index} of {_target(source)} has no counterpart in Caffe's layers"
        scope = Scope(self._names, self._program.origin(node), _shapes(node))
        self._problems.add(Diagnostic("L302", text, origin=scope.origin, hint="use the first result alone"))
        return self._hole(scope, node)

    def _hole(self, scope: Scope, node: fx.Node) -> Lowered:
        """Stand in for a refused call, so that one run lists everything that is missing."""
        fresh = Scope(self._names, scope.origin, scope.expected)
        holes = [
            replace(fresh.add(Hole(shape)), kind=kind) for shape, kind in zip(scope.expected, _kinds(node), strict=True)
        ]
        self._layers += fresh.layers
        return holes if isinstance(node.meta["val"], list | tuple) else holes[0]

    def _output(self, place: str, name: str, node: str) -> Output:
        value = self._values[node]
        if isinstance(value, Weight):
            scope = Scope(self._names, Origin(call=node), (value.shape,))
            value = scope.constant(value)
            self._layers += scope.layers
            self._mirrors.setdefault(value.name, node)
        if not isinstance(value, Blob):
            raise TypeError(f"output {place} is {value!r}, not a tensor")
        return Output(value.name, place, name)


def _live(layers: Sequence[Layer], wanted: Iterable[str]) -> tuple[Layer, ...]:
    """Return the layers that the wanted blobs need: a call may have results that nobody reads."""
    needed, live = set(wanted), []
    for layer in reversed(layers):
        if needed.intersection(layer.tops):
            needed.update(layer.bottoms)
            live.append(layer)
    return tuple(reversed(live))


def _target(source: object) -> object:
    return source.target if isinstance(source, fx.Node) else source


def _unsupported(target: object, origin: Origin) -> Diagnostic:
    hint = f"register a lowering of {target}: docs/adding-an-operator.md"
    return Diagnostic("L301", f"{target} has no lowering", origin=origin, hint=hint)


def _resolved(values: Mapping[str, Any], arguments: Any) -> Any:  # Any: torch types call arguments as nothing else
    """Return the arguments with every node replaced by its value."""
    return fx.node.map_arg(arguments, lambda node: values[node.name])


def _results(node: fx.Node) -> list[torch.Tensor]:
    value = node.meta["val"]
    return list(value) if isinstance(value, list | tuple) else [value]


def _shapes(node: fx.Node) -> tuple[Shape, ...]:
    return tuple(tuple(map(int, value.shape)) for value in _results(node))


def _kinds(node: fx.Node) -> list[Kind]:
    return [_kind(value.dtype) for value in _results(node)]


def _kind(dtype: torch.dtype) -> Kind:
    if dtype.is_floating_point:
        return "float"
    return "bool" if dtype == torch.bool else "int"


def _weight(tensor: torch.Tensor) -> Weight:
    """Return a parameter as a weight: a view of its memory where numpy has its dtype."""
    shape = tuple(map(int, tensor.shape))
    return Weight(
        shape, lambda _: (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).detach().cpu().numpy()
    )
