"""check, run and analyze of Caffe files."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from command import NET, Command

X = np.arange(32, dtype=np.float32).reshape(1, 2, 4, 4)
DOUBLED = 2 * np.array([[[[5, 7], [13, 15]], [[21, 23], [29, 31]]]], np.float32)


def test_check_accepts_with_the_output_shapes(torch2om: Command, net: Path) -> None:
    ran = torch2om("check", net, "--target", "caffe", "--json")
    assert ran.code == 0
    found = ran.json
    assert (found["target"], found["accepted"], found["findings"]) == ("caffe", True, [])
    assert found["outputs"] == {"double": [1, 2, 2, 2]}


def test_check_shows_the_shapes_that_the_target_infers(torch2om: Command, tmp_path: Path) -> None:
    path = tmp_path / "dense.prototxt"
    path.write_text(
        'layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 dim: 4 } } }\n'
        'layer { name: "fc" type: "InnerProduct" bottom: "x" top: "fc" inner_product_param { num_output: 3 } }\n'
    )
    assert torch2om("check", path, "-t", "caffe", "--json").json["outputs"] == {"fc": [1, 3]}
    front_end = torch2om("check", path, "-t", "ascend310", "--json").json
    assert front_end["outputs"] == {"fc:0": [1, 3, 1, 1]}
    assert front_end["tops"] == {"fc:0": "fc"}
    assert front_end["stage"] is None


def test_check_refuses_with_code_layer_message_and_source(torch2om: Command, net: Path) -> None:
    net.write_text(NET.replace('"Power"', '"Mish"'))
    ran = torch2om("check", net, "--target", "caffe", "--json")
    assert ran.code == 1
    assert not ran.json["accepted"]
    (finding,) = ran.json["findings"]
    assert (finding["code"], finding["layer"]) == ("T401", "double")
    assert "caffe has no layer Mish" in finding["message"]
    assert "BVLC" in finding["source"]


def test_check_for_ascend_is_the_verdict_of_atcs_front_end(torch2om: Command, net: Path) -> None:
    net.write_text(NET.replace("stride: 2", "stride: 2 pad: -1"))
    ran = torch2om("check", net, "--target", "ascend310", "--json")
    assert ran.code == 1
    assert ran.json["stage"] == "model"
    assert ran.json["findings"][0]["source"]


def test_check_for_ascend_warns_of_what_fails_after_the_front_end(torch2om: Command, net: Path) -> None:
    net.write_text(NET.replace("pool: MAX", "pool: STOCHASTIC"))
    ran = torch2om("check", net, "--target", "ascend310", "--json")
    assert ran.code == 0
    assert ran.json["accepted"]
    (finding,) = ran.json["findings"]
    assert (finding["code"], finding["severity"], finding["layer"]) == ("T415", "warning", "pool")
    assert "1 warning" in torch2om("check", net, "--target", "ascend310").out


def test_check_for_ascend_says_that_a_caffemodel_is_none(torch2om: Command, net: Path) -> None:
    broken = net.with_suffix(".caffemodel")
    broken.write_bytes(b"version https://git-lfs.github.com/spec/v1")
    ran = torch2om("check", net, broken, "--target", "ascend310", "--json")
    assert ran.code == 1
    assert [finding["code"] for finding in ran.json["findings"]] == ["F505"]
    assert torch2om("check", net, net.parent / "missing", "--target", "ascend310").code == 2


def test_check_judges_a_file_that_cannot_be_read_as_refused(torch2om: Command, net: Path) -> None:
    net.write_text(NET.replace('"Power"', '"Powder"'))
    ran = torch2om("check", net, "--target", "caffe", "--json")
    assert ran.code == 1
    assert [finding["code"] for finding in ran.json["findings"]] == ["F502"]


def test_check_prints_findings_and_verdict(torch2om: Command, net: Path) -> None:
    net.write_text(NET.replace('"Power"', '"Mish"'))
    ran = torch2om("check", net, "--target", "caffe")
    assert "error T401 [double]" in ran.out
    assert "caffe refuses: 1 error\n" in ran.out
    assert ran.err == ""


def test_an_unknown_target_is_a_usage_error_with_a_proposal(torch2om: Command, net: Path) -> None:
    ran = torch2om("check", net, "--target", "ascend31")
    assert ran.code == 2
    assert "did you mean ascend310 or ascend310p?" in ran.err
    assert ran.out == ""


def test_run_writes_the_outputs_alone(torch2om: Command, net: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X)
    ran = torch2om("run", net, "--input", f"x={tmp_path / 'x.npy'}", "-o", tmp_path / "out.npz")
    assert ran.code == 0
    with np.load(tmp_path / "out.npz") as found:
        assert found.files == ["double"]
        assert found["double"].dtype == np.float32
        np.testing.assert_array_equal(found["double"], DOUBLED)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.npz", "tiny.prototxt", "x.npy"]


def test_run_writes_every_blob_on_request_in_the_asked_precision(torch2om: Command, net: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "in.npz", x=X)
    ran = torch2om(
        "run", net, "--inputs", tmp_path / "in.npz", "-o", tmp_path / "out.npz", "--all", "--dtype", "float64"
    )
    assert ran.code == 0
    with np.load(tmp_path / "out.npz") as found:
        assert set(found.files) == {"x", "pool", "double"}
        np.testing.assert_array_equal(found["double"], DOUBLED)
        assert found["double"].dtype == np.float64


def test_run_reports_shape_and_range_of_each_output(torch2om: Command, net: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "in.npz", x=X)
    ran = torch2om("run", net, "--inputs", tmp_path / "in.npz", "--json")
    expected = {"shape": [1, 2, 2, 2], "min": 10.0, "mean": 36.0, "max": 62.0}
    assert ran.json == {"file": None, "blobs": {"double": expected}}


def test_run_shows_numbers_that_json_does_not_have_as_null(torch2om: Command, net: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "in.npz", x=X * np.nan)
    assert torch2om("run", net, "--inputs", tmp_path / "in.npz", "--json").json["blobs"]["double"]["mean"] is None


@pytest.mark.parametrize(
    ("option", "code", "said"),
    [
        ("x", "U115", "not NAME=FILE.npy"),
        ("x=missing.npy", "U133", "No such file"),
        ("x=broken.npy", "U115", "no numbers that numpy.save wrote"),
        ("x=in.npz", "U115", "is an archive"),
        ("y=y.npy", "U115", "'y'"),
    ],
)
def test_run_explains_inputs_that_do_not_fit(
    torch2om: Command, net: Path, monkeypatch: pytest.MonkeyPatch, option: str, code: str, said: str
) -> None:
    monkeypatch.chdir(net.parent)
    Path("broken.npy").write_bytes(b"hello")
    np.savez("in.npz", x=X)
    np.save("y.npy", X)
    ran = torch2om("run", net.name, "--input", option)
    assert ran.code == 2
    assert code in ran.err
    assert said in ran.err


def test_run_takes_no_array_for_an_archive(torch2om: Command, net: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X)
    ran = torch2om("run", net, "--inputs", tmp_path / "x.npy")
    assert ran.code == 2
    assert "an .npz file is needed" in ran.err


def test_run_leaves_the_old_result_when_the_folder_is_not_writable(
    torch2om: Command, net: Path, tmp_path: Path
) -> None:
    np.savez(tmp_path / "in.npz", x=X)
    (tmp_path / "file").write_text("in the way")
    ran = torch2om("run", net, "--inputs", tmp_path / "in.npz", "-o", tmp_path / "file" / "out.npz")
    assert ran.code == 1
    assert "E601" in ran.err


def test_analyze_counts_each_layer_and_all(torch2om: Command, net: Path) -> None:
    found = torch2om("analyze", net, "--format", "json").json
    assert [line["name"] for line in found["layers"]] == ["pool", "double"]
    assert found["total"] == {"macs": 0, "parameters": 0, "activation_bytes": 64}


def test_analyze_writes_csv(torch2om: Command, net: Path) -> None:
    rows = list(csv.reader(io.StringIO(torch2om("analyze", net, "--format", "csv").out)))
    assert rows[0] == ["layer", "type", "output", "macs", "parameters", "activation_bytes"]
    assert rows[1] == ["pool", "Pooling", "1x2x2x2", "0", "0", "32"]
    assert rows[-1] == ["total", "", "", "0", "0", "64"]


def test_analyze_shows_a_table(torch2om: Command, net: Path) -> None:
    out = torch2om("analyze", net).out
    assert "2 layers" in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize("option", [("--input", "x=1x2"), ("--weights", "w.pth")])
def test_analyze_takes_no_pytorch_options_for_a_caffe_file(
    torch2om: Command, net: Path, option: tuple[str, str]
) -> None:
    ran = torch2om("analyze", net, *option)
    assert ran.code == 2
    assert "are for PyTorch models" in ran.err


def test_analyze_takes_no_caffemodel_for_a_pytorch_model(torch2om: Command) -> None:
    ran = torch2om("analyze", "module:Model", "model.caffemodel")
    assert ran.code == 2
    assert "--weights" in ran.err
