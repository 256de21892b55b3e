"""What omg's caffe.proto has in the place of ATC's, as far as the operators of HiLens name it.

Source: HiLens, table of Caffe operators, row 25 (Proposal); the number is OpenCV's, which has the same message.
"""

from typing import Final

from torch2om.caffe.fields.notation import table

OMG: Final = table(
    messages={"ProposalParameter": "8 nms_thresh float=0.7"},
    enums={},
    without=("ProposalParameter.iou_threshold",),
)
