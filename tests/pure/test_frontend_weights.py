"""How blobs find their layer and their input: by name, type and the caffemodel's own bottoms."""

from __future__ import annotations

from dataclasses import replace

import pytest
from atc_nets import IMAGE, caffemodel_for, judged_layer, net_of, stored_blob

from torch2om.caffe.caffemodel import StoredLayer, StoredNet
from torch2om.frontend import Judgement, Stage, judge

PARAMS = "convolution_param { num_output: 6 kernel_size: 3 }"
TEXT = net_of("Convolution", PARAMS)
OUTPUTS = {"l:0": (1, 6, 6, 6)}


def stored(*shapes: tuple[int, ...]) -> StoredLayer:
    return StoredLayer(2, "l", "Convolution", ("x0",), ("y",), tuple(map(stored_blob, shapes)), True, 0)


def verdict(*layers: StoredLayer, text: str = TEXT) -> Judgement:
    return judge(text, StoredNet("", layers))


FILTER = (6, 4, 3, 3)


def test_blobs_are_linked_behind_the_bottoms() -> None:
    assert verdict(stored(FILTER)).outputs == OUTPUTS
    assert verdict(stored(FILTER, (6,))).outputs == OUTPUTS


def test_a_caffemodel_without_bottoms_links_the_first_blob_to_the_data() -> None:
    judgement = verdict(replace(stored(FILTER), bottoms=()))
    assert (judgement.stage, judgement.codes) == (Stage.WEIGHTS, ("E19999",))


def test_a_layer_that_the_caffemodel_lacks_is_told_by_its_code() -> None:
    judgement = verdict(replace(stored(FILTER), name="other"))
    assert (judgement.stage, judgement.codes) == (Stage.WEIGHTS, ("E11029",))


def test_a_layer_without_blobs_lacks_its_filter() -> None:
    judgement = verdict(stored())
    assert (judgement.stage, judgement.codes) == (Stage.WEIGHTS, ("E19999",))


def test_a_type_that_atc_does_not_know_drops_the_blobs_with_a_warning() -> None:
    judgement = verdict(replace(stored(FILTER), type="Conv"))
    assert judgement.codes == ("E19999",)
    assert [finding.code for finding in judgement.findings] == ["T413", "T403"]


def test_any_type_that_reads_blobs_will_do() -> None:
    assert verdict(replace(stored(FILTER), type="ReLU")).accepted
    assert not verdict(replace(stored(FILTER), type="Reshape")).accepted


def test_split_and_dropout_layers_of_the_caffemodel_are_passed_over() -> None:
    assert verdict(replace(stored(FILTER), type="Dropout")).codes == ("E11029",)


def test_of_two_layers_of_one_name_the_first_counts() -> None:
    judgement = verdict(stored(FILTER), stored((5, 4, 3, 3)))
    assert judgement.outputs == OUTPUTS


def test_layers_that_the_prototxt_lacks_are_passed_over() -> None:
    assert verdict(stored(FILTER), replace(stored((1,)), name="more")).accepted


def test_old_layers_only_and_no_layers_are_refused() -> None:
    assert verdict(replace(stored(FILTER), version=1)).codes == ("E11023",)
    assert verdict().codes == ("E11024",)


BAD_BLOBS = {
    "a dim of 0": (stored_blob((6, 0, 3, 3)), "E19999"),
    "too few values": (replace(stored_blob(FILTER), shape=(6, 4, 3, 4)), "E11033"),
    "too many dims' product": (replace(stored_blob((1,)), shape=(2**16, 2**16)), "E19999"),
    "values that ATC does not read": (replace(stored_blob(FILTER), source="raw_data"), "E11033"),
}


@pytest.mark.parametrize("what", BAD_BLOBS)
def test_a_bad_blob_is_refused(what: str) -> None:
    blob, code = BAD_BLOBS[what]
    judgement = verdict(replace(stored(), blobs=(blob,)))
    assert (judgement.stage, judgement.codes) == (Stage.WEIGHTS, (code,))


def test_an_old_bias_of_four_dims_is_mended_if_bias_term_is_true() -> None:
    assert verdict(stored(FILTER, (1, 1, 1, 6))).accepted
    judgement = verdict(replace(stored(FILTER, (1, 1, 1, 6)), bias_term=False))
    assert (judgement.stage, judgement.codes) == (Stage.INFERSHAPE, ("E50060",))


def test_an_old_matrix_of_four_dims_is_mended() -> None:
    params = "inner_product_param { num_output: 5 }"
    assert judged_layer("InnerProduct", params, ((2, 8),), ((1, 1, 5, 8), (1, 1, 1, 5))).outputs == {"l:0": (2, 5)}


def test_other_layers_old_blobs_stay_as_they_are() -> None:
    judgement = judged_layer("Scale", "", (IMAGE,), ((1, 1, 1, 4),))
    assert (judgement.stage, judgement.codes) == (Stage.INFERSHAPE, ("E89999",))


COUNTS = {
    "Scale": (1, ((4,),)),
    "Bias": (1, ((4,),)),
    "PReLU": (1, ((4,),)),
    "Normalize": (1, ((1,),)),
    "BatchNorm": (3, ((4,), (4,), (1,))),
}


@pytest.mark.parametrize("kind", COUNTS)
def test_a_layer_needs_all_its_blobs(kind: str) -> None:
    count, shapes = COUNTS[kind]
    assert judged_layer(kind, "", (IMAGE,), shapes).accepted
    judgement = judged_layer(kind, "", (IMAGE,), shapes[: count - 1])
    assert (judgement.stage, judgement.codes) == (Stage.WEIGHTS, ("E19999",))


def test_a_layer_without_its_bottom_is_refused_with_the_weights() -> None:
    text = 'layer { name: "l" type: "ReLU" top: "y" }'
    assert judge(text, caffemodel_for(text, {})).codes == ("E19999",)


def test_layers_with_the_same_parameter_names_share_what_the_caffemodel_has_of_one() -> None:
    shared = 'param { name: "w" }'
    text = net_of("Convolution", f"{PARAMS} {shared}") + (
        f'layer {{ name: "m" type: "Convolution" bottom: "x0" top: "z" {PARAMS} {shared} }}'
    )
    assert verdict(stored(FILTER), text=text).outputs == {**OUTPUTS, "m:0": (1, 6, 6, 6)}
    assert verdict(stored(FILTER), text=text.replace('name: "w"', "lr_mult: 1")).codes == ("E11029",)


def test_without_a_caffemodel_the_weights_are_assumed() -> None:
    assert judge(TEXT, None).outputs == OUTPUTS
    assumed = judge(net_of("InnerProduct", "inner_product_param { num_output: 5 }"), None)
    assert assumed.outputs == {"l:0": (1, 5, 1, 1)}
    assert judge(net_of("Scale", ""), None).accepted
    assert judge(net_of("Eltwise", ""), None).accepted
