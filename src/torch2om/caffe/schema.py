"""The protobuf schema of each Caffe dialect: message classes made from field tables, text read.

The classes live in a private descriptor pool per dialect, never in protobuf's default pool: there they would clash
with any other caffe.proto in the process. The dialects:

- `caffe`: BVLC master. Refuses every field that it does not know.
- `ascend`: ATC. Skips unknown fields without a word, and refuses a file that lacks a required one.
- `omg`: ATC's predecessor, which reads as ATC does and has a few fields more.
- `opencv`: OpenCV 4. Sets unknown fields aside for custom layers; a known message that holds one may lose other
  parameters (OpenCV 4.14: PoolingParameter loses kernel_size), so a file for OpenCV must not have any.
- `any`: the union of the above, of the SSD fork and of fields that other public forks use, for files that others
  wrote. Where sources disagree about a number, the later one has a private number, and where they disagree about a
  default there is none. So `any` reads text in full, but of binary files only what BVLC's numbers cover.

None of them knows solver messages: nothing in a NetParameter leads to one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from torch2om.caffe.dialect import Dialect
from torch2om.caffe.fields.ascend import ASCEND
from torch2om.caffe.fields.bvlc import BVLC
from torch2om.caffe.fields.forks import FORKS, UNION_TYPES
from torch2om.caffe.fields.notation import Field, Table, union
from torch2om.caffe.fields.omg import OMG
from torch2om.caffe.fields.opencv import OPENCV
from torch2om.caffe.fields.ssd import SSD
from torch2om.caffe.text_reader import UnknownField, read_text

CaffeMessage = Any  # Any: an instance of a class made at run time, whose fields no stub can list

_BYTE_ORDER_MARK = "\ufeff"
_LABELS: dict[str, descriptor_pb2.FieldDescriptorProto.Label.ValueType] = {
    "optional": descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL,
    "required": descriptor_pb2.FieldDescriptorProto.LABEL_REQUIRED,
    "repeated": descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED,
    "packed": descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED,
}


@dataclass(frozen=True, eq=False)
class Schema:
    """One dialect's messages: their classes, their fields, and how their text is read."""

    dialect: Dialect
    table: Table = field(repr=False)
    pool: descriptor_pool.DescriptorPool = field(repr=False)

    def message_class(self, name: str) -> type[CaffeMessage]:
        """Return the class of the message `name` ("LayerParameter"); KeyError if the dialect has no such message."""
        if name not in self.table.messages:
            raise KeyError(f"the {self.dialect} dialect has no message {name}")
        return message_factory.GetMessageClass(self.pool.FindMessageTypeByName(f"{_package(self.dialect)}.{name}"))

    @property
    def NetParameter(self) -> type[CaffeMessage]:  # noqa: N802 - the message's own name
        """The class of a whole net."""
        return self.message_class("NetParameter")

    @property
    def LayerParameter(self) -> type[CaffeMessage]:  # noqa: N802 - the message's own name
        """The class of one layer."""
        return self.message_class("LayerParameter")

    @property
    def BlobProto(self) -> type[CaffeMessage]:  # noqa: N802 - the message's own name
        """The class of one blob."""
        return self.message_class("BlobProto")

    def has_field(self, message: str, name: str) -> bool:
        """Whether this dialect's message `message` ("PoolingParameter") has the field `name` ("round_mode")."""
        return name in self.table.messages.get(message, {})

    def parse_text(self, text: str, *, unknown: Literal["refuse", "ignore"]) -> CaffeMessage:
        """Return the NetParameter that `text` spells, as the dialect's own C++ parser reads it.

        Raises SyntaxProblem at the first character that this parser would refuse: a syntax error, a value of the wrong
        type or out of range, a field given twice that is not repeated, a missing required field; with
        `unknown="refuse"` also a field that the dialect does not know.
        """
        net = self.NetParameter()
        read_text(self._without_mark(text), self.table, net, refuse_unknown=unknown == "refuse")
        return net

    def unknown_fields(self, text: str) -> list[UnknownField]:
        """Return what the dialect does not know in `text`, in order; of an unknown message only its head.

        Raises SyntaxProblem where `parse_text(text, unknown="ignore")` does.
        """
        return self.parse_and_note(text)[1]

    def parse_and_note(self, text: str) -> tuple[CaffeMessage, list[UnknownField]]:
        """Return what `parse_text(text, unknown="ignore")` and `unknown_fields` do, from one reading."""
        net = self.NetParameter()
        return net, read_text(self._without_mark(text), self.table, net, refuse_unknown=False)

    def _without_mark(self, text: str) -> str:
        return text.removeprefix(_BYTE_ORDER_MARK) if self.dialect == "any" else text


@cache
def schema(dialect: Dialect) -> Schema:
    """Return the schema of a dialect; the classes are made once per process."""
    table = _table(dialect)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(_file(_package(dialect), table).SerializeToString())
    return Schema(dialect, table, pool)


def _table(dialect: Dialect) -> Table:
    match dialect:
        case "caffe":
            return BVLC
        case "ascend":
            return BVLC.extended(ASCEND)
        case "omg":
            return BVLC.extended(ASCEND).extended(OMG)
        case "opencv":
            return BVLC.extended(OPENCV)
        case "any":
            return union((BVLC, ASCEND, OPENCV, SSD, FORKS), UNION_TYPES)


def _package(dialect: Dialect) -> str:
    return f"torch2om.{dialect}"


def _file(package: str, table: Table) -> descriptor_pb2.FileDescriptorProto:
    """Describe the table as protobuf does a .proto file."""
    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto2")
    described = {name: file.message_type.add(name=name) for name in table.messages}
    for name, values in table.enums.items():
        message, _, last = name.rpartition(".")
        enum = (described[message] if message else file).enum_type.add(name=last)
        for value, number in values.items():
            enum.value.add(name=value, number=number)
    for name, fields in table.messages.items():
        described[name].field.extend(_described(package, one, table) for one in fields.values())
    return file


def _described(package: str, one: Field, table: Table) -> descriptor_pb2.FieldDescriptorProto:
    described = descriptor_pb2.FieldDescriptorProto(
        name=one.name, number=one.number, label=_LABELS[one.label], default_value=one.default
    )
    if one.type in table.messages or one.type in table.enums:
        described.type_name = f".{package}.{one.type}"
    if one.type in table.messages:
        described.type = descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE
    elif one.type in table.enums:
        described.type = descriptor_pb2.FieldDescriptorProto.TYPE_ENUM
    else:
        described.type = descriptor_pb2.FieldDescriptorProto.Type.Value(f"TYPE_{one.type.upper()}")
    if one.label == "packed":
        described.options.packed = True
    return described
