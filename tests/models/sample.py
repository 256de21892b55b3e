"""The sample of the zoo: which of the tests' models shows which rule, each with rules that its files must take."""

from __future__ import annotations

from collections.abc import Mapping

TAKES: Mapping[str, frozenset[str]] = {
    "swin_v2": frozenset(
        {
            "batched_matmul_by_filters",
            "bias_of_bias",
            "clamp_by_clip",
            "clamp_by_maximum",
            "clip_as_clamp",
            "combine_with_part",
            "concat_of_steps_is_permute",
            "divide_by_multiplying",
            "gelu_by_tail",
            "inner_product_flattens",
            "join_slices",
            "match_ranks",
            "matmul_by_batched_matmul",
            "multiply_rows",
            "operand_expands_itself",
            "permute_by_im2col",
            "product_of_permuted_is_transposed",
            "reduce_rows",
            "reduce_tail_by_reduction",
            "standardize_after_mvn",
        }
    ),
    "lraspp_mobilenet_v3_large": frozenset(
        {
            "hard_sigmoid_after_linear",
            "hard_sigmoid_by_clamp",
            "hard_sigmoid_by_relu6",
            "hard_swish_by_hard_sigmoid",
            "linear_after_hard_swish",
            "map_by_convolution",
            "map_by_inner_product",
            "pad_axes_in_turn",
            "pad_by_picking",
            "relu6_as_clamp",
            "resize_axes_by_maps",
            "resize_axes_in_turn",
            "resize_by_deconvolution",
            "scale_into_linear",
        }
    ),
    "vit": frozenset(
        {
            "absorb_scales",
            "constant_by_parameter",
            "expose_outputs",
            "inner_product_after_affine",
            "permute_of_ones_is_reshape",
            "permutes_across_reshape",
            "reshape_of_reshape",
            "slice_neighbours",
        }
    ),
    "yolo": frozenset(
        {
            "cut_folded",
            "join_folded",
            "permute_in_blocks",
            "affine_of_affine",
            "resize_by_upsample",
            "swish_by_sigmoid",
            "upsample_as_resize",
        }
    ),
    "crnn": frozenset(
        {
            "constant_by_inner_product",
            "lstm_by_lstm_layer",
            "reduce_by_pooling",
            "reverse_by_gather",
        }
    ),
    "shufflenet_v2_x1_0": frozenset(
        {
            "reduce_image_by_global_pooling",
            "reshape_permute_reshape_is_shuffle",
            "shuffle_by_permute",
        }
    ),
    "convnext": frozenset(
        {
            "convolution_after_affine",
            "layers_between_inverse_permutes",
            "standardize_channels",
        }
    ),
    "inception_v3": frozenset(
        {
            "concat_of_concat",
        }
    ),
    "deeplabv3_resnet50": frozenset(
        {
            "resize_from_one",
        }
    ),
    "siamese": frozenset(
        {
            "combine_blobs",
            "reciprocal_by_root",
            "scale_channels",
            "whole_power_by_products",
        }
    ),
}
