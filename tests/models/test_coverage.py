"""The zoo's page on rows that are made up, and its models' weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from benchmarks.zoo import torchvision_models
from benchmarks.zoo.entries import job_of, smallest, torchvision_entries
from benchmarks.zoo.entry import Entry
from benchmarks.zoo.page import MUST, main, page, read, rules_on
from benchmarks.zoo.record import Record, read_record, write_record
from benchmarks.zoo.settling import settled
from sample import TAKES
from test_blocks_of_families import ROWS as BLOCKS
from torch import nn

from torch2om.analysis import Size
from torch2om.batch.listing import Input, Job, Limits
from torch2om.batch.row import Cost, Errors, Outcome, Row, Verdict
from torch2om.batch.state import State
from torch2om.errors import Diagnostic

DOCS = Path(__file__).parents[2] / "docs"
RESNET = Entry("torchvision", "classification", "resnet18")
SMALL = Entry("timm", "resnet", "test_resnet")
VIDEO = Entry("torchvision", "video", "r3d_18")
SLOW = Entry("timm", "beit", "beit_base")
LATER = Entry("timm", "vgg", "vgg11")
RECORD = Record(
    (RESNET, SMALL, VIDEO, SLOW, LATER), ("python -m benchmarks.zoo --families",), ("torch 2.13.0",), "2 processors"
)


def row(entry: Entry, *outcomes: Outcome, size: Size | None = None) -> Row:
    job = Job(entry.title, "m:net", "", (Input("", (1, 3, 8, 8)),), tuple(outcome.target for outcome in outcomes))
    return Row(job, Limits(), "0.1.0", size, {"load": 1.0}, 12.0, 2**30, (), outcomes)


def equal(target: str, macs: int, added: dict[str, int], error: float) -> Outcome:
    net = Cost(7, macs, {"Convolution": macs}, 1000, added, {"permute_by_im2col": 2})
    errors = {"meaning": Errors(error, error / 10), "files": Errors(1e-6, 1e-7)}
    return Outcome(target, Verdict.EQUAL, {"verify": 1.0}, net, errors)


def refused(target: str, verdict: Verdict, code: str, message: str) -> Outcome:
    return Outcome(target, verdict, findings=(Diagnostic(code, message),))


def keep(folder: Path) -> None:
    write_record(RECORD, folder)
    state, size = State(folder), Size(11_000_000, 1000)
    resize = {"aten.upsample_bilinear2d.vec: resize_axes_by_maps": 100}
    state.add(row(RESNET, equal("caffe", 1000, {}, 1e-15), equal("ascend310", 1100, resize, 2e-15), size=size))
    state.add(row(SMALL, equal("caffe", 900, {}, 3e-15), equal("ascend310", 1020, {}, 4e-11), size=size))
    state.add(
        row(VIDEO, *(refused(each, Verdict.REFUSED, "L302", "3 spatial dims") for each in ("caffe", "ascend310")))
    )
    state.add(
        row(SLOW, *(refused(each, Verdict.OUT_OF_TIME, "B951", "900 seconds") for each in ("caffe", "ascend310")))
    )


@pytest.fixture
def text(tmp_path: Path) -> str:
    keep(tmp_path)
    return page(read([tmp_path]))


def test_the_page_says_with_what_it_was_made(text: str) -> None:
    assert "python -m benchmarks.zoo --families\n" in text
    assert "Made with torch 2.13.0, on 2 processors." in text
    assert "4 models of 5 that were asked for have a row; 1 were not reached" in text


def test_the_page_counts_verdicts_families_and_kinds(text: str) -> None:
    assert "| `caffe` | 4 | 2 | 1 | 0 | 1 | 0 | 0 | 0 |" in text
    assert "- `ascend310`: 1 of 3 families of timm's have a model that is proved equal; 1 were not run for it." in text
    assert "| classification | 1 | 1 | 1 |" in text
    assert "| video | 1 | 0 | 0 |" in text
    assert "| beit | beit_base | `caffe` | out of time: B951 900 seconds |" in text


def test_the_page_shows_the_worst_errors_and_whose_they_are(text: str) -> None:
    assert "| `ascend310` | the layers in float64 | 4.0e-11 | timm.test_resnet | 4.0e-12 | timm.test_resnet |" in text


def test_the_page_explains_every_ratio_that_is_large(text: str) -> None:
    assert "| `ascend310` | 2 | 1 | 50.0% |" in text
    assert "| torchvision.resnet18 | 1.100 | +10.0% aten.upsample_bilinear2d.vec: resize_axes_by_maps |" in text
    assert "| timm.test_resnet | 1.020 |" not in text


def test_what_pytorch_does_not_count_is_a_reason_too(tmp_path: Path) -> None:
    write_record(replace(RECORD, entries=(RESNET, SMALL)), tmp_path)
    for entry in (RESNET, SMALL):
        State(tmp_path).add(row(entry, equal("ascend310", 1000, {}, 1e-15), size=Size(9, 500)))
    assert "| torchvision.resnet18 | 2.000 | +100.0% what PyTorch does not count |" in page(read([tmp_path]))


def test_the_page_counts_the_models_that_take_a_rule(text: str) -> None:
    assert "| `permute_by_im2col` | 2 | 2 |" in text
    assert rules_on(text, "ascend310") == {"permute_by_im2col"}


def test_the_sample_in_the_tests_takes_every_rule_that_the_zoo_takes() -> None:
    text = (DOCS / "coverage.md").read_text(encoding="utf-8")
    taken = frozenset[str]().union(*(rules_on(text, target) for target in MUST))
    assert taken
    shown = frozenset[str]().union(*TAKES.values(), *(block.rules for block in BLOCKS.values()))
    assert taken - shown == frozenset()


def test_a_later_run_for_another_target_adds_to_a_row(tmp_path: Path) -> None:
    for folder, target in ((tmp_path / "one", "caffe"), (tmp_path / "two", "hilens")):
        write_record(replace(RECORD, entries=(RESNET,)), folder)
        State(folder).add(row(RESNET, equal(target, 1000, {}, 1e-15), size=Size(9, 1000)))
    (found,) = read([tmp_path / "one", tmp_path / "two"]).rows.values()
    assert [outcome.target for outcome in found.outcomes] == ["caffe", "hilens"]
    write_record(replace(RECORD, entries=(VIDEO, SMALL)), tmp_path / "two")
    State(tmp_path / "two").add(row(VIDEO, refused("caffe", Verdict.REFUSED, "L302", "3 spatial dims")))
    text = page(read([tmp_path / "one", tmp_path / "two"]))
    assert "| video | 1 | 0 | not run |" in text
    assert "- `hilens`: 0 of 1 families of timm's have a model that is proved equal; 1 were not run for it." in text
    assert found.seconds == 24.0


def test_a_later_run_for_a_target_takes_the_place_of_the_earlier_one(tmp_path: Path) -> None:
    for folder, macs in ((tmp_path / "one", 1000), (tmp_path / "two", 900)):
        write_record(replace(RECORD, entries=(RESNET,)), folder)
        State(folder).add(row(RESNET, equal("caffe", macs, {}, 1e-15), size=Size(9, 1000)))
    (found,) = read([tmp_path / "one", tmp_path / "two"]).rows.values()
    assert [outcome.net.macs for outcome in found.outcomes if outcome.net] == [900]
    assert found.seconds == 12.0


def test_the_page_lists_refusals_by_reason_and_every_model(text: str) -> None:
    assert "| 1 | refused | L302 # spatial dims | torchvision.r3d_18 |" in text
    assert "| torchvision.r3d_18 | video | 1x3x8x8 |  |  | 12 | 1024 |  |  | refused L302 | refused L302 |" in text
    assert "| 11.00 M | 0.000 G | 12 | 1024 | 2.0e-15 | 1.0e-06 | 1.000, 7 layers | 1.100, 7 layers |" in text


def test_several_folders_make_one_page(tmp_path: Path) -> None:
    keep(tmp_path / "one")
    write_record(
        replace(RECORD, entries=(LATER,), commands=("python -m benchmarks.zoo --names vgg11",)), tmp_path / "two"
    )
    State(tmp_path / "two").add(row(LATER, equal("caffe", 1000, {}, 1e-15), size=Size(9, 1000)))
    main(str(tmp_path / "one"), str(tmp_path / "two"), str(tmp_path / "coverage.md"))
    text = (tmp_path / "coverage.md").read_text()
    assert "5 models of 5 that were asked for have a row.\n" in text
    assert "--families\npython -m benchmarks.zoo --names vgg11\n" in text


def test_runs_into_one_folder_add_their_entries(tmp_path: Path) -> None:
    write_record(replace(RECORD, entries=(RESNET, SMALL)), tmp_path)
    write_record(replace(RECORD, entries=(SMALL, VIDEO), machine="other"), tmp_path)
    found = read_record(tmp_path)
    assert found.entries == (RESNET, SMALL, VIDEO)
    assert found.machine == "other"


def test_the_smallest_of_each_family_is_chosen() -> None:
    entries = [Entry("timm", family, f"{family}{size}") for family in "ab" for size in (3, 1, 2)]
    counts = {entry.name: int(entry.name[1]) for entry in entries}
    assert [entry.name for entry in smallest(entries, counts)] == ["a1", "b1"]


def test_every_torchvision_model_has_inputs_that_fit_it() -> None:
    jobs = {entry.name: job_of(entry, ("caffe",)) for entry in torchvision_entries()}
    shapes = {name: [each.shape for each in job.inputs] for name, job in jobs.items()}
    assert shapes["inception_v3"] == [(1, 3, 299, 299)]
    assert shapes["efficientnet_b3"] == [(1, 3, 300, 300)]
    assert shapes["vit_h_14"] == [(1, 3, 224, 224)]
    assert shapes["raft_small"] == [(1, 3, 128, 128)] * 2
    assert shapes["mc3_18"] == [(1, 3, 16, 112, 112)]
    assert shapes["maskrcnn_resnet50_fpn_mask"] == [(16, 256, 14, 14)]
    assert jobs["resnet18"].model == "benchmarks.zoo.torchvision_models:resnet18"
    assert not hasattr(torchvision_models, "resnet19")


class Hiding(nn.Module):
    """A model whose branch is 0 and whose norms are the identity, as many are before training."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.gate = nn.Parameter(torch.zeros(1))
        self.scale = nn.Parameter(torch.full((4, 1, 1), 1e-5))
        self.drop = nn.Dropout(0.9)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.norm(self.conv(x))
        assert not self.drop.training
        return y + self.gate * self.scale * y


