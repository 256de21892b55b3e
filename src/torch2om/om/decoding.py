"""Builds the model definition from its protobuf message; beside each field stands its number in ge_ir.proto."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch2om.om.attributes import Names
from torch2om.om.container import Partition
from torch2om.om.datatypes import cpp_type, proto_type
from torch2om.om.definition import (
    Attributes,
    Definition,
    Graph,
    NamedAttributes,
    Op,
    Tensor,
    TensorDesc,
    Value,
)
from torch2om.om.message import Allowance, Message


def read_definition(partition: Partition) -> Definition:
    """Return the ModelDef that a partition holds; raises WireProblem."""
    message = Message(partition.file, partition.start, partition.stop, Allowance())
    attributes = _Decoder(Names()).attributes(message, 11)
    names = Names.of_model(attributes)
    decoder = _Decoder(names or Names())
    return Definition(
        name=message.text(1),
        version=message.integer(2),
        platform=message.text(3),
        graphs=tuple(map(decoder.graph, message.inners(7))),
        attributes=attributes,
        is_compressed=names is not None,
    )


class _Decoder:
    """Reads the messages below a model, with the model's own table of attribute names.

    A data type that is an attribute has the number of C++; one in a descriptor has protobuf's.
    """

    def __init__(self, names: Names) -> None:
        self._names = names
        self._values: Mapping[int, Callable[[Message], Value]] = {
            1: lambda message: self._list(message.inner(1)),
            2: lambda message: _text_or_bytes(message.raw(2)),
            3: lambda message: message.integer(3),
            4: lambda message: message.real(4),
            5: lambda message: bool(message.integer(5)),
            7: lambda message: message.raw(7),
            10: lambda message: self._named(message.inner(10)),
            11: lambda message: self._desc(message.inner(11)),
            12: lambda message: self._tensor(message.inner(12)),
            13: lambda message: self.graph(message.inner(13)),
            14: lambda message: tuple(row.integers(1) for row in message.inner(14).inners(1)),
            15: lambda message: cpp_type(message.integer(15)),
            16: lambda message: tuple(row.reals(1) for row in message.inner(16).inners(1)),
        }
        self._items: Mapping[int, Callable[[Message], tuple[Value, ...]]] = {
            2: lambda message: tuple(map(_text_or_bytes, message.raws(2))),
            3: lambda message: message.integers(3),
            4: lambda message: message.reals(4),
            5: lambda message: message.flags(5),
            7: lambda message: message.raws(7),
            8: lambda message: tuple(map(self._desc, message.inners(8))),
            9: lambda message: tuple(map(self._tensor, message.inners(9))),
            10: lambda message: tuple(map(self.graph, message.inners(10))),
            11: lambda message: tuple(map(self._named, message.inners(11))),
            12: lambda message: tuple(map(cpp_type, message.integers(12))),
        }

    def attributes(self, message: Message, number: int) -> Attributes:
        """Return a map<string, AttrDef> field."""
        found: dict[str, Value] = {}
        for entry in message.inners(number):
            name, value = self._names.restored(entry.text(1), self._value(entry.inner(2)), entry.start)
            found[name] = value
        return found

    def graph(self, message: Message) -> Graph:
        """Return a GraphDef."""
        return Graph(
            name=message.text(1),
            inputs=message.texts(4),
            outputs=message.texts(5),
            ops=tuple(map(self._op, message.inners(6))),
            attributes=self.attributes(message, 11),
        )

    def _op(self, message: Message) -> Op:
        return Op(
            name=message.text(1),
            type=message.text(2),
            inputs=message.texts(5),
            attributes=self.attributes(message, 10),
            id=message.integer(21),
            stream=message.integer(22),
            sources=message.texts(24),
            source_indices=message.integers(25),
            input_descs=tuple(map(self._desc, message.inners(33))),
            output_descs=tuple(map(self._desc, message.inners(34))),
            workspace_bytes=message.integers(31),
            subgraphs=message.texts(35),
        )

    def _desc(self, message: Message) -> TensorDesc:
        return TensorDesc(
            name=message.text(1),
            dtype=proto_type(message.integer(2)),
            shape=message.inner(3).integers(1),
            layout=message.text(4),
            size=message.integer(10),
            weight_size=message.integer(11),
            data_offset=message.integer(18),
            attributes=self.attributes(message, 5),
        )

    def _tensor(self, message: Message) -> Tensor:
        return Tensor(self._desc(message.inner(1)), message.raw(2))

    def _named(self, message: Message) -> NamedAttributes:
        return NamedAttributes(message.text(1), self.attributes(message, 2))

    def _value(self, message: Message) -> Value:
        """Return an AttrDef: of its alternatives the last one on the wire counts; an unknown one stays as it is."""
        if not message.last:
            return ()
        read = self._values.get(message.last)
        return read(message) if read else message.raw(message.last)

    def _list(self, message: Message) -> tuple[Value, ...]:
        """Return an AttrDef.ListValue: items of one kind."""
        for read in self._items.values():
            if found := read(message):
                return found
        return ()


def _text_or_bytes(raw: memoryview) -> Value:
    """Return a text; what is not UTF-8 stays as it is."""
    try:
        return str(raw, "utf-8")
    except UnicodeDecodeError:
        return raw
