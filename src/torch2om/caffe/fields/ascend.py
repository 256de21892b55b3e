"""What ATC's caffe.proto adds to BVLC's, and what it lacks.

Source: mirror-cann/ge, graph_metadef/proto/caffe/caffe.proto (2026).
"""

from typing import Final

from torch2om.caffe.fields.notation import table

ASCEND: Final = table(
    messages={
        "BatchMatMulParameter": "1 adj_x1 bool=false, 2 adj_x2 bool=false",
        "BiasParameter": "4 bias_from_blob bool=true",
        "BlobProto": "10 int8_data bytes, 11 int32_data int32#, 12 uint64_data uint64#",
        "CondTakeParameter": "1 mode string!, 2 val float!, 3 eps float=1e-06",
        "ContinuationIndicatorParameter": "1 time_step uint32=0, 2 batch_size uint32=0",
        "DetectionOutputParameter": (
            "1 num_classes int32, 2 share_location bool=true, 3 background_label_id int32=0, "
            "4 nms_param NonMaximumSuppressionParameter, 5 save_output_param SaveOutputParameter, "
            "6 code_type PriorBoxParameter.CodeType=CENTER_SIZE, 7 keep_top_k int32, "
            "8 variance_encoded_in_target bool=true, 9 confidence_threshold float, 13 nms_threshold float, "
            "14 top_k int32, 15 boxes int32=1, 17 relative bool=true, 18 objectness_threshold float=0.5, "
            "19 class_threshold float=0.5, 20 biases float*, 21 general_nms_param GeneralNmsParameter, "
            "22 objectness_score float"
        ),
        "DropoutParameter": "2 scale_train bool=true",
        "FSRDetectionOutputParameter": (
            "1 num_classes int32!, 2 score_threshold float!, 3 iou_threshold float!, 4 batch_rois int32=1"
        ),
        "FreespaceExtractParameter": "1 org_height float",
        "GeneralNmsParameter": (
            "1 post_top_k int32, 2 nms_threshold float=0, 3 iou_threshold_decay float=1, 4 coor_scale_factor float=1"
        ),
        "InterpParameter": (
            "1 height int32=0, 2 width int32=0, 3 zoom_factor int32=1, 4 shrink_factor int32=1, "
            "5 pad_beg int32=0, 6 pad_end int32=0"
        ),
        "LayerParameter": (
            "148 smooth_l1_loss_param SmoothL1LossParameter, "
            "150 detection_output_param DetectionOutputParameter, "
            "151 freespace_extract_param FreespaceExtractParameter, 152 postprocess_param PostprocessParameter, "
            "153 spatial_transform_param SpatialTransformParameter, 154 roi_align_param ROIAlignParameter, "
            "155 reorg_param ReorgParameter, 156 region_param RegionParameter, "
            "157 reverse_param ReverseParameter, 158 interp_param InterpParameter, "
            "159 shuffle_channel_param ShuffleChannelParameter, 160 upsample_param UpsampleParameter, "
            "161 roi_pooling_param ROIPoolingParameter, 199 yolo_param YoloParameter, "
            "200 yolov3_detection_output_param YoloV3DetectionOutputParameter, "
            "201 proposal_param ProposalParameter, 202 permute_param PermuteParameter, "
            "203 prior_box_param PriorBoxParameter, "
            "204 yolov2_detection_output_param YoloV2DetectionOutputParameter, "
            "206 norm_param NormalizeParameter, 207 psroi_pooling_param PSROIPoolingParameter, "
            "208 quant_param QuantParameter, 210 matrix_inverse_param MatrixInverseParameter, "
            "222 fsrdetectionoutput_param FSRDetectionOutputParameter, "
            "232 ssddetectionoutput_param SSDDetectionOutputParameter, 233 condtake_param CondTakeParameter, "
            "234 warp_perspective_param WarpPerspectiveParameter, 235 batch_matmul_param BatchMatMulParameter, "
            "5000 st_param SpatialTransformerParameter, "
            "5001 yolov3_detection_output_v2_param YoloV3DetectionOutputV2Parameter, "
            "5002 continuation_indicator_param ContinuationIndicatorParameter"
        ),
        "MatrixInverseParameter": "1 adjoint bool=false",
        "NonMaximumSuppressionParameter": "1 nms_threshold float=0.3, 2 top_k int32, 3 eta float=1",
        "NormalizeParameter": (
            "1 across_spatial bool=true, 2 scale_filler FillerParameter, 3 channel_shared bool=true, 4 eps float=1e-10"
        ),
        "PSROIPoolingParameter": "1 spatial_scale float!, 2 output_dim int32!, 3 group_size int32!",
        "PermuteParameter": "1 order uint32*",
        "PoolingParameter": "13 ceil_mode bool=true, 14 round_mode .RoundMode=CEIL",
        "PostprocessParameter": (
            "1 nms_thresh float=0.3, 2 conf_thresh float=0.5, 3 post_nms_topn uint32=100, 4 cls_num uint32=12, "
            "5 bbox_reg_weights float*"
        ),
        "PriorBoxParameter": (
            "1 min_size float*, 2 max_size float*, 3 aspect_ratio float*, 4 flip bool=true, 5 clip bool=false, "
            "6 variance float*, 7 img_size uint32, 8 img_h uint32, 9 img_w uint32, 10 step float, "
            "11 step_h float, 12 step_w float, 13 offset float=0.5"
        ),
        "ProposalParameter": (
            "1 feat_stride float=16, 2 base_size float=16, 3 min_size float=16, 4 ratio float*, 5 scale float*, "
            "6 pre_nms_topn int32=3000, 7 post_nms_topn int32=304, 8 iou_threshold float=0.7, "
            "9 output_actual_rois_num bool=false"
        ),
        "QuantParameter": "2 scale float, 3 offset bytes",
        "ROIAlignParameter": (
            "1 pooled_h uint32=0, 2 pooled_w uint32=0, 3 spatial_scale float=1, 4 sampling_ratio int32=-1, "
            "5 roi_end_mode int32=0"
        ),
        "ROIPoolingParameter": (
            "1 pooled_h int32!, 2 pooled_w int32!, 3 spatial_scale float=0.0625, 4 spatial_scale_h float, "
            "5 spatial_scale_w float"
        ),
        "RegionParameter": (
            "1 classes uint32=20, 2 coords uint32=4, 3 boxes uint32=1, 4 softmax uint32=0, "
            "5 softmax_tree string=, 6 background uint32=0"
        ),
        "ReorgParameter": "1 reverse bool=false, 2 stride uint32=2",
        "ReverseParameter": "1 axis int32*",
        "SSDDetectionOutputParameter": (
            "1 num_classes int32!=2, 2 share_location bool=true, 3 background_label_id int32=0, "
            "4 iou_threshold float=0.3, 5 top_k int32=200, 6 eta float=1, "
            "7 variance_encoded_in_target bool=false, 8 code_type int32=1, 9 keep_top_k int32=-1, "
            "10 confidence_threshold float=0"
        ),
        "SaveOutputParameter": (
            "1 output_directory string, 2 output_name_prefix string, 3 output_format string, "
            "4 label_map_file string, 5 name_size_file string, 6 num_test_image uint32"
        ),
        "ScaleParameter": "6 scale_from_blob bool=true",
        "ShuffleChannelParameter": "1 group uint32=1",
        "SmoothL1LossParameter": "1 sigma float=1",
        "SpatialTransformParameter": (
            "1 output_h uint32=0, 2 output_w uint32=0, 3 border_value float=0, 4 affine_transform float*, "
            "15 engine .Engine=DEFAULT"
        ),
        "SpatialTransformerParameter": (
            "1 transform_type string=affine, 2 sampler_type string=bilinear, 3 output_H int32, 4 output_W int32, "
            "5 to_compute_dU bool=true, 6 theta_1_1 double, 7 theta_1_2 double, 8 theta_1_3 double, "
            "9 theta_2_1 double, 10 theta_2_2 double, 11 theta_2_3 double"
        ),
        "UpsampleParameter": "1 scale float=1, 2 stride int32=2, 3 stride_h int32=2, 4 stride_w int32=2",
        "WarpPerspectiveParameter": (
            "1 out_height int32!, 2 out_width int32!, 3 constant float, 4 border_type string=BORDER_CONSTANT"
        ),
        "YoloParameter": (
            "1 boxes int32=3, 2 coords int32=4, 3 classes int32=80, 4 yolo_version string=V3, "
            "5 softmax bool=false, 6 background bool=false, 7 softmaxtree bool=false"
        ),
        "YoloV2DetectionOutputParameter": (
            "1 boxes int32=5, 2 classes int32=80, 3 relative bool=true, 4 obj_threshold float=0.5, "
            "5 score_threshold float=0.5, 6 iou_threshold float=0.45, 7 pre_nms_topn int32=512, "
            "8 post_nms_topn int32=1024, 9 biases float*, 10 coords int32=4, "
            "11 resize_origin_img_to_net bool=false"
        ),
        "YoloV3DetectionOutputParameter": (
            "1 boxes int32=3, 2 classes int32=80, 3 relative bool=true, 4 obj_threshold float=0.5, "
            "5 score_threshold float=0.5, 6 iou_threshold float=0.45, 7 pre_nms_topn int32=512, "
            "8 post_nms_topn int32=1024, 9 biases_high float*, 10 biases_mid float*, 11 biases_low float*, "
            "12 coords int32=4, 13 biases float*, 14 resize_origin_img_to_net bool=false"
        ),
        "YoloV3DetectionOutputV2Parameter": (
            "1 boxes int32=3, 2 classes int32=80, 3 relative bool=true, 4 obj_threshold float=0.5, "
            "5 score_threshold float=0.5, 6 iou_threshold float=0.45, 7 pre_nms_topn int32=512, "
            "8 post_nms_topn int32=1024, 9 biases_high float*, 10 biases_mid float*, 11 biases_low float*, "
            "12 coords int32=4, 13 biases float*, 14 resize_origin_img_to_net bool=false, 15 out_box_dim int32=3"
        ),
    },
    enums={
        "V1LayerParameter.LayerType": "208 QUANT, 209 DEQUANT",
        "PriorBoxParameter.CodeType": "1 CORNER, 2 CENTER_SIZE, 3 CORNER_SIZE",
        "SpatialTransformParameter.Engine": "0 DEFAULT, 1 CAFFE, 2 CUDNN",
    },
    without=(
        "ClipParameter",
        "LayerParameter.clip_param",
        "LayerParameter.swish_param",
        "SwishParameter",
    ),
)
