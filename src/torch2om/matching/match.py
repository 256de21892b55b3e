"""The verdict: everything of the files found in an om, or what is not, with the layer and the user's line."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from torch2om.caffe.reader import read_net
from torch2om.emission import Artifact
from torch2om.errors import Diagnostic, Severity
from torch2om.manifest import Manifest
from torch2om.matching.constants import Constants
from torch2om.matching.ports import PortMatch, match_ports
from torch2om.matching.wanted import wanted
from torch2om.matching.weights import State, WeightMatch, match_weights
from torch2om.om.reader import OmFile
from torch2om.origin import NOWHERE, Origin
from torch2om.targets import target


@dataclass(frozen=True)
class Matching:
    """How an om compares with files: its inputs and outputs, every weight of the files, and what it has besides."""

    ports: tuple[PortMatch, ...]
    weights: tuple[WeightMatch, ...]
    unexplained: tuple[str, ...]
    origins: Mapping[str, Origin]

    @property
    def equal(self) -> bool:
        """Whether every input, output and weight of the files is in the om, and equal."""
        return not any(each.problems for each in self.ports) and all(each.state is State.EQUAL for each in self.weights)

    @cached_property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What is not equal: errors for what differs, warnings for what was not identified."""
        return (*self._port_problems(), *self._weight_problems())

    def _port_problems(self) -> Iterator[Diagnostic]:
        for each in self.ports:
            for problem in each.problems:
                yield Diagnostic("O811", f"{each.kind} {each.name}: {problem}")

    def _weight_problems(self) -> Iterator[Diagnostic]:
        for each in self.weights:
            if each.state is not State.EQUAL and not each.host:
                yield replace(_weight_problem(each), origin=self.origins.get(each.layer, NOWHERE))


def match(artifact: Artifact, om: OmFile) -> Matching:
    """Return how the om compares with the files of a conversion; needs neither torch nor the model.

    Raises `CaffeFileError` if the files cannot be read.
    """
    manifest = artifact.manifest
    net = read_net(artifact.prototxt, artifact.caffemodel, target(manifest.target).dialect)
    constants = Constants(om.models)
    weights = match_weights(wanted(net), constants)
    compared = {each.constant for each in weights}
    unexplained = tuple(name for name in constants.unclaimed() if name not in compared)
    return Matching(match_ports(manifest, om.root), weights, unexplained, _origins(manifest))


def _origins(manifest: Manifest) -> Mapping[str, Origin]:
    return {record.name: record.origin for record in manifest.layers}


def _weight_problem(each: WeightMatch) -> Diagnostic:
    what = f"weight {each.index} of {each.kind}"
    found = each.comparison
    if each.state is State.UNIDENTIFIED or found is None:
        text = f"{what} was not identified in the om"
        return Diagnostic("O813", text, layer=each.layer, severity=Severity.WARNING)
    text = f"{what} differs from {each.constant}: {found.found:.6g} where the files have {found.expected:.6g}"
    if math.isfinite(found.found):
        text = f"{text}, {found.excess:.3g} times what rounding allows"
    return Diagnostic("O812", text, layer=each.layer)
