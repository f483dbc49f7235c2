#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "api/onnx.h"
#include "api/onnx_proto.h"
#include "core/executor.h"
#include "core/learner.h"

namespace mlpd::api {
namespace {

core::Error refuse(const std::string& why) {
  return {core::ErrorCode::invalid_argument,
          "This ONNX model can't be imported: " + why +
              ". mlpd takes one chain of Gemm or MatMul + Add and activations, float or double.",
          {{"#", why}}};
}

struct Tensor {
  std::vector<std::int64_t> shape;
  std::vector<double> values;
  bool wide = false;
};

template <class T, class List>
std::vector<double> tensor_values(const onnx::TensorProto& proto, const List& list) {
  if (!proto.has_raw_data()) return {list.begin(), list.end()};
  std::vector<T> raw(proto.raw_data().size() / sizeof(T));
  std::memcpy(raw.data(), proto.raw_data().data(), raw.size() * sizeof(T));
  return {raw.begin(), raw.end()};
}

core::Result<Tensor> read_tensor(const onnx::TensorProto& proto) {
  if (proto.data_location() == onnx::TensorProto::EXTERNAL)
    return refuse("the tensor " + proto.name() + " is kept in another file");
  Tensor tensor;
  std::uint64_t count = 1;
  for (std::int64_t size : proto.dims()) {
    if (size < 0 || __builtin_mul_overflow(count, static_cast<std::uint64_t>(size), &count))
      return refuse("the tensor " + proto.name() + " has an impossible shape");
    tensor.shape.push_back(size);
  }
  tensor.wide = proto.data_type() == onnx::TensorProto::DOUBLE;
  if (tensor.wide)
    tensor.values = tensor_values<double>(proto, proto.double_data());
  else if (proto.data_type() == onnx::TensorProto::FLOAT)
    tensor.values = tensor_values<float>(proto, proto.float_data());
  else
    return refuse("the tensor " + proto.name() + " is neither float nor double");
  if (tensor.values.size() != count)
    return refuse("the tensor " + proto.name() + " holds another number of values than its shape says");
  for (double value : tensor.values)
    if (!std::isfinite(value))
      return refuse("the tensor " + proto.name() + " holds a number that is not finite");
  return tensor;
}

double float_attribute(const onnx::NodeProto& node, std::string_view name, double otherwise) {
  for (const onnx::AttributeProto& attribute : node.attribute())
    if (attribute.name() == name) return static_cast<double>(attribute.f());
  return otherwise;
}

std::int64_t integer_attribute(const onnx::NodeProto& node, std::string_view name, std::int64_t otherwise) {
  for (const onnx::AttributeProto& attribute : node.attribute())
    if (attribute.name() == name) return attribute.i();
  return otherwise;
}

std::string label(const onnx::NodeProto& node) {
  return "node " + (node.name().empty() ? node.op_type() : node.name() + " (" + node.op_type() + ")");
}

/// Follows the chain from the model's input and gathers dense bricks.
class Chain {
 public:
  explicit Chain(const onnx::GraphProto& graph) : graph_(graph) {}

  core::Result<void> read() {
    std::set<std::string> constants;
    for (const onnx::TensorProto& tensor : graph_.initializer()) {
      initializers_[tensor.name()] = &tensor;
      constants.insert(tensor.name());
    }
    for (const onnx::NodeProto& node : graph_.node()) {
      if (node.op_type() == "Constant" && node.attribute_size() == 1 && node.output_size() == 1)
        initializers_[node.output(0)] = &node.attribute(0).t();
      for (const std::string& input : node.input()) consumers_[input].push_back(&node);
    }
    std::string value;
    for (const onnx::ValueInfoProto& input : graph_.input()) {
      if (constants.count(input.name()) != 0) continue;
      if (!value.empty()) return refuse("it has several inputs");
      value = input.name();
    }
    if (value.empty()) return refuse("it has no input");
    return follow(value);
  }

  std::size_t inputs() const { return inputs_; }
  bool wide() const { return wide_; }
  std::vector<core::LayerSpec> take_layers() { return std::move(layers_); }

