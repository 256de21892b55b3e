"""What OpenCV 4's caffe.proto adds to BVLC's, and what it lacks.

Source: the descriptor inside the opencv-python 4.14.0 library (modules/dnn/src/caffe/opencv-caffe.proto).
"""

from typing import Final

from torch2om.caffe.fields.notation import table

OPENCV: Final = table(
    messages={
        "BatchNormParameter": "7 scale_bias bool=false",
        "BlobProto": "10 raw_data_type Type, 12 raw_data bytes",
        "DetectionOutputParameter": (
            "1 num_classes uint32, 2 share_location bool=true, 3 background_label_id int32=0, "
            "4 nms_param NonMaximumSuppressionParameter, 5 save_output_param SaveOutputParameter, "
            "6 code_type PriorBoxParameter.CodeType=CORNER, 7 keep_top_k int32=-1, "
            "8 variance_encoded_in_target bool=false, 9 confidence_threshold float, "
            "10 normalized_bbox bool=true, 1000 clip bool=false"
        ),
        "DropoutParameter": "2 scale_train bool=true",
        "LayerParameter": (
            "147 detection_output_param DetectionOutputParameter, 148 permute_param PermuteParameter, "
            "149 norm_param NormalizeBBoxParameter, 150 prior_box_param PriorBoxParameter, "
            "201 proposal_param ProposalParameter, 10002 psroi_pooling_param PSROIPoolingParameter, "
            "8266711 roi_pooling_param ROIPoolingParameter"
        ),
        "NonMaximumSuppressionParameter": "1 nms_threshold float=0.3, 2 top_k int32, 3 eta float=1",
        "NormalizeBBoxParameter": (
            "1 across_spatial bool=true, 2 scale_filler FillerParameter, 3 channel_shared bool=true, 4 eps float=1e-10"
        ),
        "PSROIPoolingParameter": "1 spatial_scale float!, 2 output_dim int32!, 3 group_size int32!",
        "PermuteParameter": "1 order uint32*",
        "PoolingParameter": "13 ceil_mode bool=true",
        "PriorBoxParameter": (
            "1 min_size float*, 2 max_size float*, 3 aspect_ratio float*, 4 flip bool=true, 5 clip bool=true, "
            "6 variance float*, 7 img_size uint32, 8 img_h uint32, 9 img_w uint32, 10 step float, "
            "11 step_h float, 12 step_w float, 13 offset float=0.5, 14 offset_h float*, 15 offset_w float*, "
            "16 width float*, 17 height float*"
        ),
        "ProposalParameter": (
            "1 feat_stride uint32=16, 2 base_size uint32=16, 3 min_size uint32=16, 4 ratio float*, "
            "5 scale float*, 6 pre_nms_topn uint32=6000, 7 post_nms_topn uint32=300, 8 nms_thresh float=0.7"
        ),
        "ROIPoolingParameter": "1 pooled_h uint32=0, 2 pooled_w uint32=0, 3 spatial_scale float=1",
        "SaveOutputParameter": (
            "1 output_directory string, 2 output_name_prefix string, 3 output_format string, "
            "4 label_map_file string, 5 name_size_file string, 6 num_test_image uint32"
        ),
    },
    enums={
        "PriorBoxParameter.CodeType": "1 CORNER, 2 CENTER_SIZE",
        "Type": "0 DOUBLE, 1 FLOAT, 2 FLOAT16, 3 INT, 4 UINT",
    },
    without=(
        "ClipParameter",
        "InfogainLossParameter.axis",
        "LayerParameter.clip_param",
        "LayerParameter.swish_param",
        "PoolingParameter.round_mode",
        "SwishParameter",
        "PoolingParameter.RoundMode",
    ),
)