def test_settled_weights_hide_nothing() -> None:
    torch.manual_seed(0)
    model = settled(Hiding(), (3, 16, 16))
    assert isinstance(model, Hiding)
    assert not model.training
    assert all(len(set(values.tolist())) > 1 for values in (model.scale.flatten(), model.norm.weight, model.norm.bias))
    assert model.gate.item() > 0.1
    assert model.norm.running_var is not None
    assert len(set(model.norm.running_var.tolist())) > 1


class Choosing(nn.Module):
    """Attention without a scale, whose softmax of random queries and keys is nearly a choice."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.q_norm, self.k_norm = nn.RMSNorm(channels), nn.RMSNorm(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = (self.q_norm(x) @ self.k_norm(x.flip(2)).transpose(1, 2)).softmax(-1) @ x
        return y


def test_queries_and_keys_are_tempered_where_rounding_grows() -> None:
    torch.manual_seed(0)
    wild, calm = settled(Choosing(4096), (64, 4096)), settled(Choosing(4), (4, 4))
    assert isinstance(wild, Choosing)
    assert isinstance(calm, Choosing)
    assert wild.q_norm.weight.max() < 0.5
    assert calm.q_norm.weight.min() > 0.5


def test_settled_norms_give_what_varies_a_deviation_of_gamma() -> None:
    torch.manual_seed(0)
    model = settled(nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)), (3, 32, 32))
    norm = model.get_submodule("1")
    assert isinstance(norm, nn.BatchNorm2d)
    deviation, mean = torch.std_mean(model(torch.randn(4, 3, 32, 32)), (0, 2, 3))
    torch.testing.assert_close(deviation, norm.weight.data, rtol=0.1, atol=0)
    torch.testing.assert_close(mean, norm.bias.data, rtol=0.1, atol=0)


def test_a_norm_of_a_channel_that_hardly_varies_does_not_enlarge_its_rounding() -> None:
    class Lifted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.BatchNorm2d(3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y: torch.Tensor = self.norm(x + 1000)
            return y

    model = settled(Lifted(), (3, 8, 8))
    assert isinstance(model, Lifted)
    assert model.norm.weight.max() < 0.01
