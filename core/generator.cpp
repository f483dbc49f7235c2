#include "core/generator.h"

#include <array>
#include <cmath>
#include <numbers>
#include <string>

#include "core/named_table.h"
#include "core/random.h"

namespace mlpd::core {
namespace {

constexpr std::size_t kRowsMax = 1'000'000;
constexpr std::size_t kBlobClassesMin = 2;
constexpr std::size_t kBlobClassesMax = 16;
// Streams of the seed: points and noise are drawn apart, so that noise moves points and never their classes.
constexpr std::uint64_t kPointStream = 0x67656e6500;
constexpr std::uint64_t kNoiseStream = 0x67656e6501;

constexpr double kTurn = 2 * std::numbers::pi;

constexpr std::array<GeneratorRow, 8> kGenerators = {{
    {Generator::xor_, "xor", true},
    {Generator::circles, "circles", true},
    {Generator::moons, "moons", true},
    {Generator::spirals, "spirals", true},
    {Generator::blobs, "blobs", true},
    {Generator::checkerboard, "checkerboard", true},
    {Generator::plane, "plane", false},
    {Generator::sine, "sine", false},
}};

struct Direction {
  double cosine;
  double sine;
};

// cos and sin of t: reduced to |r| ≤ π/4, then Taylor's series to r¹⁶, whose rest is below 1e-16. libm's
// would differ from machine to machine. |t| ≤ 1e6.
Direction direction(double t) {
  constexpr double kQuarterHigh = 0x1.921fb54442d18p+0;
  constexpr double kQuarterLow = 0x1.1a62633145c07p-54;
  const double quarter = std::floor(t / kQuarterHigh + 0.5);
  const double r = std::fma(-quarter, kQuarterLow, std::fma(-quarter, kQuarterHigh, t));
  double sine = 1;
  double cosine = 1;
  for (int n = 16; n >= 2; n -= 2) {
    sine = 1 - r * r / (n * (n + 1)) * sine;
    cosine = 1 - r * r / (n * (n - 1)) * cosine;
  }
  sine *= r;
  switch (static_cast<long long>(quarter) & 3) {
    case 0:
      return {cosine, sine};
    case 1:
      return {-sine, cosine};
    case 2:
      return {-cosine, -sine};
    default:
      return {sine, -cosine};
  }
}

struct Point {
  std::array<double, 2> x{};
  std::size_t label = 0;
  double value = 0;
};

Point xor_point(Random& random) {
  Point p;
  p.x = {random.normal(), random.normal()};
  p.label = (p.x[0] > 0) != (p.x[1] > 0) ? 1 : 0;
  return p;
}

Point circles_point(Random& random, std::size_t row) {
  const Direction d = direction(random.uniform(0, kTurn));
  const double radius = row % 2 == 0 ? 1.0 : 0.5;
  return {{radius * d.cosine, radius * d.sine}, row % 2, 0};
}

Point moons_point(Random& random, std::size_t row) {
  const Direction d = direction(random.uniform(0, kTurn / 2));
  if (row % 2 == 0) return {{d.cosine, d.sine}, 0, 0};
  return {{1 - d.cosine, 0.5 - d.sine}, 1, 0};
}

Point spirals_point(Random& random, std::size_t row) {
  const double t = random.uniform(0.05, 1);
  const Direction d = direction(1.75 * kTurn * t + (row % 2 == 0 ? 0 : kTurn / 2));
  return {{t * d.cosine, t * d.sine}, row % 2, 0};
}

Point blobs_point(Random& random, std::size_t row, std::size_t classes, double rotation) {
  const std::size_t label = row % classes;
  const Direction d = direction(rotation + kTurn * static_cast<double>(label) / static_cast<double>(classes));
  Point p{{4 * d.cosine, 4 * d.sine}, label, 0};
  for (double& x : p.x) x += 0.5 * random.normal();
  return p;
}

Point checkerboard_point(Random& random) {
  Point p;
  p.x = {random.uniform(-2, 2), random.uniform(-2, 2)};
  p.label = (std::floor(p.x[0]) + std::floor(p.x[1])) / 2 !=
                    std::floor((std::floor(p.x[0]) + std::floor(p.x[1])) / 2)
                ? 1
                : 0;
  return p;
}

Point plane_point(Random& random) {
  Point p;
  p.x = {random.uniform(-1, 1), random.uniform(-1, 1)};
  p.value = 0.5 + 2 * p.x[0] - p.x[1];
  return p;
}

Point sine_point(Random& random) {
  Point p;
  p.x[0] = random.uniform(-kTurn / 2, kTurn / 2);
  p.value = direction(p.x[0]).sine;
  return p;
}

Point draw(const GeneratorOptions& options, Random& random, std::size_t row, double rotation) {
  switch (options.kind) {
    case Generator::xor_:
      return xor_point(random);
    case Generator::circles:
      return circles_point(random, row);
    case Generator::moons:
      return moons_point(random, row);
    case Generator::spirals:
      return spirals_point(random, row);
    case Generator::blobs:
      return blobs_point(random, row, options.classes, rotation);
    case Generator::checkerboard:
      return checkerboard_point(random);
    case Generator::plane:
      return plane_point(random);
    case Generator::sine:
      return sine_point(random);
  }
  return {};
}

Result<void> check(const GeneratorOptions& options) {
  std::vector<FieldError> faults;
  if (options.rows < 1 || options.rows > kRowsMax)
    faults.push_back({"#/rows", "must be 1 … " + std::to_string(kRowsMax)});
  if (!(options.noise >= 0) || !std::isfinite(options.noise))
    faults.push_back({"#/noise", "must be a finite number ≥ 0"});
  if (options.kind == Generator::blobs &&
      (options.classes < kBlobClassesMin || options.classes > kBlobClassesMax))
    faults.push_back({"#/classes", "must be " + std::to_string(kBlobClassesMin) + " … " +
                                       std::to_string(kBlobClassesMax)});
  if (faults.empty()) return {};
  return Error{ErrorCode::invalid_argument, "The generator's options are out of range.", std::move(faults)};
}

}  // namespace

std::span<const GeneratorRow> generators() { return kGenerators; }

Result<Dataset> generate(const GeneratorOptions& options) {
  if (Result<void> checked = check(options); !checked) return checked.error();
  const bool classes = kGenerators[static_cast<std::size_t>(options.kind)].classes;
  Dataset data;
  data.rows = options.rows;
  data.input_count = options.kind == Generator::sine ? 1 : 2;
  data.output_count = !classes ? 1 : options.kind == Generator::blobs ? options.classes : 2;
  data.inputs.reserve(data.rows * data.input_count);
  data.targets.assign(data.rows * data.output_count, 0);
  if (classes)
    for (std::size_t k = 0; k < data.output_count; ++k) data.class_labels.push_back(std::to_string(k));
  Random random(options.seed, kPointStream);
  Random noise(options.seed, kNoiseStream);
  const double rotation = options.kind == Generator::blobs ? random.uniform(0, kTurn) : 0;
  for (std::size_t row = 0; row < data.rows; ++row) {
    const Point point = draw(options, random, row, rotation);
    for (std::size_t i = 0; i < data.input_count; ++i)
      data.inputs.push_back(classes && options.noise > 0 ? point.x[i] + options.noise * noise.normal()
                                                         : point.x[i]);
    double* target = data.targets.data() + row * data.output_count;
    if (classes)
      target[point.label] = 1;
    else
      *target = options.noise > 0 ? point.value + options.noise * noise.normal() : point.value;
  }
  for (const std::vector<double>* numbers : {&data.inputs, &data.targets})
    for (double x : *numbers)
      if (!std::isfinite(x))
        return Error{ErrorCode::invalid_argument,
                     "The noise is so large that points overflow.",
                     {{"#/noise", "must be smaller"}}};
  return data;
}

}  // namespace mlpd::core
