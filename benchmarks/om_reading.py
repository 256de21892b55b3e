"""Seconds and memory of reading a large om: PYTHONPATH=tests/om python benchmarks/om_reading.py [MIB]

A file of MIB (300) is written as CANN 8 lays it out: a wide table, attribute names replaced by numbers, filters in
FRACTAL_Z, one kernel and one task for each of LAYERS layers. Then, each in a process of its own: `read` is read_om, of
which `torch2om inspect` shows the result; `unpack` goes on to turn every weight into its plain array, one after the
other. `growth/file` is the process's highest memory (the touched pages of the mapped file among it), less that of a
process that only imports, over the file's size. The best of ROUNDS.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from writing import SECOND, Const, Keys, Op, container, desc, kernel, model, number, table, task, tensor_info, tensors

from torch2om.om.reader import read_om
from torch2om.wire import field

LAYERS = 300
ROUNDS = 3
MIB = 2**20
BLOCK = 16 * 16 * 2  # bytes of one block of FRACTAL_Z in float16


def write(path: Path, size: int) -> None:
    """Write an om of about `size` bytes."""
    blocks = size // LAYERS // BLOCK // 9
    each = 9 * blocks * BLOCK
    weights = np.random.default_rng(0).integers(0, 256, LAYERS * each, np.uint8).tobytes()
    info = tensors(0, tensor_info("x", (1, 16, 14, 14), 0, 0)) + tensors(1, tensor_info("y", (1, 16, 14, 14), 0, 0))
    kernels = b"".join(kernel(f"te_conv{index}", bytes(4096)) for index in range(LAYERS))
    tasks = b"".join(task(0, 0, launched(index)) for index in range(LAYERS))
    parts = ((8, info), (0, definition(blocks, each)), (1, weights), (3, kernels), (2, tasks))
    path.write_bytes(container(table(parts, wide=True), wide=True, version=SECOND))


def definition(blocks: int, size: int) -> bytes:
    """The ModelDef: LAYERS convolutions in a row, each with filters of `blocks` blocks for each place of the kernel."""
    given = {"origin_shape": [16, 16 * blocks, 3, 3], "origin_format": "NCHW", "origin_data_type": "DT_FLOAT16"}
    made = desc((1, 1, 14, 14, 16), "NC1HWC0", given={"origin_shape": [1, 16, 14, 14], "origin_format": "NCHW"})
    attributes = {f"attribute_{index}": index for index in range(40)}
    ops = [Op("x", "Data", attributes={"index": 0}, ins=(made,), outs=(made,))]
    for index in range(LAYERS):
        filters = Const((9 * blocks, 1, 16, 16), "FRACTAL_Z", offset=index * size, size=size, attributes=given)
        ops.append(Op(f"const{index}", "Const", attributes={"value": filters}, id=2 * index))
        reads = (f"conv{index - 1}:0" if index else "x:0", f"const{index}:0")
        ops.append(Op(f"conv{index}", "Conv2D", reads, attributes, (made, made), (made,), 2 * index + 1))
    ops.append(Op("Node_Output", "NetOutput", (f"conv{LAYERS - 1}:0",), ins=(made,)))
    return model(ops, {"soc_version": "Ascend310B4"}, Keys(compressed=True))


def launched(index: int) -> bytes:
    """A KernelDef."""
    return field(1, number(1, 4) + number(4, 2 * index + 1)) + field(17, f"te_conv{index}__kernel0".encode())


def read(path: Path, what: str) -> dict[str, float]:
    """Read the file in this process, and say how long it took."""
    begin = time.perf_counter()
    if what != "import":
        weights = read_om(path).root.weights
        assert len(weights) == LAYERS
        if what == "unpack":
            assert sum(weight.array().size for weight in weights) > 0
    return {"seconds": time.perf_counter() - begin, "peak": peak_mib()}


def peak_mib() -> float:
    """The highest memory of this process; resource.getrusage would count its parent's at the fork."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


def in_a_process(what: str, *arguments: object) -> str:
    command = [sys.executable, __file__, what, *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603 - itself


def measured(path: Path, what: str) -> dict[str, float]:
    found: dict[str, float] = json.loads(in_a_process("--read", path, what))
    return found


def main() -> None:
    match sys.argv[1:]:
        case "--write", path, size:
            write(Path(path), int(size))
        case "--read", path, what:
            print(json.dumps(read(Path(path), what)))
        case arguments:
            compare(int(arguments[0]) if arguments else 300)


def compare(mib: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.om"
        in_a_process("--write", path, mib * MIB)
        size = path.stat().st_size / MIB
        idle = measured(path, "import")
        print(f"file {size:.0f} MiB, {LAYERS} layers; a process that only imports: {idle['peak']:.0f} MiB")
        for what in ("read", "unpack"):
            found = min((measured(path, what) for _ in range(ROUNDS)), key=lambda each: each["seconds"])
            growth = (found["peak"] - idle["peak"]) / size
            print(f"{what:<7} {found['seconds']:.2f} s, peak {found['peak']:.0f} MiB, growth/file {growth:.2f}")


if __name__ == "__main__":
    main()
