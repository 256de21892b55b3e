"""MODEL and weights files: what is loaded, and what is refused with which words."""

from __future__ import annotations

import os
import py_compile
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.export import ExportedProgram

from torch2om.errors import Diagnostic, UsageError
from torch2om.loading import load_model, load_weights

SOURCE = """
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self, width=4):
            super().__init__()
            self.fc = nn.Linear(3, width)
        def forward(self, x):
            return self.fc(x)

    class Wide(nn.Module):
        def __init__(self, width):
            super().__init__()

    def build():
        return Net(5)

    def scaled(factor, shift):
        return Net()

    def broken():
        raise KeyError("no such config")

    def nothing():
        return 3

    ready = Net(6)
    number = 3
"""


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Python file with models, in a folder that is the current one; the import path is as before afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    path = tmp_path / "nets.py"
    path.write_text(dedent(SOURCE))
    return path


def refusal(spec: str) -> Diagnostic:
    with pytest.raises(UsageError) as caught:
        load_model(spec)
    (found,) = caught.value.diagnostics
    return found


def width(spec: str) -> int:
    model = load_model(spec)
    assert isinstance(model, nn.Module)
    return int(model.state_dict()["fc.bias"].shape[0])


@pytest.mark.usefixtures("source")
class TestModelsInPython:
    def test_classes_functions_and_instances_of_files_and_modules(self, source: Path) -> None:
        assert [width(f"nets.py:{name}") for name in ("Net", "build", "ready")] == [4, 5, 6]
        assert width(f"{source}:build") == 5
        assert width("nets:build") == 5

    def test_files_import_what_stands_beside_them(self, tmp_path: Path) -> None:
        folder = tmp_path / "deep"
        folder.mkdir()
        (folder / "parts.py").write_text("from torch import nn\nLayer = nn.Linear\n")
        (folder / "whole.py").write_text("from parts import Layer\ndef build():\n    return Layer(2, 3)\n")
        assert isinstance(load_model("deep/whole.py:build"), nn.Linear)

    def test_a_file_is_no_other_module_of_its_name(self, tmp_path: Path) -> None:
        (tmp_path / "json.py").write_text("from torch import nn\nnet = nn.ReLU()\n")
        assert isinstance(load_model("json.py:net"), nn.ReLU)
        import json  # noqa: PLC0415 - after the file of its name

        assert json.dumps([]) == "[]"

    def test_a_file_is_read_as_it_stands_whatever_was_compiled_before(self, source: Path) -> None:
        assert width("nets.py:build") == 5
        py_compile.compile(str(source))
        before = source.stat()
        source.write_text(source.read_text().replace("Net(5)", "Net(7)"))
        os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))  # as within one second
        for name in [name for name in sys.modules if name.startswith("nets")]:
            del sys.modules[name]
        assert width("nets.py:build") == 7

    def test_callables_without_a_signature_are_called(self) -> None:
        assert refusal("builtins:dict").code == "U102"

    def test_packages_and_attributes_of_attributes(self) -> None:
        assert isinstance(load_model("torch.nn:ReLU"), nn.ReLU)
        assert isinstance(load_model("torch:nn.Identity"), nn.Identity)

    @pytest.mark.parametrize(
        ("spec", "code", "words"),
        [
            ("resnet18", "U101", "names no model"),
            ("nets.py", "U101", "names no model"),
            ("absent.py:Net", "U101", "no file"),
            ("absent.pkg:Net", "U101", "no module 'absent'"),
            ("nets.deeper:Net", "U101", "no module 'nets.deeper'"),
            ("nets.py:Nett", "U101", "Net, Wide, build, scaled, broken, nothing, ready"),
            ("nets.py:number", "U102", "of type int"),
            ("nets.py:nothing", "U102", "returned a value of type int"),
            ("nets.py:Wide", "U103", "needs arguments: width"),
            ("nets.py:scaled", "U103", "factor, shift"),
            ("nets.py:broken", "U104", "no such config"),
            ("absent.pt2", "U101", "no file"),
            ("absent.pt", "U101", "no file"),
        ],
    )
    def test_refusals(self, spec: str, code: str, words: str) -> None:
        found = refusal(spec)
        assert found.code == code
        assert words in found.message

    def test_where_weights_cannot_be_downloaded_the_way_without_is_shown(self, source: Path) -> None:
        source.write_text("from urllib.error import URLError\ndef build():\n    raise URLError('no network')\n")
        found = refusal("nets.py:build")
        assert (found.code, "weights=None" in found.hint) == ("U104", True)

    def test_callables_take_literals_as_arguments(self, source: Path) -> None:
        assert [width(f"nets.py:Net({given})") for given in ("7", "width=8", "")] == [7, 8, 4]
        assert width(f"{source}:Net( width = 9 )") == 9
        assert width("nets:scaled('2:1', shift={'a': [None]})") == 4

    @pytest.mark.parametrize(
        ("spec", "words"),
        [
            ("nets.py:Net(width)", "no literals"),
            ("nets.py:Net(3", "it defines"),
            ("nets.py:Net(3))(4)", "no literals"),
            ("nets.py:Net(3)(4)", "no literals"),
            ("nets.py:Net(width=)", "no literals"),
            ("nets.py:Net(**{'width': 3})", "unexpected keyword"),
            ("nets.py:ready(3)", "a model already"),
            ("nets.py:scaled(1)", "needs arguments: shift"),
            ("nets.py:Net(3, width=4)", "multiple values"),
        ],
    )
    def test_arguments_that_do_not_fit(self, spec: str, words: str) -> None:
        assert words in refusal(spec).message

    def test_near_names_are_offered(self) -> None:
        assert refusal("nets.py:Nett").hint == "did you mean nets.py:Net?"
        assert "nets.py" in refusal("net.py:Net").hint

    def test_an_exception_is_shown_at_the_users_line(self, source: Path) -> None:
        found = refusal("nets.py:broken")
        assert found.origin.file == str(source)
        assert found.origin.code == 'raise KeyError("no such config")'
        assert any("in broken" in detail for detail in found.details)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("import no_such_package_here", "no_such_package_here"),
            ("x = (", "SyntaxError"),
            ("import sys\nsys.exit(3)", "3"),
        ],
    )
    def test_a_file_that_does_not_import(self, source: Path, text: str, words: str) -> None:
        source.write_text(text)
        for spec in ("nets.py:Net", "nets:Net"):
            found = refusal(spec)
            assert (found.code, words in found.message) == ("U104", True)