 private:
  core::Result<void> follow(std::string value) {
    // Each node is visited once: a graph that runs in circles ends here too.
    for (int visits = 0; visits <= graph_.node_size(); ++visits) {
      const std::vector<const onnx::NodeProto*>& next = consumers_[value];
      const onnx::NodeProto* node = choose(next);
      if (node == nullptr) return finish(next);
      if (node->output_size() < 1) return refuse(label(*node) + " has no output");
      if (core::Result<void> done = take(*node, value); !done) return done;
      value = node->output(0);
    }
    return refuse("its nodes run in a circle");
  }

  /// The one consumer that goes on with the network; the label branch of a classifier is not.
  const onnx::NodeProto* choose(const std::vector<const onnx::NodeProto*>& next) const {
    static const std::set<std::string_view> kLabels{
        "ArgMax", "ZipMap", "ArrayFeatureExtractor", "Concat", "Sub", "Binarizer", "TopK"};
    const onnx::NodeProto* chosen = nullptr;
    for (const onnx::NodeProto* node : next) {
      if (!layers_.empty() && activated_ && (kLabels.count(node->op_type()) != 0 || passes(*node))) continue;
      if (chosen != nullptr) return nullptr;
      chosen = node;
    }
    return chosen;
  }

  static bool passes(const onnx::NodeProto& node) {
    static const std::set<std::string_view> kPassed{"Cast", "Identity", "Dropout", "Flatten", "Reshape"};
    return kPassed.count(node.op_type()) != 0;
  }

  core::Result<void> finish(const std::vector<const onnx::NodeProto*>& next) const {
    if (layers_.empty()) return refuse("it has no Gemm or MatMul on its input");
    if (!next.empty() && !activated_) return refuse("it branches at " + label(*next.front()));
    return {};
  }

  core::Result<void> take(const onnx::NodeProto& node, const std::string& value) {
    const std::string& op = node.op_type();
    if (op == "MatMul" || op == "Gemm") return take_dense(node, value);
    if (op == "Add" && !layers_.empty() && !layers_.back().bias && !activated_) return take_bias(node, value);
    if (passes(node)) return {};
    return take_activation(node);
  }

  core::Result<Tensor> constant(const onnx::NodeProto& node, int index) const {
    if (index >= node.input_size()) return refuse(label(node) + " lacks an input");
    const auto found = initializers_.find(node.input(index));
    if (found == initializers_.end()) return refuse(label(node) + " multiplies or adds what is no constant");
    return read_tensor(*found->second);
  }

  core::Result<void> take_dense(const onnx::NodeProto& node, const std::string& value) {
    const bool gemm = node.op_type() == "Gemm";
    if (node.input_size() < 2 || node.input(0) != value)
      return refuse(label(node) + " multiplies from the left");
    if (gemm && (integer_attribute(node, "transA", 0) != 0 || float_attribute(node, "alpha", 1) != 1 ||
                 float_attribute(node, "beta", 1) != 1))
      return refuse(label(node) + " scales or transposes its input");
    core::Result<Tensor> weights = constant(node, 1);
    if (!weights) return weights.error();
    if (weights->shape.size() != 2) return refuse(label(node) + " has weights that are no matrix");
    if (gemm && integer_attribute(node, "transB", 0) != 0) transpose(*weights);
    const auto rows = static_cast<std::size_t>(weights->shape[0]);
    const std::size_t before = layers_.empty() ? rows : layers_.back().units;
    if (rows != before || rows == 0)
      return refuse(label(node) + " has weights that don't fit what comes before");
    if (layers_.empty()) inputs_ = rows;
    wide_ = wide_ || weights->wide;
    core::LayerSpec layer;
    layer.units = static_cast<std::size_t>(weights->shape[1]);
    layer.activation = core::Activation::linear;
    layer.start_weights = std::move(weights->values);
    layer.bias = false;
    layers_.push_back(std::move(layer));
    activated_ = false;
    if (gemm && node.input_size() > 2 && !node.input(2).empty()) return take_bias_of(node, 2);
    return {};
  }

