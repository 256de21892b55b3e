"""What two om files differ in."""

from __future__ import annotations

from typing import Any

import pytest
from samples import sample_paths
from writing import Const, Keys, Op, desc, kernel, model, om, task, tensor_info, tensors

from torch2om.om.difference import Difference, differences
from torch2om.om.reader import OmFile, parse_om, read_om


def net(**changed: Any) -> OmFile:
    """A small net, with some of its parts changed."""
    given = {
        "axis": 1,
        "soc": "Ascend310",
        "numbers": b"\0<\0@",
        "kernel": "k",
        "port": "x",
        "task": 0,
        "memory": 64,
        **changed,
    }
    plain = desc((1, 3), "ND")
    ops = [
        Op("x", "Data", ins=(plain,)),
        Op("w", "Const", attributes={"value": Const((2,), "ND", data=given["numbers"])}),
        Op(given.get("op", "soft"), "SoftmaxV2", ("x:0",), {"axis": given["axis"]}, (plain,), (plain,)),
    ]
    content = model(
        ops, {"soc_version": given["soc"], "memory_size": given["memory"]}, Keys(given.get("compressed", False))
    )
    ports = tensors(0, tensor_info(given["port"], (1, 3), 2, 1))
    return parse_om(om(((8, ports), (0, content), (3, kernel(given["kernel"], b"ELF")), (2, task(given["task"], 0)))))


@pytest.mark.parametrize("path", sample_paths(), ids=lambda path: path.stem)
def test_a_file_is_the_same_as_itself(path: Any) -> None:
    assert differences(read_om(path), read_om(path)) == ()


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"axis": 2}, [Difference("operators", "soft: attributes.axis", "1", "2")]),
        ({"soc": "Ascend710"}, [Difference("provenance", "soc", "Ascend310", "Ascend710")]),
        ({"memory": 65}, [Difference("memory", "work", "64", "65")]),
        ({"numbers": b"\0<\0B"}, [Difference("weights", "w: numbers", "2 at 1", "3 at 1")]),
        ({"task": 31}, [Difference("tasks", "kernel", "1", "-"), Difference("tasks", "cmo", "-", "1")]),
        ({"port": "y"}, [Difference("inputs", "x", "present", "-"), Difference("inputs", "y", "-", "present")]),
        ({"kernel": "q"}, [Difference("kernels", "k", "present", "-"), Difference("kernels", "q", "-", "present")]),
        (
            {"op": "last"},
            [Difference("operators", "soft", "present", "-"), Difference("operators", "last", "-", "present")],
        ),
        ({"compressed": True}, []),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_each_change_is_one_difference(changed: dict[str, Any], expected: list[Difference]) -> None:
    assert list(differences(net(), net(**changed))) == expected


def reading(name: str, numbers: bytes = b"\0<") -> OmFile:
    """A net whose one operator reads a constant of this name."""
    const = Op(name, "Const", attributes={"value": Const((1,), "ND", data=numbers)})
    return parse_om(om(((0, model([const, Op("conv", "Conv2D", ("x:0", f"{name}:0"))])),)))


def test_constants_are_known_by_what_reads_them() -> None:
    """Compilers number them anew in each run."""
    assert differences(reading("dynamic_const_1"), reading("dynamic_const_27")) == ()
    (found,) = differences(reading("dynamic_const_1"), reading("dynamic_const_27", b"\0@"))
    assert found == Difference("weights", "conv input 1: numbers", "1 at 0", "2 at 0")


def test_a_weight_of_another_shape_is_told_by_its_record() -> None:
    found = differences(net(), net(numbers=b"\0<"))
    assert Difference("weights", "w: bytes", "4", "2") in found
    assert all(each.section in {"weights", "operators"} for each in found)


def test_files_of_another_count_of_models_differ() -> None:
    two = om(((0, model([])),), ((0, model([])),), wide=True, version=0x20000000)
    one = om(((0, model([])),), wide=True, version=0x20000000)
    assert list(differences(parse_om(one), parse_om(two))) == [Difference("head", "model_count", "1", "2")]
