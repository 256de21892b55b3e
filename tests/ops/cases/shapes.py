"""Views, orders, cuts, joins and indices."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - everybody's name for it

from cases.case import Case, holding, layer, written

S = (2, 4, 5, 6)


def assigned(x: torch.Tensor) -> torch.Tensor:
    y = x * 1
    y[:, 1] = 3.0
    y[:, :, 1:3] = x[:, :, :2]
    return y


CASES: tuple[Case, ...] = (
    written("torch.cat with an empty slice", lambda x: torch.cat([x[:, :0], x, x[:, 1:1]], 1), (2, 3, 4)),
    written("view", lambda x: x.view(2, -1), S),
    written("reshape", lambda x: x.reshape(2, 20, 6), S),
    written("torch.reshape", lambda x: torch.reshape(x, (-1,)), S),
    written("flatten", lambda x: x.flatten(1), S),
    written("torch.flatten range", lambda x: torch.flatten(x, 1, 2), S),
    layer("nn.Flatten", nn.Flatten, S),
    layer("nn.Unflatten", lambda: nn.Unflatten(1, (2, 2)), S),
    written("view by size()", lambda x: x.view(x.size(0), -1), S),
    written("view_as", lambda x, y: x.view_as(y), S, (2, 4, 30)),
    written("ravel", lambda x: x.ravel(), S),
    written("unsqueeze", lambda x: x.unsqueeze(1), S),
    written("unsqueeze last", lambda x: x.unsqueeze(-1), S),
    written("index None", lambda x: x[:, None], S),
    written("squeeze", lambda x: x.squeeze(), (2, 1, 5, 1)),
    written("squeeze dim", lambda x: x.squeeze(1), (2, 1, 5, 1)),
    written("squeeze no such one", lambda x: x.squeeze(0), S),
    written("squeeze dims", lambda x: x.squeeze((1, 3)), (2, 1, 5, 1)),
    written("permute", lambda x: x.permute(0, 2, 3, 1), S),
    written("torch.permute", lambda x: torch.permute(x, (3, 0, -2, 1)), S),
    written("transpose", lambda x: x.transpose(1, 2), S),
    written("transpose negative", lambda x: x.transpose(-1, -2), S),
    written("t", lambda x: x.t(), (3, 5)),
    written("T", lambda x: x.T, (3, 5)),
    written("mT", lambda x: x.mT, S),
    written("swapaxes", lambda x: x.swapaxes(0, 3), S),
    written("movedim", lambda x: x.movedim(1, -1), S),
    written("expand", lambda x: x.expand(2, 4, 5, 6), (2, 4, 1, 1)),
    written("expand minus one", lambda x: x.expand(-1, 3, -1), (2, 1, 5)),
    written("expand more dims", lambda x: x.expand(3, 2, 5), (2, 5)),
    written("expand_as", lambda x, y: x.expand_as(y), (2, 4, 1, 1), S),
    written("broadcast_to", lambda x: torch.broadcast_to(x, (3, 2, 5)), (2, 1)),
    written("repeat", lambda x: x.repeat(1, 2, 1, 3), S),
    written("repeat more dims", lambda x: x.repeat(2, 1, 3), (4, 5)),
    written("tile", lambda x: torch.tile(x, (2, 3)), (4, 5)),
    written("repeat_interleave", lambda x: x.repeat_interleave(3, dim=1), S),
    written("repeat_interleave flat", lambda x: x.repeat_interleave(2), (4, 5)),
    written("cat", lambda x, y: torch.cat([x, y], 1), S, (2, 3, 5, 6)),
    written("cat last", lambda x: torch.cat((x, x * 2, x), dim=-1), S),
    written("cat of one", lambda x: torch.cat([x], 1), S),
    holding("cat with constant", lambda x, c: torch.cat([c, x], 1), lambda: (torch.randn(2, 1, 6),), (2, 5, 6)),
    written("hstack", lambda x: torch.hstack([x, x]), S),
    written("vstack", lambda x: torch.vstack([x, x]), S),
    written("stack", lambda x, y: torch.stack([x, y], 1), S, S),
    written("stack last", lambda x, y: torch.stack([x, y], -1), S, S),
    written("chunk", lambda x: torch.chunk(x, 2, 1)[1], S),
    written("chunk all", lambda x: x.chunk(2, dim=1), S),
    written("chunk uneven", lambda x: x.chunk(2, dim=2), S),
    written("split", lambda x: x.split(3, dim=1), S),
    written("split sizes", lambda x: torch.split(x, [1, 2, 2], dim=2)[1:], S),
    written("tensor_split", lambda x: torch.tensor_split(x, 3, dim=2), S),
    written("unbind", lambda x: torch.unbind(x, 1)[2], S),
    written("iterate", lambda x: [row * 2 for row in x], S),
    written("x[:, a:b]", lambda x: x[:, 1:3], S),
    written("x[:, i]", lambda x: x[:, 2], S),
    written("x[-1]", lambda x: x[-1], S),
    written("x[..., -2:]", lambda x: x[..., -2:], S),
    written("x[:, ::2]", lambda x: x[:, ::2], S),
    written("x[:, 1::2, :-1, -1]", lambda x: x[:, 1::2, :-1, -1], S),
    written("x[:, :, ::3, ::2]", lambda x: x[:, :, ::3, ::2], S),
    written("x[:]", lambda x: x[:] + 1, S),
    written("narrow", lambda x: x.narrow(1, 1, 2), S),
    written("select", lambda x: x.select(2, 3), S),
    written("x[:, [0, 2]]", lambda x: x[:, [0, 2]], S),
    written("x[:, [3, 0, 0, 1]]", lambda x: x[:, [3, 0, 0, 1]], S),
    written("x[:, [2]]", lambda x: x[:, [2]], S),
    written("x[[1, 0]]", lambda x: x[[1, 0]], S),
    holding("index by a matrix", lambda x, i: x[:, i], lambda: (torch.tensor([[0, -1], [2, 2]]),), S),
    holding("index by a long permutation", lambda x, i: x[:, i], lambda: (torch.randperm(40),), (2, 40, 3)),
    written("index of two dims", lambda x: x[:, [0, 1, 3], [4, 0, 2]], S),
    written("index of two dims apart", lambda x: x[:, [0, 1], :, [4, 0]], S),
    holding("index_select", lambda x, i: x.index_select(2, i), lambda: (torch.tensor([4, 0, 2]),), S),
    holding(
        "gather by constant",
        lambda x, i: x.gather(1, i),
        lambda: (torch.tensor([2, 0]).view(1, 2, 1, 1).expand(2, 2, 5, 6),),
        S,
    ),
    holding("gather by constant rows", lambda x, i: x.gather(1, i), lambda: (torch.randint(4, (2, 3, 5, 2)),), S),
    written(
        "gather by a blob", lambda x, y: x.gather(1, y.argmax(1, keepdim=True)), S, S, refusal="computed from the input"
    ),
    written("flip", lambda x: x.flip(1, 3), S),
    written("torch.fliplr", torch.fliplr, S),
    written("roll", lambda x: x.roll(2, 3), S),
    written("roll two dims", lambda x: torch.roll(x, (1, -1), (1, 2)), S),
    written("roll flat", lambda x: x.roll(7), (4, 5)),
    written("diagonal", lambda x: x.diagonal(1, 2, 3), S),
    written("tril", torch.tril, S),
    written("triu", lambda x: x.triu(1), S),
    written("cumsum", lambda x: x.cumsum(2), S),
    written("rot90", lambda x: torch.rot90(x, 1, (2, 3)), S),
    written("assigned", assigned, S),
    written("meshgrid constant", lambda x: x + torch.meshgrid(torch.arange(5), torch.arange(6), indexing="ij")[0], S),
    written("outputs in a dict", lambda x: {"a": x + 1, "b": [x * 2, x.flatten(1)]}, S),
    written("sort", lambda x: x.sort(1), S),
    written("sort downwards, equals in order", lambda x: x.round().sort(dim=2, descending=True, stable=True), S),
    written("argsort", lambda x: x.argsort(-1), (2, 9)),
    written("sort of many", lambda x: x.sort(-1)[0], (1, 129), refusal="no sorting"),
    written("embedding of an index", lambda x: F.embedding(x.argmax(1), torch.eye(4)), S, refusal="picked or written"),
    written("index_put", lambda x: x.index_put((x.argmax(0),), x[0]), (4, 4), refusal="picked or written"),
    written("scatter", lambda x: x.scatter(1, x.argmax(1, keepdim=True), 1.0), S, refusal="picked or written"),
    written("kthvalue", lambda x: x.kthvalue(2, 1), S),
    written("median", lambda x: x.median(1)[0], S),
)
