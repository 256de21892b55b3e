"""The model definition as protobuf itself reads it: an oracle that shares no code with torch2om.om.

Field numbers: GE graph_metadef/proto/ge_ir.proto. Kinds: s string, b bytes, i int64, f float, o bool, * repeated.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_FIELD = descriptor_pb2.FieldDescriptorProto
_TYPES = {
    "s": _FIELD.TYPE_STRING, "b": _FIELD.TYPE_BYTES, "i": _FIELD.TYPE_INT64, "f": _FIELD.TYPE_FLOAT,
    "o": _FIELD.TYPE_BOOL,
}  # fmt: skip
_MESSAGES = {
    "ModelDef": "1 name s, 2 version i, 3 custom_version s, 7 graph *GraphDef, 11 attr *Entry",
    "GraphDef": "1 name s, 4 input *s, 5 output *s, 6 op *OpDef, 11 attr *Entry",
    "Entry": "1 key s, 2 value AttrDef",
    "OpDef": "1 name s, 2 type s, 5 input *s, 10 attr *Entry, 21 id i, 22 stream_id i, 24 src_name *s, "
    "25 src_index *i, 28 input_i *i, 32 is_input_const *o, 33 input_desc *Desc, 34 output_desc *Desc",
    "Desc": "1 name s, 2 dtype i, 3 shape Shape, 4 layout s, 5 attr *Entry, 10 size i, 11 weight_size i, 18 data_offset i",
    "Shape": "1 dim *i",
    "TensorDef": "1 desc Desc, 2 data b",
    "NamedAttrs": "1 name s, 2 attr *Entry",
    "AttrDef": "1 list ListValue, 2 s b, 3 i i, 4 f f, 5 b o, 7 bt b, 10 func NamedAttrs, 11 td Desc, 12 t TensorDef, "
    "13 g GraphDef, 15 dt i",
    "ListValue": "2 s *b, 3 i *i, 4 f *f, 5 b *o, 7 bt *b, 8 td *Desc, 9 t *TensorDef, 10 g *GraphDef, "
    "11 na *NamedAttrs, 12 dt *i",
    "ModelTaskDef": "10 task *TaskDef, 11 memory_size i, 12 stream_num i, 14 weight_size i",
    "TaskDef": "2 type i, 10 stream_id i, 20 kernel KernelDef",
    "KernelDef": "10 stub_func s, 11 block_dim i, 17 kernel_name s",
}  # fmt: skip


def parse(message: str, data: bytes) -> Any:  # Any: a class made at run time
    """The message `message` that protobuf reads from `data`."""
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"oracle.{message}")).FromString(data)


@cache
def _pool() -> descriptor_pool.DescriptorPool:
    file = descriptor_pb2.FileDescriptorProto(name="oracle.proto", package="oracle", syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for text in fields.split(", "):
            number, field, kind = text.split()
            label = _FIELD.LABEL_REPEATED if kind[0] == "*" else _FIELD.LABEL_OPTIONAL
            made = message.field.add(name=field, number=int(number), label=label)
            kind = kind.lstrip("*")
            made.type = _TYPES.get(kind, _FIELD.TYPE_MESSAGE)
            if kind not in _TYPES:
                made.type_name = f".oracle.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return pool
