"""LIST.toml: what it says, and everything that is wrong with it at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from torch2om.batch.listing import Input, Job, Limits
from torch2om.batch.reading import read_list
from torch2om.errors import UsageError


def read(folder: Path, text: str, processes: int | None = None) -> object:
    (folder / "list.toml").write_text(text)
    return read_list(folder / "list.toml", processes)


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(UsageError) as refused:
        read(folder, text)
    return [
        f"{found.code} {found.message.partition('list.toml')[2]} | {found.hint}" for found in refused.value.diagnostics
    ]


def test_an_entry_takes_from_the_list_what_it_does_not_say(tmp_path: Path) -> None:
    (tmp_path / "best.pth").touch()
    text = """
        out = "made"
        targets = ["caffe", "opencv"]
        samples = 1
        jobs = 3
        keep_files = false
        limits = {seconds = 900, memory = "1.5 GiB"}
        [[model]]
        model = "package.module:net"
        weights = "best.pth"
        inputs = {x = [1, 3, 8, 8]}
        [[model]]
        name = "other"
        model = "package.module:net"
        inputs = ["x=1x3x8x8", "y=1x4"]
        targets = "ascend310"
        samples = 4
    """
    (tmp_path / "list.toml").write_text(text)
    listing = read_list(tmp_path / "list.toml")
    assert (listing.folder, listing.out, listing.processes) == (tmp_path, Path("made"), 3)
    assert listing.limits == Limits(900.0, 3 * 2**29)
    assert not listing.keep_files
    x = Input("x", (1, 3, 8, 8))
    assert listing.jobs == (
        Job("net", "package.module:net", "best.pth", (x,), ("caffe", "opencv"), 1),
        Job("other", "package.module:net", "", (x, Input("y", (1, 4))), ("ascend310",), 4),
    )
    assert read_list(tmp_path / "list.toml", 7).processes == 7


def test_inputs_are_given_by_name_or_in_order(tmp_path: Path) -> None:
    (tmp_path / "list.toml").write_text(
        '[[model]]\nmodel = "m:a"\ninputs = [[1, 2], [3]]\n[[model]]\nmodel = "m:b"\ninputs = "x=1x2"'
    )
    ordered, named = read_list(tmp_path / "list.toml").jobs
    assert ordered.fed == ((1, 2), (3,))
    assert named.fed == {"x": (1, 2)}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "U151 : it lists no model"),
        ("[[model]", "U151  is no TOML"),
        ("model = 3", "U151 : model is 3, not entries"),
        ('[[model]]\nmodel = "m:a"\nnme = "b"', "U152 : model 1 (m:a): there is no key 'nme' | did you mean name?"),
        ('outt = "x"\n[[model]]\nmodel = "m:a"', "U152 : there is no key 'outt' | did you mean out?"),
        ('limits = {time = 3}\n[[model]]\nmodel = "m:a"', "U152 : [limits]: there is no key 'time'"),
        ('limits = 3\n[[model]]\nmodel = "m:a"', "U151 : limits is 3, not a table"),
        ('limits = {seconds = 0}\n[[model]]\nmodel = "m:a"', "U151 : [limits]: seconds is 0"),
        ('limits = {memory = "12 Gb/s"}\n[[model]]\nmodel = "m:a"', "U151 : [limits]: memory is '12 Gb/s', not a size"),
        ('jobs = true\n[[model]]\nmodel = "m:a"', "U151 : jobs is True, not a whole number"),
        ('keep_files = "no"\n[[model]]\nmodel = "m:a"', "U151 : keep_files is 'no', neither true nor false"),
        ('targets = ["ascend31"]\n[[model]]\nmodel = "m:a"', "U131 : there is no target 'ascend31' | did you mean"),
        ('[[model]]\nname = "a"', "U151 : model 1 (a): there is no key model"),
        ("[[model]]\nmodel = 3", "U151 : model 1: model is 3, not a text"),
        ('[[model]]\nmodel = "net.py:a"', "U133 : model 1 (net.py:a): there is no file"),
        ('[[model]]\nmodel = "net.prototxt"\nweights = "w"', "U133 : model 1 (net.prototxt): there is no file"),
        ('[[model]]\nmodel = "m:a"\ninputs = "x=1x0"', "U113 : model 1 (m:a): input x=1x0 is not NAME=DIMS"),
        ('[[model]]\nmodel = "m:a"\ninputs = {x = "1x2"}', "U151 : model 1 (m:a): inputs has the dims '1x2'"),
        ('[[model]]\nmodel = "m:a"\ninputs = 3', "U151 : model 1 (m:a): inputs is 3, not inputs"),
        ('[[model]]\nmodel = "m:a"\nname = "a/b"', "U144 : model 1 (a/b): the files cannot be named 'a/b'"),
        ('[[model]]\nmodel = "m:a"\n[[model]]\nmodel = "n:a"', "U153 : models 1, 2 are all named 'a'"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    assert any(found.startswith(said) for found in problems(tmp_path, text)), problems(tmp_path, text)


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    text = 'jobs = 0\nouts = "x"\n[[model]]\nmodel = "a.py:b"\nweights = "w.pth"\ntargets = []\n[[model]]\nname = ".x"'
    codes = sorted(line.split()[0] for line in problems(tmp_path, text))
    assert codes == ["U133", "U133", "U151", "U151", "U151", "U152"]


def test_a_list_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="U133"):
        read_list(tmp_path / "none.toml")
