"""An op's parameters to and from its proto fields, as the fields' spellings say.

`written(op, dialect)` lists the fields that a prototxt of this dialect holds; `read_op` makes the
op again. Both follow `ir.spelling`; nothing here knows a particular layer type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from enum import StrEnum
from functools import cache
from typing import Any, get_type_hints

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from torch2om.caffe.dialect import Dialect, lineage
from torch2om.caffe.schema import schema
from torch2om.ir.op import BadOp, Op, Shapes
from torch2om.ir.spelling import KEY, Choice, Given, Spatial, Spelling, Unwritten

Value = bool | int | float | str
Written = tuple[tuple[str, Value], ...]  # path within the op's message -> one value; a repeated field stands repeatedly


def spelling_of(field: Field[Any], dialect: Dialect) -> Spelling:  # Any: dataclasses calls it so
    """Return how a field is spelled in a dialect."""
    spellings: Mapping[str, Spelling] = field.metadata.get(KEY, {})
    named = (spellings.get(name) for name in (*lineage(dialect), ""))
    return next(filter(None, named), Spelling(field.name))


def written(op: Op, dialect: Dialect) -> Written:
    """Return the proto fields of the op in order, those left out that equal the schema's default."""
    found: list[tuple[str, Value]] = []
    for field in fields(op):
        spelling = spelling_of(field, dialect)
        if not isinstance(spelling, Unwritten):
            found += _spelled(getattr(op, field.name), spelling, _Proto(type(op).message, dialect))
    return tuple(found)


class _Proto:
    """The op's message as the dialect's schema has it."""

    def __init__(self, message: str, dialect: Dialect) -> None:
        self._descriptor = parameter_descriptor(message, dialect)

    def field(self, path: str) -> FieldDescriptor:
        """Return the field at a dotted path."""
        return _field(self._descriptor, path)

    def is_default(self, path: str, value: object) -> bool:
        """Whether leaving the field out says the same."""
        field = self.field(path)
        if field.is_repeated:
            return value == ()
        return value == _default(field)


@cache
def parameter_descriptor(message: str, dialect: Dialect) -> Descriptor:
    """Return the descriptor of LayerParameter's field `message`."""
    field = schema(dialect).LayerParameter.DESCRIPTOR.fields_by_name.get(message)
    if field is None or field.message_type is None:
        raise BadOp(f"the dialect {dialect} has no {message}")
    described: Descriptor = field.message_type
    return described


@cache
def _field(descriptor: Descriptor, path: str) -> FieldDescriptor:
    *parents, name = path.split(".")
    for parent in parents:
        inner = descriptor.fields_by_name[parent].message_type
        if inner is None:
            raise BadOp(f"{parent} of {descriptor.name} is no message")
        descriptor = inner
    found = descriptor.fields_by_name.get(name)
    if found is None:
        raise BadOp(f"{descriptor.name} has no field {name}")
    return found


def _default(field: FieldDescriptor) -> object:
    if field.enum_type is not None:
        return field.enum_type.values_by_number[field.default_value].name
    return field.default_value


def _spelled(value: Any, spelling: Spelling, proto: _Proto) -> list[tuple[str, Value]]:  # Any: of the field's own type
    match spelling:
        case Spatial():
            found = _spatial(value, spelling, proto)
        case Choice():
            plain = next(proto_value for own, proto_value in spelling.values if own == value)
            found = [] if proto.is_default(spelling.name, plain) else [(spelling.name, _value(plain))]
        case _ if value is None or (not spelling.always and proto.is_default(spelling.name, value)):
            found = []
        case _:
            values = value if isinstance(value, tuple) else (value,)
            found = [(spelling.name, _value(item)) for item in values]
    return found + [(name, _value(fixed)) for name, fixed in spelling.beside if found]


def _spatial(value: tuple[int, ...], spelling: Spatial, proto: _Proto) -> list[tuple[str, Value]]:
    square = proto.field(spelling.name)
    default = 0 if square.is_repeated else square.default_value
    implied = 1 if spelling.name in ("stride", "dilation") else default
    if all(item == implied for item in value):
        return []
    if len(set(value)) == 1:
        return [(spelling.name, value[0])]
    if len(value) == 2 and spelling.height:
        return [(spelling.height, value[0]), (spelling.width, value[1])]
    return [(spelling.name, item) for item in value]


def _value(value: object) -> Value:
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, bool | int | float | str):
        return value
    raise BadOp(f"{value!r} has no proto spelling")


def read_op(op_class: type[Op], layer: Message, dialect: Dialect, *, shapes: Shapes, tops: int) -> Op:
    """Return the op that a layer's message says, for bottoms of these shapes and so many tops.

    Raises `BadOp` for values that the op cannot have, and for fields that change the meaning and that we do not know
    (a layer that is not computed may have more of them than its table speaks of).
    """
    message = getattr(layer, op_class.message) if op_class.message in layer.DESCRIPTOR.fields_by_name else layer
    axes = len(shapes[0]) - 2 if op_class.message == "convolution_param" and shapes else 2
    values: dict[str, object] = {"tops": tops} if "tops" in {field.name for field in fields(op_class)} else {}
    hints = _hints(op_class)
    for field in fields(op_class):
        value = _read_field(message, spelling_of(field, dialect), hints[field.name], axes)
        value = _absent(message, spelling_of(field, dialect)) if value is None else value
        if value is not None:
            values[field.name] = value
        elif field.default is MISSING and field.name not in values:
            raise BadOp(_missing(field, dialect))
    if op_class.computed and op_class.message and message is not layer:
        _refuse_unknown(op_class, message, dialect, axes)
        _refuse_beside(op_class, message, dialect)
    return op_class(**values)


