"""insert_op_conf files: read as ATC reads them, written so that they are read back, and safe on hostile text."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import pytest
from configurations import configurations
from hypothesis import given, settings
from hypothesis import strategies as st

from torch2om.errors import PreprocessingError, UsageError
from torch2om.preprocessing import AippConfig, InputFormat, Mode, read_aipp, read_aipp_file, write_aipp
from torch2om.preprocessing.text import LARGEST

CORPUS = sorted((Path(__file__).parents[1] / "data" / "aipp").glob("*.cfg"))


@settings(max_examples=60, deadline=None)
@given(st.lists(configurations(), min_size=1, max_size=2).map(tuple))
def test_what_is_written_is_read_back(configs: tuple[AippConfig, ...]) -> None:
    assert read_aipp(write_aipp(configs, ["a remark"])) == configs


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_files_of_the_corpus_are_read_and_kept(path: Path) -> None:
    configs = read_aipp_file(path)
    assert read_aipp(write_aipp(configs)) == configs


def test_every_notation_of_the_text_format_is_understood() -> None:
    (gray,) = read_aipp_file(CORPUS[0].with_name("gray.cfg"))
    assert (gray.input_format, gray.mean_chn, gray.var_reci_chn) == (InputFormat.YUV400, (33,), (0.012728173285722733,))
    left, right = read_aipp_file(CORPUS[0].with_name("two_inputs.cfg"))
    assert (left.related_input_name, left.input_edge_idx, left.padding_value) == ("left", (0, 1), -1.5)
    assert (right.related_input_name, right.ax_swap_switch, right.rbuv_swap_switch) == ("right", True, True)
    (dynamic,) = read_aipp_file(CORPUS[0].with_name("dynamic.cfg"))
    assert (dynamic.aipp_mode, dynamic.max_src_image_size) == (Mode.DYNAMIC, 150528)


def test_numbers_left_out_of_a_series_have_their_defaults() -> None:
    (config,) = read_aipp(
        "aipp_op { aipp_mode: static input_format: RGB888_U8 csc_switch: true mean_chn_1: 7 var_reci_chn_2: 2 matrix_r1c1: 5 }"
    )
    assert config.mean_chn == (0, 7)
    assert config.var_reci_chn == (1, 1, 2)
    assert config.matrix == (0, 0, 0, 0, 5, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ("mean_chn_0: 1.5", "3:15: expected an integer, found '1.5'"),
        ("rotation_angle: 2", "3:3: AippOpParams has no field 'rotation_angle'"),
        ("crop: true crop: true", "3:14: aipp_op[0].crop is given twice, but is not repeated"),
        ("input_format: RGB", "3:17: input_format cannot be 'RGB'"),
        ("csc_switch: yes", "3:15: expected true or false, found 'yes'"),
        ("mean_chn_0: 99999999999", "3:15: mean_chn_0 cannot be '99999999999': not of type int32"),
        ("max_src_image_size: -1", "3:23: expected an integer of at least 0, found '-'"),
        ("crop {", "3:8: expected ':' after crop, found '{'"),
        ("mean_chn_0: 1 }", "4:1: expected a field name, found '}'"),
    ],
)
def test_what_the_parser_refuses_is_told_with_line_and_column(fields: str, place: str) -> None:
    with pytest.raises(PreprocessingError) as refused:
        read_aipp(f"aipp_op {{\n  aipp_mode: static\n  {fields}\n}}", "my.cfg")
    (found,) = refused.value.diagnostics
    assert found.code == "P801"
    assert found.message.startswith(f"my.cfg:{place}")


def test_all_broken_limits_are_told_at_once_each_at_its_field() -> None:
    text = "aipp_op {\n aipp_mode: static\n input_format: RGB888_U8\n mean_chn_0: 300\n min_chn_1: nan resize: true }"
    with pytest.raises(PreprocessingError) as refused:
        read_aipp(text)
    assert [str(found).splitlines()[0] for found in refused.value.diagnostics] == [
        "error P802: aipp.cfg:4:2: mean_chn_0 is 300; it is 0 to 255",
        "error P802: aipp.cfg:5:2: min_chn_1 is nan; it is 0 to 255",
        "error P803: aipp.cfg:5:17: AIPP does not resize on Ascend",
    ]


def test_a_number_given_twice_and_a_layout_without_a_manual_are_refused() -> None:
    with pytest.raises(PreprocessingError, match="var_reci_chn_0 is given 2 times"):
        read_aipp("aipp_op { aipp_mode: static input_format: RGB888_U8 var_reci_chn_0: [1, 2] }")
    with pytest.raises(PreprocessingError, match="input_format RAW10 is not documented"):
        read_aipp("aipp_op { aipp_mode: static input_format: RAW10 }")


@pytest.mark.parametrize("text", ["", "# nothing\n", "aipp_op: []"])
def test_a_file_without_aipp_op_is_refused(text: str) -> None:
    with pytest.raises(PreprocessingError, match="has no aipp_op"):
        read_aipp(text)


def test_a_file_that_is_not_there_or_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="U133"):
        read_aipp_file(tmp_path / "none.cfg")
    (tmp_path / "large.cfg").write_bytes(b"#" * (LARGEST + 1))
    with pytest.raises(PreprocessingError, match="P801"):
        read_aipp_file(tmp_path / "large.cfg")


@pytest.mark.parametrize(
    "text",
    [
        "aipp_op {" * 7_000,
        "aipp_op { mean_chn_0: " + "9" * 60_000 + " }",
        "aipp_op { min_chn_0: " + "9" * 60_000 + " }",
        "aipp_op { related_input_name: " + '"x"' * 20_000 + " }",
        "aipp_op { aipp_mode: static input_format: 3 input_edge_idx: [" + "1," * 30_000 + "1] }",
        "aipp_op { }" * 5_000,
        "aipp_op { mean_chn_0: 999 var_reci_chn_0: [1, 1] }" * 64,
        "(" * 60_000,
    ],
    ids=["nested", "digits", "float-digits", "strings", "list", "blocks", "refused", "brackets"],
)
def test_hostile_text_is_answered_soon(text: str) -> None:
    begin = time.process_time()
    with contextlib.suppress(PreprocessingError):
        read_aipp(text)
    assert time.process_time() - begin < 1


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(CORPUS), st.data())
def test_a_changed_file_is_read_or_refused_and_nothing_else(path: Path, data: st.DataObject) -> None:
    text = path.read_text(encoding="utf-8")
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(start + 9, len(text))))
    put = data.draw(st.text(max_size=3) | st.sampled_from(["{", "}", "nan", "-1", "0x", '"', "1e99", "[", "static"]))
    changed = text[:start] + put + text[end:]
    try:
        configs = read_aipp(changed)
    except PreprocessingError:
        return
    assert read_aipp(write_aipp(configs)) == configs