@pytest.mark.filterwarnings("ignore:.torch.jit")  # deprecated, and still what users have
class TestModelsInFiles:
    def test_exported_programs(self, tmp_path: Path) -> None:
        path = tmp_path / "m.pt2"
        torch.export.save(torch.export.export(nn.Linear(3, 2), (torch.randn(1, 3),)), path)
        assert isinstance(load_model(str(path)), ExportedProgram)

    def test_torchscript(self, tmp_path: Path) -> None:
        path = tmp_path / "m.pt"
        torch.jit.script(nn.Linear(3, 2)).save(path)  # type: ignore[no-untyped-call]  # untyped in torch
        assert isinstance(load_model(str(path)), torch.jit.ScriptModule)

    def test_a_state_dict_is_no_model(self, tmp_path: Path) -> None:
        path = tmp_path / "m.pt"
        torch.save(nn.Linear(3, 2).state_dict(), path)
        found = refusal(str(path))
        assert (found.code, f"--weights {path}" in found.hint) == ("U102", True)

    @pytest.mark.parametrize("name", ["m.pt", "m.pt2"])
    def test_truncated_files(self, tmp_path: Path, name: str) -> None:
        path = tmp_path / name
        path.write_bytes(b"PK\x03\x04 and no more")
        assert refusal(str(path)).code == "U133"


