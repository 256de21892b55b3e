"""An om as plain data, for JSON: everything that was read, with the bytes of weights and programs left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from torch2om.om.aipp import Aipp
from torch2om.om.container import partition_name
from torch2om.om.definition import Attributes, Graph, NamedAttributes, Op, Tensor, TensorDesc, Value
from torch2om.om.provenance import is_kirin
from torch2om.om.reader import OmFile, OmModel
from torch2om.om.weights import Weight

Plain = dict[str, object]


def describe(om: OmFile) -> Plain:
    """Return the head, and a record for each model, the root first."""
    return {"bytes": om.size, "head": asdict(om.header), "models": [_model(om, model) for model in om.models]}


def _model(om: OmFile, model: OmModel) -> Plain:
    kirin = is_kirin(om.header, model.definition)
    return {
        **asdict(model.provenance),
        "name": model.definition.name,
        "attribute_names_compressed": model.definition.is_compressed,
        "memory": asdict(model.memory),
        "partitions": [
            {"name": partition_name(part.number, kirin=kirin), "offset": part.start, "bytes": part.size}
            for part in model.parts.partitions
        ],
        "inputs": [asdict(port) for port in model.ports.inputs],
        "outputs": [asdict(port) for port in model.ports.outputs],
        "gears": {**model.ports.gears},
        "gear_order": model.ports.order,
        "gear_outputs": model.ports.output_shapes,
        "aipp": list(map(aipp_record, model.aipp)),
        "attributes": attributes_of(model.definition.attributes),
        "graphs": [_graph(graph) for graph in model.definition.all_graphs()],
        "weights": [
            {**weight_record(weight), "read_by": model.readers.get(weight.name, "")} for weight in model.weights
        ],
        "external_weights": model.external_weights,
        "tasks": {
            "types": {**model.tasks.types},
            "on_ai_cpu": model.tasks.on_ai_cpu,
            "unread": model.tasks.unread,
            "list": [asdict(task) for task in model.tasks.tasks],
        },
        "kernels": [asdict(kernel) for kernel in model.kernels],
    }


def _graph(graph: Graph) -> Plain:
    return {
        "name": graph.name,
        "attributes": attributes_of(graph.attributes),
        "operators": list(map(operator, graph.ops)),
    }


def operator(op: Op) -> Plain:
    """Return one operator as plain data."""
    return {
        "name": op.name,
        "type": op.type,
        "layers": op.original_names,
        "id": op.id,
        "stream": op.stream,
        "reads": op.inputs,
        "inputs": list(map(_desc, op.input_descs)),
        "outputs": list(map(_desc, op.output_descs)),
        "workspace_bytes": op.workspace_bytes,
        "subgraphs": op.subgraphs,
        "attributes": attributes_of(op.attributes),
    }


def aipp_record(aipp: Aipp) -> Plain:
    """Return one AIPP as plain data."""
    return {
        "operator": aipp.op,
        "mode": aipp.mode,
        "input_format": aipp.input_format,
        "settings": attributes_of(aipp.settings),
        "inputs": aipp.inputs,
        "outputs": aipp.outputs,
    }


def weight_record(weight: Weight) -> Plain:
    """Return one weight as plain data, without its numbers."""
    return {
        "name": weight.name,
        "dtype": weight.dtype,
        "shape": weight.shape,
        "axes": weight.axes,
        "layout": weight.layout,
        "bytes": len(weight.data),
    }


def attributes_of(attributes: Attributes) -> Plain:
    """Return attributes as plain data, sorted by name: bytes, tensors and graphs by what they are."""
    return {name: plain(attributes[name]) for name in sorted(attributes)}


def plain(value: Value) -> object:
    """Return an attribute's value as JSON knows it."""
    match value:
        case memoryview():
            return {"bytes": len(value)}
        case Tensor() | TensorDesc():
            return _tensor(value)
        case NamedAttributes():
            return attributes_of(value.attributes)
        case Graph():
            return {"graph": value.name, "operators": len(value.ops)}
        case tuple():
            return [plain(item) for item in value]
    return value


def _tensor(value: Tensor | TensorDesc) -> Plain:
    if isinstance(value, TensorDesc):
        return _desc(value)
    return {**_desc(value.desc), "bytes": len(value.data) or value.desc.weight_size}


def _desc(desc: TensorDesc) -> Plain:
    found: Mapping[str, object] = {"dtype": desc.dtype, "shape": desc.shape, "layout": desc.layout, "size": desc.size}
    given = attributes_of(desc.attributes)
    return {**found, **({"attributes": given} if given else {})}