# Fields that change nothing in a deployed net's result: which engine computes, how weights begin, what training does.
_INERT = frozenset(
    (
        *("engine", "force_nd_im2col", "cudnn_math_override", "debug_info"),
        *("weight_filler", "bias_filler", "filler", "scale_filler"),
        *("moving_average_fraction", "stable_prod_grad", "scale_train", "scale_from_blob", "bias_from_blob"),
    )
)


# ceil_mode: true says what every reader does anyway; false is a floor in OpenCV and a ceiling in ATC: refused.
_INERT_VALUES = (("ceil_mode", True),)


def _refuse_unknown(op_class: type[Op], message: Message, dialect: Dialect, axes: int) -> None:
    known = _names_read(op_class, dialect) | _INERT
    channels_from_the_end = ("axis", -axes - 1)  # a convolution's, which is 1 from the front
    for field, value in message.ListFields():
        if field.name in known or (field.name, value) in (*_INERT_VALUES, channels_from_the_end):
            continue
        if not field.has_default_value or value != field.default_value:
            raise BadOp(f"{field.name}: {value} is not supported")


def _refuse_beside(op_class: type[Op], message: Message, dialect: Dialect) -> None:
    """Refuse a field that stands beside another one with a value of its own (ATC's Upsample multiplies by `scale`)."""
    for field in fields(op_class):
        spelling = spelling_of(field, dialect)
        for name, fixed in spelling.beside if _present(message, spelling.name) else ():
            if _present(message, name) not in ([], [fixed]):
                raise BadOp(f"{name}: {_present(message, name)[0]} beside {spelling.name} is not supported")


@cache
def _names_read(op_class: type[Op], dialect: Dialect) -> frozenset[str]:
    names: set[str] = set()
    for field in fields(op_class):
        spelling = spelling_of(field, dialect)
        spatial = (spelling.height, spelling.width) if isinstance(spelling, Spatial) else ()
        beside = (name for name, _ in spelling.beside)
        names.update(path.split(".")[0] for path in (spelling.name, *spelling.aliases, *spatial, *beside))
    return frozenset(names)


@cache
def _hints(op_class: type[Op]) -> dict[str, Any]:  # Any: annotations are whatever typing makes of them
    return get_type_hints(op_class)


def _read_field(message: Message, spelling: Spelling, hint: Any, axes: int) -> object | None:
    """Return the field's value, or None where the message does not hold it."""
    if isinstance(spelling, Spatial):
        return _read_spatial(message, spelling, axes)
    if isinstance(spelling, Given):
        return spelling.value
    names = () if isinstance(spelling, Unwritten) else (spelling.name, *spelling.aliases)
    present = next(filter(None, (_present(message, name) for name in names)), [])
    if not present:
        return None
    if isinstance(spelling, Choice):
        return next((own for own, plain in spelling.values if [plain] == present), None)
    return _typed(present, hint)


def _missing(field: Field[Any], dialect: Dialect) -> str:  # Any: dataclasses calls it so
    """Return what to say of a field that the file does not hold, and what each reader takes for it."""
    spellings: Mapping[str, Spelling] = field.metadata.get(KEY, {})
    taken = (f"{reader} takes {each.absent}" for reader, each in spellings.items() if each.absent is not None)
    return ": ".join(filter(None, (f"{spelling_of(field, dialect).name} is missing", ", ".join(taken))))


def _absent(message: Message, spelling: Spelling) -> object | None:
    """Return what a field means when it is left out, if the dialect's spelling or its schema says so."""
    if spelling.absent is not None:
        return spelling.absent
    if type(spelling) is not Spelling or "." in spelling.name or spelling.name not in message.DESCRIPTOR.fields_by_name:
        return None
    field = message.DESCRIPTOR.fields_by_name[spelling.name]
    return field.default_value if field.has_default_value and field.enum_type is None else None


def _typed(present: list[Any], hint: Any) -> object:
    """Return what the message holds as the field's type wants it: an enumerator, a tuple or a number."""
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint(present[0])
    holds_many = getattr(hint, "__origin__", None) is tuple
    single: object = present[0]
    return tuple(present) if holds_many else single


def _present(message: Message, path: str) -> list[Any]:  # Any: protobuf values of any scalar type
    """Return the values that the message holds at a path: none if absent, enumerators by name."""
    *parents, name = path.split(".")
    for parent in parents:
        if parent not in message.DESCRIPTOR.fields_by_name or not message.HasField(parent):
            return []
        message = getattr(message, parent)
    field = _field(message.DESCRIPTOR, name) if name in message.DESCRIPTOR.fields_by_name else None
    if field is None:
        return []
    if field.is_repeated:
        return list(getattr(message, name))
    if not message.HasField(name):
        return []
    value = getattr(message, name)
    return [field.enum_type.values_by_number[value].name if field.enum_type is not None else value]


def _read_spatial(message: Message, spelling: Spatial, axes: int) -> tuple[int, ...] | None:
    height, width = _present(message, spelling.height), _present(message, spelling.width)
    square = _present(message, spelling.name)
    if height or width:
        if square:
            raise BadOp(f"{spelling.name} stands beside {spelling.height} and {spelling.width}")
        if axes != 2:
            raise BadOp(f"{spelling.height} and {spelling.width} are for 2 spatial axes, here are {axes}")
        return ((height or [0])[0], (width or [0])[0])  # BVLC reads a missing side as 0 (base_conv_layer.cpp)
    if len(square) not in (0, 1, axes):
        raise BadOp(f"{spelling.name} has {len(square)} values for {axes} spatial axes")
    if not square:
        return _implied(spelling, axes)
    return tuple(square) * (axes if len(square) == 1 else 1)


def _implied(spelling: Spatial, axes: int) -> tuple[int, ...]:
    return ((1 if spelling.name in ("stride", "dilation") else 0),) * axes
