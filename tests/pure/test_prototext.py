from __future__ import annotations

import math

import numpy as np
import pytest
from google.protobuf import text_format
from hypothesis import given, settings
from hypothesis import strategies as st

from torch2om.caffe.schema import Schema, schema
from torch2om.caffe.text_reader import UnknownField
from torch2om.caffe.tokens import SyntaxProblem, decode_text

NET = """# a net of each spelling
name: 'tiny' ; force_backward: t
input: "data"  input_dim: [1, 0x3, 010, 8]
state { phase: 1, level: -7 stage: "a" "b" 'c' }
layer <
  name: "\\x63onv\\061\\n\\u00e9" type: "Convolution" bottom: "data" top: "conv1" propagate_down: False
  convolution_param: { num_output: 4 kernel_size: 3 kernel_size: 5 engine: CAFFE
    weight_filler { std: 1.5f mean: -.25e-1 min: -inf max: 3 value: nan } }
>
layer { name: "relu" type: "ReLU" bottom: "conv1" top: "conv1" relu_param { negative_slope: 1e400 } }
"""


def problem(text: str, dialect: Schema | None = None) -> SyntaxProblem:
    with pytest.raises(SyntaxProblem) as caught:
        (dialect or schema("caffe")).parse_text(text, unknown="refuse")
    return caught.value


def accepts(reader: Schema, text: str) -> bool:
    try:
        reader.parse_text(text, unknown="ignore")
    except SyntaxProblem:
        return False
    return True


def test_every_spelling_reads_as_the_value_it_stands_for() -> None:
    net = schema("caffe").parse_text(NET, unknown="refuse")
    assert (net.name, net.force_backward, list(net.input_dim)) == ("tiny", True, [1, 3, 8, 8])
    assert (net.state.phase, net.state.level, list(net.state.stage)) == (1, -7, ["abc"])
    conv, relu = net.layer
    assert (conv.name, list(conv.propagate_down)) == ("conv1\né", [False])
    filler = conv.convolution_param.weight_filler
    assert (list(conv.convolution_param.kernel_size), conv.convolution_param.engine) == ([3, 5], 1)
    assert (filler.std, filler.mean, filler.min, filler.max) == (1.5, np.float32(-0.025), -math.inf, 3.0)
    assert math.isnan(filler.value)
    assert relu.relu_param.negative_slope == math.inf


def test_line_ends_and_a_missing_last_one_do_not_matter() -> None:
    unix = schema("caffe").parse_text(NET, unknown="refuse")
    windows = schema("caffe").parse_text(NET.replace("\n", "\r\n").rstrip(), unknown="refuse")
    assert unix.SerializeToString(deterministic=True) == windows.SerializeToString(deterministic=True)


def test_protobufs_own_parser_reads_the_same_net() -> None:
    plain = NET.replace("1e400", "inf").replace("'c' }", "}").replace("'tiny'", '"tiny"')
    ours = schema("caffe").parse_text(plain, unknown="refuse")
    theirs = text_format.Parse(plain, schema("caffe").NetParameter())
    assert ours.SerializeToString(deterministic=True) == theirs.SerializeToString(deterministic=True)


REFUSED = [
    ('name: "a" name: "b"', "1:11: name is given twice, but is not repeated"),
    ("layer {\n  relu_param { } relu_param { } }", "2:18: layer[0].relu_param is given twice, but is not repeated"),
    ("layer { clip_param { min: 0 } }", "1:20: layer[0].clip_param lacks its required field max"),
    ("layer { pooling_param { ceil_mode: true } }", "1:25: PoolingParameter has no field 'ceil_mode'"),
    ("layer {\n\n  type: ReLU }", "3:9: expected a string, found 'ReLU'"),
    ("layer { phase: test }", "1:16: phase cannot be 'test': one of TRAIN, TEST"),
    ("layer { phase: -1 }", "1:16: phase cannot be '-1': one of TRAIN, TEST"),
    ("layer { phase: { } }", "1:16: expected one of TRAIN, TEST, found '{'"),
    ("force_backward: yes", "1:17: expected true or false, found 'yes'"),
    ("force_backward: 2", "1:17: expected true or false, found '2'"),
    ("input_dim: 3.0", "1:12: expected an integer, found '3.0'"),
    ("input_dim: 08", "1:12: input_dim cannot be '08': not of type int32"),
    ("input_dim: -2147483649", "1:12: input_dim cannot be '-2147483649': not of type int32"),
    ("layer { slice_param { slice_point: -1 } }", "1:36: expected an integer of at least 0, found '-'"),
    ("layer { relu_param { negative_slope: 0x1 } }", "1:38: expected a decimal number, found '0x1'"),
    ("input_dim: 1input_dim: 2", "1:12: the number '1' runs into what follows it"),
    ("input_dim: 1..5", "1:12: the number '1.' runs into what follows it"),
    ("input_dim: [1, 2", "1:17: expected ',' or ']', found the end of the file"),
    ("name", "1:5: expected ':' after name, found the end of the file"),
    ('layer {\n name: "a"', "1:7: the '{' is never closed"),
    ("layer { >", "1:9: expected a field name, found '>'"),
    ("layer } {", "1:7: expected '{', found '}'"),
    ("name: 'a", "1:7: the string does not end on its line"),
    ('name: "a\nb"', "1:7: the string does not end on its line"),
    (r'name: "\q"', r"1:7: the escape \q has no meaning in a string"),
    (r'name: "\U00110000"', r"1:7: the escape \U00110000 has no meaning in a string"),
    (r'name: "\377"', "1:7: the string is not UTF-8"),
    ("名: 1", "1:1: the character '\\u540d' may stand only in a string or a comment"),
    ("// name", "1:1: expected a field name, found '/'"),
    ("name: " + "a" * 99, "1:7: expected a string, found '" + "a" * 40 + "...'"),
    ("input_dim: " + "9" * 5000, "1:12: input_dim cannot be '" + "9" * 40 + "...': not of type int32"),
]


