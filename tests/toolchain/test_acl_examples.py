"""The ACL samples: their syntax, and that they call nothing but the documented interface. No board runs them here."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples" / "acl"
STUB = Path(__file__).with_name("acl_stub")
C_COMPILERS = [path for path in map(shutil.which, ("gcc", "clang")) if path]

# pyACL's documented names (its manual lists one for each function of the C interface).
PYACL = [
    "acl.init",
    "acl.finalize",
    "acl.create_data_buffer",
    "acl.destroy_data_buffer",
    "acl.rt.set_device",
    "acl.rt.reset_device",
    "acl.rt.malloc",
    "acl.rt.free",
    "acl.rt.memcpy",
    "acl.mdl.load_from_file",
    "acl.mdl.unload",
    "acl.mdl.create_desc",
    "acl.mdl.get_desc",
    "acl.mdl.destroy_desc",
    "acl.mdl.get_num_inputs",
    "acl.mdl.get_num_outputs",
    "acl.mdl.get_input_size_by_index",
    "acl.mdl.get_output_size_by_index",
    "acl.mdl.create_dataset",
    "acl.mdl.destroy_dataset",
    "acl.mdl.add_dataset_buffer",
    "acl.mdl.execute",
]


@pytest.mark.parametrize("compiler", C_COMPILERS)
def test_the_c_sample_has_no_error_and_no_warning(compiler: str) -> None:
    line = [
        compiler,
        "-std=c99",
        "-fsyntax-only",
        "-Wall",
        "-Wextra",
        "-Werror",
        f"-I{STUB}",
        str(EXAMPLES / "infer.c"),
    ]
    ran = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_c_sample_calls_the_documented_interface_alone() -> None:
    declared = set(re.findall(r"\b(acl\w+)\(", (STUB / "acl" / "acl.h").read_text()))
    called = set(re.findall(r"\b(acl\w+)\(", (EXAMPLES / "infer.c").read_text()))
    assert called == declared


def test_the_python_sample_calls_the_documented_interface_alone() -> None:
    tree = ast.parse((EXAMPLES / "infer.py").read_text(encoding="utf-8"))
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert {name for name in called if name.startswith("acl.")} == set(PYACL)
