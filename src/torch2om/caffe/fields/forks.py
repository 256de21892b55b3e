"""Fields of public Caffe forks that text files in the wild use, and the union's choices where sources disagree.

Sources, each the caffe.proto of the repository named:
- Upsample with pooling masks, BN with bn_mode: alexgkendall/caffe-segnet; Upsample by an integer scale: darknet2caffe
- BN with slope and bias: yjxiong/caffe, hszhao/PSPNet
- Flip, PassThrough, deformable convolution: xxradon/PytorchToCaffe
- ReLU6: chuanqi305/ssd (engine), Cambricon/caffe (negative_slope); threshold: files of ONNX-to-Caffe converters
- MatMul: xxradon/PytorchToCaffe (dim_1..3); transpose_a, transpose_b: files of PyTorch-to-Caffe converters
- Interp's align_corners: files of PyTorch-to-Caffe converters
- YOLO detection outputs, Mish, V1's RELU6: eric612/MobileNet-YOLO; V1's UPSAMPLE: htshinichi/caffe-onnx
- mixed precision, fused batch norm, raw data: NVIDIA/caffe; engines, fused ReLU, 3-D pooling: intel/caffe
- dilation_h, dilation_w: yjxiong/caffe
"""

from typing import Final

from torch2om.caffe.fields.notation import table

_ENGINES: Final = "0 DEFAULT, 1 CAFFE, 2 CUDNN"
_INTEL_ENGINES: Final = "3 MKL2017, 4 MKLDNN"