  core::Result<void> take_bias(const onnx::NodeProto& node, const std::string& value) {
    if (node.input_size() != 2) return refuse(label(node) + " doesn't add two values");
    return take_bias_of(node, node.input(0) == value ? 1 : 0);
  }

  core::Result<void> take_bias_of(const onnx::NodeProto& node, int index) {
    core::Result<Tensor> bias = constant(node, index);
    if (!bias) return bias.error();
    if (bias->values.size() != layers_.back().units)
      return refuse(label(node) + " adds another number of values than there are units");
    layers_.back().bias = true;
    layers_.back().start_bias = std::move(bias->values);
    return {};
  }

  static void transpose(Tensor& tensor) {
    const auto rows = static_cast<std::size_t>(tensor.shape[0]);
    const auto columns = static_cast<std::size_t>(tensor.shape[1]);
    std::vector<double> turned(tensor.values.size());
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t c = 0; c < columns; ++c) turned[c * rows + r] = tensor.values[r * columns + c];
    tensor.values = std::move(turned);
    std::swap(tensor.shape[0], tensor.shape[1]);
  }

  core::Result<void> take_activation(const onnx::NodeProto& node) {
    static const std::map<std::string_view, core::Activation> kActivations{
        {"Sigmoid", core::Activation::sigmoid}, {"Tanh", core::Activation::tanh},
        {"Relu", core::Activation::relu},       {"LeakyRelu", core::Activation::leaky_relu},
        {"Elu", core::Activation::elu},         {"Softplus", core::Activation::softplus},
        {"Softmax", core::Activation::softmax}};
    const auto found = kActivations.find(node.op_type());
    if (found == kActivations.end() || layers_.empty() || activated_)
      return refuse(label(node) + " is no part of a plain multilayer perceptron");
    if (found->second == core::Activation::leaky_relu &&
        std::abs(float_attribute(node, "alpha", 0.01) - 0.01) > 1e-9)
      return refuse(label(node) + " has another slope than 0.01");
    if (found->second == core::Activation::elu && float_attribute(node, "alpha", 1) != 1)
      return refuse(label(node) + " has another alpha than 1");
    const std::int64_t axis = integer_attribute(node, "axis", -1);
    if (found->second == core::Activation::softmax && axis != -1 && axis != 1)
      return refuse(label(node) + " runs over another axis than the last");
    layers_.back().activation = found->second;
    activated_ = true;
    return {};
  }

  const onnx::GraphProto& graph_;
  std::unordered_map<std::string, const onnx::TensorProto*> initializers_;
  std::unordered_map<std::string, std::vector<const onnx::NodeProto*>> consumers_;
  std::vector<core::LayerSpec> layers_;
  std::size_t inputs_ = 0;
  bool wide_ = false;
  bool activated_ = false;
};

}  // namespace

core::Result<core::Checkpoint> read_onnx(std::string_view bytes, const core::NetworkLimits& limits) {
  onnx::ModelProto model;
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()) ||
      !model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || !model.has_graph())
    return core::Error{core::ErrorCode::invalid_argument, "The body is no ONNX model."};
  Chain chain(model.graph());
  if (core::Result<void> read = chain.read(); !read) return read.error();
  core::NetworkSpec spec;
  spec.inputs = chain.inputs();
  spec.layers = chain.take_layers();
  spec.dtype = chain.wide() ? core::Dtype::float64 : core::Dtype::float32;
  spec.loss.kind = core::default_loss(spec.layers.back().activation);
  spec.hyper_parameters.optimizer = core::default_options(core::Optimizer::adam);
  if (core::Result<void> valid = core::validate(spec, limits); !valid) return valid.error();
  core::SerialExecutor executor;
  core::Result<std::unique_ptr<core::Learner>> learner = core::Learner::create(spec, nullptr, executor);
  if (!learner) return learner.error();
  core::Checkpoint checkpoint = (*learner)->checkpoint();
  for (core::LayerSpec& layer : checkpoint.spec.layers) {  // they are the parameters now
    layer.start_weights.clear();
    layer.start_bias.clear();
  }
  return checkpoint;
}

}  // namespace mlpd::api
