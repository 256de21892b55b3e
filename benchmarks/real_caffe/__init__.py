"""What is written for the target caffe, run by a real BVLC Caffe that is built for it."""
