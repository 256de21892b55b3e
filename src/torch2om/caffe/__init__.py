"""Caffe's files: schema, reader, writer. The only room (with om/) that knows protobuf."""
