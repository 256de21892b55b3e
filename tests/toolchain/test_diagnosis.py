"""Logs: every documented code and failure text is recognised, and explained at the layer that it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from torch2om.errors import Severity
from torch2om.origin import NOWHERE, Origin
from torch2om.toolchain.diagnosis import diagnose, named_layers, says_failed
from torch2om.toolchain.failures import FAILED, FAILURES, failure

LOGS = Path(__file__).parents[1] / "data" / "toolchain"
LINE = Origin("conv2d", file="net.py", line=12, code="x = self.conv(x)")
LAYERS = {"conv1": LINE, "relu1": NOWHERE, "stem/conv": LINE, "pool": NOWHERE, "the": NOWHERE, "x": NOWHERE}

# Every code that the manual, the error registry and the runtime's headers document for Caffe and for loading an om.
DOCUMENTED = [
    "E10001",
    "E10002",
    "E10003",
    "E10004",
    "E10005",
    "E10006",
    "E10007",
    "E10008",
    "E10009",
    "E10010",
    "E10011",
    "E10012",
    "E10014",
    "E10016",
    "E10017",
    "E10018",
    "E10019",
    "E10021",
    "E10022",
    "E10031",
    "E10034",
    "E10035",
    "E10036",
    "E10037",
    "E10038",
    "E10039",
    "E10040",
    "E10041",
    "E10045",
    "E10046",
    "E10047",
    "E10049",
    "E10052",
    "E10054",
    "E10056",
    "E10057",
    "E10058",
    "E10501",
    "E11001",
    "E11003",
    "E11004",
    "E11005",
    "E11008",
    "E11009",
    "E11012",
    "E11014",
    "E11015",
    "E11016",
    "E11017",
    "E11018",
    "E11021",
    "E11022",
    "E11023",
    "E11024",
    "E11027",
    "E11029",
    "E11032",
    "E11033",
    "E11035",
    "E11036",
    "E11037",
    "E13000",
    "E13001",
    "E13002",
    "E13003",
    "E13004",
    "E13005",
    "E13009",
    "E13010",
    "E13014",
    "E13018",
    "E13023",
    "E13026",
    "E14001",
    "E19999",
    "E20001",
    "E40021",
    "EZ3002",
    "EZ3003",
    "EZ9999",
    "W11001",
    "W11002",
]
LOADING = [
    "145000",
    "145002",
    "145003",
    "145006",
    "145009",
    "145011",
    "145012",
    "145013",
    "145014",
    "145015",
    "145016",
    "145020",
    "145021",
    "145022",
    "245000",
    "245002",
    "545000",
    "545001",
    "545002",
    "545003",
    "545004",
    "545005",
    "545006",
    "545008",
    "545601",
]


def test_the_table_has_every_documented_code() -> None:
    assert set(FAILURES) == {*DOCUMENTED, *LOADING}
    assert all(known.cause and known.remedy and known.source for known in FAILURES.values())


@pytest.mark.parametrize("code", DOCUMENTED)
@pytest.mark.parametrize("head", ["{code}: ", "{code}: [PID: 1234] 2025-06-16-13:02:36.801.136 ", "{code}:\n        "])
def test_every_code_is_recognised_in_every_generations_form(code: str, head: str) -> None:
    lines = f"ATC run failed\n{head.format(code=code)}Something is wrong.\n        Solution: Mend it.".splitlines()
    (found,) = diagnose(lines, {})
    assert found.code == "K903"
    assert found.message == f"{code}: Something is wrong."
    assert (found.hint, found.source) == (FAILURES[code].remedy, FAILURES[code].source)
    assert found.details == (FAILURES[code].cause, "Solution: Mend it.")
    assert found.severity is (Severity.WARNING if code.startswith("W") else Severity.ERROR)


@pytest.mark.parametrize(
    "code", ["E10099", "E20010", "E30003", "E40001", "E50012", "EZ0501", "EE9999", "EI0001", "W10005"]
)
def test_an_unknown_code_gets_its_familys_words(code: str) -> None:
    assert code not in FAILURES
    (found,) = diagnose([f"{code}: Something."], {})
    assert found.hint == failure(code).remedy != ""


SYMPTOMS = [
    ("ModuleNotFoundError: No module named 'decorator'", "pip install"),
    ("ModuleNotFoundError: No module named 'te'", "set_env.sh"),
    ("omg: error while loading shared libraries: libfmk_common.so: cannot open shared object file", "LD_LIBRARY_PATH"),
    ("dev memory malloc error", "4 GB"),
    ("terminate called after throwing an instance of 'std::bad_alloc'", "4 GB"),
    ("Model soc version[Ascend310P3] is not support in this device", "--soc"),
    ("opp version of the model does not match", "the board has"),
    ("Get model input shape error", "layer of type Input"),
]


@pytest.mark.parametrize(("line", "hint"), SYMPTOMS)
def test_texts_without_a_code_are_recognised(line: str, hint: str) -> None:
    (found,) = diagnose(["before", line, "after"], {})
    assert found.message == line
    assert hint in found.hint


@pytest.mark.parametrize("text", FAILED)
def test_each_generations_failure_text_is_known(text: str) -> None:
    assert says_failed(["...", f"{text}. Please see the log."])
    assert not says_failed(["ATC run success, welcome to the next use."])


RECORDED = [
    ("atc_no_kernel.log", ("EZ3003", "E20001"), "stem/conv"),
    ("atc_input_name.log", ("E10016",), ""),
    ("atc_tbe.log", ("E20001",), "conv1, relu1"),
    ("atc_old_form.log", ("E10001",), ""),
    ("atc_inner.log", ("E19999",), ""),
    ("atc_python.log", ("E20001", "ModuleNotFoundError"), ""),
    ("omg_unknown_field.log", ("[libprotobuf ERROR", "omg: read proto from text ret fail"), ""),
]


@pytest.mark.parametrize(("file", "starts", "layer"), RECORDED)
def test_a_failures_log_is_explained(file: str, starts: tuple[str, ...], layer: str) -> None:
    lines = (LOGS / file).read_text(encoding="utf-8").splitlines()
    assert says_failed(lines)
    found = diagnose(lines, LAYERS)
    for start in starts:
        assert any(one.message.startswith(start) for one in found), [one.message for one in found]
    assert any(one.layer == layer for one in found)
    assert all(one.origin == LINE for one in found if one.layer.startswith(("conv1", "stem/conv")))


@pytest.mark.parametrize(
    ("text", "layers"),
    [
        ("Failed to compile Op [conv1]. (optype: [Conv2D])", ["conv1"]),
        ("Failed to compile Op [conv1,relu1]. (optype: [Conv2D, Relu])", ["conv1", "relu1"]),
        ("Failed to compile Op [[conv1, conv1], [relu1, relu1]].", ["conv1", "relu1"]),
        ("op[conv1relu1] failed", ["conv1", "relu1"]),
        ("op 'stem/conv' failed", ["stem/conv"]),
        ("layer name: pool", ["pool"]),
        ("the shape of x is wrong", []),
        ("no layer conv10 here", []),
    ],
)
def test_ops_are_layers_where_they_are_named_as_ops(text: str, layers: list[str]) -> None:
    assert list(named_layers(text, LAYERS)) == layers


def test_a_log_of_anything_is_read_quickly() -> None:
    lines = ["[" + "conv1" * 100_000, "E10016: " + "x" * 1_000_000, "\x00\ufffd" * 1000, *["  deep"] * 1000]
    (found,) = diagnose(lines, LAYERS)
    assert len(found.details) < 20
