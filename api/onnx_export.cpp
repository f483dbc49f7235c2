#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "api/json_writer.h"
#include "api/onnx.h"
#include "api/onnx_proto.h"
#include "core/network.h"

namespace mlpd::api {
namespace {

constexpr std::int64_t kIrVersion = 8;
constexpr std::int64_t kOpset = 17;
constexpr std::int64_t kMlOpset = 3;

/// Builds one graph node by node; values are named in order.
class Graph {
 public:
  Graph(onnx::GraphProto& graph, core::Dtype dtype) : graph_(graph), dtype_(dtype) {}

  std::int32_t element_type() const {
    return dtype_ == core::Dtype::float32 ? onnx::TensorProto::FLOAT : onnx::TensorProto::DOUBLE;
  }

  /// Adds a node with one output and returns the output's name.
  std::string node(const char* op, const std::vector<std::string>& inputs, const char* domain = "") {
    return node_into("v" + std::to_string(++values_), op, inputs, domain);
  }
  std::string node_into(const std::string& output, const char* op, const std::vector<std::string>& inputs,
                        const char* domain = "") {
    last_ = graph_.add_node();
    last_->set_op_type(op);
    last_->set_name(output);
    last_->set_domain(domain);
    for (const std::string& input : inputs) last_->add_input(input);
    last_->add_output(output);
    return output;
  }
  /// Attributes of the node added last.
  void attribute(const char* name, std::int64_t value) {
    onnx::AttributeProto* a = named(name, onnx::AttributeProto::INT);
    a->set_i(value);
  }
  void attribute(const char* name, const std::vector<std::string>& values) {
    onnx::AttributeProto* a = named(name, onnx::AttributeProto::STRINGS);
    for (const std::string& value : values) a->add_strings(value);
  }

  /// A constant tensor in the network's dtype.
  std::string constant(const std::vector<double>& values, const std::vector<std::int64_t>& shape) {
    onnx::TensorProto* tensor = graph_.add_initializer();
    tensor->set_name("c" + std::to_string(++constants_));
    tensor->set_data_type(element_type());
    for (std::int64_t size : shape) tensor->add_dims(size);
    std::string& raw = *tensor->mutable_raw_data();
    if (dtype_ == core::Dtype::float64) {
      raw.assign(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(double));
    } else {
      const std::vector<float> narrow(values.begin(), values.end());
      raw.assign(reinterpret_cast<const char*>(narrow.data()), narrow.size() * sizeof(float));
    }
    return tensor->name();
  }
  /// The mean over the columns, rows × 1.
  std::string row_mean(const std::string& x) {
    std::string mean = node("ReduceMean", {x});
    named("axes", onnx::AttributeProto::INTS)->add_ints(-1);
    return mean;
  }
  std::string scalar(double value) { return constant({value}, {}); }
  std::string axes(std::int64_t axis) {
    onnx::TensorProto* tensor = graph_.add_initializer();
    tensor->set_name("c" + std::to_string(++constants_));
    tensor->set_data_type(onnx::TensorProto::INT64);
    tensor->add_dims(1);
    tensor->add_int64_data(axis);
    return tensor->name();
  }

  /// Declares rows × columns as an input or output of the model.
  static void declare(onnx::ValueInfoProto* info, const std::string& name, std::int32_t type,
                      std::size_t columns) {
    info->set_name(name);
    onnx::TypeProto::Tensor* tensor = info->mutable_type()->mutable_tensor_type();
    tensor->set_elem_type(type);
    tensor->mutable_shape()->add_dim()->set_dim_param("rows");
    tensor->mutable_shape()->add_dim()->set_dim_value(static_cast<std::int64_t>(columns));
  }
  onnx::GraphProto& proto() { return graph_; }
  core::Dtype dtype() const { return dtype_; }

 private:
  onnx::AttributeProto* named(const char* name, onnx::AttributeProto::AttributeType type) {
    onnx::AttributeProto* a = last_->add_attribute();
    a->set_name(name);
    a->set_type(type);
    return a;
  }

