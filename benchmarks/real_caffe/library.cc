// A few C functions over caffe::Net<float>, for ctypes. Caffe ends the process where one of its checks fails.

#include <cstring>
#include <string>
#include <vector>

#include <glog/logging.h>

#include "caffe/caffe.hpp"

namespace {

caffe::Net<float>& net_of(void* handle) { return *static_cast<caffe::Net<float>*>(handle); }

}  // namespace

extern "C" {

void* open_net(const char* prototxt, const char* caffemodel) {
  google::InitGoogleLogging("caffe");
  FLAGS_minloglevel = google::ERROR;
  caffe::Caffe::set_mode(caffe::Caffe::CPU);
  auto* net = new caffe::Net<float>(prototxt, caffe::TEST);
  net->CopyTrainedLayersFrom(std::string(caffemodel));
  return net;
}

// Returns the number of elements of a blob, -1 if there is none of that name.
long count(void* handle, const char* name) {
  return net_of(handle).has_blob(name) ? net_of(handle).blob_by_name(name)->count() : -1;
}

// Writes the dims of a blob, at most 32 as Caffe allows; returns how many there are.
int shape(void* handle, const char* name, long* dims) {
  const std::vector<int>& found = net_of(handle).blob_by_name(name)->shape();
  for (size_t axis = 0; axis < found.size(); ++axis) dims[axis] = found[axis];
  return static_cast<int>(found.size());
}

void feed(void* handle, const char* name, const float* values) {
  auto blob = net_of(handle).blob_by_name(name);
  std::memcpy(blob->mutable_cpu_data(), values, blob->count() * sizeof(float));
}

void forward(void* handle) { net_of(handle).Forward(); }

void fetch(void* handle, const char* name, float* values) {
  auto blob = net_of(handle).blob_by_name(name);
  std::memcpy(values, blob->cpu_data(), blob->count() * sizeof(float));
}

}  // extern "C"
