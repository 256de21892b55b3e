"""Makes every output of the user a blob that every reader of Caffe files lists as an output."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from torch2om.ir.builder import Names
from torch2om.ir.net import Layer, Net
from torch2om.layers import Reshape, Silence, Split
from torch2om.origin import NOWHERE, Origin
from torch2om.targets.limits import Target


def expose_outputs(net: Net, target: Target) -> Net:
    """y = x for an output that is read inside the net or is an input of it; tops that nobody wants are silenced.

    Readers list as outputs the tops that no layer reads, and no others; some can be asked for first tops alone. Exact.
    Unread tops are silenced where the target has a layer for that; unread inputs are read where it wants them to be.
    """
    names = Names((*net.shapes, *(layer.name for layer in net.layers)))
    exposed = {blob: _copy(net, blob, names, target) for blob in net.output_blobs if _hidden(net, blob, target)}
    tops = {blob: layer.tops[0] for blob, layer in exposed.items()}
    outputs = tuple(replace(output, blob=tops.get(output.blob, output.blob)) for output in net.outputs)
    mirrors = dict(net.mirrors) | {tops[blob]: net.mirrors[blob] for blob in tops if blob in net.mirrors}
    idle = _read_idle(net, names, exposed, target) if target.reads_every_input else ()
    silent = _silences(net, names) if Silence in target.accepts else ()
    return replace(net, layers=(*net.layers, *exposed.values(), *idle, *silent), outputs=outputs, mirrors=mirrors)


def _hidden(net: Net, blob: str, target: Target) -> bool:
    producer = net.producers.get(blob)
    if producer is None or net.users[blob]:
        return True
    return target.outputs_by_layer and producer.tops[0] != blob


def _copy(net: Net, blob: str, names: Names, target: Target) -> Layer:
    """Return a layer y = x: a Split, or where the target has none a Reshape to the same dims."""
    op = Split(1) if Split in target.accepts else Reshape(net.shapes[blob])
    name = names.unique(f"{blob}/{type(op).__name__.lower()}")
    return Layer(name, op, (blob,), (name,), (), _origin(net, blob).through("expose_outputs"))


def _read_idle(net: Net, names: Names, exposed: Collection[str], target: Target) -> tuple[Layer, ...]:
    """Return a layer that reads each input that no layer reads."""
    idle = [source.name for source in net.inputs if not net.users[source.name] and source.name not in exposed]
    return tuple(_copy(net, blob, names, target) for blob in idle)


def _silences(net: Net, names: Names) -> tuple[Layer, ...]:
    """Return a layer that reads each top that is neither read nor an output."""
    wanted = set(net.output_blobs)
    unread = [top for layer in net.layers for top in layer.tops if top not in wanted and not net.users[top]]
    return tuple(
        Layer(names.unique(f"{top}/silence"), Silence(), (top,), (), (), _origin(net, top).through("expose_outputs"))
        for top in unread
    )


def _origin(net: Net, blob: str) -> Origin:
    producer = net.producers.get(blob)
    if producer is not None:
        return producer.origin
    return next((source.origin for source in net.inputs if source.name == blob), NOWHERE)