  onnx::GraphProto& graph_;
  core::Dtype dtype_;
  onnx::NodeProto* last_ = nullptr;
  int values_ = 0;
  int constants_ = 0;
};

core::Error unsayable(const std::string& what) {
  return {core::ErrorCode::failed_precondition, "This network can't be written as ONNX: " + what + "."};
}

// ONNX Runtime has no double-precision Elu and Softplus: there they are composed of operators that it has.
core::Result<std::string> add_activation(Graph& graph, core::Activation activation, const std::string& z) {
  const bool wide = graph.dtype() == core::Dtype::float64;
  switch (activation) {
    case core::Activation::linear:
      return z;
    case core::Activation::sigmoid:
      return graph.node("Sigmoid", {z});
    case core::Activation::tanh:
      return graph.node("Tanh", {z});
    case core::Activation::relu:
      return graph.node("Relu", {z});
    case core::Activation::leaky_relu: {
      const std::string lower = graph.node("Mul", {z, graph.scalar(0.01)});
      return graph.node("Max", {z, lower});
    }
    case core::Activation::elu: {
      if (!wide) return graph.node("Elu", {z});
      const std::string zero = graph.scalar(0);
      const std::string lower = graph.node("Exp", {graph.node("Min", {z, zero})});
      return graph.node("Add", {graph.node("Max", {z, zero}), graph.node("Sub", {lower, graph.scalar(1)})});
    }
    case core::Activation::gelu: {
      if (wide) return unsayable("gelu in float64 needs a double-precision Erf, which ONNX Runtime lacks");
      const std::string erf = graph.node("Erf", {graph.node("Mul", {z, graph.scalar(std::sqrt(0.5))})});
      const std::string half = graph.node("Mul", {z, graph.scalar(0.5)});
      return graph.node("Mul", {half, graph.node("Add", {erf, graph.scalar(1)})});
    }
    case core::Activation::silu:
      return graph.node("Mul", {z, graph.node("Sigmoid", {z})});
    case core::Activation::softplus: {
      if (!wide) return graph.node("Softplus", {z});
      const std::string small = graph.node("Exp", {graph.node("Neg", {graph.node("Abs", {z})})});
      const std::string log = graph.node("Log", {graph.node("Add", {small, graph.scalar(1)})});
      return graph.node("Add", {graph.node("Max", {z, graph.scalar(0)}), log});
    }
    case core::Activation::softmax: {
      std::string h = graph.node("Softmax", {z});
      graph.attribute("axis", std::int64_t{-1});
      return h;
    }
  }
  return unsayable("it has an unknown activation");
}

/// The numbers of a checkpoint by place and name.
class Numbers {
 public:
  explicit Numbers(const core::Checkpoint& checkpoint) : checkpoint_(checkpoint) {}

  std::vector<double> slice(std::size_t offset, std::size_t count) const {
    return std::visit(
        [&](const auto& all) {
          return std::vector<double>(all.begin() + static_cast<std::ptrdiff_t>(offset),
                                     all.begin() + static_cast<std::ptrdiff_t>(offset + count));
        },
        checkpoint_.parameters);
  }
  std::vector<double> named(const std::string& name) const {
    for (const core::NamedArray& array : checkpoint_.arrays)
      if (array.name == name)
        return std::visit([](const auto& all) { return std::vector<double>(all.begin(), all.end()); },
                          array.values);
    return {};
  }

