"""A stand-in for atc and omg, a test double: it enforces the documented command line and prints the documented texts.

It compiles nothing: a good command line gets a file with a few bytes. How it behaves otherwise is what STAND_IN_WISH
says: `no om`, `sleep`, or the text of a failure.
"""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path

SHARED = {"model", "weight", "framework", "output", "mode", "input_shape", "input_format", "out_nodes", "output_type"}
SHARED |= {"insert_op_conf", "op_name_map", "input_fp16_nodes", "check_report", "om", "json"}
ATC = {"soc_version", "is_input_adjust_hw_layout", "is_output_adjust_hw_layout", "dynamic_batch_size", "debug_dir"}
ATC |= {"dynamic_image_size", "dynamic_dims", "precision_mode", "precision_mode_v2", "op_select_implmode", "log"}
ATC |= {"optypelist_for_implmode", "op_precision_mode", "modify_mixlist", "keep_dtype", "customize_dtypes"}
ATC |= {"fusion_switch_file", "compress_weight_conf", "enable_compress_weight", "enable_small_channel", "core_type"}
ATC |= {"disable_reuse_memory", "enable_single_stream", "buffer_optimize", "op_debug_level", "virtual_type"}
ATC |= {"deterministic"}
OMG = {"ddk_version", "plugin_path", "net_format", "fp16_high_prec", "is_output_fp16", "cal_conf", "compress_conf"}
CHIPS = r"Ascend310|Ascend310P[13]|Ascend310B[1-4]"
FILES = ("model", "weight", "insert_op_conf", "fusion_switch_file", "keep_dtype", "op_name_map")
PLAIN = r"[A-Za-z0-9_./-]+"


class RefusedError(Exception):
    pass


def options(arguments: list[str], known: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for argument in arguments:
        match = re.fullmatch(r"--?([A-Za-z0-9_-]+)=(.*)", argument, re.DOTALL)
        if not match:
            raise RefusedError(f"E10054: The parameter is not an option: {argument}")
        name = match[1].replace("-", "_")
        if name not in known:
            raise RefusedError(f"E10003: Value [{match[2]}] for parameter [{name}] is invalid. Reason: unknown option.")
        if name in found:
            raise RefusedError(f"E10003: parameter [{name}] is given twice")
        found[name] = match[2]
    return found


def check(given: dict[str, str], *, is_atc: bool) -> None:
    for name in ("framework", "model", "output"):
        if not given.get(name):
            raise RefusedError(f"E10007: Required parameter [{name}] is missing.")
    if given["framework"] != "0":
        raise RefusedError("E13005: Parse model failed.")
    if "weight" not in given:
        raise RefusedError("E10008: Input parameter [--weight]'s value is empty when framework is 0(CAFFE)!")
    if is_atc and not re.fullmatch(CHIPS, given.get("soc_version", "")):
        raise RefusedError(f"E10001: Value [{given.get('soc_version')}] for parameter [--soc_version] is invalid.")
    for name in FILES:
        if name in given and not (re.fullmatch(PLAIN, given[name]) and Path(given[name]).is_file()):
            raise RefusedError(f"E13000: File [{given[name]}] of [--{name}] is not a path that can be used.")


def check_together(given: dict[str, str]) -> None:
    gears = [name for name in ("dynamic_batch_size", "dynamic_image_size", "dynamic_dims") if name in given]
    if len(gears) > 1 or {"precision_mode", "precision_mode_v2"} <= given.keys():
        raise RefusedError("E10009: Parameters exclude each other.")
    if gears and "-1" not in given.get("input_shape", ""):
        raise RefusedError("E10035: input_shape has no -1.")
    if "dynamic_dims" in given and (given.get("input_format") != "ND" or "insert_op_conf" in given):
        raise RefusedError("E10040: dynamic_dims wants ND and no AIPP.")


def caffe_names(given: dict[str, str]) -> None:
    """The names in options are the net's."""
    layers = re.findall(r'name: "([^"]+)"\s+type:', Path(given["model"]).read_text(encoding="utf-8"))
    for part in filter(None, given.get("input_shape", "").split(";")):
        name = part.rpartition(":")[0]
        if name not in layers:
            raise RefusedError(f"E10016: Opname [{name}] specified in [--input_shape] is not found in the model.")
    for part in filter(None, given.get("out_nodes", "").split(";")):
        if part.rpartition(":")[0] not in layers:
            raise RefusedError(f"E11017: Failed to find node [{part}] specified in --out_nodes.")


def act(wish: str, output: str) -> int:
    """Do what the net asks of the double."""
    if wish.startswith("sleep"):
        print("sleeping", flush=True)
        Path(os.environ["STAND_IN_PID"]).write_text(str(os.getpid()))
        Path("kernel_meta").mkdir()
        time.sleep(120)
    if wish == "no om":
        return 0
    if wish:
        raise RefusedError(wish)
    suffix = os.environ.get("STAND_IN_SUFFIX", "")
    Path(f"{output}{suffix}.om").write_bytes(b"stand-in om " + " ".join(sys.argv[1:]).encode())
    return 0


def main() -> int:
    is_atc = Path(sys.argv[0]).name == "atc"
    if is_atc:
        print("ATC start working now, please wait for a moment.\n...", flush=True)
    try:
        given = options(sys.argv[1:], SHARED | (ATC if is_atc else OMG))
        check(given, is_atc=is_atc)
        check_together(given)
        caffe_names(given)
        code = act(os.environ.get("STAND_IN_WISH", ""), given["output"])
    except RefusedError as refused:
        if is_atc:
            print("ATC run failed, Please check the detail log, Try 'atc --help' for more information")
            print(refused)
            return 255
        print(f'[ERROR] FMK:2019-10-02-11:30:40.390.101 main:framework/domi/omg_main/main.cpp:791:"{refused}"')
        print("OMG generate offline model failed. Please see the log or pre-checking report for more details.")
        return 255
    print("ATC run success, welcome to the next use." if is_atc else "OMG generate offline model success")
    return code


if __name__ == "__main__":
    sys.exit(main())
