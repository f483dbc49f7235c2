#include "core/boundary.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace mlpd::core {

namespace {

/// Numbers of one block of inputs: what a request may take of memory.
constexpr std::size_t kBlockNumbers = std::size_t{1} << 20;
constexpr double kMargin = 0.1;

BoundaryAxis axis_of(const Dataset* data, std::size_t input) {
  BoundaryAxis axis;
  axis.input = input;
  if (data == nullptr || data->rows == 0) return axis;
  axis.from = axis.to = data->inputs[input];
  for (std::size_t r = 0; r < data->rows; ++r) {
    axis.from = std::min(axis.from, data->inputs[r * data->input_count + input]);
    axis.to = std::max(axis.to, data->inputs[r * data->input_count + input]);
  }
  const double span = axis.to - axis.from;
  const double margin = span > 0 ? kMargin * span : 1;
  axis.from -= margin;
  axis.to += margin;
  return axis;
}

Result<void> check(const NetworkSpec& spec, const BoundaryPlane& plane) {
  Error error{ErrorCode::invalid_argument, "There is no such plane to look at.", {}};
  const auto fault = [&](const char* name, std::string detail) {
    error.fields.push_back({name, std::move(detail)});
  };
  const std::string inputs = "the network has " + std::to_string(spec.inputs) + " inputs, counted from 0";
  if (spec.inputs < 2)
    fault("?x", "a decision surface needs two inputs; the network has one");
  else if (plane.x.input >= spec.inputs)
    fault("?x", inputs);
  if (spec.inputs >= 2 && plane.y.input >= spec.inputs) fault("?y", inputs);
  if (spec.inputs >= 2 && plane.x.input == plane.y.input) fault("?y", "must be another input than x");
  if (plane.output >= output_count(spec))
    fault("?output", "the network has " + std::to_string(output_count(spec)) + " outputs, counted from 0");
  if (plane.resolution < kBoundaryResolutionMin || plane.resolution > kBoundaryResolutionMax) {
    fault("?resolution", "must be " + std::to_string(kBoundaryResolutionMin) + " to " +
                             std::to_string(kBoundaryResolutionMax));
  } else if (const std::uint64_t cells = plane.resolution * plane.resolution;
             parameter_count(spec) > kBoundaryOperationsMax / cells) {
    fault("?resolution", "this network has " + std::to_string(parameter_count(spec)) +
                             " parameters; ask for fewer cells: resolution squared times parameters must be "
                             "at most " +
                             std::to_string(kBoundaryOperationsMax));
  }
  if (!error.fields.empty()) return error;
  return {};
}

template <class T>
void judge_cell(const T* h, std::size_t outputs, const BoundaryPlane& plane, Boundary& boundary) {
  if (!plane.classifies) {
    boundary.values.push_back(static_cast<double>(h[plane.output]));
  } else if (outputs == 1) {
    boundary.values.push_back(static_cast<double>(h[0]));
    boundary.classes.push_back(h[0] >= T{0.5} ? 1 : 0);
  } else {
    const auto best = static_cast<std::size_t>(std::max_element(h, h + outputs) - h);
    boundary.classes.push_back(best);
    boundary.values.push_back(outputs == 2 ? (1 + static_cast<double>(h[1]) - static_cast<double>(h[0])) / 2
                                           : static_cast<double>(h[best]));
  }
}

template <class T>
void predict_cells(const Snapshot& snapshot, const BoundaryPlane& plane, Boundary& boundary) {
  const std::size_t inputs = snapshot.spec().inputs;
  const std::size_t outputs = output_count(snapshot.spec());
  const std::size_t cells = plane.resolution * plane.resolution;
  const std::size_t block = std::clamp<std::size_t>(kBlockNumbers / std::max(inputs, outputs), 1, cells);
  const auto workspace = snapshot.make_workspace();
  Matrix<T> rows(block, inputs);
  Matrix<T> h(block, outputs);
  for (std::size_t r = 0; r < block; ++r)
    std::transform(plane.others.begin(), plane.others.end(), rows.data() + r * inputs,
                   [](double x) { return static_cast<T>(x); });
  for (std::size_t first = 0; first < cells; first += block) {
    const std::size_t count = std::min(block, cells - first);
    for (std::size_t r = 0; r < count; ++r) {
      const std::size_t cell = first + r;
      rows(r, plane.x.input) =
          static_cast<T>(cell_centre(plane.x, plane.resolution, cell % plane.resolution));
      rows(r, plane.y.input) =
          static_cast<T>(cell_centre(plane.y, plane.resolution, cell / plane.resolution));
    }
    snapshot.predict(ConstMatrixView<T>(rows.data(), count, inputs), MatrixView<T>(h.data(), count, outputs),
                     *workspace);
    for (std::size_t r = 0; r < count; ++r) judge_cell(h.data() + r * outputs, outputs, plane, boundary);
  }
}

}  // namespace

double cell_centre(const BoundaryAxis& axis, std::size_t resolution, std::size_t i) {
  return axis.from +
         (axis.to - axis.from) * ((static_cast<double>(i) + 0.5) / static_cast<double>(resolution));
}

BoundaryPlane make_plane(const NetworkSpec& spec, const Dataset* data, std::size_t x, std::size_t y) {
  BoundaryPlane plane;
  plane.x.input = x;
  plane.y.input = y;
  plane.others.assign(spec.inputs, 0);
  if (x >= spec.inputs || y >= spec.inputs) return plane;  // make_boundary() says so
  plane.x = axis_of(data, x);
  plane.y = axis_of(data, y);
  if (data == nullptr) return plane;
  for (std::size_t r = 0; r < data->rows; ++r)
    for (std::size_t j = 0; j < spec.inputs; ++j)
      plane.others[j] += data->inputs[r * spec.inputs + j] / static_cast<double>(data->rows);
  return plane;
}

Result<Boundary> make_boundary(const Snapshot& snapshot, const BoundaryPlane& plane) {
  if (Result<void> valid = check(snapshot.spec(), plane); !valid) return valid.error();
  Boundary boundary;
  if (snapshot.spec().dtype == Dtype::float32)
    predict_cells<float>(snapshot, plane, boundary);
  else
    predict_cells<double>(snapshot, plane, boundary);
  if (!std::all_of(boundary.values.begin(), boundary.values.end(), [](double v) { return std::isfinite(v); }))
    return Error{ErrorCode::invalid_argument, "The network's outputs overflow on this plane.", {}};
  const auto [least, most] = std::minmax_element(boundary.values.begin(), boundary.values.end());
  boundary.minimum = *least;
  boundary.maximum = *most;
  return boundary;
}

}  // namespace mlpd::core
