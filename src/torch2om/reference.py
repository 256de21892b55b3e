"""What PyTorch itself computes: the canonical program call by call, and the user's own model as it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import fx
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

from torch2om.analysis import Size
from torch2om.ir.op import Array
from torch2om.program.capture import evaluating
from torch2om.program.evaluation import compute, widened
from torch2om.program.failures import quiet
from torch2om.program.graph import Program
from torch2om.program.structure import leaves
from torch2om.verification import OwnRun, Sample

# The user's own model is held against float64 in its own precision: this run is there to find hidden state and
# randomness, and must not mistake the rounding of a deep float32 net (1.5e-5 on wide_resnet50_2) for them.
OWN_TOLERANCE = 1e-4
OWN_ROUNDINGS = 64  # of the model's dtype, where that is coarser: float16, bfloat16

Values = npt.NDArray[Any]  # floats in the asked width; integers and truth values as PyTorch has them


@dataclass(frozen=True)
class ProgramReference:
    """A PyTorch program as what files must be equal to; the user's own model must be equal to it too."""

    program: Program
    title: str = "PyTorch"

    def values(self, sample: Sample, wanted: Collection[str]) -> Iterator[tuple[str, Array]]:
        """Yield the float64 values of these calls."""
        return ((call, value) for call, value in reference_values(self.program, sample) if call in wanted)

    def own_runs(self, sample: Sample) -> Iterator[OwnRun]:
        """Yield what the user's own model returns; a model of coarse floats, or with such calls, is further off."""
        epsilon = max(torch.finfo(kind).eps for kind in _float_kinds(self.program))
        yield OwnRun(original_outputs(self.program, sample), max(OWN_TOLERANCE, OWN_ROUNDINGS * epsilon))

    def size(self) -> Size:
        """Return how many parameters the user's own model has, and what PyTorch counts in one run of it.

        PyTorch's counter counts convolutions and matrix products, two operations for a multiply-accumulate. What it
        leaves out is attention as the CPU computes it (`_UNCOUNTED`), and nn.MultiheadAttention as one operator, which
        is turned off. A .pt2 and a TorchScript model hold their parameters likewise.
        """
        zeros = {source.name: np.zeros(source.shape, np.float32) for source in self.program.inputs}
        parameters = tuple[torch.Tensor, ...](getattr(self.program.module, "parameters", tuple)())
        counting = FlopCounterMode(display=False, custom_mapping=_UNCOUNTED)
        with _learning_nothing(parameters), _attention_in_steps(), counting as counter:
            original_outputs(self.program, zeros)
        return Size(sum(each.numel() for each in parameters), int(counter.get_total_flops()) // 2)


@contextmanager
def _learning_nothing(parameters: Iterable[torch.Tensor]) -> Iterator[None]:
    """Let no parameter want a gradient for a while: the counter fails at a module that is called with one that does."""
    learning = [each for each in parameters if each.requires_grad]
    for each in learning:
        each.requires_grad = False
    try:
        yield
    finally:
        for each in learning:
            each.requires_grad = True


@contextmanager
def _attention_in_steps() -> Iterator[None]:
    """Let nn.MultiheadAttention call its products one by one for a while."""
    whole = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(value=False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(whole)


def _attention(query: torch.Size, key: torch.Size, value: torch.Size, *_: object, **__: object) -> int:
    return int(sdpa_flop_count(query, key, value))  # type: ignore[no-untyped-call]  # torch has no types here


_UNCOUNTED = {torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention}  # noqa: SLF001 - its public name


def reference_values(
    program: Program, inputs: Mapping[str, Array], dtype: npt.DTypeLike = np.float64
) -> Iterator[tuple[str, Values]]:
    """Yield (node name, value) of every input, every constant that is an output, and every call, in order.

    Every float is computed in `dtype` (constants are cast one at a time), by PyTorch's own kernels. Of a call with
    several results the items are yielded. A value is kept only until its last use.
    """
    width = torch.from_numpy(np.empty(0, dtype)).dtype
    fed = {source.node: torch.tensor(inputs[source.name], dtype=width) for source in program.inputs}
    outputs = {output.node for output in program.outputs}
    yield from ((name, _array(value)) for name, value in fed.items())
    yield from ((name, _array(widened(program.constants[name], width))) for name in outputs & program.constants.keys())
    values: dict[str, Any] = dict(fed)
    remaining = Counter(source.name for node in program.calls() for source in node.all_input_nodes)

    def value_of(node: fx.Node) -> Any:  # Any: a tensor or several
        return values[node.name] if node.name in values else widened(program.constants[node.name], width)

    for node in program.calls():
        with torch.no_grad():
            values[node.name] = compute(node, value_of, width)
        if isinstance(values[node.name], torch.Tensor):
            yield node.name, _array(values[node.name])
        remaining.subtract(source.name for source in node.all_input_nodes)
        for name in [source.name for source in node.all_input_nodes if remaining[source.name] == 0]:
            values.pop(name, None)


def _float_kinds(program: Program) -> set[torch.dtype]:
    """Return the float types that the model computes in: under autocast its calls have others than its inputs."""
    values = (node.meta.get("val") for node in program.graph_module.graph.nodes)
    called = {value.dtype for value in values if isinstance(value, torch.Tensor) and value.is_floating_point()}
    return called | {source.dtype for source in program.inputs}


def original_outputs(program: Program, inputs: Mapping[str, Array]) -> tuple[Values, ...]:
    """Return what the user's own model computes in its own precision, one array per output of the program, in order."""
    dtypes = {source.name: source.dtype for source in program.inputs}
    tensors = {name: torch.tensor(inputs[name], dtype=dtype) for name, dtype in dtypes.items()}
    args, kwargs = torch.utils._pytree.tree_map(tensors.__getitem__, program.arguments)  # noqa: SLF001 - export's trees
    with evaluating(program.module), torch.no_grad(), quiet():
        result = program.module(*args, **kwargs)
    found = {leaf.place: leaf.value for leaf in leaves(result)}
    return tuple(_array(found[output.place]) for output in program.outputs)


def _array(value: object) -> Values:
    if not isinstance(value, torch.Tensor):
        raise TypeError(f"{value!r} is no tensor")
    tensor = value.detach().cpu()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()
