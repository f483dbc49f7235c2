#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/network_spec.h"

namespace mlpd::api {

/// Step at which the remedies branch off the exploding network: before its burst near step 90.
inline constexpr std::uint64_t kRemedyForkStep = 60;

/// An experiment that one call starts, on the article's 300 points or on a data set that the program brings
/// along.
struct Recipe {
  std::string_view name;
  std::string_view about;  ///< one or two sentences for a person
  core::NetworkSpec spec;
  std::uint64_t steps = 0;             ///< of the training, all of which it records
  bool forks = false;                  ///< branches off a network of recipe "exploding" and changes …
  core::HyperParameters changed = {};  ///< … to these settings
  std::string_view dataset = {};       ///< built in; empty = the article's points, without validation
  std::uint64_t batch_size = 0;        ///< of a data set's training, which shuffles; 0 = the whole set
};

/// Rows of a data set that a recipe holds out.
inline constexpr double kRecipeValidationFraction = 0.2;

/// The closed table, in the order in which they are best tried.
const std::vector<Recipe>& recipes();

/// Weights (inputs × units, row-major) with which the exploding network starts.
std::span<const double> exploding_hidden_weights();
std::span<const double> exploding_output_weights();

}  // namespace mlpd::api
