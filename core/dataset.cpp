#include "core/dataset.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <tuple>

#include "core/random.h"

namespace mlpd::core {
namespace {

constexpr std::uint64_t kSplitStream = 0x73706c6974;

}  // namespace

Digest Dataset::digest() const {
  return Hasher()
      .add(std::uint64_t{rows})
      .add(std::uint64_t{input_count})
      .add(std::uint64_t{output_count})
      .add(std::span<const double>(inputs))
      .add(std::span<const double>(targets))
      .finish();
}

Dataset select(const Dataset& data, const std::vector<std::size_t>& rows) {
  Dataset part;
  part.rows = rows.size();
  part.input_count = data.input_count;
  part.output_count = data.output_count;
  part.class_labels = data.class_labels;
  part.inputs.reserve(rows.size() * data.input_count);
  part.targets.reserve(rows.size() * data.output_count);
  for (std::size_t row : rows) {
    const double* inputs = data.inputs.data() + row * data.input_count;
    const double* targets = data.targets.data() + row * data.output_count;
    part.inputs.insert(part.inputs.end(), inputs, inputs + data.input_count);
    part.targets.insert(part.targets.end(), targets, targets + data.output_count);
  }
  return part;
}

std::vector<std::size_t> class_indices(const Dataset& data) {
  std::vector<std::size_t> classes(data.rows);
  for (std::size_t row = 0; row < data.rows; ++row) {
    const double* targets = data.targets.data() + row * data.output_count;
    const double* end = targets + data.output_count;
    if (std::any_of(targets, end, [](double y) { return y != 0 && y != 1; })) return {};
    const auto ones = std::count(targets, end, 1.0);
    if (data.output_count == 1)
      classes[row] = static_cast<std::size_t>(ones);
    else if (ones == 1)
      classes[row] = static_cast<std::size_t>(std::find(targets, end, 1.0) - targets);
    else
      return {};
  }
  return classes;
}

std::vector<std::size_t> held_out_order(std::size_t rows, const std::vector<std::size_t>& classes,
                                        std::uint64_t seed) {
  std::vector<std::size_t> order = permutation(rows, seed, kSplitStream);
  if (classes.empty()) return order;
  const std::size_t class_count = *std::max_element(classes.begin(), classes.end()) + 1;
  std::vector<std::size_t> size(class_count, 0);
  for (std::size_t c : classes) ++size[c];
  // The i-th drawn row of a class of n stands at (i + ½)/n, so that classes advance in proportion.
  std::vector<std::tuple<double, std::size_t, std::size_t>> places;
  places.reserve(rows);
  std::vector<std::size_t> drawn(class_count, 0);
  for (std::size_t row : order) {
    const std::size_t c = classes[row];
    places.emplace_back((static_cast<double>(drawn[c]++) + 0.5) / static_cast<double>(size[c]), c, row);
  }
  std::sort(places.begin(), places.end());
  for (std::size_t i = 0; i < rows; ++i) order[i] = std::get<2>(places[i]);
  return order;
}

std::size_t held_out_count(std::size_t rows, double fraction) {
  return static_cast<std::size_t>(std::floor(fraction * static_cast<double>(rows) + 0.5));
}

Result<Split> split(std::shared_ptr<const Dataset> data, double fraction, std::uint64_t seed) {
  if (fraction == 0) return Split{std::move(data), nullptr};
  const std::size_t held_out = held_out_count(data->rows, fraction);
  if (held_out == 0 || held_out >= data->rows)
    return Error{ErrorCode::invalid_argument,
                 "Holding out that fraction of " + std::to_string(data->rows) +
                     " rows leaves the training or the validation set empty.",
                 {{"#/validation/fraction", "must leave at least one row on either side"}}};
  std::vector<std::size_t> order = held_out_order(data->rows, class_indices(*data), seed);
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(held_out);
  std::sort(order.begin(), middle);
  std::sort(middle, order.end());
  return Split{std::make_shared<const Dataset>(select(*data, {middle, order.end()})),
               std::make_shared<const Dataset>(select(*data, {order.begin(), middle}))};
}

}  // namespace mlpd::core
