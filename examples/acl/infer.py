"""Runs an om once with pyACL: python3 infer.py MODEL.om INPUT.bin... ; writes output_0.bin, output_1.bin, ...

The inputs are the files that `torch2om inputs DIR` writes, one for each input, in the om's order.
"""

import sys

import acl
import numpy as np

DEVICE = 0
HUGE_FIRST, TO_DEVICE, TO_HOST = 0, 1, 2  # ACL_MEM_MALLOC_HUGE_FIRST, ACL_MEMCPY_HOST_TO_DEVICE, ..._DEVICE_TO_HOST


def need(code: int, call: str) -> None:
    """Leave with the call and its error code: `torch2om explain CODE` says what it means."""
    if code:
        sys.exit(f"{call} failed: {code}")


class Side:
    """One side of the model: a buffer on the device for each of its inputs (or outputs)."""

    def __init__(self) -> None:
        self.dataset = acl.mdl.create_dataset()
        self.parts = []

    def add(self, size: int) -> None:
        memory, code = acl.rt.malloc(size, HUGE_FIRST)
        need(code, "acl.rt.malloc")
        buffer = acl.create_data_buffer(memory, size)
        _, code = acl.mdl.add_dataset_buffer(self.dataset, buffer)
        need(code, "acl.mdl.add_dataset_buffer")
        self.parts.append((memory, buffer, size))

    def feed(self, place: int, path: str) -> None:
        memory, _, size = self.parts[place]
        host = np.fromfile(path, np.uint8)
        if host.size != size:
            sys.exit(f"{path} has {host.size} bytes, input {place} wants {size}")
        need(acl.rt.memcpy(memory, size, host.ctypes.data, size, TO_DEVICE), "acl.rt.memcpy")

    def save(self, place: int, path: str) -> None:
        memory, _, size = self.parts[place]
        host = np.empty(size, np.uint8)
        need(acl.rt.memcpy(host.ctypes.data, size, memory, size, TO_HOST), "acl.rt.memcpy")
        host.tofile(path)
        print(f"{path}: {size} bytes")

    def release(self) -> None:
        for memory, buffer, _ in self.parts:
            acl.destroy_data_buffer(buffer)
            acl.rt.free(memory)
        acl.mdl.destroy_dataset(self.dataset)


def main(om: str, *files: str) -> None:
    need(acl.init(), "acl.init")
    need(acl.rt.set_device(DEVICE), "acl.rt.set_device")
    model, code = acl.mdl.load_from_file(om)
    need(code, "acl.mdl.load_from_file")
    description = acl.mdl.create_desc()
    need(acl.mdl.get_desc(description, model), "acl.mdl.get_desc")
    if acl.mdl.get_num_inputs(description) != len(files):
        sys.exit(f"the om has {acl.mdl.get_num_inputs(description)} inputs")
    inputs, outputs = Side(), Side()
    for place, path in enumerate(files):
        inputs.add(acl.mdl.get_input_size_by_index(description, place))
        inputs.feed(place, path)
    for place in range(acl.mdl.get_num_outputs(description)):
        outputs.add(acl.mdl.get_output_size_by_index(description, place))
    need(acl.mdl.execute(model, inputs.dataset, outputs.dataset), "acl.mdl.execute")
    for place in range(len(outputs.parts)):
        outputs.save(place, f"output_{place}.bin")
    inputs.release()
    outputs.release()
    acl.mdl.destroy_desc(description)
    need(acl.mdl.unload(model), "acl.mdl.unload")
    need(acl.rt.reset_device(DEVICE), "acl.rt.reset_device")
    need(acl.finalize(), "acl.finalize")


if __name__ == "__main__":
    main(*sys.argv[1:])