@pytest.mark.parametrize(("text", "words"), REFUSED)
def test_a_refusal_says_where_and_why(text: str, words: str) -> None:
    assert str(problem(text)) == words


def test_a_byte_order_mark_is_refused_as_caffe_does_and_read_by_the_union() -> None:
    marked = decode_text(b'\xef\xbb\xbfname: "a"')
    assert problem(marked).message.startswith("the file begins with a byte order mark")
    assert schema("any").parse_text(marked, unknown="refuse").name == "a"


def test_comments_may_be_in_any_encoding_but_strings_are_utf_8() -> None:
    net = schema("caffe").parse_text(decode_text(b"# \xd6\xd0\nname: '\xe4\xb8\xad'"), unknown="refuse")
    assert net.name == "中"
    assert str(problem(decode_text(b"name: '\xd6\xd0'"))) == "1:7: the string is not UTF-8"


@pytest.mark.parametrize("opening", ["layer { x", "x", "x: [ { x", "x < y"])
def test_nesting_without_end_is_a_syntax_problem(opening: str) -> None:
    body = (opening + "{ ") * 5000
    with pytest.raises(SyntaxProblem, match="messages nest more than 100 deep"):
        schema("caffe").parse_text(body, unknown="ignore")


def test_unknown_fields_are_found_with_place_and_path() -> None:
    text = 'foo: 1\nlayer { name: "a" }\nlayer {\n  bar { baz: 2 }\n  pooling_param { ceil_mode: false pad: 1 }\n}\n'
    assert schema("caffe").unknown_fields(text) == [
        UnknownField(1, 1, "foo"),
        UnknownField(4, 3, "layer[1].bar"),
        UnknownField(5, 19, "layer[1].pooling_param.ceil_mode"),
    ]
    assert schema("opencv").unknown_fields(text) == [UnknownField(1, 1, "foo"), UnknownField(4, 3, "layer[1].bar")]
    net = schema("caffe").parse_text(text, unknown="ignore")
    assert net.layer[1].pooling_param.pad == 1


SKIPPED = [
    ("foo: 1", True),
    ("foo: -1.5f foo: -inf foo: BAR", True),
    ('foo: "a" "b"', True),
    ("foo: [1, a, 'b'] foo: [{ a: 1 }, < b: 2 >]", True),
    ("foo { a { b < c: 1 > } }", True),
    ("foo { a: 1, b: 2; }", True),
    ("foo: { a: 1 }", True),
    ("foo: []", False),
    ("foo: 1;", False),
    ("foo: -bar", False),
    ("foo { a: 1 >", False),
    ("foo:", False),
    ("foo", False),
    (r'foo: "\q"', False),
    ("foo: [1; 2]", False),
]

# What else OpenCV's parser, Google's C++ one, takes or refuses.
JUDGED = [
    "", "#", "foo bar", 'name: "a",', 'name: "a",,', "force_backward: T", "force_backward: 0x1",
    "state { level: 2147483648 }", "state { level: -2147483648 }",
    "state: { }", "state < }", "state", "} ", "name: abc", "name: 1", "na-me: 'a'",
    "input_dim: [1, 3, ]", "input_dim: []", "input_dim [1]", "input_shape [{ dim: 1 }]", "name: ['a']",
    "layer { transform_param { crop_size: 4294967295 } }", "layer { transform_param { crop_size: 4294967296 } }",
    "layer { transform_param { crop_size: -0 } }", "layer { loss_weight: +1 }", "layer { loss_weight: - 1 }",
    "layer { loss_weight: .5 loss_weight: 5. loss_weight: 1E+5 loss_weight: 1F loss_weight: Infinity }",
    "layer { loss_weight: 00.5 }", "layer { loss_weight: 1e }", "layer { loss_weight: 1abc }",
    "layer { loss_weight: . }",
    "layer { psroi_pooling_param { } }", "$", "\x01", "name: '\x01'", "# \0", "\v\f",
]  # fmt: skip


@pytest.mark.parametrize(("text", "taken"), SKIPPED)
def test_unknown_values_are_skipped_only_if_they_are_well_formed(text: str, taken: bool) -> None:
    assert accepts(schema("caffe"), text) is taken


@pytest.mark.parametrize("text", [text for text, _ in (*SKIPPED, *REFUSED)] + JUDGED)
def test_the_opencv_dialect_takes_what_opencv_takes(text: str) -> None:
    cv2 = pytest.importorskip("cv2")
    if "\\377" in text or "\\U0011" in text:
        pytest.skip("OpenCV takes strings that are not UTF-8 and characters beyond Unicode")
    data = 'input: "x" input_shape { dim: 1 }\n' if "input" not in text else ""
    whole = (data + text).replace("layer {", 'layer { name: "l" type: "Split" bottom: "x"')
    try:
        cv2.dnn.readNetFromCaffe(np.frombuffer(whole.encode() or b"#", np.uint8))
        taken = True
    except cv2.error as refusal:
        taken = "Failed to parse" not in str(refusal)
    assert accepts(schema("opencv"), whole) is taken


@settings(max_examples=300)
@given(st.text(alphabet="layer{}<>[]:;,'\"\\#-+.0x9e \n"), st.sampled_from(["caffe", "any"]))
def test_no_text_breaks_the_reader(text: str, dialect: str) -> None:
    accepts(schema("any" if dialect == "any" else "caffe"), text)
    accepts(schema("caffe"), f"layer {{ relu_param {{ {text} }} }}")