 private:
  const core::Checkpoint& checkpoint_;
};

std::int64_t extent(std::size_t size) { return static_cast<std::int64_t>(size); }

/// Inference of batch_norm is one multiplication and one addition by column.
std::string add_batch_norm(Graph& graph, const core::Brick& brick, const Numbers& numbers,
                           const std::string& x) {
  std::vector<double> factor = numbers.slice(brick.weights, brick.weight_count);
  std::vector<double> shift = numbers.slice(brick.bias, brick.bias_count);
  const std::vector<double> mean = numbers.named("batch_norm." + brick.path + ".running_mean");
  const std::vector<double> variance = numbers.named("batch_norm." + brick.path + ".running_variance");
  for (std::size_t i = 0; i < factor.size(); ++i) {
    factor[i] /= std::sqrt(variance[i] + brick.spec->epsilon);
    shift[i] -= mean[i] * factor[i];
  }
  const std::vector<std::int64_t> shape{extent(factor.size())};
  const std::string scaled = graph.node("Mul", {x, graph.constant(factor, shape)});
  return graph.node("Add", {scaled, graph.constant(shift, shape)});
}

// LayerNormalization's epsilon is a float, which isn't the double that a float64 network uses: compose it.
std::string add_layer_norm(Graph& graph, const core::Brick& brick, const Numbers& numbers,
                           const std::string& x) {
  const std::vector<std::int64_t> shape{extent(brick.outputs)};
  const std::string centred = graph.node("Sub", {x, graph.row_mean(x)});
  const std::string variance = graph.row_mean(graph.node("Mul", {centred, centred}));
  const std::string padded = graph.node("Add", {variance, graph.scalar(brick.spec->epsilon)});
  const std::string normal = graph.node("Div", {centred, graph.node("Sqrt", {padded})});
  const std::string scaled =
      graph.node("Mul", {normal, graph.constant(numbers.slice(brick.weights, brick.weight_count), shape)});
  return graph.node("Add", {scaled, graph.constant(numbers.slice(brick.bias, brick.bias_count), shape)});
}

core::Result<std::string> add_bricks(Graph& graph, const std::vector<core::Brick>& bricks,
                                     const Numbers& numbers, std::string x) {
  for (const core::Brick& brick : bricks) {
    switch (brick.spec->kind) {
      case core::LayerKind::dropout:
        break;  // prediction drops nothing
      case core::LayerKind::dense: {
        const std::string w = graph.constant(numbers.slice(brick.weights, brick.weight_count),
                                             {extent(brick.inputs), extent(brick.outputs)});
        std::string z = graph.node("MatMul", {x, w});
        if (brick.bias_count != 0)
          z = graph.node("Add", {z, graph.constant(numbers.slice(brick.bias, brick.bias_count),
                                                   {extent(brick.outputs)})});
        core::Result<std::string> h = add_activation(graph, brick.spec->activation, z);
        if (!h) return h;
        x = std::move(*h);
        break;
      }
      case core::LayerKind::layer_norm:
        x = add_layer_norm(graph, brick, numbers, x);
        break;
      case core::LayerKind::batch_norm:
        x = add_batch_norm(graph, brick, numbers, x);
        break;
      case core::LayerKind::residual: {
        core::Result<std::string> inner = add_bricks(graph, brick.layers, numbers, x);
        if (!inner) return inner;
        x = graph.node("Add", {x, *inner});
        break;
      }
    }
  }
  return x;
}

/// A raw number → its scaled input, and where `indicator` asks for it a second one.
void add_number(Graph& graph, const core::Column& column, std::vector<std::string>& encoded) {
  std::string x = column.name;
  const bool fills = column.missing != core::MissingPolicy::refuse;
  const std::string missing = fills ? graph.node("IsNaN", {x}) : "";
  if (fills) x = graph.node("Where", {missing, graph.constant({column.fill}, {1, 1}), x});
  if (column.scaling != core::Scaling::none) {
    const std::string centred = graph.node("Sub", {x, graph.scalar(column.offset)});
    x = graph.node("Div", {centred, graph.scalar(column.scale)});
  }
  encoded.push_back(x);
  if (column.missing != core::MissingPolicy::indicator) return;
  encoded.push_back(graph.node("Cast", {missing}));
  graph.attribute("to", std::int64_t{graph.element_type()});
}

/// A raw category → one-hot. An unseen one fails (zeros = 0), or is what no known one is.
core::Result<std::string> add_category(Graph& graph, const core::Column& column) {
  if (column.missing != core::MissingPolicy::refuse)
    return unsayable("no operator fills in the missing values of the category " + column.name);
  const bool other = column.unseen == core::UnseenPolicy::other;
  const std::string hot = graph.node("OneHotEncoder", {column.name}, "ai.onnx.ml");
  graph.attribute("cats_strings", column.categories);
  graph.attribute("zeros", std::int64_t{other});
  std::string flat = graph.node("Squeeze", {hot, graph.axes(1)});  // rows × 1 × k → rows × k
  flat = graph.node("Cast", {flat});
  graph.attribute("to", std::int64_t{graph.element_type()});
  if (!other) return flat;
  const std::string known = graph.node("ReduceSum", {flat, graph.axes(1)});
  const std::string rest = graph.node("Sub", {graph.scalar(1), known});
  const std::string all = graph.node("Concat", {flat, rest});
  graph.attribute("axis", std::int64_t{1});
  return all;
}

core::Result<std::string> add_preprocess(Graph& graph, const core::Preprocess& preprocess) {
  std::vector<std::string> encoded;
  for (const core::Column& column : preprocess.columns) {
    if (column.type == core::ColumnType::ignored) continue;
    const bool number = column.type == core::ColumnType::number;
    Graph::declare(graph.proto().add_input(), column.name,
                   number ? graph.element_type() : std::int32_t{onnx::TensorProto::STRING}, 1);
    if (number) {
      add_number(graph, column, encoded);
      continue;
    }
    core::Result<std::string> hot = add_category(graph, column);
    if (!hot) return hot;
    encoded.push_back(std::move(*hot));
  }
  std::string inputs = graph.node("Concat", encoded);
  graph.attribute("axis", std::int64_t{1});
  return inputs;
}

}  // namespace

core::Result<std::string> write_onnx(const core::Checkpoint& checkpoint, std::string_view name) {
  const core::Network network(checkpoint.spec);
  onnx::ModelProto model;
  model.set_ir_version(kIrVersion);
  model.set_producer_name("mlpd");
  model.set_model_version(static_cast<std::int64_t>(checkpoint.step));
  model.add_opset_import()->set_version(kOpset);
  Graph graph(*model.mutable_graph(), checkpoint.spec.dtype);
  graph.proto().set_name(std::string(name));
  core::Result<std::string> inputs = std::string("inputs");
  if (checkpoint.preprocess != nullptr) {
    onnx::OperatorSetIdProto* ml = model.add_opset_import();
    ml->set_domain("ai.onnx.ml");
    ml->set_version(kMlOpset);
    inputs = add_preprocess(graph, *checkpoint.preprocess);
  } else {
    Graph::declare(graph.proto().add_input(), *inputs, graph.element_type(), checkpoint.spec.inputs);
  }
  if (!inputs) return inputs;
  core::Result<std::string> outputs = add_bricks(graph, network.bricks(), Numbers(checkpoint), *inputs);
  if (!outputs) return outputs;
  std::string last = *outputs;
  if (checkpoint.preprocess != nullptr && checkpoint.preprocess->target.type == core::ColumnType::number) {
    const core::Column& target = checkpoint.preprocess->target;
    last = graph.node("Mul", {last, graph.scalar(target.scale)});
    last = graph.node("Add", {last, graph.scalar(target.offset)});
  }
  graph.node_into("outputs", "Identity", {last});
  Graph::declare(graph.proto().add_output(), "outputs", graph.element_type(), network.output_count());
  if (!checkpoint.spec.class_labels.empty()) {
    onnx::StringStringEntryProto* entry = model.add_metadata_props();
    entry->set_key("class_labels");
    JsonWriter(*entry->mutable_value()).values(checkpoint.spec.class_labels);
  }
  return model.SerializeAsString();
}

}  // namespace mlpd::api
