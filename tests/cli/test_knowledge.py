"""ops, limits, explain and doctor."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError

import pytest
from command import Command

from torch2om import doctor
from torch2om.catalog import rule_entries
from torch2om.codes import CODES
from torch2om.targets import TARGETS


def test_ops_lists_pytorch_operators_and_caffe_layers(torch2om: Command) -> None:
    found = torch2om("ops", "--json").json
    calls = {entry["name"]: entry for entry in found["calls"]}
    assert not calls["aten.conv2d.default"]["refused"]
    assert calls["aten.sort.default"]["refused"]
    assert all(entry["sentence"] for entry in calls.values())
    (pooling,) = (entry for entry in found["layers"] if entry["name"] == "Pooling")
    assert pooling["targets"] == list(TARGETS)


def test_ops_shows_both_tables(torch2om: Command) -> None:
    out = torch2om("ops").out
    assert "PyTorch operators" in out
    assert "Caffe layers" in out
    assert max(map(len, out.splitlines())) <= 80


def test_ops_without_torch_lists_the_layers_and_says_why(torch2om: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "has_torch", lambda: False)
    ran = torch2om("ops")
    assert ran.code == 0
    assert "where torch is installed" in ran.out
    assert "Pooling" in ran.out


def test_limits_alone_lists_the_targets(torch2om: Command) -> None:
    assert [entry["target"] for entry in torch2om("limits", "--json").json["targets"]] == list(TARGETS)
    out = torch2om("limits").out
    assert all(name in out for name in TARGETS)


@pytest.mark.parametrize("target", TARGETS)
def test_limits_shows_every_limit_with_its_source(torch2om: Command, target: str) -> None:
    found = torch2om("limits", target, "--json").json["limits"]
    accepts = TARGETS[target].narrowed.accepts
    assert len([row for row in found if row["limit"] and row["layer"] != "every layer"]) == sum(
        map(len, accepts.values())
    )
    assert all(row["source"] for row in found)
    words = " ".join(torch2om("limits", target).out.split())
    assert all(row["layer"] in words for row in found)


def test_explain_tells_meaning_and_remedy_of_a_code(torch2om: Command) -> None:
    ran = torch2om("explain", "t402")
    assert ran.code == 0
    words = " ".join(ran.out.split())
    assert CODES["T402"].meaning in words
    assert CODES["T402"].remedy in words
    assert torch2om("explain", "T402", "--json").json["title"] == CODES["T402"].title


@pytest.mark.parametrize("name", [entry.name for entry in rule_entries()])
def test_every_rule_can_be_explained(torch2om: Command, name: str) -> None:
    ran = torch2om("explain", name, "--json")
    assert ran.code == 0
    assert ran.json["text"]
    assert bool(ran.json["why_not"]) != bool(ran.json["before"] and ran.json["after"])


def test_explain_shows_a_rule_with_its_equation_and_exactness(torch2om: Command) -> None:
    rule = rule_entries()[0]
    out = " ".join(torch2om("explain", rule.name).out.split())
    assert rule.kind in out
    assert " ".join(rule.sentence.split()) in out
    assert rule.exactness in out


def test_explain_shows_a_net_before_and_after_a_rule(torch2om: Command) -> None:
    assert torch2om("explain", "softmax_of_rows").out.split("\n\n")[2] == (
        "before\n"
        "(x: 2x3x4) -> y\n"
        "  y: 2x3x4 = Softmax(axis=2)(x)\n"
        "after\n"
        "(x: 2x3x4) -> y\n"
        "  y/reshape: 6x4 = Reshape(dims=(6, 4))(x)\n"
        "  y/softmax: 6x4 = Softmax()(y/reshape)\n"
        "  y: 2x3x4 = Reshape(dims=(2, 3, 4))(y/softmax)\n"
    )


def test_explain_says_why_a_rule_that_never_applies_shows_nothing(torch2om: Command) -> None:
    assert "No example: it never applies: no layer rounds" in torch2om("explain", "round_by_nothing").out
    assert "No example" in torch2om("explain", "expose_outputs").out


def test_explain_alone_lists_codes_and_rules(torch2om: Command) -> None:
    found = torch2om("explain", "--json").json
    assert found["codes"].keys() == CODES.keys()
    assert found["rules"].keys() == {entry.name for entry in rule_entries()}
    assert "T402" in torch2om("explain").out


def test_explain_proposes_what_is_near(torch2om: Command) -> None:
    ran = torch2om("explain", "T403x")
    assert ran.code == 2
    assert "did you mean" in ran.err
    assert "T403" in ran.err


def test_doctor_finds_this_environment_well(torch2om: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        doctor, "requires", lambda _: ["numpy>=1.26", 'torch>=2.10; extra == "torch"', 'ruff; extra == "dev"']
    )
    ran = torch2om("doctor", "--json")
    assert ran.code == 0
    found = {entry["what"]: entry for entry in ran.json["findings"]}
    assert found["numpy"]["needed"]
    assert not found["torch (convert, verify and analyze of PyTorch models)"]["needed"]
    assert "ruff" not in found


@pytest.mark.parametrize("requirement", ["numpy>=999", "no-such-package-here>=1"])
def test_doctor_says_what_to_install(torch2om: Command, monkeypatch: pytest.MonkeyPatch, requirement: str) -> None:
    monkeypatch.setattr(doctor, "requires", lambda _: [requirement])
    ran = torch2om("doctor")
    assert ran.code == 1
    assert f"pip install '{requirement}'" in " ".join(ran.out.split())


def test_a_missing_extra_is_no_failure(torch2om: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "requires", lambda _: ['torch>=999; extra == "torch"'])
    ran = torch2om("doctor")
    assert ran.code == 0
    assert "torch2om[torch]" in ran.out


def test_doctor_works_from_the_source_folder(torch2om: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> list[str]:
        raise PackageNotFoundError

    monkeypatch.setattr(doctor, "requires", missing)
    ran = torch2om("doctor")
    assert ran.code == 1
    assert "pip install -e ." in ran.out
