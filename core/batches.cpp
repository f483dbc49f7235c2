#include "core/batches.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/named_table.h"
#include "core/network.h"
#include "core/random.h"
#include "core/solver.h"

namespace mlpd::core {

std::size_t class_weight_count(std::size_t outputs) { return outputs == 1 ? 2 : outputs; }

double row_weight(const std::vector<double>& class_weights, const double* targets, std::size_t outputs) {
  if (outputs == 1) return (1 - targets[0]) * class_weights[0] + targets[0] * class_weights[1];
  double weight = 0;
  for (std::size_t k = 0; k < outputs; ++k) weight += class_weights[k] * targets[k];
  return weight;
}

namespace {

/// out = weights (all 1 where the targets are weighed already) scaled so that dividing a sum by the number of
/// rows divides it by the sum of weights.
template <class T>
void scale_to_mean_one(const T* weights, std::size_t rows, bool targets_weighed, std::vector<T>& out) {
  double sum = 0;
  for (std::size_t r = 0; r < rows; ++r) sum += static_cast<double>(weights[r]);
  const double factor = sum > 0 ? static_cast<double>(rows) / sum : 0;
  out.resize(rows);
  for (std::size_t r = 0; r < rows; ++r)
    out[r] = static_cast<T>(targets_weighed ? factor : static_cast<double>(weights[r]) * factor);
}

bool has_batch_norm(const std::vector<LayerSpec>& layers) {
  return std::any_of(layers.begin(), layers.end(), [](const LayerSpec& layer) {
    return layer.kind == LayerKind::batch_norm || has_batch_norm(layer.layers);
  });
}

}  // namespace

Result<void> check_batches(const NetworkSpec& spec, std::size_t rows, const BatchPlan& plan) {
  const std::size_t weights = class_weight_count(output_count(spec));
  const std::vector<double>& given = plan.class_weights;
  Error error{ErrorCode::invalid_argument, "The data can't be trained on as asked."};
  if (!given.empty() && given.size() != weights)
    error.fields.push_back({"#/class_weights", "has " + std::to_string(given.size()) +
                                                   " weights where the network has " +
                                                   std::to_string(weights) + " classes"});
  else if (std::any_of(given.begin(), given.end(), [](double w) { return !std::isfinite(w) || w < 0; }))
    error.fields.push_back({"#/class_weights", "must be finite numbers of 0 or more"});
  else if (!given.empty() && std::all_of(given.begin(), given.end(), [](double w) { return w == 0; }))
    error.fields.push_back({"#/class_weights", "must not all be 0"});
  const std::size_t batch =
      plan.batch_size == 0 ? rows : static_cast<std::size_t>(std::min<std::uint64_t>(plan.batch_size, rows));
  if (has_batch_norm(spec.layers) && (batch < 2 || rows % batch == 1))
    error.fields.push_back({rows == 1 ? "#/data/inputs" : "#/batch_size",
                            "leaves a batch of one row (" + std::to_string(rows) + " rows in batches of " +
                                std::to_string(batch) +
                                "), whose variance, which batch_norm needs, means nothing; choose another"});
  const Optimizer kind = spec.hyper_parameters.optimizer.kind;
  if (is_solver(kind) && kind != Optimizer::automatic && batch < rows)
    error.fields.push_back({"#/batch_size", "must be left out: " + std::string(name_of(optimizers(), kind)) +
                                                " works on the whole training set; or train with adam"});
  if (!error.fields.empty()) return error;
  return {};
}

Result<void> check_targets(const LossOptions& loss, const Dataset& data) {
  if (loss.kind != Loss::cross_entropy && loss.kind != Loss::binary_cross_entropy) return {};
  const auto wrong = std::find_if(data.targets.begin(), data.targets.end(),
                                  [](double target) { return !(target >= 0 && target <= 1); });
  if (wrong == data.targets.end()) return {};
  const auto row = static_cast<std::size_t>(wrong - data.targets.begin()) / data.output_count;
  const std::string name(name_of(losses(), loss.kind));
  return Error{ErrorCode::invalid_argument,
               "The targets have no meaning under " + name + ".",
               {{"#/data/targets/" + std::to_string(row),
                 "must be from 0 to 1 under " + name + "; use mean_squared_error for other numbers"}}};
}

template <class T>
Batches<T>::Batches(const Dataset& data, const BatchPlan& plan, const LossOptions& loss, std::uint64_t seed)
    : inputs_(data.rows, data.input_count),
      targets_(data.rows, data.output_count),
      batch_size_(plan.batch_size == 0
                      ? data.rows
                      : static_cast<std::size_t>(std::min<std::uint64_t>(plan.batch_size, data.rows))),
      shuffle_(plan.shuffle && batch_size_ < data.rows),
      seed_(seed),
      digest_(data.digest()) {
  const auto narrow = [](double x) { return static_cast<T>(x); };
  std::transform(data.inputs.begin(), data.inputs.end(), inputs_.data(), narrow);
  std::transform(data.targets.begin(), data.targets.end(), targets_.data(), narrow);
  if (plan.class_weights.empty()) return;
  row_weights_.resize(data.rows);
  for (std::size_t r = 0; r < data.rows; ++r)
    row_weights_[r] = static_cast<T>(
        row_weight(plan.class_weights, data.targets.data() + r * data.output_count, data.output_count));
  if (loss.label_smoothing > 0) weigh_targets(data, plan, loss.label_smoothing);
  scale_to_mean_one(row_weights_.data(), data.rows, weighed_targets_.size() != 0, all_weights_);
}

template <class T>
void Batches<T>::weigh_targets(const Dataset& data, const BatchPlan& plan, double label_smoothing) {
  const std::size_t classes = data.output_count;
  weighed_targets_.resize(data.rows, classes);
  for (std::size_t i = 0; i < data.targets.size(); ++i) {
    const double smooth =
        (1 - label_smoothing) * data.targets[i] + label_smoothing / static_cast<double>(classes);
    weighed_targets_.data()[i] = static_cast<T>(plan.class_weights[i % classes] * smooth);
  }
}

template <class T>
std::uint64_t Batches<T>::cut() const {
  return batch_size_ == rows() ? 0 : batch_size_;
}

template <class T>
bool Batches<T>::continues(const Cursor& cursor) const {
  return cursor.data == digest_ && cursor.batch_size == cut() && cursor.shuffle == shuffle_;
}

template <class T>
void Batches<T>::enter(Cursor& cursor) const {
  if (continues(cursor)) return;
  cursor.data = digest_;
  cursor.batch_size = cut();
  cursor.shuffle = shuffle_;
  cursor.row = rows();
}

template <class T>
Batch<T> Batches<T>::next(Cursor& cursor) {
  if (cursor.row >= rows()) {
    ++cursor.epoch;
    cursor.row = 0;
  }
  const std::size_t first = static_cast<std::size_t>(cursor.row);
  const std::size_t count = std::min(batch_size_, rows() - first);
  cursor.row += count;
  if (count == rows()) return all();
  const std::size_t in = inputs_.columns();
  const std::size_t out = targets_.columns();
  const bool weighed = weighed_targets_.size() != 0;
  if (!shuffle_) {
    const T* weights = row_weights_.empty() ? nullptr : row_weights_.data() + first;
    return {{inputs_.data() + first * in, count, in},
            {targets_.data() + first * out, count, out},
            {(weighed ? weighed_targets_ : targets_).data() + first * out, count, out},
            weighed,
            weights_of(weights, count)};
  }
  if (ordered_epoch_ != cursor.epoch) {
    order_ = permutation(rows(), seed_, kEpochStream + cursor.epoch);
    ordered_epoch_ = cursor.epoch;
  }
  batch_inputs_.resize(count, in);
  batch_targets_.resize(count, out);
  batch_weighed_targets_.resize(weighed ? count : 0, out);
  gathered_weights_.resize(row_weights_.empty() ? 0 : count);
  for (std::size_t r = 0; r < count; ++r) {
    const std::size_t from = order_[first + r];
    std::copy_n(inputs_.data() + from * in, in, batch_inputs_.data() + r * in);
    std::copy_n(targets_.data() + from * out, out, batch_targets_.data() + r * out);
    if (weighed)
      std::copy_n(weighed_targets_.data() + from * out, out, batch_weighed_targets_.data() + r * out);
    if (!row_weights_.empty()) gathered_weights_[r] = row_weights_[from];
  }
  const T* weights = row_weights_.empty() ? nullptr : gathered_weights_.data();
  return {batch_inputs_.view(), batch_targets_.view(),
          (weighed ? batch_weighed_targets_ : batch_targets_).view(), weighed, weights_of(weights, count)};
}

template <class T>
Batch<T> Batches<T>::all() const {
  const bool weighed = weighed_targets_.size() != 0;
  return {inputs_.view(), targets_.view(), (weighed ? weighed_targets_ : targets_).view(), weighed,
          all_weights_.empty() ? nullptr : all_weights_.data()};
}

template <class T>
const T* Batches<T>::weights_of(const T* row_weights, std::size_t count) {
  if (row_weights == nullptr) return nullptr;
  scale_to_mean_one(row_weights, count, weighed_targets_.size() != 0, batch_weights_);
  return batch_weights_.data();
}

template class Batches<float>;
template class Batches<double>;

}  // namespace mlpd::core