FORKS: Final = table(
    messages={
        "NetParameter": (
            "0 default_forward_type Type=FLOAT, 0 default_backward_type Type=FLOAT, "
            "0 default_forward_math Type=FLOAT, 0 default_backward_math Type=FLOAT, 0 global_grad_scale float=1, "
            "0 global_grad_scale_adaptive bool=false, 0 default_conv_algos_override string, "
            "0 default_cudnn_math_override int32=-1, 0 reduce_buckets int32=6, 0 eltwise_mem_sharing bool=true, "
            "0 engine string=, 0 bn_stats_batch_size uint32=0"
        ),
        "LayerParameter": (
            "0 bn_param BNParameter, 0 relu6_param ReLU6Parameter, 0 matmul_param MatMulParameter, "
            "0 flip_param FlipParameter, 0 pass_through_param PassThroughParameter, 0 mish_param MishParameter, "
            "0 deformable_convolution_param DeformableConvolutionParameter, "
            "0 yolo_detection_output_param YoloDetectionOutputParameter, "
            "0 forward_type Type=FLOAT, 0 backward_type Type=FLOAT, 0 forward_math Type=FLOAT, "
            "0 backward_math Type=FLOAT, 0 debug bool=false, 0 cudnn_math_override int32=-1, 0 engine string="
        ),
        "V1LayerParameter": "0 upsample_param UpsampleParameter, 0 relu6_param ReLU6Parameter, 0 bn_param BNParameter",
        "BlobProto": "11 raw_diff_type Type, 13 raw_diff bytes",
        "BNParameter": (
            "0 bn_mode .BNMode=LEARN, 0 scale_filler FillerParameter, 0 shift_filler FillerParameter, "
            "0 slope_filler FillerParameter, 0 bias_filler FillerParameter, 0 momentum float=0.9, 0 eps float=1e-05, "
            "0 frozen bool=false, 0 engine .Engine=DEFAULT"
        ),
        "BatchNormParameter": (
            "0 scale_filler FillerParameter, 0 bias_filler FillerParameter, 0 engine .Engine=DEFAULT, "
            "0 use_weight_bias bool=true, 0 bias_term bool=true, 0 filler FillerParameter, "
            "0 stats_batch_size uint32=0, 0 relu bool=false"
        ),
        "ConvolutionParameter": (
            "0 dilation_h uint32, 0 dilation_w uint32, 0 relu bool=false, 0 negative_slope float=0, "
            "0 conv_algorithm string=direct, 0 conv_algos_override string"
        ),
        "DeformableConvolutionParameter": (
            "1 num_output uint32, 2 bias_term bool=true, 3 pad uint32*, 4 kernel_size uint32*, 6 stride uint32*, "
            "0 dilation uint32*, 0 pad_h uint32=0, 0 pad_w uint32=0, 0 kernel_h uint32, 0 kernel_w uint32, "
            "0 stride_h uint32, 0 stride_w uint32, 0 group uint32=4, 0 deformable_group uint32=4, "
            "0 weight_filler FillerParameter, 0 bias_filler FillerParameter, 0 engine .Engine=DEFAULT, "
            "0 axis int32=1, 0 force_nd_im2col bool=false"
        ),
        "FlipParameter": "0 flip_width bool=true, 0 flip_height bool=false",
        "InnerProductParameter": "0 normalize bool=false, 0 relu bool=false, 0 negative_slope float=0",
        "InterpParameter": "0 align_corners bool",
        "MatMulParameter": "1 dim_1 uint32, 2 dim_2 uint32, 3 dim_3 uint32, 0 transpose_a bool, 0 transpose_b bool",
        "MishParameter": "2 engine .Engine=DEFAULT",
        "PassThroughParameter": "0 num_output uint32=0, 0 block_height uint32=0, 0 block_width uint32=0",
        "PoolingParameter": (
            "0 torch_pooling bool=false, 0 pad_3d uint32*, 0 kernel_size_3d uint32*, 0 stride_3d uint32*, "
            "0 avg_include_pad bool=true, 0 axis int32=1"
        ),
        "ReLU6Parameter": "0 engine .Engine=DEFAULT, 0 negative_slope float=0, 0 threshold float",
        "UpsampleParameter": (
            "1 scale float, 0 scale_h uint32, 0 scale_w uint32, 0 pad_out_h bool=false, 0 pad_out_w bool=false, "
            "0 upsample_h uint32, 0 upsample_w uint32"
        ),
        "YoloDetectionOutputParameter": (
            "0 side uint32=13, 0 num_classes uint32=20, 0 num_box uint32=5, 0 coords uint32=4, "
            "0 confidence_threshold float=0.01, 0 nms_threshold float=0.45, 0 biases float*, 0 label_map_file string"
        ),
        "YoloV3DetectionOutputParameter": (
            "0 num_classes uint32=20, 0 num_box uint32=3, 0 confidence_threshold float=0.01, "
            "0 nms_threshold float=0.45, 0 anchors_scale uint32*, 0 mask_group_num uint32=2, 0 mask uint32*, "
            "0 gaussian_box bool=false"
        ),
    },
    enums={
        "BNParameter.BNMode": "0 LEARN, 1 INFERENCE",
        "BNParameter.Engine": _ENGINES,
        "BatchNormParameter.Engine": f"{_ENGINES}, {_INTEL_ENGINES}",
        "ConvolutionParameter.Engine": _INTEL_ENGINES,
        "DeformableConvolutionParameter.Engine": _ENGINES,
        "LRNParameter.Engine": _INTEL_ENGINES,
        "MishParameter.Engine": _ENGINES,
        "PoolingParameter.Engine": _INTEL_ENGINES,
        "ReLU6Parameter.Engine": _ENGINES,
        "ReLUParameter.Engine": _INTEL_ENGINES,
        "V1LayerParameter.LayerType": "40 UPSAMPLE, 42 BN, 61 RELU6",
    },
)

UNION_TYPES: Final = {
    "DetectionOutputParameter.num_classes": "int32",
    "LayerParameter.norm_param": "NormalizeParameter",
    "ProposalParameter.base_size": "float",
    "ProposalParameter.feat_stride": "float",
    "ProposalParameter.min_size": "float",
    "ProposalParameter.post_nms_topn": "int32",
    "ProposalParameter.pre_nms_topn": "int32",
    "ROIPoolingParameter.pooled_h": "int32",
    "ROIPoolingParameter.pooled_w": "int32",
}
"""The type that reads every source's files, where they give one field different types."""
