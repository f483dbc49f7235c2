#include "core/activation.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/initializer.h"
#include "core/named_table.h"

namespace mlpd::core {
namespace {

TEST(Activation, HasARowForEachEnumeratorInOrder) {
  ASSERT_EQ(activations().size(), static_cast<std::size_t>(Activation::softmax) + 1);
  for (std::size_t i = 0; i < activations().size(); ++i)
    EXPECT_EQ(activations()[i].value, static_cast<Activation>(i));
}

TEST(Activation, DerivativesAreTheValuesSlopes) {
  for (const ActivationRow& row : activations()) {
    if (row.function == nullptr) continue;
    SCOPED_TRACE(row.name);
    for (double z : {-30.0, -8.0, -3.3, -1.0, -0.4, -0.01, 0.01, 0.3, 1.0, 2.7, 9.0, 30.0}) {
      const double step = 1e-5;
      const double slope = (row.function(z + step) - row.function(z - step)) / (2 * step);
      EXPECT_NEAR(row.derivative(z), slope, 1e-9) << "z = " << z;
    }
  }
}

TEST(Activation, HasTheKnownValues) {
  struct Case {
    Activation activation;
    double z, value;
  };
  const Case cases[] = {
      {Activation::linear, -2.5, -2.5},
      {Activation::sigmoid, 1, 0.73105857863000487926},
      {Activation::tanh, 0.5, 0.46211715726000975850},
      {Activation::relu, -3, 0},
      {Activation::relu, 3, 3},
      {Activation::leaky_relu, -3, -0.03},
      {Activation::elu, -1, -0.63212055882855767840},
      {Activation::gelu, 1, 0.84134474606854294859},
      {Activation::gelu, -3, -0.0040496940948902217},
      {Activation::silu, 2, 1.7615941559557648881},
      {Activation::softplus, -1, 0.31326168751822283404},
      {Activation::softplus, 800, 800},
      {Activation::sigmoid, -800, 0},
      {Activation::tanh, 800, 1},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(name_of(activations(), c.activation));
    const double value = activations()[static_cast<std::size_t>(c.activation)].function(c.z);
    EXPECT_NEAR(value, c.value, 1e-15 * std::max(1.0, std::abs(c.value)));
  }
}

TEST(Activation, KeepsNotANumberVisible) {
  for (const ActivationRow& row : activations()) {
    if (row.function == nullptr) continue;
    EXPECT_TRUE(std::isnan(row.function(std::nan("")))) << row.name;
  }
}

}  // namespace
}  // namespace mlpd::core
