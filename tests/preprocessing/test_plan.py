"""From what is wished to AIPP's configuration: switches, matrices and sizes, and every refusal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from torch2om.errors import PreprocessingError
from torch2om.ir.blob import Blob
from torch2om.ir.builder import Builder, Names
from torch2om.ir.net import Input, Layer, Net, Output
from torch2om.layers import Power, ReLU
from torch2om.origin import NOWHERE
from torch2om.preprocessing.colours import DECODINGS, Order, PixelFormat, Standard
from torch2om.preprocessing.normalization import NOTHING, PRESETS, Normalization
from torch2om.preprocessing.plan import Margins, Preprocessing, configured, planned

PLAIN = Preprocessing(NOTHING)
RGB, GRAY = (1, 3, 224, 224), (1, 1, 28, 28)


def net(*shapes: tuple[int, ...], op: ReLU | Power = ReLU()) -> Net:  # noqa: B008 - frozen
    builder = Builder(Names(tuple(f"x{index}" for index in range(len(shapes)))), NOWHERE)
    tops = [builder.add(op, Blob(f"x{index}", shape)) for index, shape in enumerate(shapes)]
    inputs = tuple(Input(f"x{index}", shape) for index, shape in enumerate(shapes))
    return Net("net", inputs, tuple(builder.layers), tuple(Output(top.name) for top in tops))


@pytest.mark.parametrize(
    ("pixels", "order", "rbuv"),
    [
        (PixelFormat.RGB, Order.RGB, False),
        (PixelFormat.BGR, Order.BGR, False),
        (PixelFormat.BGR, Order.RGB, True),
        (PixelFormat.RGB, Order.BGR, True),
    ],
)
def test_interleaved_pixels_are_swapped_where_the_orders_differ(pixels: PixelFormat, order: Order, rbuv: bool) -> None:
    config = configured(replace(PLAIN, pixels=pixels, order=order), NOTHING, RGB)
    assert (config.input_format, config.csc_switch, config.rbuv_swap_switch) == ("RGB888_U8", False, rbuv)


@pytest.mark.parametrize("standard", Standard)
@pytest.mark.parametrize("pixels", [PixelFormat.NV12, PixelFormat.NV21])
def test_yuv_has_its_matrix_written_out(pixels: PixelFormat, standard: Standard) -> None:
    wish = replace(PLAIN, pixels=pixels, standard=standard)
    config = configured(wish, NOTHING, RGB)
    assert (config.input_format, config.csc_switch) == ("YUV420SP_U8", True)
    assert config.rbuv_swap_switch == (pixels is PixelFormat.NV21)
    assert (config.matrix, config.input_bias) == (DECODINGS[standard].matrix, DECODINGS[standard].bias)
    bgr = configured(replace(wish, order=Order.BGR), NOTHING, RGB).matrix
    assert bgr == (*config.matrix[6:], *config.matrix[3:6], *config.matrix[:3])


def test_one_channel_is_the_light_of_the_pixels() -> None:
    assert configured(replace(PLAIN, pixels=PixelFormat.GRAY), NOTHING, GRAY).input_format == "YUV400_U8"
    assert configured(PLAIN, NOTHING, GRAY).matrix == (76, 150, 30, 0, 0, 0, 0, 0, 0)
    assert configured(replace(PLAIN, pixels=PixelFormat.BGR), NOTHING, GRAY).rbuv_swap_switch
    narrow = configured(replace(PLAIN, pixels=PixelFormat.NV12), NOTHING, GRAY)
    assert (narrow.matrix[:3], narrow.input_bias) == ((298, 0, 0), (16, 128, 128))


def test_a_frame_is_cut_and_margins_are_laid_around_it() -> None:
    wish = replace(PLAIN, frame=(256, 240), crop=(16, 10), margins=Margins(4, 0, 4, 2, -1.5))
    config = configured(wish, NOTHING, RGB)
    assert (config.src_image_size_w, config.src_image_size_h) == (256, 240)
    assert (config.crop, config.load_start_pos_w, config.load_start_pos_h) == (True, 16, 10)
    assert (config.crop_size_w, config.crop_size_h) == (216, 222)
    assert (config.padding, config.left_padding_size, config.bottom_padding_size) == (True, 4, 2)
    assert config.padding_value == -1.5


def test_the_middle_is_where_center_crop_has_it() -> None:
    config = configured(replace(PLAIN, frame=(257, 226), crop="center"), NOTHING, RGB)
    assert (config.load_start_pos_w, config.load_start_pos_h) == (16, 1)


@pytest.mark.parametrize(
    ("wish", "shape", "reason"),
    [
        (PLAIN, (1, 4, 8, 8), "P814.* 1 or 3 channels; the input is 1x4x8x8"),
        (PLAIN, (1, 3, 8), "P814"),
        (replace(PLAIN, pixels=PixelFormat.GRAY), RGB, "P814.*gray pixels make one channel"),
        (replace(PLAIN, frame=(640, 480)), RGB, "P813.*a frame of 640x480 is no picture of 224x224"),
        (replace(PLAIN, frame=(200, 480), crop=(0, 0)), RGB, "P813.*cannot be cut from a frame of 200x480"),
        (replace(PLAIN, frame=(300, 300), crop=(100, 0)), RGB, "P803.*inside the source picture"),
        (replace(PLAIN, margins=Margins(33)), RGB, "P802.*left_padding_size is 33; it is 0 to 32"),
        (replace(PLAIN, margins=Margins(left=4, right=4)), (1, 3, 8, 8), "P813.*the margins leave nothing"),
        (replace(PLAIN, pixels=PixelFormat.NV12), (1, 3, 8, 7), "P803.*are even"),
        (replace(PLAIN, pixels=PixelFormat.NV12, frame=(300, 300), crop=(1, 0)), RGB, "P803.*are even"),
        (PLAIN, (1, 3, 8, 5000), "P802.*src_image_size_w is 5000"),
    ],
)
def test_what_aipp_cannot_do_is_refused(wish: Preprocessing, shape: tuple[int, ...], reason: str) -> None:
    with pytest.raises(PreprocessingError, match=reason):
        configured(wish, NOTHING, shape)


@pytest.mark.parametrize(("soc", "fits"), [("Ascend310P3", False), ("Ascend910A", False), ("Ascend310B4", True)])
def test_padding_has_the_width_of_the_chip(soc: str, fits: bool) -> None:
    wish = replace(PLAIN, margins=Margins(right=1))
    if fits:
        assert planned(net((1, 3, 8, 1081)), wish, soc)[1].config.padding
        return
    with pytest.raises(PreprocessingError, match=f"1081 pixels wide; {soc} takes up to 1080"):
        planned(net((1, 3, 8, 1081)), wish, soc)


def test_the_one_input_that_can_be_a_picture_is_taken() -> None:
    _, plan = planned(net((1, 8), (2, 3, 8, 8)), PLAIN)
    assert (plan.input.name, plan.config.related_input_rank) == ("x1", 1)
    assert (plan.fed, plan.bytes) == ((2, 8, 8, 3), 384)
    with pytest.raises(PreprocessingError, match="2 inputs that can be pictures"):
        planned(net((1, 3, 8, 8), (1, 1, 8, 8)), PLAIN)
    assert planned(net((1, 3, 8, 8), (1, 1, 8, 8)), replace(PLAIN, input="x1"))[1].input.name == "x1"
    with pytest.raises(PreprocessingError, match="the net has no input y; its inputs are x0 1x3x8x8"):
        planned(net((1, 3, 8, 8)), replace(PLAIN, input="y"))


def test_a_net_that_normalizes_itself_is_warned_of() -> None:
    begins = net((1, 3, 8, 8), op=Power(scale=2))
    end = Layer("end", ReLU(), begins.layers[0].tops, ("end",))
    longer = replace(begins, layers=(*begins.layers, end), outputs=(Output("end"),))
    assert [found.code for found in planned(longer, Preprocessing(PRESETS["imagenet"]))[1].notes] == ["P822"]
    assert planned(longer, PLAIN)[1].notes == ()
    unusual = planned(net((1, 3, 8, 8)), Preprocessing(Normalization((0.5,), (0.2,), 1)))[1]
    assert [found.code for found in unusual.notes] == ["P823"]
