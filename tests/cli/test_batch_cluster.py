"""batch --cluster: the rows of a list made by the workers of a Dask scheduler."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dask
import pytest
from command import NET, Command
from distributed import LocalCluster

from torch2om.batch import cluster
from torch2om.batch.state import State, is_current


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Yield the address of a cluster with one worker, whose loss is not forgiven."""
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        LocalCluster(n_workers=1, threads_per_worker=2, processes=True, dashboard_address=None) as made,  # type: ignore[no-untyped-call]  # distributed has few types
    ):
        yield made.scheduler_address


def test_workers_make_the_rows(torch2om: Command, address: str, tmp_path: Path) -> None:
    (tmp_path / "tiny.prototxt").write_text(NET)
    (tmp_path / "list.toml").write_text('[[model]]\nmodel = "tiny.prototxt"\ntargets = ["caffe", "opencv"]')
    ran = torch2om("batch", tmp_path / "list.toml", "--cluster", address)
    assert ran.code == 0, ran.err
    assert "tiny: caffe equal, opencv equal" in ran.err
    assert (tmp_path / "out/tiny/caffe/tiny.caffemodel").is_file()
    assert "as before" in torch2om("batch", tmp_path / "list.toml").err  # a row is a row, whoever made it


def test_a_model_whose_worker_is_lost_is_a_row_and_is_tried_again(
    torch2om: Command, address: str, tmp_path: Path
) -> None:
    (tmp_path / "killer.py").write_text("import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\n")
    (tmp_path / "list.toml").write_text('[[model]]\nmodel = "killer.py:net"')
    ran = torch2om("batch", tmp_path / "list.toml", "--cluster", address, "--json")
    assert ran.code == 1
    (killer,) = ran.json["models"][0]["targets"]
    assert killer["verdict"] == "died"
    assert killer["findings"][0]["code"] == "B955"
    assert "KilledWorker" in killer["findings"][0]["message"]
    row = State(tmp_path / "out").rows()["net"]
    assert not is_current(row, row.job, row.limits)  # nothing was learned of the model


def test_an_address_without_a_scheduler_is_refused(
    torch2om: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    (tmp_path / "list.toml").write_text('[[model]]\nmodel = "m:net"')
    for address in ("tcp://127.0.0.1:9", "nonsense://x"):
        ran = torch2om("batch", tmp_path / "list.toml", "--cluster", address)
        assert ran.code == 2
        assert f"error U154: there is no Dask scheduler at {address}" in ran.err
        assert "Traceback" not in ran.err