class TestWeights:
    @staticmethod
    def state() -> dict[str, torch.Tensor]:
        torch.manual_seed(1)
        return nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)).state_dict()

    @staticmethod
    def model() -> nn.Sequential:
        return nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))

    def refused(self, path: Path) -> Diagnostic:
        with pytest.raises(UsageError) as caught:
            load_weights(self.model(), path)
        (found,) = caught.value.diagnostics
        return found

    @pytest.mark.parametrize(
        ("wrap", "wrappings"),
        [
            (lambda state: state, ()),
            (lambda state: {"state_dict": state, "epoch": 3}, ("['state_dict']",)),
            (lambda state: {"model": state, "optimizer": {"lr": 0.1}}, ("['model']",)),
            (lambda state: {"ema": {"state_dict": state}}, ("['ema']", "['state_dict']")),
            (lambda state: {f"module.{key}": value for key, value in state.items()}, ("module.",)),
            (
                lambda state: {"model_state_dict": {f"module._orig_mod.{key}": value for key, value in state.items()}},
                ("['model_state_dict']", "module.", "_orig_mod."),
            ),
        ],
    )
    def test_wrappings_are_taken_off_and_reported(
        self, tmp_path: Path, wrap: Callable[[dict[str, torch.Tensor]], object], wrappings: tuple[str, ...]
    ) -> None:
        path = tmp_path / "w.pth"
        torch.save(wrap(self.state()), path)
        model = self.model()
        report = load_weights(model, path)
        assert report.wrappings == wrappings
        assert [note.code for note in report.notes()] == (["U124"] if wrappings else [])
        assert all(torch.equal(value, self.state()[key]) for key, value in model.state_dict().items())

    def test_safetensors(self, tmp_path: Path) -> None:
        path = tmp_path / "w.safetensors"
        save_file(self.state(), path)
        model = self.model()
        assert load_weights(model, path).tensors == len(self.state())
        assert torch.equal(model.state_dict()["0.weight"], self.state()["0.weight"])

    def test_the_old_format_and_old_batch_norms(self, tmp_path: Path) -> None:
        path = tmp_path / "w.pth"
        state = {key: value for key, value in self.state().items() if "num_batches" not in key}
        torch.save(state, path, _use_new_zipfile_serialization=False)
        assert load_weights(self.model(), path).tensors == len(state)

    def test_that_do_not_fit_are_listed_in_full(self, tmp_path: Path) -> None:
        path = tmp_path / "w.pth"
        state = self.state()
        state["2.extra"] = state.pop("0.bias")
        state["0.weight"] = torch.zeros(2, 5)
        torch.save(state, path)
        model = self.model()
        before = {key: value.clone() for key, value in model.state_dict().items()}
        with pytest.raises(UsageError) as caught:
            load_weights(model, path)
        (found,) = caught.value.diagnostics
        assert found.code == "U123"
        assert found.details == (
            "missing: 0.bias [2]",
            "unexpected: 2.extra [2]",
            "shape: 0.weight is [2, 5], the model has [2, 3]",
        )
        assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())

    def test_a_pickle_that_runs_code_is_refused_with_the_way_out(self, tmp_path: Path) -> None:
        path = tmp_path / "w.pth"
        torch.save(self.model(), path)
        found = self.refused(path)
        assert found.code == "U122"
        assert "torch.save(model.state_dict()" in found.hint
        assert "Sequential" in found.details[0]

    @pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"PK\x03\x04 and no more"])
    @pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
    def test_broken_files(self, tmp_path: Path, name: str, content: bytes) -> None:
        path = tmp_path / name
        path.write_bytes(content)
        assert self.refused(path).code == "U121"

    def test_absent_files_and_files_without_tensors(self, tmp_path: Path) -> None:
        assert self.refused(tmp_path / "absent.pth").code == "U121"
        torch.save({"epoch": 3}, tmp_path / "w.pth")
        assert "epoch" in self.refused(tmp_path / "w.pth").message

    def test_exported_programs_have_their_own(self, tmp_path: Path) -> None:
        exported = torch.export.export(nn.Linear(3, 2), (torch.randn(1, 3),))
        with pytest.raises(UsageError, match="U123"):
            load_weights(exported, tmp_path / "w.pth")


class TestTorchvision:
    def test_is_found_by_name_whether_its_operators_load_or_not(self) -> None:
        pytest.importorskip("PIL")
        assert isinstance(load_model("torchvision.models:resnet18"), nn.Module)

    @pytest.mark.parametrize("operators", ["broken", "absent", "imported"])
    def test_a_stand_in_that_registers_fake_kernels_on_import_imports(self, tmp_path: Path, operators: str) -> None:
        package = tmp_path / "torchvision"
        package.mkdir()
        declared = 'library.define(name + "(Tensor boxes) -> Tensor")' if operators == "imported" else "pass"
        (package / "__init__.py").write_text(f"""
import torch
library = torch.library.Library("torchvision", "FRAGMENT")
for name in ("nms", "qnms"):
    {declared}
    torch.library.register_fake("torchvision::" + name)(lambda boxes: boxes)
""")
        if operators == "broken":
            (package / "_C.so").write_bytes(b"no library")
        first, second = "import torchvision", "kept = repair_torchvision()"
        lines = [first, second, "assert kept is None"] if operators == "imported" else [second, "assert kept", first]
        code = "\n".join(["from torch2om.loading import repair_torchvision", *lines])
        environment = {"PYTHONPATH": str(tmp_path)}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
