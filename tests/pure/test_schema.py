from __future__ import annotations

import pytest
from google.protobuf import descriptor_pool

from torch2om.caffe.dialect import Dialect
from torch2om.caffe.fields.notation import table, union
from torch2om.caffe.schema import schema

DIALECTS: tuple[Dialect, ...] = ("caffe", "ascend", "omg", "opencv", "any")

# Numbers, types, labels and defaults read in the sources that the field tables name.
FACTS = [
    ("caffe", "LayerParameter.convolution_param", 106, "ConvolutionParameter", "optional", None),
    ("caffe", "LayerParameter.clip_param", 148, "ClipParameter", "optional", None),
    ("caffe", "ClipParameter.min", 1, "float", "required", None),
    ("caffe", "PoolingParameter.round_mode", 13, "PoolingParameter.RoundMode", "optional", "CEIL"),
    ("caffe", "ConvolutionParameter.dilation", 18, "uint32", "repeated", None),
    ("caffe", "BlobProto.data", 5, "float", "packed", None),
    ("caffe", "NetParameter.layer", 100, "LayerParameter", "repeated", None),
    ("caffe", "V1LayerParameter.blobs", 6, "BlobProto", "repeated", None),
    ("caffe", "V0LayerParameter.kernelsize", 8, "uint32", "optional", None),
    ("caffe", "MVNParameter.eps", 3, "float", "optional", "1e-09"),
    ("ascend", "PoolingParameter.ceil_mode", 13, "bool", "optional", "true"),
    ("ascend", "PoolingParameter.round_mode", 14, "PoolingParameter.RoundMode", "optional", "CEIL"),
    ("ascend", "LayerParameter.smooth_l1_loss_param", 148, "SmoothL1LossParameter", "optional", None),
    ("ascend", "LayerParameter.batch_matmul_param", 235, "BatchMatMulParameter", "optional", None),
    ("ascend", "LayerParameter.norm_param", 206, "NormalizeParameter", "optional", None),
    ("ascend", "UpsampleParameter.stride", 2, "int32", "optional", "2"),
    ("ascend", "SSDDetectionOutputParameter.num_classes", 1, "int32", "required", "2"),
    ("ascend", "BlobProto.int8_data", 10, "bytes", "optional", None),
    ("omg", "ProposalParameter.nms_thresh", 8, "float", "optional", "0.7"),
    ("omg", "PoolingParameter.round_mode", 14, "PoolingParameter.RoundMode", "optional", "CEIL"),
    ("opencv", "PoolingParameter.ceil_mode", 13, "bool", "optional", "true"),
    ("opencv", "LayerParameter.permute_param", 148, "PermuteParameter", "optional", None),
    ("opencv", "LayerParameter.norm_param", 149, "NormalizeBBoxParameter", "optional", None),
    ("opencv", "BlobProto.raw_data", 12, "bytes", "optional", None),
    ("any", "PoolingParameter.round_mode", 13, "PoolingParameter.RoundMode", "optional", "CEIL"),
    ("any", "InterpParameter.align_corners", 100_000_000, "bool", "optional", None),
]

ABSENT = [
    ("caffe", "PoolingParameter", "ceil_mode"),
    ("caffe", "LayerParameter", "upsample_param"),
    ("ascend", "LayerParameter", "clip_param"),
    ("ascend", "LayerParameter", "swish_param"),
    ("ascend", "LayerParameter", "batched_matmul_param"),
    ("ascend", "UpsampleParameter", "upsample_h"),
    ("ascend", "ProposalParameter", "nms_thresh"),
    ("omg", "ProposalParameter", "iou_threshold"),
    ("opencv", "PoolingParameter", "round_mode"),
    ("opencv", "LayerParameter", "interp_param"),
]


@pytest.mark.parametrize(("dialect", "path", "number", "type_", "label", "default"), FACTS)
def test_a_field_is_what_its_source_says(
    dialect: Dialect, path: str, number: int, type_: str, label: str, default: str | None
) -> None:
    message, name = path.split(".")
    field = schema(dialect).table.messages[message][name]
    assert (field.number, field.type, field.label, field.default) == (number, type_, label, default)


@pytest.mark.parametrize(("dialect", "message", "field"), ABSENT)
def test_a_dialect_lacks_what_its_source_lacks(dialect: Dialect, message: str, field: str) -> None:
    assert not schema(dialect).has_field(message, field)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_classes_have_the_fields_of_the_table(dialect: Dialect) -> None:
    made = schema(dialect)
    for name, fields in made.table.messages.items():
        described = made.message_class(name).DESCRIPTOR.fields_by_name
        assert {field: described[field].number for field in described} == {f.name: f.number for f in fields.values()}
        assert [described[f.name].GetOptions().packed for f in fields.values()] == [
            f.label == "packed" for f in fields.values()
        ]


def test_defaults_reach_the_messages() -> None:
    pooling = schema("caffe").message_class("PoolingParameter")()
    assert (pooling.stride, pooling.round_mode, pooling.global_pooling) == (1, 0, False)
    assert schema("ascend").message_class("ROIPoolingParameter")().spatial_scale == 0.0625


@pytest.mark.parametrize("dialect", ["caffe", "ascend", "opencv"])
def test_the_union_knows_every_field_of_a_dialect(dialect: Dialect) -> None:
    everything = schema("any")
    for name, fields in schema(dialect).table.messages.items():
        assert all(everything.has_field(name, field) for field in fields)


def test_the_union_has_a_default_only_where_the_sources_agree() -> None:
    fields = schema("any").table.messages
    assert fields["PriorBoxParameter"]["clip"].default is None  # false in ATC and SSD, true in OpenCV
    assert fields["UpsampleParameter"]["scale"].default is None  # 1 in ATC and darknet2caffe, 2 in SegNet
    assert fields["PriorBoxParameter"]["flip"].default == "true"


def test_the_union_requires_only_what_all_sources_require() -> None:
    fields = schema("any").table.messages
    assert fields["PSROIPoolingParameter"]["group_size"].label == "required"
    assert fields["ROIPoolingParameter"]["pooled_h"].label == "optional"


def test_the_union_refuses_types_that_nobody_has_settled() -> None:
    one, other = (table({"M": f"1 a {kind}"}, {}) for kind in ("float", "uint32"))
    with pytest.raises(ValueError, match=r"M\.a is float or uint32"):
        union((one, other), {})
    assert union((one, other), {"M.a": "float"}).messages["M"]["a"].type == "float"


def test_a_spelling_that_is_no_field_is_refused() -> None:
    with pytest.raises(ValueError, match="M: '1 a' is not"):
        table({"M": "1 a"}, {})


def test_an_unknown_message_is_named() -> None:
    with pytest.raises(KeyError, match="the ascend dialect has no message ClipParameter"):
        schema("ascend").message_class("ClipParameter")


def test_a_schema_is_made_once_and_outside_the_default_pool() -> None:
    assert schema("caffe") is schema("caffe")
    with pytest.raises(KeyError):
        descriptor_pool.Default().FindMessageTypeByName(schema("caffe").NetParameter.DESCRIPTOR.full_name)


def test_dialects_decode_pooling_field_13_in_their_own_way() -> None:
    floor = schema("caffe").message_class("PoolingParameter")(round_mode=1).SerializeToString()
    assert schema("ascend").message_class("PoolingParameter").FromString(floor).ceil_mode is True
