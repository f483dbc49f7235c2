#include "core/generator.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "core/named_table.h"

namespace mlpd::core {
namespace {

// The numbers of "inputs" in tests/golden/xor_300.json, in order.
std::vector<double> golden_inputs() {
  std::ifstream file("tests/golden/xor_300.json");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  std::vector<double> numbers;
  const char* p = text.c_str() + text.find("\"inputs\": ") + 10;
  for (int depth = 0;; ++p) {
    depth += *p == '[' ? 1 : *p == ']' ? -1 : 0;
    if (*p == ']' && depth == 0) return numbers;
    if (*p == '-' || (*p >= '0' && *p <= '9')) {
      char* end = nullptr;
      numbers.push_back(std::strtod(p, &end));
      p = end - 1;
    }
  }
}

Dataset make(GeneratorOptions options) {
  Result<Dataset> data = generate(options);
  EXPECT_TRUE(data.ok());
  return std::move(data).value();
}

class EveryGenerator : public testing::TestWithParam<GeneratorRow> {};

TEST_P(EveryGenerator, HasTheStatedShape) {
  const GeneratorRow row = GetParam();
  const Dataset data = make({.kind = row.value, .rows = 120, .seed = 3});
  const std::size_t outputs = !row.classes ? 1 : row.value == Generator::blobs ? 3 : 2;
  EXPECT_EQ(data.rows, 120u);
  EXPECT_EQ(data.input_count, row.value == Generator::sine ? 1u : 2u);
  EXPECT_EQ(data.output_count, outputs);
  EXPECT_EQ(data.inputs.size(), data.rows * data.input_count);
  EXPECT_EQ(data.targets.size(), data.rows * data.output_count);
  EXPECT_EQ(data.class_labels.size(), row.classes ? outputs : 0u);
}

TEST_P(EveryGenerator, ClassTargetsAreOneHotAndEveryClassOccurs) {
  const GeneratorRow row = GetParam();
  if (!row.classes) return;
  const Dataset data = make({.kind = row.value, .rows = 200, .noise = 0.1, .seed = 5});
  std::vector<double> count(data.output_count, 0);
  for (std::size_t r = 0; r < data.rows; ++r) {
    double sum = 0;
    for (std::size_t k = 0; k < data.output_count; ++k) {
      const double y = data.targets[r * data.output_count + k];
      EXPECT_TRUE(y == 0 || y == 1);
      sum += y;
      count[k] += y;
    }
    EXPECT_EQ(sum, 1);
  }
  for (double c : count) EXPECT_GE(c, 40);
}

TEST_P(EveryGenerator, SameSeedSameBitsAnotherSeedOthers) {
  const GeneratorOptions options{.kind = GetParam().value, .rows = 50, .noise = 0.2, .seed = 7};
  GeneratorOptions other = options;
  other.seed = 8;
  EXPECT_EQ(make(options).inputs, make(options).inputs);
  EXPECT_EQ(make(options).targets, make(options).targets);
  EXPECT_NE(make(options).inputs, make(other).inputs);
}

TEST_P(EveryGenerator, NoiseMovesInputsOfClassesAndTargetsOfNumbersOnly) {
  GeneratorOptions options{.kind = GetParam().value, .rows = 50, .seed = 7};
  const Dataset clean = make(options);
  options.noise = 0.5;
  const Dataset noisy = make(options);
  EXPECT_EQ(clean.inputs == noisy.inputs, !GetParam().classes);
  EXPECT_EQ(clean.targets == noisy.targets, GetParam().classes);
}

INSTANTIATE_TEST_SUITE_P(Generators, EveryGenerator,
                         testing::ValuesIn(generators().begin(), generators().end()),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST(Generator, XorIsClassOneWhereExactlyOneCoordinateIsPositive) {
  const Dataset data = make({.kind = Generator::xor_, .rows = 2000});
  double sum = 0;
  double squares = 0;
  for (std::size_t r = 0; r < data.rows; ++r) {
    const double x = data.inputs[2 * r];
    const double y = data.inputs[2 * r + 1];
    EXPECT_EQ(data.targets[2 * r + 1], (x > 0) != (y > 0) ? 1 : 0);
    sum += x + y;
    squares += x * x + y * y;
  }
  EXPECT_NEAR(sum / 4000, 0, 0.08);
  EXPECT_NEAR(squares / 4000, 1, 0.12);
}

TEST(Generator, SineAndPlaneFollowTheirFormulas) {
  const Dataset sine = make({.kind = Generator::sine, .rows = 500});
  for (std::size_t r = 0; r < sine.rows; ++r) EXPECT_NEAR(sine.targets[r], std::sin(sine.inputs[r]), 4e-16);
  const Dataset plane = make({.kind = Generator::plane, .rows = 100});
  for (std::size_t r = 0; r < plane.rows; ++r)
    EXPECT_NEAR(plane.targets[r], 0.5 + 2 * plane.inputs[2 * r] - plane.inputs[2 * r + 1], 1e-15);
}

TEST(Generator, CirclesLieOnTheirRadii) {
  const Dataset data = make({.kind = Generator::circles, .rows = 500});
  for (std::size_t r = 0; r < data.rows; ++r)
    EXPECT_NEAR(std::hypot(data.inputs[2 * r], data.inputs[2 * r + 1]), data.targets[2 * r] == 1 ? 1 : 0.5,
                1e-15);
}

TEST(Generator, RefusesOptionsOutOfRangeAllAtOnce) {
  const Result<Dataset> refused =
      generate({.kind = Generator::blobs, .rows = 1'000'001, .noise = -1, .seed = 0, .classes = 17});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
  std::set<std::string> pointers;
  for (const FieldError& fault : refused.error().fields) pointers.insert(fault.pointer);
  EXPECT_EQ(pointers, (std::set<std::string>{"#/classes", "#/noise", "#/rows"}));
  EXPECT_FALSE(generate({.rows = 0}).ok());
  EXPECT_FALSE(generate({.rows = 10, .noise = INFINITY}).ok());
  EXPECT_FALSE(generate({.rows = 100, .noise = 1e308}).ok());
  EXPECT_TRUE(generate({.rows = 1'000'000}).ok());
}

TEST(ArticleXor, IsTheGoldenDataSet) {
  const Dataset& data = article_xor();
  ASSERT_EQ(data.rows, 300u);
  EXPECT_EQ(data.inputs, golden_inputs());
  EXPECT_EQ(data.class_labels, (std::vector<std::string>{"0", "1"}));
  for (std::size_t r = 0; r < data.rows; ++r)
    EXPECT_EQ(data.targets[2 * r + 1], (data.inputs[2 * r] > 0) != (data.inputs[2 * r + 1] > 0) ? 1 : 0);
}

}  // namespace
}  // namespace mlpd::core
