"""Origins, the few forms, constants, and the reference."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from programs import SHAPE, Applied, Outer, agreement, canonical, targets
from torch import nn
from torch.nn import functional

from torch2om.origin import Origin
from torch2om.program import canonicalize, capture
from torch2om.reference import reference_values


class TestOrigins:
    @staticmethod
    def origins() -> dict[str, Origin]:
        program = canonicalize(capture(Outer().eval(), [SHAPE]))
        return {str(call.target): program.origin(call) for call in program.calls()}

    def test_a_layers_call_is_a_leaf_under_the_modules_path(self) -> None:
        origins = self.origins()
        conv = origins["aten.conv2d.default"]
        assert (conv.module, conv.leaf, conv.target) == ("stem.conv", True, "aten.conv2d.default")
        assert (origins["aten.batch_norm.default"].module, origins["aten.relu.default"].module) == (
            "stem.bn",
            "stem.act",
        )

    def test_a_containers_own_call_is_no_leaf(self) -> None:
        origins = self.origins()
        assert (origins["aten.add.Tensor"].module, origins["aten.add.Tensor"].leaf) == ("stem", False)
        assert (origins["aten.mean.dim"].module, origins["aten.mean.dim"].leaf) == ("", False)

    def test_the_line_is_the_users_innermost(self) -> None:
        origins = self.origins()
        assert origins["aten.conv2d.default"].code == "y: torch.Tensor = self.act(self.bn(self.conv(x)))"
        assert origins["aten.mean.dim"].code == "return x.mean((2, 3))"
        assert Path(origins["aten.mean.dim"].file).name == "programs.py"
        assert origins["aten.mean.dim"].line > 0

    def test_a_users_module_with_one_call_is_a_leaf_with_two_it_is_not(self) -> None:
        class Once(nn.Module):
            def forward(self, x: torch.Tensor) -> torch.Tensor:
                return x * 2

        class Twice(nn.Module):
            def forward(self, x: torch.Tensor) -> torch.Tensor:
                return (x * 2).exp()

        program = canonical(lambda x, once, twice: twice(once(once(x))), Once(), Twice())
        assert [(program.origin(call).module, program.origin(call).leaf) for call in program.calls()] == [
            ("parts.0", True),
            ("parts.0", True),
            ("parts.1", False),
            ("parts.1", False),
        ]


class TestCanonicalForms:
    @pytest.mark.parametrize(
        ("function", "expected"),
        [
            (lambda x: x.transpose(1, 2).mT, ["permute.default", "permute.default"]),
            (lambda x: x.reshape(2, -1).flatten(), ["view.default", "view.default"]),
            (lambda x: x.chunk(2, 1)[0] + 1, ["split_with_sizes.default", "<built-in function getitem>", "add.Tensor"]),
            (lambda x: torch.max(x, x * 2).max(1)[0], ["mul.Tensor", "maximum.default", "amax.default"]),
            (lambda x: x.max(1)[1], ["argmax.default"]),
            (lambda x: x.std((2, 3)), ["var.correction", "sqrt.default"]),
            (lambda x: x.clip(0, 1).square().multiply(2), ["clamp.default", "pow.Tensor_Scalar", "mul.Tensor"]),
            (lambda x: x.clone().detach().contiguous().float().double().float(), []),
            (lambda x: x.expand(2, 4, 8, 8).permute(0, 1, 2, 3).view(2, 4, 8, 8), []),
            (lambda x: x + torch.zeros_like(x), ["add.Tensor"]),
            (lambda x: functional.softshrink(functional.hardshrink(x)), ["hardshrink.default", "softshrink.default"]),
            (functional.rrelu, ["leaky_relu.default"]),
            (lambda x: x.norm(dim=1), ["linalg_vector_norm.default"]),
            (lambda x: x.masked_fill(x > 1, 0.0), ["gt.Scalar", "where.self"]),
            (functional.instance_norm, ["instance_norm.default"]),
            (lambda x: functional.pad(x, (1, 1, 1, 1), "circular"), ["pad.default"]),
        ],
    )
    def test_of_many_spellings(self, function: Callable[[torch.Tensor], Any], expected: list[str]) -> None:
        program = canonical(function)
        assert targets(program) == expected
        assert agreement(program) < 1e-5

    def test_an_eps_left_out_is_the_models_own_and_stays_so_in_float64(self) -> None:
        (call,) = canonical(lambda x: functional.rms_norm(x, (8,))).calls()
        assert call.args[3] == torch.finfo(torch.float32).eps

    @pytest.mark.parametrize(
        "function",
        [
            lambda x: torch.lerp(x, x * 2, 0.3),
            lambda x: torch.logit(x.clamp(0.1, 0.9), eps=0.2),
            lambda x: torch.logsumexp(x, 1),
            lambda x: torch.logsumexp(x, (1, 2), keepdim=True),
            lambda x: torch.var_mean(x, (2, 3)),
            lambda x: x.aminmax(dim=1),
            lambda x: x.min(2),
            lambda x: functional.one_hot(x.argmax(1), 4).float(),
            lambda x: functional.pairwise_distance(x, x * 2),
            lambda x: functional.cosine_similarity(x, x + 1),
            lambda x: torch.addmm(x[0, 0], x[0, 1], x[0, 2], beta=2, alpha=3),
            lambda x: functional.scaled_dot_product_attention(x, x, x),
            lambda x: functional.scaled_dot_product_attention(x, x, x, is_causal=True),
            lambda x: functional.scaled_dot_product_attention(x, x[:, :2], x[:, :2], scale=0.3, enable_gqa=True),
            lambda x: functional.scaled_dot_product_attention(x, x, x, torch.ones(8, 8).triu().bool()),
            lambda x: torch.einsum("bchw,bdhw->bcd", x, x),
            lambda x: torch.full_like(x, 3) * x,
            lambda x: functional.conv2d(x, torch.ones(1, 4, 3, 2), padding="same"),
            lambda x: functional.conv2d(x, torch.ones(1, 4, 3, 3), padding="same", dilation=2),
            lambda x: functional.conv2d(x, torch.ones(1, 4, 3, 3), padding="valid"),
            lambda x: functional.conv3d(x.unsqueeze(2), torch.ones(2, 4, 1, 3, 5), padding=(0, 1, 2), stride=(1, 2, 1)),
            lambda x: functional.conv3d(x.unsqueeze(1), torch.ones(2, 1, 3, 3, 1), torch.ones(2), dilation=(1, 2, 1)),
            lambda x: torch.linspace(0, 1, 8) * x + torch.arange(8),
            lambda x: x[:, torch.tensor([2, 0])] @ x.new_ones(8, 3),
        ],
    )
    def test_parts_compute_the_whole(self, function: Callable[[torch.Tensor], Any]) -> None:
        assert agreement(canonical(function)) < 1e-5

    def test_in_place_changes_of_parts(self) -> None:
        def changing(x: torch.Tensor) -> torch.Tensor:
            y = x.clone()
            y[:, 0] = 1
            y[:, 1:3] += 3
            y[:, :, ::3] *= 2
            y.add_(1).relu_()
            return y

        program = canonical(changing)
        assert agreement(program) < 1e-6
        assert not [name for name in targets(program) if "scatter" in name or name.endswith("_.default")]

    def test_batch_norm_is_one_call(self) -> None:
        for norm in (nn.BatchNorm2d(4), nn.BatchNorm2d(4, affine=False), nn.BatchNorm2d(4, track_running_stats=False)):
            program = canonical(lambda x, norm: norm(x), norm)
            (call,) = program.calls()
            assert (str(call.target), call.args[5]) == ("aten.batch_norm.default", norm.running_mean is None)
            assert agreement(program) < 1e-5

    def test_recurrences_stay_whole(self) -> None:
        for network in (nn.LSTM(8, 5, 2, bidirectional=True), nn.GRU(8, 5), nn.RNN(8, 5)):
            program = canonical(lambda x, network: network(x)[0], network, shape=(3, 2, 8))
            assert targets(program)[0] in ("lstm.input", "gru.input", "rnn_tanh.input")
            assert agreement(program) < 1e-5

    def test_core_aten_programs_take_the_same_forms(self) -> None:
        def network(x: torch.Tensor, *parts: nn.Module) -> torch.Tensor:
            conv, norm, group, up, layer = parts
            y = functional.max_pool2d(norm(conv(functional.pad(x, (1, 1, 1, 1)))), 2)
            y = functional.adaptive_avg_pool2d(up(group(y)), 3)
            return functional.log_softmax(functional.softmax(layer(y), 1), 1)

        parts = (
            nn.Conv2d(4, 4, 3),
            nn.BatchNorm2d(4),
            nn.GroupNorm(2, 4),
            nn.ConvTranspose2d(4, 2, 2, 2, output_padding=1),
            nn.LayerNorm(3),
        )
        model = Applied(network, *parts).eval()
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            core = torch.export.export(model, (torch.randn(SHAPE),)).run_decompositions()
        program = canonicalize(capture(core))
        assert targets(program) == targets(canonicalize(capture(model, [SHAPE])))
        assert agreement(program) < 1e-5

    def test_results_that_are_used_stay(self) -> None:
        program = canonical(lambda x: functional.max_pool2d(x, 2, return_indices=True))
        assert targets(program)[0] == "max_pool2d_with_indices.default"
        assert agreement(program) < 1e-6


class TestConstants:
    def test_share_the_models_memory(self) -> None:
        model = nn.Linear(8, 3).eval()
        program = canonicalize(capture(model, [(1, 8)]))
        assert {value.data_ptr() for value in program.constants.values()} == {
            model.weight.data_ptr(),
            model.bias.data_ptr(),
        }

    def test_views_of_parameters_share_it_too(self) -> None:
        class Tied(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.weight = nn.Parameter(torch.randn(3, 8))

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                return x @ self.weight.t() @ self.weight

        model = Tied().eval()
        program = canonicalize(capture(model, [(1, 8)]))
        assert targets(program) == ["matmul.default", "matmul.default"]
        assert {value.data_ptr() for value in program.constants.values()} == {model.weight.data_ptr()}
        assert agreement(program) < 1e-6

    def test_subgraphs_are_computed_once_in_float64(self) -> None:
        conv = nn.utils.parametrizations.weight_norm(nn.Conv2d(4, 3, 3))
        program = canonical(lambda x, conv: conv(x), conv)
        assert targets(program) == ["conv2d.default"]
        (weight,) = [value for value in program.constants.values() if value.dim() == 4]
        direction = conv.parametrizations.weight.original1.detach().double()
        size = conv.parametrizations.weight.original0.detach().double()
        exact = direction * (size / direction.flatten(1).norm(dim=1).reshape(-1, 1, 1, 1))
        assert weight.dtype == torch.float32
        assert torch.equal(weight, exact.float())

    def test_random_numbers_are_not_constants(self) -> None:
        assert "rand.default" in targets(canonical(lambda x: x + torch.rand(8)))

    def test_unused_ones_and_dead_calls_are_gone(self) -> None:
        def wasteful(x: torch.Tensor, used: nn.Module, unused: nn.Module) -> torch.Tensor:
            unused(x)
            y: torch.Tensor = used(x)
            return y

        program = canonical(wasteful, nn.Conv2d(4, 2, 1), nn.Conv2d(4, 5, 1))
        assert targets(program) == ["conv2d.default"]
        assert {value.shape[0] for value in program.constants.values()} == {2}


class TestReference:
    def test_runs_in_the_asked_width_with_constants_cast(self) -> None:
        program = canonical(lambda x, conv: conv(x) * torch.tensor(0.1), nn.Conv2d(4, 3, 3))
        feeds = {"x": np.ones(SHAPE, np.float32)}
        for dtype in (np.float64, np.float32):
            assert {value.dtype for _, value in reference_values(program, feeds, dtype)} == {np.dtype(dtype)}

    def test_yields_inputs_calls_and_items_by_node_name(self) -> None:
        program = canonical(lambda x: x.split([1, 3], 1))
        names = [name for name, _ in reference_values(program, {"x": np.ones(SHAPE)})]
        assert names == [program.inputs[0].node, *(output.node for output in program.outputs)]

    def test_whole_numbers_stay_whole(self) -> None:
        program = canonical(lambda x: x.argmax(1))
        ((_, _), (_, places)) = reference_values(program, {"x": np.ones(SHAPE)})
        assert places.dtype == np.int64
