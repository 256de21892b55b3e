"""Gives every layer and blob its final name, from where it comes in the user's model.

A layer made by a leaf module bears the module's path (`layer1.0.conv1`); a call in the user's own module bears that
module's path and the call (`layer1.0.add`); a layer that only helps another one bears that one's name and its own type
(`norm/reduction`), and so does the second of two layers with equal values, where an output counts as the first. An
output that the user named bears that name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from torch2om.ir.builder import Names
from torch2om.ir.net import Layer, Net

# The characters that ATC takes in a layer's name: reference atc-frontend.md section 2, E11018.
_FOREIGN = re.compile(r"[^A-Za-z0-9./_-]")


def name_layers(net: Net) -> Net:
    """Return the net with final names: unique, legal for every target, every first top named as its layer."""
    wanted = {output.blob: _legal(output.name) for output in net.outputs if output.name}
    names = Names(tuple(source.name for source in net.inputs))
    blobs = {source.name: source.name for source in net.inputs}
    reserved = {blob: names.unique(name) for blob, name in wanted.items() if blob not in blobs}
    main = _main_blobs(net)
    layers = []
    for layer in net.layers:
        named = _named(layer, main, names, reserved)
        blobs.update(zip(layer.tops, named.tops, strict=True))
        layers.append(replace(named, bottoms=tuple(blobs[bottom] for bottom in layer.bottoms)))
    outputs = tuple(replace(output, blob=blobs[output.blob]) for output in net.outputs)
    mirrors = {blobs[blob]: call for blob, call in net.mirrors.items()}
    return Net(net.name, net.inputs, tuple(layers), outputs, mirrors)


def _main_blobs(net: Net) -> frozenset[str]:
    """Return one blob per mirrored call: the output if there is one, else the first that equals the call's value."""
    chosen: dict[str, str] = {}
    produced = [top for layer in net.layers for top in layer.tops]
    for blob in (*net.output_blobs, *produced):
        if blob in net.mirrors:
            chosen.setdefault(net.mirrors[blob], blob)
    return frozenset(chosen.values())


def _named(layer: Layer, main: frozenset[str], names: Names, reserved: Mapping[str, str]) -> Layer:
    tops = [reserved.get(top, "") for top in layer.tops]
    if not layer.tops or not tops[0]:
        name = names.unique(_wish(layer, main))
        tops[:1] = [name] if layer.tops else []
    else:
        name = tops[0]
    numbered = [top or names.unique(f"{name}.{index}") for index, top in enumerate(tops)]
    return replace(layer, name=name, tops=tuple(numbered))


def _wish(layer: Layer, main: frozenset[str]) -> str:
    origin = layer.origin
    kind = (layer.op.caffe_type or type(layer.op).__name__).lower()
    call = _call_kind(origin.target) or kind
    base = origin.module if origin.leaf else ".".join(filter(None, (origin.module, call)))
    base = _legal(base or kind)
    return base if main.intersection(layer.tops) else f"{base}/{kind}"


def _call_kind(target: str) -> str:
    """`add` of `aten.add.Tensor`; private operators without their underscores."""
    parts = target.split(".")
    return parts[1].strip("_") if len(parts) > 1 else target


def _legal(name: str) -> str:
    return _FOREIGN.sub("_", name)
