"""The field tables of Caffe's dialects: names, numbers, types and defaults as data.

One file per source: BVLC in full, of the others what they add to it and lack of it.
"""
