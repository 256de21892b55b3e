"""Layer ops: one frozen class per Caffe layer type, and the virtual ones that every target rewrites."""
